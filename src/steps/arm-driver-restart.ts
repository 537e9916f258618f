import type { DetachedState, HostSession } from '../domain/device-ports.ts';
import type { ApplyContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import { parseDriverRestart, readDrivers } from '../facts/drivers.ts';
import { armSession, serialOf } from './arm-session.ts';
import { jobFolder } from './remote.ts';

const name = 'restart-openibd';
const pollMs = 3_000;
/** Unloading and loading takes a minute; a module in use makes it wait longer. */
const limitMs = 300_000;
const call = { timeoutMs: 30_000, asRoot: true } as const;

/**
 * Restarts openibd once, detached: it may cut the connection it is asked over. A restart that this run has begun and not
 * seen the end of is looked at in its job folder, never begun again. What it printed goes into the thread.
 *
 * Errors: modules-rejected, driver-restart-failed, outcome-unknown.
 */
export async function restartDrivers(context: ApplyContext): Promise<void> {
  const done = context.actions.filter((action) => action.action === name && action.done).length;
  const folder = jobFolder({
    runId: context.runId,
    step: 'load-drivers',
    subject: serialOf(context),
    attempt: done + 1,
  });
  const text = `restart openibd on ${context.dpu.name}`;
  const { log, state } = await context.act({ name, text }, async () => {
    const end = await runToEnd(context, folder);
    const output = await readLog(context, folder);
    return { evidence: output.slice(-600), value: { log: output, state: end } };
  });
  await context.snippet(`openibd restart on ${context.dpu.name}`, log);
  await judgeRestart(context, log, state);
}

/**
 * Starts it and watches its job folder; a connection that is cut meanwhile is part of it, also in the moment of the start.
 * Starting is safe to repeat: a folder that exists is only looked at.
 */
async function runToEnd(context: ApplyContext, folder: string): Promise<DetachedState> {
  const startMs = context.clock.nowMs();
  const endMs = context.clock.deadlineMs(limitMs);
  const options = { ...call, signal: context.signal };
  let isStarted = false;
  for (;;) {
    const state = await tolerant(context, async (arm) =>
      isStarted
        ? arm.observeDetached(folder, options)
        : arm.startDetached(folder, ['/etc/init.d/openibd', 'restart'], options),
    );
    isStarted ||= state !== undefined && state.kind !== 'absent';
    if (state?.kind === 'exited' || state?.kind === 'unknown') return state;
    if (context.clock.nowMs() - startMs >= endMs)
      throw errors.outcomeUnknown({
        what: `The restart of openibd on ${context.dpu.name} has not ended within 5 min.`,
        why: state === undefined ? 'Its Arm cannot be reached any more.' : 'It still runs.',
        run: context.runId,
      });
    const text = `waiting for openibd on ${context.dpu.name}`;
    await context.progress({ text, sinceMs: startMs, limitMs: endMs });
    await context.clock.poll(pollMs, context.signal);
  }
}

async function readLog(context: ApplyContext, folder: string): Promise<string> {
  const arm = await armSession(context);
  const { text } = await arm.readDetachedLog(folder, 0, { ...call, signal: context.signal });
  return text;
}

async function tolerant<T>(context: ApplyContext, look: (arm: HostSession) => Promise<T>): Promise<T | undefined> {
  try {
    return await look(await armSession(context));
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof OpsError && error.failure.kind === 'transient') return undefined;
    throw error;
  }
}

async function judgeRestart(context: ApplyContext, log: string, state: DetachedState): Promise<void> {
  const target = context.dpu.name;
  const { lines, complaints } = parseDriverRestart(log);
  const rejected = complaints.find((line) => line.includes('Key was rejected by service'));
  if (rejected !== undefined) {
    const module = /'([A-Za-z0-9_]+)'/.exec(rejected)?.[1] ?? 'mlx5_core';
    const { secureBoot } = await readDrivers(await armSession(context), context.signal);
    throw errors.modulesRejected({ target, module, secureBoot, run: context.runId });
  }
  const failed = lines.find((line) => !line.ok)?.text;
  const code = state.kind === 'exited' ? state.exitCode : undefined;
  if (failed !== undefined || (code !== undefined && code !== 0)) {
    const complaint = complaints.slice(0, 3).join('; ');
    throw errors.driverRestartFailed({
      target,
      failed: failed ?? `exit code ${code}`,
      complaint,
      run: context.runId,
    });
  }
  // Neither an end nor a failure was seen (the Arm booted meanwhile): the loaded version decides, see `verify`.
}
