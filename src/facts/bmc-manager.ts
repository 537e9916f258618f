import { z } from 'zod';
import { defineResource } from '../domain/commands.ts';
import type { BmcReader } from '../domain/device-ports.ts';
import { notReported } from './dpu-system.ts';
import { parseResource } from './read-helpers.ts';

/** The DPU's BMC as it reports itself. */
export interface BmcManager {
  readonly firmware: string;
  /** Opaque stamp of its last start, or `not-reported`; its clock may be wrong, so it is only compared. */
  readonly lastResetTime: string;
}

/** Source: libredfish mockup of a B3220 with BF-24.10 (Manager 1.14: FirmwareVersion, LastResetTime). */
export const bmcManagerResource = defineResource({
  name: 'Manager',
  path: '/redfish/v1/Managers/Bluefield_BMC',
});

const Body = z.object({ FirmwareVersion: z.string(), LastResetTime: z.string().optional() });

/** Reads firmware and start of the BMC. Errors: redfish-unexpected and those of the transport. */
export async function readBmcManager(bmc: BmcReader, signal: AbortSignal): Promise<BmcManager> {
  return parseBmcManager(bmc.target, await bmc.get(bmcManagerResource, { timeoutMs: 30_000, signal }));
}

export function parseBmcManager(target: string, body: unknown): BmcManager {
  const { FirmwareVersion, LastResetTime } = parseResource(Body, target, `GET ${bmcManagerResource.path}`, body);
  return { firmware: FirmwareVersion.trim(), lastResetTime: LastResetTime ?? notReported };
}
