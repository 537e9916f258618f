import type { Proof } from '../domain/bench.ts';
import { cpuLoad } from '../facts/cpu-load.ts';
import type { IpsecCount } from '../facts/port-counters.ts';
import type { CardSight, Seen, Wanted } from './bench-proof-sight.ts';
import { valueOf } from './bench-proof-sight.ts';

type Check = Proof['checks'][number];

/** The first packets of a flow go through the Arm until the flow is in the hardware. */
const leastHardwareShare = 0.95;
/** Counters may leave out headers, and frames of 64 bytes are little else. */
const leastCountedShare = 0.7;
/** Housekeeping takes some percent; one flow in software fills a CPU, many fill all. The time between repeats dilutes both. */
const idle = { busiestPercent: 40, meanPercent: 20 } as const;
/** All repeats together: so little does not show in the load, whoever does it. */
const showsFromGbps = 20;

/** How much all repeats of a point have carried, and their rates, added up. */
export interface Carried {
  readonly bytes: number;
  readonly gbps: number;
}

/** Pure: every check that this kind of path needs, of one card. */
export function checksOf(sight: CardSight, wanted: Wanted, carried: Carried): readonly Check[] {
  const counters = wanted.kind === 'ipsec' ? [counterCheck(sight, carried.bytes)] : [];
  return [
    ...(wanted.kind === 'ipsec' ? [saCheck(sight, counters[0]?.pass)] : []),
    ...counters,
    ...(wanted.isRouted ? [] : [flowCheck(sight)]),
    ...(wanted.polls ? [] : [cpuCheck(sight, wanted, carried)]),
  ];
}

/** Pure: `offloaded` only where all was seen and good. A software path that is wanted is no less one when it is seen. */
export function verdictOf(checks: readonly Check[], isWanted: boolean): Proof['verdict'] {
  if (checks.some(({ pass }) => pass === false)) return 'not-offloaded';
  if (checks.length > 0 && checks.every(({ pass }) => pass === true)) return 'offloaded';
  return isWanted ? 'unknown' : 'not-wanted';
}

function flowCheck(sight: CardSight): Check {
  const { card, traffic } = sight;
  const label = `Flows of ${card}`;
  const flows = valueOf(traffic.flows);
  if (flows === undefined) return { label, saw: unseen(traffic.flows) };
  const { offloaded, partial, software, packetsOffloaded, packetsSoftware } = flows.counts;
  const share = packetsOffloaded / (packetsOffloaded + packetsSoftware);
  const all = offloaded + partial + software;
  const inPart = partial === 0 ? '' : `, ${partial} in part`;
  const saw = `${offloaded} of ${all} offloaded:yes${inPart}, with ${percent(share * 100)} of their packets${onWire(sight)}`;
  return { label, pass: share >= leastHardwareShare, saw };
}

function saCheck({ card, traffic }: CardSight, counted: boolean | undefined): Check {
  const label = `IPsec associations of ${card}`;
  const sas = valueOf(traffic.sas);
  if (sas === undefined) return { label, saw: unseen(traffic.sas) };
  const { packet, crypto, unnamed, none } = sas;
  const all = packet + crypto + unnamed + none;
  if (all === 0) return { label, pass: false, saw: 'the kernel of its Arm has none of ours' };
  const kinds = Object.entries({ 'mode packet': packet, 'mode crypto': crypto, 'offloaded, mode not told': unnamed })
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind}`);
  const saw = `of ${all}: ${[...kinds, ...(none > 0 ? [`${none} by the Arm`] : [])].join(', ')}`;
  if (crypto + none > 0) return { label, pass: false, saw };
  if (unnamed === 0) return { label, pass: true, saw };
  // An older ip(8) does not tell the mode. Only packet offload counts, so the counters do.
  return { label, ...(counted !== undefined && { pass: counted }), saw };
}

function counterCheck({ card, role, begin, end }: CardSight, bytes: number): Check {
  const isSender = role === 'sends';
  const label = `IPsec counters of ${card}`;
  const before = valueOf(begin.port);
  const after = valueOf(end.port);
  if (before === undefined || after === undefined)
    return { label, saw: unseen(before === undefined ? begin.port : end.port) };
  const [old, now] = [before.ipsec, after.ipsec].map((ipsec) => (isSender ? ipsec?.tx : ipsec?.rx));
  const rose = riseOf(old, now);
  if (rose === undefined) return { label, saw: 'its driver counts no bytes of IPsec' };
  const dropped = (now?.droppedPackets ?? 0) - (old?.droppedPackets ?? 0);
  const drops = dropped > 0 ? `, ${dropped} packets dropped` : '';
  const saw = `${sizeText(rose)} ${isSender ? 'encrypted' : 'decrypted'} of ${sizeText(bytes)} carried${drops}`;
  return { label, pass: rose > 0 && rose >= bytes * leastCountedShare, saw };
}

/** What the port has counted, where its driver does: that the packets went over this wire. */
function onWire({ role, begin, end }: CardSight): string {
  const [old, now] = [begin, end].map(({ port }) => {
    const wire = valueOf(port)?.wire;
    return role === 'sends' ? wire?.txBytes : wire?.rxBytes;
  });
  if (old === undefined || now === undefined || now < old) return '';
  return `; ${sizeText(now - old)} ${role === 'sends' ? 'sent' : 'received'} on the wire`;
}

/** Undefined: not counted, or from nothing again after a restart of the driver. */
function riseOf(old: IpsecCount | undefined, now: IpsecCount | undefined): number | undefined {
  if (old?.bytes === undefined || now?.bytes === undefined || now.bytes < old.bytes) return undefined;
  return now.bytes - old.bytes;
}

function cpuCheck({ card, begin, end }: CardSight, { isRouted }: Wanted, { gbps }: Carried): Check {
  const label = `Arm CPUs of ${card}`;
  const before = valueOf(begin.cpus);
  const after = valueOf(end.cpus);
  if (before === undefined || after === undefined)
    return { label, saw: unseen(before === undefined ? begin.cpus : end.cpus) };
  const load = cpuLoad(before, after);
  if (load === undefined) return { label, saw: 'no time has passed on them' };
  const saw = `${percent(load.meanPercent)} busy, CPU ${load.busiestCpu} ${percent(load.busiestPercent)}`;
  const pass = load.busiestPercent < idle.busiestPercent && load.meanPercent < idle.meanPercent;
  // Where nothing else tells who forwards, idle CPUs say something only when there is something to do.
  if (pass && isRouted && gbps < showsFromGbps) return { label, saw: `${saw}: too little traffic to tell` };
  return { label, pass, saw };
}

function unseen(seen: Seen<unknown> | undefined): string {
  return seen !== undefined && 'unread' in seen ? seen.unread.replace(/\.$/, '') : 'not looked at';
}

function percent(value: number): string {
  return `${value.toFixed(value < 10 || (value > 99 && value < 100) ? 1 : 0)} %`;
}

function sizeText(bytes: number): string {
  const [size, unit] = bytes >= 1e9 ? [bytes / 1e9, 'GB'] : [bytes / 1e6, 'MB'];
  return `${size.toFixed(1)} ${unit}`;
}
