import type { DetachedState } from '../../src/domain/device-ports.ts';
import type { PortSecond } from './bench-programs.ts';
import { iperf3Json, iperf3Refused, noHugepages, testpmdLog } from './bench-programs.ts';
import type { BenchFaults, BenchWorld, FakeHost, Job } from './bench-world.ts';
import { jobsAt } from './bench-world.ts';

/** Starts a program; what goes wrong with it is taken from the faults of the world. */
export function start(world: BenchWorld, host: FakeHost, folder: string, argv: readonly string[]): void {
  const take = (name: keyof BenchFaults): keyof BenchFaults | undefined => {
    if (world.faults[name] <= 0) return undefined;
    world.faults[name] -= 1;
    return name;
  };
  const program = programOf(argv);
  const isTimed = program.kind === 'iperf3' && program.isSender;
  const seconds = isTimed ? program.omitS + program.durationS : Number.POSITIVE_INFINITY;
  const limitS = argv[0] === 'timeout' ? Number(argv[3]) : Number.POSITIVE_INFINITY;
  const fault = program.isSender
    ? (take('senderDies') ?? (folder.endsWith('-2') ? take('clientRefused') : undefined))
    : (take('receiverNeverStarts') ?? take('logTruncated'));
  const ownS = fault === 'senderDies' ? 5 : fault === 'receiverNeverStarts' || fault === 'clientRefused' ? 0 : seconds;
  host.jobs.set(folder, { argv, startedMs: world.clock.nowMs(), endsAfterS: Math.min(ownS, limitS), fault });
  world.log.push(`${host.name}: start ${folder.slice(jobsAt.length)}`);
  if (program.isSender && fault !== 'clientRefused') {
    const paced = pacedGbps(host, argv);
    const [rate = 0] = paced === undefined && world.rates.length > 1 ? world.rates.splice(0, 1) : world.rates;
    rateOf.set(host.jobs.get(folder) ?? {}, Math.min(rate, paced ?? rate));
    noteClashes(world, folder);
  }
}

function noteClashes(world: BenchWorld, folder: string): void {
  const repeat = folder.replace(/-send-\d+$/, '');
  for (const host of world.hosts)
    for (const [other, { argv }] of host.jobs) {
      if (other.startsWith(`${repeat}-`) || !programOf(argv).isSender) continue;
      if (observe(world, host, other).kind === 'running') world.clashes.push(`${folder} beside ${other}`);
    }
}

/** A burst of 64 frames a queue each so many nanoseconds, as `set txtimes` has it. */
function pacedGbps(host: FakeHost, argv: readonly string[]): number | undefined {
  const line = argv.join(' ');
  const ticks = /^set txtimes (\d+),/m.exec(host.files.get(/--cmdline-file=(\S+)/.exec(line)?.[1] ?? '') ?? '')?.[1];
  const queues = Number(/--txq=(\d+)/.exec(line)?.[1]);
  return ticks === undefined ? undefined : (64 * queues * programOf(argv).frameBytes * 8) / Number(ticks);
}

/** What a sender reaches. */
const rateOf = new WeakMap<object, number>();

interface Program {
  readonly kind: 'testpmd' | 'iperf3';
  readonly isSender: boolean;
  readonly port: number;
  readonly omitS: number;
  readonly durationS: number;
  readonly frameBytes: number;
}

/** What a command line asks for. */
export function programOf(argv: readonly string[]): Program {
  // `taskset -c 0,1 iperf3 -s`: options of what starts it are not its own.
  const begin = argv.findIndex((word) => word === 'iperf3' || word === 'dpdk-testpmd');
  const words = argv.slice(begin).flatMap((word) => (word.startsWith('--') ? word.split('=') : [word]));
  const after = (...flags: readonly string[]): string => {
    const at = words.findIndex((word) => flags.includes(word));
    return at === -1 ? '' : (words[at + 1] ?? '');
  };
  const has = (...flags: readonly string[]): boolean => words.some((word) => flags.includes(word));
  const isTestpmd = words[0] === 'dpdk-testpmd';
  return {
    kind: isTestpmd ? 'testpmd' : 'iperf3',
    isSender: isTestpmd ? after('--forward-mode') === 'txonly' : has('-c', '--client'),
    port: Number(after('-p', '--port')),
    omitS: Number(after('-O', '--omit') || '0'),
    durationS: Number(after('-t', '--time') || '10'),
    frameBytes: Number(after('--txpkts') || '0'),
  };
}

/** What has become of a job by now. */
export function observe(world: BenchWorld, host: FakeHost, folder: string): DetachedState {
  const job = host.jobs.get(folder);
  const hasFiles = [...host.files.keys()].some((path) => path.startsWith(`${folder}/`));
  if (job === undefined) return hasFiles ? { kind: 'unknown', reason: 'not started' } : { kind: 'absent' };
  const endedMs = endOf(job);
  const logBytes = logOf(world, host, job).length;
  if (world.clock.nowMs() < endedMs) return { kind: 'running', pid: 4242, logBytes };
  if (job.fault === 'senderDies' && job.stoppedMs === undefined)
    return { kind: 'unknown', reason: 'its process is gone and it left no exit status' };
  if (job.fault === 'receiverNeverStarts') return { kind: 'exited', exitCode: 1, logBytes };
  return { kind: 'exited', exitCode: job.stoppedMs === undefined && programOf(job.argv).isSender ? 124 : 0, logBytes };
}

function endOf(job: Job): number {
  return Math.min(job.stoppedMs ?? Number.POSITIVE_INFINITY, job.startedMs + job.endsAfterS * 1000);
}

/** All that a job has written by now. */
export function logOf(world: BenchWorld, host: FakeHost, job: Job): string {
  const program = programOf(job.argv);
  if (job.fault === 'receiverNeverStarts') return noHugepages;
  const untilMs = Math.min(world.clock.nowMs(), endOf(job));
  const isOver = world.clock.nowMs() >= endOf(job);
  if (program.kind === 'iperf3') {
    if (!program.isSender || !isOver) return '';
    return job.fault === 'clientRefused' ? iperf3Refused : iperf3Json(program, rateOf.get(job) ?? 0);
  }
  const other = world.hosts[world.hosts[0] === host ? 1 : 0];
  const known = written.get(job);
  if (known?.untilMs === untilMs && known.isOver === isOver) return known.text;
  const seconds: PortSecond[] = [];
  for (let atMs = job.startedMs; atMs <= untilMs; atMs += 1000)
    seconds.push(program.isSender ? sentAt(job, program) : receivedAt(other, atMs, world.capacityGbps));
  const text = testpmdLog(seconds, isOver && job.fault !== 'senderDies');
  const shown = job.fault === 'logTruncated' ? text.slice(0, Math.floor(text.length / 2)) : text;
  written.set(job, { untilMs, isOver, text: shown });
  return shown;
}

/** The last state of each log: it is asked for often. */
const written = new WeakMap<Job, { readonly untilMs: number; readonly isOver: boolean; readonly text: string }>();

function sentAt(job: Job, { frameBytes }: Program): PortSecond {
  const txPps = Math.round(((rateOf.get(job) ?? 0) * 1e9) / 8 / frameBytes);
  return { rxPps: 0, txPps, frameBytes };
}

/** What arrives in a second: of all that are sending on the other side. */
function receivedAt(other: FakeHost, atMs: number, capacityGbps: number): PortSecond {
  for (const job of other.jobs.values()) {
    const program = programOf(job.argv);
    if (!program.isSender || atMs < job.startedMs || atMs > endOf(job)) continue;
    const { txPps, frameBytes } = sentAt(job, program);
    const mostPps = Math.round((capacityGbps * 1e9) / 8 / frameBytes);
    return { rxPps: Math.min(txPps, mostPps), txPps: 0, frameBytes };
  }
  return { rxPps: 0, txPps: 0, frameBytes: 1500 };
}
