import { z } from 'zod';
import { defineResource } from '../domain/commands.ts';
import type { BmcReader } from '../domain/device-ports.ts';
import { parseResource } from './read-helpers.ts';

/** Value of a field that the BMC leaves out. */
export const notReported = 'not-reported';

/** The Arm complex as its BMC reports it. */
export interface DpuSystem {
  /** Trimmed: some firmware pads it with blanks. */
  readonly serial: string;
  readonly powerState: string;
  /** `OsIsRunning`, `UEFI`, ... or `not-reported`. */
  readonly bootState: string;
  /** Opaque stamp of the last change of `bootState`; the BMC's clock may be wrong, so it is only compared. */
  readonly bootStateTime: string;
}

/** Source: NVIDIA BlueField BMC docs (BootProgress, OemLastState); libredfish mockup of a B3220 with BF-24.10. */
export const dpuSystemResource = defineResource({ name: 'System', path: '/redfish/v1/Systems/Bluefield' });

const Body = z.object({
  SerialNumber: z.string(),
  PowerState: z.string(),
  BootProgress: z
    .object({
      LastState: z.string().optional(),
      OemLastState: z.string().optional(),
      LastStateTime: z.string().optional(),
    })
    .optional(),
});

/** Reads serial, power and boot progress. Errors: redfish-unexpected and those of the transport. */
export async function readDpuSystem(bmc: BmcReader, signal: AbortSignal): Promise<DpuSystem> {
  return parseDpuSystem(bmc.target, await bmc.get(dpuSystemResource, { timeoutMs: 30_000, signal }));
}

export function parseDpuSystem(target: string, body: unknown): DpuSystem {
  const resource = parseResource(Body, target, `GET ${dpuSystemResource.path}`, body);
  const progress = resource.BootProgress;
  return {
    serial: resource.SerialNumber.trim(),
    powerState: resource.PowerState,
    bootState: progress?.OemLastState ?? progress?.LastState ?? notReported,
    bootStateTime: progress?.LastStateTime ?? notReported,
  };
}
