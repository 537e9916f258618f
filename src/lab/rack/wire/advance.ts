/**
 * Lets packets flow: works out what each flow gets, and counts it wherever somebody may look.
 */
import type { CardState, Rack } from '../state.ts';
import { crossingOffloaded, ethernetBytes, losesBuffers, resourcesOf } from './limits.ts';
import { lookAt } from './look.ts';
import { pathMtu } from './path.ts';
import type { Path } from './path.ts';
import { countersOf, ipsecCountersOf, noise } from './wire.ts';
import type { Flow, Rates, Wire } from './wire.ts';

/** Device time after which rates are worked out anew. */
const staleMs = 1000;
/** How long Open vSwitch keeps a flow without packets. */
const idleMs = 10_000;
/** Most of a run, and of a second of it, that noise takes away. */
const noiseShare = { run: 0.004, second: 0.006 };
/** Lost buffers: one packet of so many. */
const nombufShare = 0.2;

function steadiness(wire: Wire, flow: Flow, atMs: number): number {
  const second = Math.floor((atMs - flow.startedAtMs) / 1000);
  const whole = noise(wire.seed, flow.order) * noiseShare.run;
  return 1 - whole - noise(wire.seed, flow.order, second + 1) * noiseShare.second;
}

/** A flow while it is shared out. */
interface Share {
  flow: Flow;
  path: Path;
  sentPps: number;
  receivedPps: number;
}

function wanting(flow: Flow, path: Path | null): Share | null {
  if (path === null || !flow.leaves()) return null;
  const fits = flow.packetBytes <= pathMtu(path);
  // TCP whose full packets get lost sends next to nothing; a generator of frames does not notice.
  if (flow.kind === 'tcp' && (!fits || path.lost)) return null;
  const sentPps = flow.mostSentPps;
  return { flow, path, sentPps, receivedPps: fits && !path.lost ? sentPps : 0 };
}

/** A limit with those who share it. */
interface Limit {
  gbps: number;
  drops: boolean;
  users: { share: Share; bytes: number }[];
  arm?: { card: CardState; cores: number };
}

/** Share every limit fairly among the flows that pass it. */
function shareOut(rack: Rack, shares: Share[]): void {
  const limits = new Map<string, Limit>();
  for (const share of shares) {
    const { flow, path } = share;
    for (const { key, gbps, bytes, drops, arm } of resourcesOf(rack, path, flow, flow.remote)) {
      const known = limits.get(key) ?? { gbps, drops, users: [], ...(arm && { arm }) };
      known.gbps = Math.max(known.gbps, gbps);
      if (arm !== undefined && known.arm !== undefined) known.arm.cores = Math.max(known.arm.cores, arm.cores);
      known.users.push({ share, bytes });
      limits.set(key, known);
    }
  }
  for (const { gbps, drops, users, arm } of limits.values()) {
    const used = users.reduce((sum, { share, bytes }) => sum + (share.receivedPps * bytes * 8) / 1e9, 0);
    if (arm !== undefined && used > 0) rack.wire.armBusyCores.set(arm.card.name, arm.cores * Math.min(1, used / gbps));
    if (used <= gbps) continue;
    for (const { share } of users) {
      share.receivedPps *= gbps / used;
      if (!drops || share.flow.kind === 'tcp') share.sentPps = Math.min(share.sentPps, share.receivedPps);
    }
  }
}

function workOut(rack: Rack, atMs: number): void {
  const { wire } = rack;
  wire.ratesAtMs = atMs;
  wire.armBusyCores.clear();
  const shares: Share[] = [];
  const look = lookAt(rack);
  for (const flow of wire.flows.keys()) {
    const path = flow.path(look);
    const share = wanting(flow, path);
    const unheard = flow.kind === 'frames' && share === null && flow.leaves();
    wire.flows.set(flow, { path, sentPps: unheard ? flow.mostSentPps : 0, receivedPps: 0, steady: 1 });
    if (share !== null) shares.push(share);
  }
  shareOut(rack, shares);
  for (const { flow, path, sentPps, receivedPps } of shares) {
    const steady = steadiness(wire, flow, atMs);
    wire.flows.set(flow, { path, sentPps: sentPps * steady, receivedPps: receivedPps * steady, steady });
  }
}

/** Count what passes on the way. */
function countDevices(wire: Wire, { path, sentPps, receivedPps }: Rates, packetBytes: number, seconds: number): void {
  if (path === null) return;
  const [first] = path.wires;
  let over = first === undefined;
  let leaving = true;
  for (const { machine, device } of path.links) {
    const counters = countersOf(wire, machine, device);
    const pps = leaving ? sentPps : receivedPps;
    const bytes = packetBytes + ethernetBytes;
    // A representor sees the host's packets from the other side; an uplink sends until the cable is passed.
    const sends = leaving !== /^pf\dhpf$/.test(device);
    if (sends) {
      counters.txPackets += pps * seconds;
      counters.txBytes += pps * bytes * seconds;
    } else {
      counters.rxPackets += pps * seconds;
      counters.rxBytes += pps * bytes * seconds;
    }
    if (!over && machine === first?.from.card.name && device === `p${first.from.port}`) {
      over = true;
      leaving = false;
    }
  }
}

function countIpsec(wire: Wire, rates: Rates, packetBytes: number, seconds: number): void {
  const protection = rates.path?.protection;
  if (protection === null || protection === undefined) return;
  const { source, sink } = protection;
  const inner = packetBytes + (rates.path?.tunnel === null ? 0 : 50);
  const packets = (rates.path?.lost === true ? rates.sentPps : rates.receivedPps) * seconds;
  source.sa.packetsOut += packets;
  source.sa.bytesOut += packets * inner;
  if (source.sa.offload === 'packet') {
    const engine = ipsecCountersOf(wire, source.card.name, `p${source.port}`);
    engine.txPackets += packets;
    engine.txBytes += packets * inner;
  }
  if (sink === null || rates.path?.lost === true) return;
  sink.sa.packetsIn += packets;
  sink.sa.bytesIn += packets * inner;
  if (sink.sa.offload !== 'packet') return;
  const engine = ipsecCountersOf(wire, sink.card.name, `p${sink.port}`);
  engine.rxPackets += packets;
  engine.rxBytes += packets * inner;
}

function countFlow(rack: Rack, flow: Flow, rates: Rates, seconds: number): void {
  const { wire } = rack;
  flow.onSent(rates.sentPps * seconds);
  flow.passed += rates.sentPps * seconds;
  if (rates.path === null) return;
  const arriving = rates.receivedPps;
  const { end } = rates.path;
  const host = end?.kind === 'host' ? end.card.host : null;
  const taken = Math.min(arriving, flow.mostReceivedPps() * rates.steady);
  const nombuf = flow.kind === 'frames' && host !== null && losesBuffers(rack, host) ? taken * nombufShare : 0;
  flow.onReceived((taken - nombuf) * seconds, (arriving - taken) * seconds, nombuf * seconds);
  countDevices(wire, rates, flow.packetBytes, seconds);
  countIpsec(wire, rates, flow.packetBytes, seconds);
}

/** Bring everything that flows up to this moment. */
export function advanceWire(rack: Rack): void {
  const { wire } = rack;
  const nowMs = rack.nowMs();
  const passedMs = nowMs - wire.advancedAtMs;
  if (passedMs <= 0) return;
  wire.advancedAtMs = nowMs;
  if (wire.flows.size === 0) return;
  for (const [flow, rates] of wire.flows) countFlow(rack, flow, rates, passedMs / 1000);
  for (const [name, cores] of wire.armBusyCores)
    wire.armBusyMs.set(name, (wire.armBusyMs.get(name) ?? 0) + cores * passedMs);
  if (nowMs - wire.ratesAtMs >= staleMs) workOut(rack, nowMs);
}

/** A flow begins. */
export function beginFlow(rack: Rack, flow: Omit<Flow, 'order' | 'startedAtMs' | 'passed'>): Flow {
  advanceWire(rack);
  const { wire } = rack;
  const begun: Flow = { ...flow, order: wire.nextOrder, startedAtMs: rack.nowMs(), passed: 0 };
  wire.nextOrder += 1;
  wire.flows.set(begun, { path: null, sentPps: 0, receivedPps: 0, steady: 1 });
  workOut(rack, rack.nowMs());
  return begun;
}

/** A flow ends; others get what it had. */
export function endFlow(rack: Rack, flow: Flow): void {
  if (!rack.wire.flows.has(flow)) return;
  advanceWire(rack);
  const nowMs = rack.nowMs();
  const { wire } = rack;
  const rates = wire.flows.get(flow);
  wire.recent = wire.recent.filter(({ untilMs }) => untilMs > nowMs);
  if (rates !== undefined) wire.recent.push({ flow, rates, untilMs: nowMs + idleMs });
  wire.flows.delete(flow);
  workOut(rack, nowMs);
}

/** Flows that pass an Arm at this moment, each with what is done with it there. */
export function crossingsAt(
  rack: Rack,
  card: CardState,
): { flow: Flow; rates: Rates; crossing: Path['crossings'][number]; offloaded: boolean }[] {
  advanceWire(rack);
  const { flows, recent } = rack.wire;
  const ended = recent.filter(({ untilMs }) => untilMs > rack.nowMs()).map(({ flow, rates }) => [flow, rates] as const);
  return [...flows, ...ended].flatMap(([flow, rates]) =>
    (rates.path?.crossings ?? [])
      .filter((crossing) => crossing.card === card && crossing.kind !== 'route')
      .map((crossing) => ({
        flow,
        rates,
        crossing,
        offloaded: rates.path !== null && crossingOffloaded(rates.path, crossing),
      })),
  );
}
