import type { Condition } from '../domain/bench.ts';
import type { HostReader } from '../domain/device-ports.ts';
import type { End, ObserveContext } from '../domain/step.ts';
import { readArmImage } from '../facts/card-image.ts';
import { readEswitch } from '../facts/eswitch.ts';
import { readIpsecMode } from '../facts/ipsec-mode.ts';
import type { IpsecSa } from '../facts/ipsec-sas.ts';
import { readIpsecSas } from '../facts/ipsec-sas.ts';
import { readLinks } from '../facts/links.ts';
import { readOvsOffload } from '../facts/ovs-bridges.ts';
import { armSession } from './arm-session.ts';

/** Undefined where the device does not tell. */
export type Attempt = <T>(read: () => Promise<T>) => Promise<T | undefined>;

interface Asked {
  readonly name: string;
  readonly label: string;
  readonly read: (arm: HostReader, end: End, signal: AbortSignal) => Promise<string>;
}

const questions: readonly Asked[] = [
  {
    name: 'image',
    label: 'Image of the card',
    read: async (arm, _end, signal) => {
      const { marker, release } = await readArmImage(arm, signal);
      return release ?? marker?.image ?? 'unknown';
    },
  },
  {
    name: 'uplink-mtu',
    label: 'MTU of the uplink',
    read: async (arm, { entry }, signal) => {
      const link = (await readLinks(arm, signal)).find(({ name }) => name === entry.port);
      return link === undefined ? 'no such link' : String(link.mtuBytes);
    },
  },
  {
    name: 'eswitch',
    label: 'Switch of the card',
    read: async (arm, { entry }, signal) => {
      const { mode } = await readEswitch(arm, entry.port, signal);
      const { steering, ipsec } = await readIpsecMode(arm, entry.port, signal);
      return `${mode}, steering ${steering}${ipsec === undefined ? '' : `, ipsec_mode ${ipsec}`}`;
    },
  },
  {
    name: 'hw-offload',
    label: 'Offload of flows',
    read: async (arm, _end, signal) => {
      const { hwOffload, docaInit } = await readOvsOffload(arm, signal);
      return `${hwOffload ? 'on' : 'off'}${docaInit ? ', OVS-DOCA' : ''}`;
    },
  },
  {
    name: 'ipsec-sas',
    label: 'IPsec associations of the kernel',
    read: async (arm, _end, signal) => sasText(await readIpsecSas(arm, signal)),
  },
];

/** What stands on the card of an end. */
export async function cardConditions(
  context: ObserveContext,
  end: End,
  attempt: Attempt,
): Promise<readonly Condition[]> {
  const { card, dpu, profile } = end;
  const arm = await attempt(async () => armSession({ ...context, card, dpu, profile }));
  const conditions: Condition[] = [];
  for (const { name, label, read } of questions) {
    const value = arm && (await attempt(async () => read(arm, end, context.signal)));
    conditions.push({ end: end.name, name, label, value: value ?? 'unknown' });
  }
  return conditions;
}

/** "none", "2 (2 packet)", "3 (2 packet, 1 none)". */
function sasText(sas: readonly IpsecSa[]): string {
  if (sas.length === 0) return 'none';
  const kinds = [...new Set(sas.map(({ offload }) => offload))].toSorted();
  const counts = kinds.map((kind) => `${sas.filter(({ offload }) => offload === kind).length} ${kind}`);
  return `${sas.length} (${counts.join(', ')})`;
}
