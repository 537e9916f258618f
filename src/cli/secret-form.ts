import type { Secret } from '../domain/secret.ts';

const OPENSSH_MAGIC = 'openssh-key-v1\0';

/** A sentence when a file is clearly not what a worker can log in with; undefined when it may be right. Never quotes it. */
export function looksWrong(secret: Secret): string | undefined {
  const text = secret.reveal();
  if (/^(ssh-(rsa|ed25519)|ecdsa-sha2-\S+|sk-\S+) [A-Za-z0-9+/]/.test(text))
    return 'this is the public half of a key; import the private one';
  if (text.startsWith('PuTTY-User-Key-File'))
    return 'this is a PuTTY key; convert it with `puttygen KEY -O private-openssh -o FILE`';
  if (/ENCRYPTED/.test(text.slice(0, 200)) || cipherOf(text) !== 'none')
    return 'this key has a passphrase, which a worker cannot type; make a copy without one: ssh-keygen -p -f COPY';
  return undefined;
}

/** Cipher of an OpenSSH private key; `none` for everything else, which is judged by its text. */
function cipherOf(text: string): string {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/.exec(text)?.[1];
  if (body === undefined) return 'none';
  const bytes = Buffer.from(body, 'base64');
  const start = OPENSSH_MAGIC.length;
  if (bytes.length < start + 4 || bytes.subarray(0, start).toString('latin1') !== OPENSSH_MAGIC) return 'none';
  return bytes.subarray(start + 4, start + 4 + bytes.readUInt32BE(start)).toString('latin1');
}
