import { testpmdProblem } from './testpmd-problem.ts';

/** Rates between two shows of the counters, all ports together. bps is layer 2 without FCS. */
export interface TestpmdSample {
  readonly rxPps: number;
  readonly rxBps: number;
  readonly txPps: number;
  readonly txBps: number;
  /** Since the start. */
  readonly rxPackets: number;
  readonly txPackets: number;
  /**
   * Since the show before. testpmd sleeps whole seconds and so shows every one or two: it follows from the counters.
   * Undefined where nothing was counted.
   */
  readonly seconds?: number;
}

export interface TestpmdTotal {
  readonly rxPackets: number;
  readonly rxDropped: number;
  readonly rxMissed?: number;
  readonly rxNombuf: number;
  readonly txPackets: number;
  readonly txDropped: number;
}

export interface TestpmdLog {
  /** `22.11.11`. */
  readonly version?: string;
  readonly ports: number;
  /** Bytes of a frame that it sends, without FCS. */
  readonly frameBytes?: number;
  /** Without the first show, whose rates have no meaning. */
  readonly samples: readonly TestpmdSample[];
  /** Printed at its end. */
  readonly total?: TestpmdTotal;
  /** Why there is no figure. */
  readonly problem?: string;
}

/** Counters of one port in one show. */
interface Show {
  readonly port: number;
  readonly rxPackets: number;
  readonly rxMissed: number;
  readonly rxNombuf: number;
  readonly txPackets: number;
  readonly rxPps: number;
  readonly rxBps: number;
  readonly txPps: number;
  readonly txBps: number;
}

const showBegin = /^ *#+ NIC statistics for port (\d+) +#+$/;
const showEnd = /^ *#{40,}$/;
const totalBegin = /^ *\++ Accumulated forward statistics for all ports\++$/;
const totalEnd = /^ *\+{40,}$/;
// oxlint-disable-next-line no-control-regex -- testpmd clears the screen before each show
const escapes = /\u001B\[[0-9;]*[A-Za-z]/g;

/**
 * Reads a complete log of testpmd with `--stats-period`. What is not complete counts for nothing: a line without its end,
 * a show or a total that breaks off. Source: config.c and testpmd.c of DPDK; captured from 22.11.11.
 */
export function parseTestpmdLog(text: string): TestpmdLog {
  const lines = completeLines(text);
  const shows = blocks(lines, showBegin, showEnd).flatMap((block) => readShow(block) ?? []);
  const ports = new Set(shows.map(({ port }) => port)).size;
  const total = readTotal(lines, shows);
  const version = parseDpdkVersion(lines.join('\n'));
  const frameBytes = frameOf(lines);
  const problem = testpmdProblem(lines) ?? missing(lines, ports, total);
  return {
    ...(version !== undefined && { version }),
    ports,
    ...(frameBytes !== undefined && { frameBytes }),
    samples: samplesOf(shows, ports),
    ...(total !== undefined && { total }),
    ...(problem !== undefined && { problem }),
  };
}

/** Version of DPDK in what `-v` prints; undefined where it is not there. */
export function parseDpdkVersion(text: string): string | undefined {
  return /^EAL: RTE Version: '[A-Za-z_ ]*(\d+\.\d+[^' ]*)'/m.exec(text)?.[1];
}

/** Gb/s that the last complete show of a running log says it receives; undefined before the second one. */
export function lastReceivedGbps(tail: string): number | undefined {
  const shows = blocks(completeLines(tail), showBegin, showEnd).flatMap((block) => readShow(block) ?? []);
  const last = shows.at(-1);
  return shows.length < 2 || last === undefined ? undefined : last.rxBps / 1e9;
}

/** Does it forward already? Before, it fills its memory and waits for the link. */
export function isForwarding(log: string): boolean {
  return blocks(completeLines(log), showBegin, showEnd).length > 0;
}

/** Several senders as one: their rates and totals added up, the first problem of all. */
export function joinSenders(logs: readonly TestpmdLog[]): TestpmdLog {
  const [first, ...others] = logs;
  if (first === undefined) return { ports: 0, samples: [], problem: 'there is no log of a sender' };
  return others.reduce(join, first);
}

function join(one: TestpmdLog, two: TestpmdLog): TestpmdLog {
  const problem = one.problem ?? two.problem;
  const count = Math.min(one.samples.length, two.samples.length);
  const total = one.total && two.total && addNumbers(one.total, two.total);
  // They start together and show at the same rhythm; rates may be added, times not.
  const samples = one.samples.slice(0, count).map((sample, index) => {
    const other = two.samples[index] ?? sample;
    const seconds = Math.max(sample.seconds ?? 0, other.seconds ?? 0);
    const { seconds: _one, ...rates } = sample;
    const { seconds: _two, ...otherRates } = other;
    return { ...addNumbers(rates, otherRates), ...(seconds > 0 && { seconds }) };
  });
  const { total: _total, problem: _problem, ...rest } = one;
  return { ...rest, samples, ...(total && { total }), ...(problem !== undefined && { problem }) };
}

function addNumbers<T extends object>(one: T, two: T): T {
  const others = new Map(Object.entries(two));
  const sums = Object.entries(one).map(([key, value]) => [key, Number(value) + Number(others.get(key) ?? 0)]);
  return { ...one, ...Object.fromEntries(sums) };
}

/** A line without its end may be a part of a longer one. */
function completeLines(text: string): string[] {
  return text
    .replaceAll(escapes, '\n')
    .split('\n')
    .slice(0, -1)
    .map((line) => line.trimEnd());
}

/** Lines from one that begins a block to the one that ends it; blocks without an end are left out. */
function blocks(lines: readonly string[], begin: RegExp, end: RegExp): readonly (readonly string[])[] {
  const found: string[][] = [];
  let open: string[] | undefined;
  for (const line of lines) {
    if (begin.test(line)) open = [line];
    else if (open !== undefined && end.test(line)) {
      found.push(open);
      open = undefined;
    } else open?.push(line);
  }
  return found;
}

function readShow(block: readonly string[]): Show | undefined {
  const text = block.join('\n');
  const value = (name: string): number => numberAfter(text, `${name}: `);
  const show = {
    port: Number(showBegin.exec(block[0] ?? '')?.[1] ?? Number.NaN),
    rxPackets: value('RX-packets'),
    rxMissed: value('RX-missed'),
    rxNombuf: value('RX-nombuf'),
    txPackets: value('TX-packets'),
    rxPps: value('Rx-pps'),
    rxBps: value('Rx-bps'),
    txPps: value('Tx-pps'),
    txBps: value('Tx-bps'),
  };
  return Object.values(show).some((one) => Number.isNaN(one)) ? undefined : show;
}

/** NaN where the name is not there, or not followed by a number. */
function numberAfter(text: string, name: string): number {
  const found = new RegExp(`(?:^|\\s)${name} *(\\d+)(?=\\s|$)`).exec(text)?.[1];
  return found === undefined ? Number.NaN : Number(found);
}

function readTotal(lines: readonly string[], shows: readonly Show[]): TestpmdTotal | undefined {
  const block = blocks(lines, totalBegin, totalEnd).at(-1);
  if (block === undefined) return undefined;
  const text = block.join('\n');
  const value = (name: string): number => numberAfter(text, `${name}: `);
  const total = {
    rxPackets: value('RX-packets'),
    rxDropped: value('RX-dropped'),
    txPackets: value('TX-packets'),
    txDropped: value('TX-dropped'),
  };
  if (Object.values(total).some((one) => Number.isNaN(one))) return undefined;
  const last = lastOfPorts(shows);
  const said = value('RX-nombufs');
  const rxNombuf = Number.isNaN(said) ? last.reduce((sum, show) => sum + show.rxNombuf, 0) : said;
  const missed = last.length === 0 ? {} : { rxMissed: last.reduce((sum, show) => sum + show.rxMissed, 0) };
  return { ...total, ...missed, rxNombuf };
}

function lastOfPorts(shows: readonly Show[]): readonly Show[] {
  return [...new Map(shows.map((show) => [show.port, show])).values()];
}

/** Rounds of shows, one of each port, from the second one on. */
function samplesOf(shows: readonly Show[], ports: number): readonly TestpmdSample[] {
  const started: Show[][] = [];
  for (const [index, show] of shows.entries()) {
    const before = shows[index - 1];
    if (before === undefined || show.port <= before.port) started.push([show]);
    else started.at(-1)?.push(show);
  }
  const rounds = started.filter((round) => round.length === ports);
  return rounds.slice(1).map((round, index) => {
    const sum = (name: Exclude<keyof Show, 'port'>, of: readonly Show[] = round): number =>
      of.reduce((all, show) => all + show[name], 0);
    const before = rounds[index] ?? round;
    const seconds = secondsBetween(
      { packets: sum('rxPackets') - sum('rxPackets', before), pps: sum('rxPps') },
      { packets: sum('txPackets') - sum('txPackets', before), pps: sum('txPps') },
    );
    return {
      rxPps: sum('rxPps'),
      rxBps: sum('rxBps'),
      txPps: sum('txPps'),
      txBps: sum('txBps'),
      rxPackets: sum('rxPackets'),
      txPackets: sum('txPackets'),
      ...(seconds !== undefined && { seconds }),
    };
  });
}

interface Counted {
  readonly packets: number;
  readonly pps: number;
}

/** By the side that counted more; a few packets say nothing about the time. */
function secondsBetween(received: Counted, sent: Counted): number | undefined {
  const { packets, pps } = received.pps >= sent.pps ? received : sent;
  return pps < 100 || packets <= 0 ? undefined : packets / pps;
}

function frameOf(lines: readonly string[]): number | undefined {
  const found = lines.map((line) => /^ *packet len=(\d+) - nb packet segments=\d+$/.exec(line)?.[1]).find(Boolean);
  return found === undefined ? undefined : Number(found);
}

function missing(lines: readonly string[], ports: number, total: TestpmdTotal | undefined): string | undefined {
  const last = lines.findLast((line) => line.trim() !== '')?.trim();
  if (last === undefined) return 'testpmd has written nothing';
  if (total === undefined)
    return `the log of testpmd breaks off before its totals: it was killed, or still runs. Its last line: ${last.slice(0, 160)}`;
  return ports === 0 ? 'testpmd has shown no counters' : undefined;
}
