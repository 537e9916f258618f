import { z } from 'zod';
import type { BenchKind } from '../domain/bench.ts';
import type { CpuTime } from '../facts/cpu-load.ts';
import type { Eswitch } from '../facts/eswitch.ts';
import type { IpsecMode } from '../facts/ipsec-mode.ts';
import type { IpsecSa } from '../facts/ipsec-sas.ts';
import type { OvsOffload } from '../facts/ovs-bridges.ts';
import type { OvsDaemon } from '../facts/ovs-daemon.ts';
import type { Flow, FlowCounts } from '../facts/ovs-flows.ts';
import { countFlows } from '../facts/ovs-flows.ts';
import type { PortCounters } from '../facts/port-counters.ts';

/** What was read, or why it was not. */
export type Seen<T> = { readonly value: T } | { readonly unread: string };

/** Counters of a card at one moment. */
export interface CounterSight {
  readonly cpus: Seen<readonly CpuTime[]>;
  readonly port: Seen<PortCounters>;
}

/** What a card does with packets while they are under way. */
export interface TrafficSight {
  /** Only where the cards bridge. */
  readonly flows?: Seen<FlowSight>;
  /** Only for `ipsec`. */
  readonly sas?: Seen<SaSight>;
}

/** The flows of the measured traffic. */
export interface FlowSight {
  readonly counts: FlowCounts;
  /** Who forwards those in software: `tc`, `ovs`; `unnamed` where it is not told. */
  readonly softwareLayers: readonly string[];
}

/** Our associations in the kernel, by who handles them. */
export type SaSight = Readonly<Record<IpsecSa['offload'], number>>;

/** Why it may be as it is: read only when a check has failed. */
export interface CauseSight {
  readonly setting: Seen<OvsOffload>;
  readonly daemon: Seen<OvsDaemon>;
  readonly eswitch: Seen<Eswitch>;
  readonly partNumber: Seen<string>;
  /** Only for `ipsec`. */
  readonly mode?: Seen<IpsecMode>;
  /** Of our connection, by strongSwan, wherever it has put them. Only for `ipsec`. */
  readonly installed?: Seen<number>;
}

/** All that was seen of one card. */
export interface CardSight {
  readonly card: string;
  readonly role: 'sends' | 'receives';
  readonly begin: CounterSight;
  readonly end: CounterSight;
  readonly traffic: TrafficSight;
}

/** What the profile of a card wants. `undefined`: it leaves that alone. */
export interface Wanted {
  readonly kind: BenchKind;
  /** The cards route between their hosts: no flow of Open vSwitch carries anything. */
  readonly isRouted: boolean;
  /** OVS-DOCA polls: its CPUs are busy without a packet. */
  readonly polls: boolean;
  readonly hwOffload: boolean | undefined;
  readonly ipsec: 'packet' | 'crypto' | 'no' | undefined;
}

/** What `beginProof` keeps: plain JSON. Only its outline is checked, because it never leaves dpubot. */
export const ProofStart = z.object({
  begin: z.tuple([z.custom<CounterSight>(isObject), z.custom<CounterSight>(isObject)]),
  /** MACs of both hosts: by them the flows of the measurement are known. */
  macs: z.array(z.string()),
  traffic: z.tuple([z.custom<TrafficSight>(isObject), z.custom<TrafficSight>(isObject)]).optional(),
});
export type ProofStart = z.infer<typeof ProofStart>;

/** Fewer belong to pings, or to nobody: a flow that carries a measurement has thousands in a second. */
const leastPackets = 1_000;

/**
 * The flows between two hosts; where none is bound to their addresses, all. Undefined: none that has carried a measurement.
 */
export function flowSight(flows: readonly Flow[], macs: readonly string[]): FlowSight | undefined {
  const alive = flows.filter(({ isDropped }) => !isDropped);
  const own = alive.filter(({ from = '', to = '' }) => macs.includes(from) && macs.includes(to));
  const carrying = own.length > 0 ? own : alive;
  const counts = countFlows(carrying);
  if (counts.packetsOffloaded + counts.packetsSoftware < leastPackets) return undefined;
  const inSoftware = carrying.filter(({ carriedBy, packets }) => carriedBy === 'software' && packets > 0);
  return { counts, softwareLayers: [...new Set(inSoftware.map(({ layer }) => layer ?? 'unnamed'))] };
}

/** The associations between two addresses; all where these are not known. Those of others are not looked at. */
export function saSight(sas: readonly IpsecSa[], addresses: readonly string[]): SaSight {
  const own = sas.filter(
    ({ from, to }) => addresses.length < 2 || (addresses.includes(from) && addresses.includes(to)),
  );
  const count = (offload: IpsecSa['offload']): number => own.filter((sa) => sa.offload === offload).length;
  return { packet: count('packet'), crypto: count('crypto'), unnamed: count('unnamed'), none: count('none') };
}

/** The value; undefined where it was not read or not asked for. */
export function valueOf<T>(seen: Seen<T> | undefined): T | undefined {
  return seen !== undefined && 'value' in seen ? seen.value : undefined;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
