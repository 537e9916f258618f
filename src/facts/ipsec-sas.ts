import { defineRead } from '../domain/commands.ts';
import { errors } from '../errors.ts';

/**
 * Associations of the kernel, without their keys. DOCA images bring a newer ip(8) that also says how far an association is
 * offloaded. Source: ip-xfrm(8), iproute2 ip/ipxfrm.c ("crypto offload parameters").
 */
export const xfrmState = defineRead({
  name: 'ip xfrm state',
  argv: [
    'sudo',
    '-n',
    'sh',
    '-c',
    'ip=/opt/mellanox/iproute2/sbin/ip; [ -x "$ip" ] || ip=ip; "$ip" xfrm state list nokeys',
  ],
});

/** They count what the card itself encrypts. Source: kernel docs, mlx5 ethtool counters (`ipsec_*`, `ipsec_full_*`). */
export const portCounters = defineRead({
  name: 'ethtool -S',
  argv: ['sudo', '-n', 'ethtool', '-S', '{link}'],
  holes: { link: /p[01]/ },
});

/** One IPsec association. `packet`: the card does all; `crypto`: only the encryption; `unnamed`: ip(8) is too old to say. */
export interface IpsecSa {
  readonly from: string;
  readonly to: string;
  readonly spi: string;
  readonly mode: string;
  readonly offload: 'packet' | 'crypto' | 'unnamed' | 'none';
  readonly device: string | undefined;
}

/** Parses `ip xfrm state`: an association begins with `src A dst B` at the start of a line. */
export function parseXfrmState(target: string, text: string): readonly IpsecSa[] {
  if (text.trim() === '') return [];
  return text.split(/^(?=src )/m).map((block) => {
    const [, from, to] = /^src (\S+) dst (\S+)/.exec(block) ?? [];
    const [, spi, mode] = /^\s+proto \S+ spi (0x[0-9a-f]+)\S* reqid \S+ mode (\w+)/m.exec(block) ?? [];
    if (from === undefined || to === undefined || spi === undefined || mode === undefined)
      throw errors.outputUnreadable({
        target,
        source: 'ip xfrm state',
        problem: 'an association without addresses, SPI and mode',
        evidence: withoutKeys(block).slice(0, 400),
      });
    const [whole, device, kind] = /^\s+crypto offload parameters: dev (\S+) dir \S+(?: mode (\w+))?/m.exec(block) ?? [];
    return { from, to, spi, mode, device, offload: whole === undefined ? 'none' : offloadOf(kind) };
  });
}

function offloadOf(kind: string | undefined): IpsecSa['offload'] {
  if (kind === undefined) return 'unnamed';
  return kind === 'packet' ? 'packet' : 'crypto';
}

/** Should an ip(8) print keys all the same. */
export function withoutKeys(text: string): string {
  return text.replace(/\b0x[0-9a-f]{17,}\b/gi, '[key]');
}

/** Packets that the card has encrypted and decrypted; undefined where the driver counts none. */
export function parseIpsecCounters(text: string): { readonly tx: number; readonly rx: number } | undefined {
  const count = (direction: 'tx' | 'rx'): number | undefined => {
    const value = new RegExp(`^\\s*ipsec(?:_full)?_${direction}_pkts: (\\d+)$`, 'm').exec(text)?.[1];
    return value === undefined ? undefined : Number(value);
  };
  const [tx, rx] = [count('tx'), count('rx')];
  return tx === undefined || rx === undefined ? undefined : { tx, rx };
}
