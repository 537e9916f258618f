import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

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

/** One IPsec association. `packet`: the card does all; `crypto`: only the encryption; `unnamed`: ip(8) is too old to say. */
export interface IpsecSa {
  readonly from: string;
  readonly to: string;
  readonly spi: string;
  readonly mode: string;
  readonly offload: 'packet' | 'crypto' | 'unnamed' | 'none';
  readonly device: string | undefined;
}

/**
 * Reads the associations of the kernel; none where IPsec is done in user space. Errors: command-failed (also of an ip(8) that
 * does not know `nokeys`), sudo-refused, output-unreadable.
 */
export async function readIpsecSas(arm: HostReader, signal: AbortSignal): Promise<readonly IpsecSa[]> {
  const result = await arm.read(xfrmState.bind({}), { timeoutMs: 30_000, signal, maxBytes: 4 * 1024 * 1024 });
  // Whatever goes wrong: nothing that this command printed goes anywhere with a key in it.
  const shown = { ...result, stdout: withoutKeys(result.stdout), stderr: withoutKeys(result.stderr) };
  expectSuccess(arm.name, 'ip xfrm state list nokeys', shown);
  if (result.truncated)
    throw errors.outputUnreadable({ target: arm.name, source: 'ip xfrm state', problem: 'it is not complete' });
  return parseXfrmState(arm.name, shown.stdout);
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
