import { z } from 'zod';
import type { RateSample, Repeat } from '../domain/bench.ts';

/** One pair of server and client. */
export interface Iperf3Wish {
  /** Of the server, as the client reaches it. */
  readonly address: string;
  /** The client's own, where flows have to have certain addresses. */
  readonly localAddress?: string;
  readonly port: number;
  readonly durationS: number;
  /** Measured by iperf3 and left out of its sums. */
  readonly warmUpS: number;
  /** Near the card; empty: wherever the system likes. */
  readonly cpus: readonly number[];
}

/** One second of one client. */
interface Interval {
  readonly endS: number;
  readonly bitsPerSecond: number;
}

/** What one client has measured. Bits are those of the payload. */
export interface Iperf3Report {
  /** `3.12`. */
  readonly version: string;
  readonly seconds: number;
  readonly sentBitsPerSecond: number;
  /** As the server counted it. */
  readonly receivedBitsPerSecond: number;
  /** TCP, where the sender's system tells it. */
  readonly retransmits?: number;
  /** UDP. */
  readonly lostPercent?: number;
  /** Without the warm-up; of the client's side. */
  readonly intervals: readonly Interval[];
  /** What stood around the JSON. */
  readonly warnings: readonly string[];
}

const connectTimeoutMs = 3_000;
/** Between programs that run side by side: more, and they did not share the link all the time. */
const mostDifference = 0.05;

const Version = z.object({ version: z.string() });
const Failure = z.object({ error: z.string().min(1) });
const Sum = z.object({
  seconds: z.number().positive(),
  bytes: z.number().min(0),
  bits_per_second: z.number().min(0),
  retransmits: z.int().min(0).optional(),
  lost_percent: z.number().optional(),
});
const Result = z.object({
  start: Version,
  intervals: z
    .array(z.object({ sum: z.object({ end: z.number(), bits_per_second: z.number(), omitted: z.boolean() }) }))
    .min(1),
  end: z.object({ sum_sent: Sum, sum_received: Sum }),
});

/** Words of a server for one test; it prints each second what arrives. Source: iperf3(1). */
export function iperf3ServerArgv({ address, port, cpus }: Iperf3Wish): string[] {
  return [...near(cpus), 'iperf3', '-s', '-1', '-B', address, '-p', String(port), '-i', '1', '-f', 'm', '--forceflush'];
}

/** Words of a client. `-J` ends with 0 whatever happens: what it printed decides. */
export function iperf3ClientArgv(wish: Iperf3Wish): string[] {
  const { address, localAddress, port, durationS, warmUpS, cpus } = wish;
  return [
    ...near(cpus),
    'iperf3',
    '-c',
    address,
    ...(localAddress === undefined ? [] : ['-B', localAddress]),
    '-p',
    String(port),
    '-t',
    String(durationS),
    ...(warmUpS > 0 ? ['-O', String(warmUpS)] : []),
    '-i',
    '1',
    '--connect-timeout',
    String(connectTimeoutMs),
    '-J',
  ];
}

/** All CPUs of the node of the card; which of them is for the scheduler. Source: taskset(1). */
function near(cpus: readonly number[]): string[] {
  return cpus.length === 0 ? [] : ['taskset', '-c', cpus.join(',')];
}

/**
 * Reads what a client with `-J` has printed. It ends with 0 also when it fails; `.error` says so. Anything that is not one
 * whole object with both sums is an error, never zero.
 */
export function parseIperf3(text: string): Iperf3Report | { readonly error: string } {
  const { json, around } = cutJson(text);
  if (json === undefined) return { error: noJson(text) };
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { error: 'the report of iperf3 is not valid JSON: it was cut off or mixed with other output' };
  }
  const failure = Failure.safeParse(value);
  if (failure.success) return { error: explained(failure.data.error) };
  const result = Result.safeParse(value);
  if (!result.success) return { error: `the report of iperf3 lacks ${where(result.error)}` };
  const { start, intervals, end } = result.data;
  if (end.sum_sent.bytes === 0)
    return { error: 'this is the report of a server of iperf3, or its client sent no byte' };
  if (end.sum_received.bytes === 0) return { error: 'iperf3 was connected, but the far end received no byte' };
  const { retransmits } = end.sum_sent;
  const lostPercent = end.sum_received.lost_percent;
  return {
    version: start.version.replace(/^iperf /, ''),
    seconds: end.sum_received.seconds,
    sentBitsPerSecond: end.sum_sent.bits_per_second,
    receivedBitsPerSecond: end.sum_received.bits_per_second,
    ...(retransmits !== undefined && { retransmits }),
    ...(lostPercent !== undefined && { lostPercent }),
    intervals: intervals
      .filter(({ sum }) => !sum.omitted)
      .map(({ sum }) => ({ endS: sum.end, bitsPerSecond: sum.bits_per_second })),
    warnings: around,
  };
}

/**
 * Several clients that ran side by side as one measurement. `serverLogs`: what their servers have printed; where they have
 * each second of each client, the samples are theirs, because the far end counts.
 */
export function sumReports(
  reports: readonly Iperf3Report[],
  serverLogs: readonly string[] = [],
): Repeat | { readonly error: string } {
  const [first] = reports;
  if (first === undefined) return { error: 'no client of iperf3 has measured anything' };
  const seconds = reports.map((report) => report.seconds);
  const [shortest, longest] = [Math.min(...seconds), Math.max(...seconds)];
  if (longest - shortest > longest * mostDifference)
    return {
      error: `the clients of iperf3 did not run side by side: one took ${shortest.toFixed(1)} s, another ${longest.toFixed(1)} s`,
    };
  const sum = (value: (report: Iperf3Report) => number): number => reports.reduce((all, one) => all + value(one), 0);
  const receivedGbps = sum((report) => report.receivedBitsPerSecond) / 1e9;
  const lost = reports.flatMap(({ lostPercent }) => lostPercent ?? []);
  const retransmits = reports.flatMap((report) => report.retransmits ?? []);
  const near = reports.map(({ intervals }) => intervals);
  const far = serverLogs.map(serverIntervals);
  const isFarWhole =
    far.length === near.length && far.every(({ length }, index) => length >= (near[index]?.length ?? 0));
  return {
    samples: samplesOf(isFarWhole ? far : near),
    receivedGbps,
    sentGbps: sum((report) => report.sentBitsPerSecond) / 1e9,
    ...(lost.length > 0 && { lossPercent: lost.reduce((all, one) => all + one, 0) / lost.length }),
    ...(retransmits.length > 0 && { retransmits: retransmits.reduce((all, one) => all + one, 0) }),
    warnings: [...new Set(reports.flatMap(({ warnings }) => warnings))],
  };
}

/** Gb/s that a running server has printed last; undefined where it has printed none yet. */
export function lastServerGbps(tail: string): number | undefined {
  const last = serverIntervals(tail).at(-1);
  return last && last.bitsPerSecond / 1e9;
}

/** As `-f m` prints it: `[  5]   1.00-2.00   sec  1.97 GBytes  16882 Mbits/sec`; sums and the warm-up say more at their end. */
const serverLine = /^\[ *\d+\] +([\d.]+)-([\d.]+) +sec +[\d.]+ \w+ +(\d+(?:\.\d+)?) Mbits\/sec *$/;

/** Seconds of a server with one stream; its last line is what came after the last whole second. */
function serverIntervals(log: string): readonly Interval[] {
  return log
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      const [, begin = '', end = '', megabits = ''] = serverLine.exec(line) ?? [];
      return Number(end) - Number(begin) < 0.5 ? [] : [{ endS: Number(end), bitsPerSecond: Number(megabits) * 1e6 }];
    });
}

/** Seconds of all side by side; only those that each of them has. */
function samplesOf(all: readonly (readonly Interval[])[]): readonly RateSample[] {
  const count = Math.min(...all.map(({ length }) => length));
  return Array.from({ length: count }, (_, index) => {
    const parts = all.flatMap((intervals) => intervals[index] ?? []);
    const atS = Math.max(...parts.map(({ endS }) => endS));
    return { atS, receivedGbps: parts.reduce((sum, { bitsPerSecond }) => sum + bitsPerSecond, 0) / 1e9 };
  });
}

/** The object from its first line to its last one; warnings of iperf3 and of its starter may stand around it. */
function cutJson(text: string): { readonly json: string | undefined; readonly around: readonly string[] } {
  const lines = text.split('\n').map((line) => line.trimEnd());
  const first = lines.indexOf('{');
  const last = lines.lastIndexOf('}');
  const around = (part: readonly string[]): readonly string[] => part.filter((line) => line !== '');
  if (first < 0 || last < first) return { json: undefined, around: [] };
  return {
    json: lines.slice(first, last + 1).join('\n'),
    around: [...around(lines.slice(0, first)), ...around(lines.slice(last + 1))],
  };
}

function noJson(text: string): string {
  const line = text.trim().split('\n').at(-1)?.trim() ?? '';
  if (line === '') return 'iperf3 has written nothing: it was killed, or still runs';
  if (text.trimStart().startsWith('{')) return 'the report of iperf3 is cut off: it was killed, or still runs';
  return `iperf3 has written no report: ${line.slice(0, 200)}`;
}

/** Errors of iperf3 with what they mean here. Source: iperf_error.c. */
function explained(error: string): string {
  const said = error.replace(/^error - /, '');
  const meaning = meanings.find(({ pattern }) => pattern.test(said))?.text;
  return meaning === undefined ? `iperf3: ${said}` : `${meaning} (iperf3: ${said})`;
}

const meanings: readonly { readonly pattern: RegExp; readonly text: string }[] = [
  { pattern: /server is busy/, text: 'the server is busy with another test: somebody else measures there' },
  { pattern: /Connection refused/, text: 'no server listens there' },
  { pattern: /timed out/, text: 'the server does not answer' },
  { pattern: /No route to host|Network is unreachable/, text: 'there is no way to the server' },
  { pattern: /control socket has closed|server has terminated/, text: 'the server ended before the test did' },
  { pattern: /client has terminated/, text: 'the client was stopped before its end' },
];

function where(error: z.ZodError): string {
  const path = error.issues[0]?.path.join('.');
  return path === undefined || path === '' ? 'its outline' : `a usable \`${path}\``;
}
