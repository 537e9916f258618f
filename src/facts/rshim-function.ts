import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { expectSuccess } from './read-helpers.ts';

/**
 * The functions over which rshim is reached: `15b3:c2d4` and `15b3:c2d5` of BlueField-3, of the class of DMA controllers.
 * Source: Mellanox rshim-user-space, src/rshim_pcie.c; lspci(8).
 */
export const rshimFunctions = defineRead({
  name: 'lspci rshim functions',
  argv: ['lspci', '-D', '-n', '-d', '15b3::0801'],
});

/** The rshim function in the same slot as the network function of a card. Errors: command-failed. */
export async function readRshimFunction(
  host: HostReader,
  pciAddress: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const result = await host.read(rshimFunctions.bind({}), { timeoutMs: 15_000, signal });
  expectSuccess(host.name, 'lspci', result);
  return parseRshimFunction(result.stdout, pciAddress);
}

/** Parses `lspci -D -n`: `0000:e1:00.2 0801: 15b3:c2d5 (rev 01)`. */
export function parseRshimFunction(text: string, pciAddress: string): string | undefined {
  const slot = pciAddress.replace(/\.\d$/, '');
  const functions = text.matchAll(/^([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]) 0801: 15b3:c2d[45]\b/gm);
  return [...functions].map(([, address = '']) => address).find((address) => address.startsWith(`${slot}.`));
}
