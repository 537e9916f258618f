import { z } from 'zod';
import { defineResource } from '../domain/commands.ts';
import type { BmcReader } from '../domain/device-ports.ts';
import { oemNvidiaResource } from './dpu-mode.ts';
import { parseResource } from './read-helpers.ts';

/** Who may use the rshim of a card, as its BMC has it set. Both may be allowed; only one can own it. */
export interface RshimSettings {
  readonly bmcEnabled: boolean;
  readonly host: 'Enabled' | 'Disabled' | 'not-reported';
}

/** Source: NVIDIA BlueField BMC docs; libredfish mockup of a B3220 with BF-24.10. */
export const bmcOemResource = defineResource({
  name: 'Manager Oem/Nvidia',
  path: '/redfish/v1/Managers/Bluefield_BMC/Oem/Nvidia',
});

const BmcBody = z.object({ BmcRShim: z.object({ BmcRShimEnabled: z.boolean() }) });
const HostBody = z.object({ HostRshim: z.enum(['Enabled', 'Disabled']).optional() });

/** Reads both settings. Errors: redfish-unexpected and those of the transport. */
export async function readRshimSettings(bmc: BmcReader, signal: AbortSignal): Promise<RshimSettings> {
  const own = await bmc.get(bmcOemResource, { timeoutMs: 30_000, signal });
  const system = await bmc.get(oemNvidiaResource, { timeoutMs: 60_000, signal });
  return parseRshimSettings(bmc.target, own, system);
}

export function parseRshimSettings(target: string, own: unknown, system: unknown): RshimSettings {
  const { BmcRShim } = parseResource(BmcBody, target, `GET ${bmcOemResource.path}`, own);
  const { HostRshim } = parseResource(HostBody, target, `GET ${oemNvidiaResource.path}`, system);
  return { bmcEnabled: BmcRShim.BmcRShimEnabled, host: HostRshim ?? 'not-reported' };
}
