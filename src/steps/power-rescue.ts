import type { ActionRecord, ApplyContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import { readHostPower } from '../facts/host-power.ts';
import { lastCycle, offMs, shutdownMs } from './power-cycle.ts';
import type { PowerContext, PowerWords } from './power-reset.ts';
import { openHostBmc, powerState, powerWords, switchOn } from './power-reset.ts';

const pollMs = 10_000;
const bootLimitMs = 900_000;

type RescueContext = PowerContext & Pick<ApplyContext, 'act' | 'actions'>;

/**
 * Opens SSH to a host in whose power cycle the worker died. It may be off, which is looked at again and again because a
 * shutdown may still be under way; then it is switched on. It may be booting; then `open` is tried until it has. To be used
 * before anything else of a resumed unit, because every step needs the host.
 * Errors: host-power-stuck, host-not-back, those of the host's BMC and of `open`.
 */
export async function openAfterPowerCycle<T>(context: RescueContext, open: () => Promise<T>): Promise<T> {
  const host = context.slice.name;
  const words = powerWords(host, await readHostPower(await openHostBmc(context), context.signal));
  let settledAtMs = shutdownOverAtMs(context);
  const sinceMs = context.clock.nowMs();
  const limitMs = context.clock.deadlineMs(bootLimitMs);
  for (;;) {
    if (words !== undefined && (await powerState(context)) === 'Off') {
      await switchOnAgain(context, words);
      settledAtMs = 0;
    }
    const seen = await tryOpen(context, open);
    const nowMs = context.clock.nowMs();
    if ('session' in seen && nowMs >= settledAtMs) return seen.session;
    if ('problem' in seen && nowMs - sinceMs >= limitMs) {
      const power = await powerState(context);
      throw errors.hostNotBack({ host, power, last: seen.problem, limit: '15 min', run: context.runId });
    }
    const text = 'session' in seen ? `looking whether ${host} still shuts down` : `waiting for ${host} to boot`;
    const lastLine = 'problem' in seen ? { lastLine: seen.problem } : {};
    await context.progress({ text, ...lastLine, sinceMs, limitMs });
    await context.clock.poll(pollMs, context.signal);
  }
}

/**
 * Opens SSH to a host that this run has told to reboot its system when the worker died: it may be going down or booting.
 * Errors: host-not-back, those of `open`.
 */
export async function openAfterReboot<T>(context: RescueContext, open: () => Promise<T>): Promise<T> {
  const { clock, actions } = context;
  const host = context.slice.name;
  const sinceMs = clock.nowMs();
  const limitMs = clock.deadlineMs(bootLimitMs);
  const settledAtMs = (actions.at(-1)?.atMs ?? 0) + clock.wallMs(shutdownMs);
  for (;;) {
    const seen = await tryOpen(context, open);
    const nowMs = clock.nowMs();
    if ('session' in seen && nowMs >= settledAtMs) return seen.session;
    if ('problem' in seen && nowMs - sinceMs >= limitMs)
      throw errors.hostNotBack({
        host,
        power: 'not looked at',
        last: seen.problem,
        limit: '15 min',
        run: context.runId,
      });
    await context.progress({ text: `waiting for ${host}, whose system this run reboots`, sinceMs, limitMs });
    await clock.poll(pollMs, context.signal);
  }
}

/** Until when a host that answers may be about to go off: its shutdown was asked for, and not seen to the end. */
function shutdownOverAtMs({ actions, clock }: RescueContext): number {
  const cycle: ActionRecord | undefined = lastCycle(actions);
  return cycle === undefined || cycle.done ? 0 : cycle.atMs + clock.wallMs(shutdownMs);
}

async function switchOnAgain(context: RescueContext, words: PowerWords): Promise<void> {
  const host = context.slice.name;
  // Since when it is off nobody knows.
  await context.progress({ text: `${host} is off; waiting ${offMs / 1000} s`, limitMs: context.clock.wallMs(offMs) });
  await context.clock.poll(offMs, context.signal);
  await context.act({ name: 'power-on', text: `switch ${host} on, which was left off` }, async () => ({
    evidence: await switchOn(context, words),
    value: undefined,
  }));
}

/** The session, or why there is none yet. A login that is refused counts: a system that is starting refuses users. */
async function tryOpen<T>(
  { signal }: RescueContext,
  open: () => Promise<T>,
): Promise<{ readonly session: T } | { readonly problem: string }> {
  try {
    return { session: await open() };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof OpsError) || (error.failure.kind !== 'transient' && error.code !== 'ssh-auth-failed'))
      throw error;
    return { problem: error.failure.what };
  }
}
