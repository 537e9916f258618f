import type { DetachedState, HostSession } from '../domain/device-ports.ts';
import type { ApplyContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import { jobsFolder, readJobFolders } from '../facts/job-folders.ts';
import { rootCall } from './job-watch.ts';
import { pairOf } from './measure-ends.ts';
import { runOk } from './remote.ts';

/** One program of a measurement, in its job folder. */
export interface SideJob {
  readonly host: HostSession;
  readonly folder: string;
  readonly argv: readonly string[];
}

/** More than any log of an hour; a longer one would be taken for whole when it is cut. */
const maxLogBytes = 32 * 1024 * 1024;
const chunkBytes = 1024 * 1024;
const atOnce = 8;
/** TERM, ten seconds, KILL: see `stopDetached`. */
const stopCall = { ...rootCall, timeoutMs: 90_000 } as const;

/** Begin of the names of all job folders of a run. */
export function folderPrefix(runId: number): string {
  return `run${runId}-measure-`;
}

/** Folder of one program of one repeat. Made anew for each try: what was there before is stopped and removed first. */
export function sideFolder(
  runId: number,
  place: {
    readonly point: string;
    readonly repeat: number;
    readonly role: 'receive' | 'send';
    readonly number: number;
  },
): string {
  const { point, repeat, role, number } = place;
  return `${jobsFolder}/${folderPrefix(runId)}${point}-${repeat}-${role}-${number}`;
}

/**
 * Stops what runs in the folder and removes it. Errors: bench-left-behind, when either does not help; command-failed,
 * ssh-lost and its like.
 */
export async function clearJob(host: HostSession, folder: string, signal: AbortSignal): Promise<void> {
  const options = { ...stopCall, signal };
  if ((await host.observeDetached(folder, options)).kind === 'absent') return;
  const stopped = await host.stopDetached(folder, options);
  if (stopped.kind === 'running')
    throw errors.benchLeftBehind({ host: host.name, what: `process ${stopped.pid} of ${folder}` });
  await runOk(host, ['sudo', '-n', 'rm', '-rf', '--', folder], { timeoutMs: 60_000, signal });
  if ((await host.observeDetached(folder, options)).kind !== 'absent')
    throw errors.benchLeftBehind({ host: host.name, what: folder });
}

/** Is there anything of this run on either host? */
export async function hasJobs(context: ApplyContext): Promise<boolean> {
  const { runId, signal } = context;
  const found = await Promise.all(
    pairOf(context).ends.map(async ({ host }) => readJobFolders(host, folderPrefix(runId), signal)),
  );
  return found.some((folders) => folders.length > 0);
}

/**
 * Stops and removes every job of the run on both hosts, and looks again. Other runs and other people are not touched. A host
 * that fails does not keep the other one from being cleared; its error is thrown at the end.
 */
export async function clearRun(context: ApplyContext): Promise<void> {
  const failures: unknown[] = [];
  for (const { host } of pairOf(context).ends)
    await clearHost(host, context).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

async function clearHost(host: HostSession, { runId, signal }: ApplyContext): Promise<void> {
  const prefix = folderPrefix(runId);
  for (const folder of await readJobFolders(host, prefix, signal)) await clearJob(host, folder, signal);
  const [left] = await readJobFolders(host, prefix, signal);
  if (left !== undefined) throw errors.benchLeftBehind({ host: host.name, what: left });
}

/** Starts a side in its empty folder. */
export async function startJob({ host, folder, argv }: SideJob, signal: AbortSignal): Promise<DetachedState> {
  return host.startDetached(folder, argv, { ...rootCall, signal });
}

/** State of a side; undefined while its host does not answer, which says nothing about the measurement. */
export async function lookAt({ host, folder }: SideJob, signal: AbortSignal): Promise<DetachedState | undefined> {
  try {
    return await host.observeDetached(folder, { ...rootCall, signal });
  } catch (error) {
    if (isSilence(error)) return undefined;
    throw error;
  }
}

/** What a side has logged from a byte on; empty while its host does not answer. */
export async function peek({ host, folder }: SideJob, fromByte: number, signal: AbortSignal): Promise<string> {
  try {
    return (await host.readDetachedLog(folder, Math.max(0, fromByte), { ...rootCall, signal })).text;
  } catch (error) {
    if (isSilence(error)) return '';
    throw error;
  }
}

/** The whole log of a side that has ended. Errors: bench-log-too-long. */
export async function readLog({ host, folder }: SideJob, signal: AbortSignal): Promise<string> {
  const parts: string[] = [];
  for (let fromByte = 0; ;) {
    const options = { ...rootCall, maxBytes: chunkBytes, signal };
    const { text, nextByte } = await host.readDetachedLog(folder, fromByte, options);
    parts.push(text);
    if (nextByte <= fromByte) return parts.join('');
    fromByte = nextByte;
    if (fromByte > maxLogBytes) throw errors.benchLogTooLong({ host: host.name, folder, limit: '32 MiB' });
  }
}

/** Ends a side and returns how it ended. */
export async function stopJob({ host, folder }: SideJob, signal: AbortSignal): Promise<DetachedState> {
  return host.stopDetached(folder, { ...stopCall, signal });
}

function isSilence(error: unknown): boolean {
  return error instanceof OpsError && ['ssh-lost', 'ssh-timeout', 'ssh-unreachable'].includes(error.code);
}

/** Words that end a command by SIGINT after so many seconds: the tools print their totals then. Source: timeout(1). */
export function limited(seconds: number, argv: readonly string[]): readonly string[] {
  return ['timeout', '-s', 'INT', String(Math.ceil(seconds)), ...argv];
}

/** A few at a time: an SSH server takes ten sessions a connection. Source: sshd_config(5), MaxSessions. */
export async function inParts<T>(
  sides: readonly SideJob[],
  work: (side: SideJob, index: number) => Promise<T>,
): Promise<readonly T[]> {
  const results: T[] = [];
  for (let first = 0; first < sides.length; first += atOnce) {
    const part = sides.slice(first, first + atOnce);
    results.push(...(await Promise.all(part.map(async (side, index) => work(side, first + index)))));
  }
  return results;
}
