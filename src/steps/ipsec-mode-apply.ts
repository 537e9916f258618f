import type { DetachedState } from '../domain/device-ports.ts';
import type { ApplyContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { armSession, serialOf } from './arm-session.ts';
import { jobFolder } from './remote.ts';

const name = 'mlnx-bf-configure';
const pollMs = 2_000;
const limitMs = 600_000;
const call = { timeoutMs: 30_000, asRoot: true } as const;
/** Both are spelled as the script prints them. Source: mlnx-tools, mlnx_bf_configure. */
const refusals = [/Crypto disabled on this dev\w+.*/, /Detected Controller device.*/];

/**
 * Runs mlnx_bf_configure to its end, detached: cut off in its middle it would leave the switch in legacy mode. One that this
 * run has begun and not seen the end of is looked at in its job folder, never begun again beside it.
 *
 * Errors: ipsec-mode-refused, command-failed, outcome-unknown.
 */
export async function configureCard(context: ApplyContext): Promise<void> {
  const done = context.actions.filter((action) => action.action === name && action.done).length;
  const job = { runId: context.runId, step: 'set-ipsec-mode', subject: serialOf(context), attempt: done + 1 };
  const folder = jobFolder(job);
  const card = context.dpu.name;
  const { log, state } = await context.act({ name, text: `mlnx_bf_configure on ${card}` }, async () => {
    const end = await runToEnd(context, folder);
    const arm = await armSession(context);
    const { text } = await arm.readDetachedLog(folder, 0, { ...call, signal: context.signal });
    return { evidence: text.slice(-600), value: { log: text, state: end } };
  });
  const refused = refusals.map((pattern) => pattern.exec(log)?.[0]).find((line) => line !== undefined);
  if (refused !== undefined) throw errors.ipsecModeRefused({ card, said: refused });
  const code = state.kind === 'exited' ? state.exitCode : 0;
  if (code !== 0)
    throw errors.commandFailed({ host: card, command: 'mlnx_bf_configure', exitCode: code, output: log.slice(-400) });
}

async function runToEnd(context: ApplyContext, folder: string): Promise<DetachedState> {
  const { clock, signal } = context;
  const startMs = clock.nowMs();
  const endMs = clock.deadlineMs(limitMs);
  const options = { ...call, signal };
  await (await armSession(context)).startDetached(folder, ['mlnx_bf_configure'], options);
  for (;;) {
    const state = await (await armSession(context)).observeDetached(folder, options);
    if (state.kind === 'exited' || state.kind === 'unknown') return state;
    if (clock.nowMs() - startMs >= endMs)
      throw errors.outcomeUnknown({
        what: `mlnx_bf_configure on ${context.dpu.name} has not ended within 10 min.`,
        why: 'It still runs.',
        run: context.runId,
      });
    const text = `waiting for mlnx_bf_configure on ${context.dpu.name}`;
    await context.progress({ text, sinceMs: startMs, limitMs: endMs });
    await clock.poll(pollMs, signal);
  }
}
