import { z } from 'zod';
import { defineResource } from '../domain/commands.ts';
import type { BmcReader } from '../domain/device-ports.ts';
import { parseResource } from './read-helpers.ts';

/** What the BMC has read from the card's own memory; undefined where that is empty. */
export interface CardChassis {
  readonly partNumber: string | undefined;
  readonly serial: string | undefined;
}

/** Source: libredfish mockup of a B3220 with BF-24.10 (Chassis/Card1). */
export const cardChassisResource = defineResource({ name: 'Chassis Card1', path: '/redfish/v1/Chassis/Card1' });

const Body = z.object({ PartNumber: z.string().nullish(), SerialNumber: z.string().nullish() });

/** Reads part number and serial, trimmed. Errors: redfish-unexpected and those of the transport. */
export async function readCardChassis(bmc: BmcReader, signal: AbortSignal): Promise<CardChassis> {
  return parseCardChassis(bmc.target, await bmc.get(cardChassisResource, { timeoutMs: 30_000, signal }));
}

export function parseCardChassis(target: string, body: unknown): CardChassis {
  const { PartNumber, SerialNumber } = parseResource(Body, target, `GET ${cardChassisResource.path}`, body);
  const told = (text: string | null | undefined): string | undefined => {
    const trimmed = text?.trim() ?? '';
    return trimmed === '' ? undefined : trimmed;
  };
  return { partNumber: told(PartNumber), serial: told(SerialNumber) };
}
