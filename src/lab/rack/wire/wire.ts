/**
 * What moves over the cables of the rack at this moment. It lives in memory: counters begin at zero when the lab starts, as
 * those of a machine do.
 */
import type { CardState } from '../state.ts';
import type { Machine } from '../shell/types.ts';
import type { Look } from './look.ts';
import type { Path } from './path.ts';

/** The network function of a card on its host. */
export interface Place {
  card: CardState;
  port: number;
}

/** Packets and bytes of a device since the lab started. */
export interface Counters {
  rxPackets: number;
  rxBytes: number;
  txPackets: number;
  txBytes: number;
  rxDropped: number;
}

/** Packets that the IPsec engine of an uplink has worked on. */
export interface IpsecCounters {
  rxPackets: number;
  rxBytes: number;
  txPackets: number;
  txBytes: number;
  txDropped: number;
}

/** A stream of packets in one direction that somebody sends. */
export interface Flow {
  /** Counted from the start of the lab: with the seed it decides the noise. */
  order: number;
  startedAtMs: number;
  /** TCP gives way where frames get lost. */
  kind: 'tcp' | 'frames';
  /** IP packet in bytes, without Ethernet. */
  packetBytes: number;
  /** What the sender could send, and the receiver take, in packets a second. */
  mostSentPps: number;
  mostReceivedPps: () => number;
  /** Flows a hash can tell apart. */
  spread: number;
  /** Packets that have passed since it began. */
  passed: number;
  /** Whose cores are of another NUMA node than the card. */
  remote: { sender: boolean; receiver: boolean };
  /** Ethernet and IP addresses as a bridge sees them. */
  addresses: { fromMac: string; toMac: string };
  /** Looked up anew each second: what somebody changes meanwhile counts. Null: nothing arrives. */
  path: (look: Look) => Path | null;
  /** Does a frame leave the sender at all? Not where its link is down. */
  leaves: () => boolean;
  /** Who counts what arrives and gets lost; called with fractions of packets. */
  onSent: (packets: number) => void;
  onReceived: (packets: number, missed: number, unbuffered: number) => void;
}

/** The rates of a flow until they are worked out again. */
export interface Rates {
  path: Path | null;
  sentPps: number;
  receivedPps: number;
  /** Share of what its receiver can take that noise leaves. */
  steady: number;
}

/** A program that takes all frames of a host's function. */
export interface Receiver {
  place: Place;
  /** Packets of a size that it takes a second, when they are of so many flows. */
  mostPps: (bytes: number, flows: number) => number;
  /** Its cores are of another node than the card. */
  remote: boolean;
  take: (packets: number, bytes: number, missed: number, unbuffered: number) => void;
}

/** A program that waits for connections. */
export interface Listener {
  machine: Machine;
  address: string | null;
  port: number;
  /** Take a connection; null when it is busy. */
  accept: (client: string) => Connection | null;
}

/** What both ends of a connection know of each other. */
export interface Connection {
  /** Bytes of payload that have arrived. */
  received: number;
  /** Null while it goes on. */
  ended: 'done' | 'broken' | null;
}

export interface Wire {
  seed: number;
  nextOrder: number;
  flows: Map<Flow, Rates>;
  /** Flows that have ended: switches forget them only after a while. */
  recent: { flow: Flow; rates: Rates; untilMs: number }[];
  listeners: Set<Listener>;
  receivers: Set<Receiver>;
  counters: Map<string, Counters>;
  ipsec: Map<string, IpsecCounters>;
  /** MiB of huge pages that programs hold, by host and node. */
  hugepages: Map<string, number>;
  /** Of Arms: what its cores did for packets, in core milliseconds. */
  armBusyMs: Map<string, number>;
  /** Cores of an Arm that packets keep busy at this moment. */
  armBusyCores: Map<string, number>;
  /** Device time up to which everything is counted, and when rates were worked out. */
  advancedAtMs: number;
  ratesAtMs: number;
}

/** A wire on which nothing moves. */
export function quietWire(seed: number): Wire {
  return {
    seed,
    nextOrder: 1,
    flows: new Map(),
    recent: [],
    listeners: new Set(),
    receivers: new Set(),
    counters: new Map(),
    ipsec: new Map(),
    hugepages: new Map(),
    armBusyMs: new Map(),
    armBusyCores: new Map(),
    advancedAtMs: 0,
    ratesAtMs: -Infinity,
  };
}

/** Counters of a device of a machine. */
export function countersOf(wire: Wire, machine: string, device: string): Counters {
  const key = `${machine}:${device}`;
  let found = wire.counters.get(key);
  if (found === undefined) {
    found = { rxPackets: 0, rxBytes: 0, txPackets: 0, txBytes: 0, rxDropped: 0 };
    wire.counters.set(key, found);
  }
  return found;
}

/** Counters of the IPsec engine behind an uplink. */
export function ipsecCountersOf(wire: Wire, machine: string, device: string): IpsecCounters {
  const key = `${machine}:${device}`;
  let found = wire.ipsec.get(key);
  if (found === undefined) {
    found = { rxPackets: 0, rxBytes: 0, txPackets: 0, txBytes: 0, txDropped: 0 };
    wire.ipsec.set(key, found);
  }
  return found;
}

/** A number in [0, 1) for a flow and a moment, always the same. */
export function noise(seed: number, ...parts: number[]): number {
  let mixed = seed >>> 0;
  for (const part of parts) {
    mixed = Math.imul(mixed ^ (part + 0x9e3779b9), 0x85ebca6b);
    mixed ^= mixed >>> 13;
    mixed = Math.imul(mixed, 0xc2b2ae35);
    mixed ^= mixed >>> 16;
  }
  return (mixed >>> 0) / 4_294_967_296;
}
