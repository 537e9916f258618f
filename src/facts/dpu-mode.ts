import { z } from 'zod';
import { defineResource } from '../domain/commands.ts';
import type { BmcReader } from '../domain/device-ports.ts';
import { parseResource } from './read-helpers.ts';

export type DpuMode = 'dpu' | 'nic';

/** Source: libredfish mockup of a B3220 with BF-24.10 (`Oem/Nvidia` has Mode, HostRshim, BaseMAC). */
export const oemNvidiaResource = defineResource({
  name: 'Oem/Nvidia',
  path: '/redfish/v1/Systems/Bluefield/Oem/Nvidia',
});

const Body = z.object({ Mode: z.enum(['DpuMode', 'NicMode']) });

/** Reads the running mode. An unknown word is `redfish-unexpected`, never a default. */
export async function readDpuMode(bmc: BmcReader, signal: AbortSignal): Promise<DpuMode> {
  return parseDpuMode(bmc.target, await bmc.get(oemNvidiaResource, { timeoutMs: 60_000, signal }));
}

export function parseDpuMode(target: string, body: unknown): DpuMode {
  return parseResource(Body, target, `GET ${oemNvidiaResource.path}`, body).Mode === 'NicMode' ? 'nic' : 'dpu';
}
