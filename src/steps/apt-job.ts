import type { HostSession } from '../domain/device-ports.ts';
import type { ApplyContext } from '../domain/step.ts';
import type { JobEnd } from './job-watch.ts';
import { lastLine, rootCall, watchJob } from './job-watch.ts';
import { jobFolder } from './remote.ts';

/** A command that takes minutes and may cut its own connection (packages, a driver reload): it runs detached, as root. */
export interface RootJob {
  /** What it belongs to: two steps may run the same job on one machine. */
  readonly label: string;
  /** Also the name of the act, with the number of the attempt behind it. */
  readonly name: string;
  readonly text: string;
  readonly argv: readonly string[];
  /** Device milliseconds. */
  readonly limitMs: number;
}

/** Longer than any job may take. */
const joinMs = 2_400_000;

/**
 * Runs a job on a host or card and waits for its end. A worker that takes the step over finds the job of the last attempt
 * and waits for that one; an attempt that is over, or was cut by a reboot, gets a successor with a number and folder of
 * its own. Errors: package-install-failed (limit, cut by a reboot), ssh-lost and its like after five minutes of silence.
 */
export async function runRootJob(context: ApplyContext, session: HostSession, job: RootJob): Promise<JobEnd> {
  const attempt = await chooseAttempt(context, session, job);
  const folder = folderOf(context, session, job, attempt);
  return context.act({ name: `${job.name}-${attempt}`, text: job.text }, async () => {
    const end = await watchJob(context, session, { ...job, folder });
    const last = lastLine(end.tail);
    return { evidence: `exit ${end.exitCode}${last === '' ? '' : `: ${last}`}`, value: end };
  });
}

/**
 * Waits for what an earlier life of this step has left running: it holds the locks that the next job needs, or has the
 * network down. How it ended counts when it is its turn again. Errors: as those of a job.
 */
export async function awaitRunningJobs(context: ApplyContext, session: HostSession, label: string): Promise<void> {
  const open = new Set(context.actions.filter((entry) => !entry.done).map((entry) => entry.action));
  for (const action of open) {
    const [, name, number] = /^([a-z-]+)-(\d+)$/.exec(action) ?? [];
    if (name === undefined) continue;
    const folder = folderOf(context, session, { label, name }, Number(number));
    const state = await session.observeDetached(folder, { ...rootCall, signal: context.signal });
    if (state.kind !== 'running') continue;
    const text = `waiting for \`${name}\`, which runs since before the worker changed`;
    await watchJob(context, session, { name, text, folder, limitMs: joinMs });
  }
}

/** The number of the attempt to start or to wait for. */
async function chooseAttempt(context: ApplyContext, session: HostSession, job: RootJob): Promise<number> {
  const earlier = context.actions.flatMap((entry) => {
    const number = entry.action.startsWith(`${job.name}-`) ? Number(entry.action.slice(job.name.length + 1)) : 0;
    return Number.isSafeInteger(number) && number > 0 ? [{ number, done: entry.done }] : [];
  });
  const last = earlier.toSorted((a, b) => a.number - b.number).at(-1);
  if (last === undefined) return 1;
  if (earlier.some((entry) => entry.number === last.number && entry.done)) return last.number + 1;
  const folder = folderOf(context, session, job, last.number);
  const state = await session.observeDetached(folder, { ...rootCall, signal: context.signal });
  const isUsable = state.kind === 'absent' || state.kind === 'running' || (state.kind === 'exited' && !state.exitCode);
  return isUsable ? last.number : last.number + 1;
}

function folderOf(
  context: ApplyContext,
  session: HostSession,
  job: Pick<RootJob, 'label' | 'name'>,
  attempt: number,
): string {
  const subject = session.name.replace(/[^A-Za-z0-9._-]/g, '-');
  return jobFolder({ runId: context.runId, step: `${job.label}-${job.name}`, subject, attempt });
}
