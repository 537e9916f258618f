/** Names of algorithms. Source: strongSwan's proposal keywords and how swanctl prints them. */
import type { ChildSa } from '../data-path.ts';

const ciphers: Record<string, [string, number]> = {
  aes128: ['AES_CBC', 128],
  aes256: ['AES_CBC', 256],
  aes128gcm16: ['AES_GCM_16', 128],
  aes128gcm128: ['AES_GCM_16', 128],
  aes256gcm16: ['AES_GCM_16', 256],
  aes256gcm128: ['AES_GCM_16', 256],
};
const others: Record<string, string> = {
  sha1: 'HMAC_SHA1_96',
  sha256: 'HMAC_SHA2_256_128',
  sha384: 'HMAC_SHA2_384_192',
  sha512: 'HMAC_SHA2_512_256',
  prfsha256: 'PRF_HMAC_SHA2_256',
  prfsha384: 'PRF_HMAC_SHA2_384',
  prfsha512: 'PRF_HMAC_SHA2_512',
  x25519: 'CURVE_25519',
  curve25519: 'CURVE_25519',
  ecp256: 'ECP_256',
  ecp384: 'ECP_384',
  modp2048: 'MODP_2048',
  modp3072: 'MODP_3072',
  esn: 'ESN',
  noesn: '',
};

/** A proposal as words; null when strongSwan knows one of them not. */
export function proposalWords(text: string): string[] | null {
  if (text === 'default') return ['AES_CBC-128', 'HMAC_SHA2_256_128', 'PRF_HMAC_SHA2_256', 'CURVE_25519'];
  const words = text.split('-').map((word) => {
    const cipher = ciphers[word];
    return cipher === undefined ? others[word] : `${cipher[0]}-${cipher[1]}`;
  });
  const known = words.filter((word) => word !== undefined);
  if (known.length !== words.length) return null;
  const implied = known.some((word) => word.startsWith('PRF_'))
    ? []
    : known.flatMap((word) => /^HMAC_(SHA2_\d+)/.exec(word)?.[1] ?? []).map((hash) => `PRF_HMAC_${hash}`);
  const shown = [...known, ...implied].filter((word) => word !== '');
  const rank = (word: string): number =>
    ['AES', 'HMAC', 'PRF', '', 'ESN'].findIndex(
      (start) => word.startsWith(start) && (start !== '' || !word.startsWith('ESN')),
    );
  return shown.sort((left, right) => rank(left) - rank(right));
}

/** The cipher of an ESP proposal. */
export function cipherOf(proposal: string): ChildSa['cipher'] {
  const words = proposal === 'default' ? ['aes128gcm16'] : proposal.split('-');
  const [name, bits] = words.map((word) => ciphers[word]).find((each) => each !== undefined) ?? ['AES_GCM_16', 128];
  return { name, bits, esn: words.includes('esn') };
}
