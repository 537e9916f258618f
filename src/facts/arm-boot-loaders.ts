import { z } from 'zod';
import { defineMember, defineRead } from '../domain/commands.ts';
import type { BmcReader, HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess, parseResource } from './read-helpers.ts';

/** Boot loader versions: as installed in the eMMC boot partitions, or as the BMC saw them run. */
export interface BootLoaders {
  readonly atf: string;
  readonly uefi: string;
  readonly bsp: string;
}

/** Reading the eMMC boot partitions needs root. Source: Mellanox/bfscripts, bfver. */
export const installedBootLoaders = defineRead({ name: 'bfver', argv: ['sudo', '-n', 'bfver'] });

/** Source: NVIDIA BlueField BMC docs; libredfish mockup of a B3220 with BF-24.10 (DPU_ATF, DPU_UEFI, DPU_BSP). */
export const firmwareItem = defineMember({
  name: 'FirmwareInventory',
  path: '/redfish/v1/UpdateService/FirmwareInventory/{id}',
});

const Item = z.object({ Version: z.string() });

/** Reads what is installed. Errors: sudo-refused, command-failed, output-unreadable. */
export async function readInstalledBootLoaders(arm: HostReader, signal: AbortSignal): Promise<BootLoaders> {
  const result = await arm.read(installedBootLoaders.bind({}), { timeoutMs: 30_000, signal });
  expectSuccess(arm.name, 'bfver', result);
  return parseBootLoaders(arm.name, result.stdout);
}

/** Parses `bfver`: one `BlueField ATF|UEFI|BSP version: X` each; of several boot partitions the first is the active one. */
export function parseBootLoaders(target: string, text: string): BootLoaders {
  const field = (name: string): string => {
    const value = new RegExp(`^BlueField ${name} version: (\\S[^\\n]*)$`, 'm').exec(text)?.[1]?.trim();
    if (value !== undefined) return value;
    const problem = `no ${name} version`;
    throw errors.outputUnreadable({ target, source: 'bfver', problem, evidence: text.slice(0, 400) });
  };
  return { atf: field('ATF'), uefi: field('UEFI'), bsp: field('BSP') };
}

/** Reads what runs, as the BMC saw it boot; a version it was not told is empty. Errors: redfish-unexpected. */
export async function readRunningBootLoaders(bmc: BmcReader, signal: AbortSignal): Promise<BootLoaders> {
  const read = async (id: string): Promise<string> => {
    const resource = firmwareItem.bind(id);
    const body = await bmc.get(resource, { timeoutMs: 30_000, signal });
    return parseResource(Item, bmc.target, `GET ${resource.path}`, body).Version.trim();
  };
  return { atf: await read('DPU_ATF'), uefi: await read('DPU_UEFI'), bsp: await read('DPU_BSP') };
}
