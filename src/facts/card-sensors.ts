import { z } from 'zod';
import { defineMember, defineResource } from '../domain/commands.ts';
import type { BmcReader } from '../domain/device-ports.ts';
import { parseResource } from './read-helpers.ts';

/** Sensors of the card. Source: libredfish mockup of a B3220 with BF-24.10; Redfish Sensor schema. */
export const sensorsResource = defineResource({ name: 'Sensors', path: '/redfish/v1/Chassis/Card1/Sensors' });
export const sensorResource = defineMember({ name: 'Sensor', path: '/redfish/v1/Chassis/Card1/Sensors/{id}' });

export interface Sensor {
  readonly id: string;
  /** Undefined where the BMC has no reading: a port without a module, a card that is off. */
  readonly reading: number | undefined;
  readonly unit: string;
  readonly health: string;
  readonly state: string;
  readonly lowerCaution: number | undefined;
  readonly upperCaution: number | undefined;
  readonly upperCritical: number | undefined;
}

const Collection = z.object({ Members: z.array(z.object({ '@odata.id': z.string() })) });
const Limit = z.object({ Reading: z.number().nullable().optional() }).optional();
const Body = z.object({
  Reading: z.number().nullable(),
  ReadingUnits: z.string().default(''),
  Status: z
    .object({ Health: z.string().default(''), State: z.string().default('') })
    .default({ Health: '', State: '' }),
  Thresholds: z.object({ LowerCaution: Limit, UpperCaution: Limit, UpperCritical: Limit }).default({}),
});

/** Temperatures and the 12 V supplies; the other voltages are made on the card from these. Errors: redfish-unexpected. */
export async function readCardSensors(bmc: BmcReader, signal: AbortSignal): Promise<readonly Sensor[]> {
  const body = await bmc.get(sensorsResource, { timeoutMs: 30_000, signal });
  const { Members } = parseResource(Collection, bmc.target, `GET ${sensorsResource.path}`, body);
  const ids = Members.map((member) => member['@odata.id'].split('/').at(-1) ?? '');
  const sensors: Sensor[] = [];
  for (const id of ids.filter((each) => /_temp$|^12V_/.test(each) && /^[A-Za-z0-9._-]{1,100}$/.test(each))) {
    const resource = sensorResource.bind(id);
    sensors.push(parseSensor(bmc.target, id, await bmc.get(resource, { timeoutMs: 30_000, signal })));
  }
  return sensors;
}

export function parseSensor(target: string, id: string, body: unknown): Sensor {
  const path = sensorResource.template.path.replace('{id}', id);
  const { Reading, ReadingUnits, Status, Thresholds } = parseResource(Body, target, `GET ${path}`, body);
  const limit = (one: { Reading?: number | null | undefined } | undefined): number | undefined =>
    one?.Reading ?? undefined;
  return {
    id,
    reading: Reading ?? undefined,
    unit: ReadingUnits === 'Cel' ? '°C' : ReadingUnits,
    health: Status.Health,
    state: Status.State,
    lowerCaution: limit(Thresholds.LowerCaution),
    upperCaution: limit(Thresholds.UpperCaution),
    upperCritical: limit(Thresholds.UpperCritical),
  };
}
