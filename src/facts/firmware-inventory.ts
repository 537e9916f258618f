import { z } from 'zod';
import type { BmcReader } from '../domain/device-ports.ts';
import { OpsError } from '../errors.ts';
import { firmwareItem } from './arm-boot-loaders.ts';
import { parseResource } from './read-helpers.ts';

/** What the BMC lists, and how people call it. Source: libredfish mockup of a B3220 with BF-24.10 (FirmwareInventory). */
export const inventoryItems = {
  BMC_Firmware: 'BMC',
  Bluefield_FW_ERoT: 'ERoT',
  DPU_NIC: 'NIC firmware running',
  DPU_BOARD: 'PSID',
  DPU_ATF: 'ATF',
  DPU_UEFI: 'UEFI',
  DPU_BSP: 'BSP',
  DPU_OS: 'OS image',
} as const;
export type InventoryItem = keyof typeof inventoryItems;

/** A version as the BMC has it; `not-listed`: this firmware has no such item. An item it was not told of is empty. */
export type FirmwareVersion = { readonly kind: 'version'; readonly text: string } | { readonly kind: 'not-listed' };

const Item = z.object({ Version: z.string() });

/** Reads all of them. Errors: redfish-unexpected and those of the transport. */
export async function readFirmwareVersions(
  bmc: BmcReader,
  signal: AbortSignal,
): Promise<ReadonlyMap<InventoryItem, FirmwareVersion>> {
  const versions = new Map<InventoryItem, FirmwareVersion>();
  for (const id of Object.keys(inventoryItems).filter(isItem)) versions.set(id, await readVersion(bmc, id, signal));
  return versions;
}

async function readVersion(bmc: BmcReader, id: InventoryItem, signal: AbortSignal): Promise<FirmwareVersion> {
  const resource = firmwareItem.bind(id);
  try {
    const body = await bmc.get(resource, { timeoutMs: 30_000, signal });
    return { kind: 'version', text: parseResource(Item, bmc.target, `GET ${resource.path}`, body).Version.trim() };
  } catch (error) {
    if (error instanceof OpsError && error.code === 'redfish-error' && error.failure.what.endsWith(' with 404.'))
      return { kind: 'not-listed' };
    throw error;
  }
}

function isItem(id: string): id is InventoryItem {
  return Object.hasOwn(inventoryItems, id);
}

/** Is this BMC older than BF-24.10? Undefined when its version has another form. */
export function isBmcBefore2410(version: string): boolean | undefined {
  const [, year, month] = /^BF-(\d{2})\.(\d{2})-/.exec(version) ?? [];
  return year === undefined || month === undefined ? undefined : Number(year) * 100 + Number(month) < 2410;
}
