import type { DetachedState, HostSession } from '../domain/device-ports.ts';
import type { ApplyContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import { readPackageSpace } from '../facts/disk-space.ts';
import { fullDisk } from './remote.ts';

/** A job in its folder, and how long it is followed at most (device milliseconds). */
export interface WatchedJob {
  readonly name: string;
  readonly text: string;
  readonly folder: string;
  readonly limitMs: number;
  /** Started where it has not been; without it the job is only looked at. */
  readonly argv?: readonly string[];
}

export interface JobEnd {
  readonly exitCode: number;
  /** The last lines of its log. */
  readonly tail: string;
}

const pollMs = 3_000;
/** So long a machine may be out of reach while its job runs: a driver reload takes links away. */
const silenceMs = 300_000;
const tailLines = 40;
/** With less than that a job cannot even write down how it ended. */
const leastBytes = 1024 * 1024;

/** Options of every call about the folder of a job that runs as root. */
export const rootCall = { timeoutMs: 60_000, asRoot: true } as const;

/**
 * Follows a job to its end. Errors: package-install-failed (limit, cut by a reboot), host-disk-full (where its folder is),
 * ssh-lost and its like after five minutes of silence.
 */
export async function watchJob(context: ApplyContext, session: HostSession, job: WatchedJob): Promise<JobEnd> {
  const { clock, signal } = context;
  const { folder, argv } = job;
  const options = { ...rootCall, signal };
  const sinceMs = clock.nowMs();
  const limitMs = clock.deadlineMs(job.limitMs);
  const log: LogTail = { tail: '', nextByte: 0 };
  let heardMs = sinceMs;
  let isStarted = argv === undefined;
  for (;;) {
    try {
      // Starting is safe to repeat: a folder that exists is only looked at.
      const state: DetachedState =
        isStarted || argv === undefined
          ? await session.observeDetached(folder, options)
          : await session.startDetached(folder, argv, options);
      isStarted = state.kind !== 'absent';
      await readOn(session, folder, options, log, state);
      heardMs = clock.nowMs();
      if (state.kind === 'exited') return { exitCode: state.exitCode, tail: log.tail };
      if (state.kind === 'unknown') {
        if ((await readPackageSpace(session, signal)) < leastBytes) throw diskFull(context, session, state.reason);
        throw cutOff(context, session, job, state.reason, log.tail);
      }
    } catch (error) {
      if (isDiskFull(error)) throw diskFull(context, session, error.failure.why);
      if (!isSilence(error) || clock.nowMs() - heardMs > clock.deadlineMs(silenceMs)) throw error;
    }
    if (clock.nowMs() - sinceMs > limitMs)
      throw cutOff(context, session, job, 'it still runs; it was left running', log.tail);
    await context.progress({ text: job.text, lastLine: lastLine(log.tail), sinceMs, limitMs });
    await clock.poll(pollMs, signal);
  }
}

interface LogTail {
  tail: string;
  nextByte: number;
}

/** Reads what is new in the log, to its end, and keeps its last lines. */
async function readOn(
  session: HostSession,
  folder: string,
  options: typeof rootCall & { readonly signal: AbortSignal },
  log: LogTail,
  state: DetachedState,
): Promise<void> {
  if (state.kind === 'absent') return;
  const untilByte = state.kind === 'unknown' ? log.nextByte + 1 : state.logBytes;
  while (log.nextByte < untilByte) {
    const part = await session.readDetachedLog(folder, log.nextByte, options);
    if (part.nextByte <= log.nextByte) return;
    log.nextByte = part.nextByte;
    log.tail = `${log.tail}${part.text}`.split('\n').slice(-tailLines).join('\n');
  }
}

function isSilence(error: unknown): boolean {
  return error instanceof OpsError && ['ssh-lost', 'ssh-timeout', 'ssh-unreachable'].includes(error.code);
}

/** The folder could not be made, or what a job writes into it. */
function isDiskFull(error: unknown): error is OpsError {
  return error instanceof OpsError && error.code === 'command-failed' && fullDisk.test(error.failure.why);
}

function diskFull(context: ApplyContext, session: HostSession, why: string): OpsError {
  return errors.hostDiskFull({
    host: session.name,
    why: `${why.replace(/\.$/, '')}. Nothing is free where packages and jobs go (/, /usr, /var).`,
    next: 'Free space on / and /var.',
    run: context.runId,
    state: 'changed',
  });
}

function cutOff(context: ApplyContext, session: HostSession, job: WatchedJob, why: string, tail: string): OpsError {
  return errors.packageInstallFailed({
    host: session.name,
    what: `\`${job.name}\` (${job.text})`,
    why: `How it ended is not known: ${why}.`,
    next: 'It may be repeated safely.',
    evidence: tail.slice(-600),
    run: context.runId,
    state: 'unknown',
  });
}

/** The last line with text on it; programs that draw bars separate their states by carriage returns. */
export function lastLine(text: string): string {
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim() !== '');
  return (lines.at(-1) ?? '').trim().slice(0, 200);
}
