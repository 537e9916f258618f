import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

/**
 * The network of the card's BMC, asked from its Arm. `no-driver`: ipmi_devintf is not loaded, so nothing could be asked.
 * `no-lease`: the BMC has no address (0.0.0.0).
 */
export type BmcLan =
  { readonly state: 'address'; readonly address: string } | { readonly state: 'no-driver' | 'no-lease' };

/** Source: ipmitool(1); lib/ipmi_lanp.c pads the labels to 24 columns. */
export const bmcLan = defineRead({
  name: 'ipmitool lan print',
  argv: ['sudo', '-n', 'ipmitool', '-I', 'open', 'lan', 'print', '1'],
});

/** Reads the address of the BMC. Errors: sudo-refused, command-failed, output-unreadable. */
export async function readBmcLan(arm: HostReader, signal: AbortSignal): Promise<BmcLan> {
  const result = await arm.read(bmcLan.bind({}), { timeoutMs: 60_000, signal });
  if (result.exitCode !== 0 && /Could not open device at \/dev\/ipmi/.test(result.stderr))
    return { state: 'no-driver' };
  expectSuccess(arm.name, 'ipmitool lan print 1', result);
  return parseBmcLan(arm.name, result.stdout);
}

/** Parses `ipmitool lan print 1`: the line `IP Address`, not `IP Address Source`. */
export function parseBmcLan(target: string, text: string): BmcLan {
  const address = /^IP Address\s*: (\d{1,3}(?:\.\d{1,3}){3})\s*$/m.exec(text)?.[1];
  const isAddress = address?.split('.').every((part) => Number(part) <= 255);
  if (address === undefined || isAddress !== true) {
    const problem = 'no line `IP Address : N.N.N.N`';
    throw errors.outputUnreadable({ target, source: 'ipmitool lan print 1', problem, evidence: text.slice(0, 400) });
  }
  return address === '0.0.0.0' ? { state: 'no-lease' } : { state: 'address', address };
}
