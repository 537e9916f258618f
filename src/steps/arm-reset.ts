import type { ApplyContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import type { DpuSystem } from '../facts/dpu-system.ts';
import { notReported, readDpuSystem } from '../facts/dpu-system.ts';
import { bmcSession } from './bmc-session.ts';
import { refuseWhileUpdating } from './update-elsewhere.ts';

const resetPath = '/redfish/v1/Systems/Bluefield/Actions/ComputerSystem.Reset';
const pollMs = 5_000;
/** DPF and infra-controller both allow five minutes from reset to OsIsRunning. */
const bootLimitMs = 300_000;

/** A state before the reset, as it is journaled with the intent: what later counts as evidence is held against it. */
interface Before {
  readonly bootState: string;
  readonly bootStateTime: string;
}

/**
 * Resets the Arm complex once and waits until it is up again, counted by evidence: another boot state was seen, or its
 * stamp changed, and then OsIsRunning. An intent of this run without a result (the worker died, or the reply was lost)
 * is looked at first; only when nothing has moved since is the reset sent again. One reset too many does no harm.
 *
 * `ordinal` goes into the texts ("second Arm reset"). Errors: dpu-not-ready, reboot-while-flashing, and those of the transport.
 * Source: NVIDIA BlueField BMC docs (ComputerSystem.Reset resets the Arm complex only; BootProgress lags by about 30 s).
 */
export async function resetArm(context: ApplyContext, name: string, ordinal: string): Promise<void> {
  await reset(context, { name, ordinal, settles: true, isOver: ({ bootState }) => bootState === 'OsIsRunning' });
}

/**
 * As `resetArm`, for a card whose system cannot start: it is reset as it stands, and the reset counts as soon as it has
 * begun. What the boot comes to is for the caller to see.
 */
export async function restartArm(context: ApplyContext, name: string, ordinal: string): Promise<void> {
  await reset(context, { name, ordinal, settles: false, isOver: () => true });
}

interface Wanted {
  readonly name: string;
  readonly ordinal: string;
  /** Waits out a boot that is under way before. */
  readonly settles: boolean;
  /** Asked once the reset is proven. */
  readonly isOver: (now: DpuSystem) => boolean;
}

async function reset(context: ApplyContext, wanted: Wanted): Promise<void> {
  const { name, ordinal } = wanted;
  const last = context.actions.findLast((action) => action.action === name);
  const open = last?.done === false ? last : undefined;
  const now =
    open === undefined && wanted.settles
      ? await settleArm(context)
      : await readDpuSystem(await bmcSession(context), context.signal);
  const before = isBefore(open?.before) ? open.before : { bootState: now.bootState, bootStateTime: now.bootStateTime };
  const alreadySent = open !== undefined && hasMoved(before, now);
  if (!alreadySent) await refuseWhileUpdating(context);
  await context.act({ name, text: `${ordinal} Arm reset of ${context.dpu.name}`, before }, async () => {
    if (!alreadySent) await sendReset(context);
    const evidence = await watchReset(context, before, wanted);
    return { evidence: `${alreadySent ? 'was under way; ' : ''}${evidence}`, value: undefined };
  });
}

/**
 * Waits out a boot that is under way: otherwise its end would look like that of the reset. A card that does not get up
 * within the limit of a boot is reset as it is; that may be what brings it back.
 */
export async function settleArm(context: ApplyContext): Promise<DpuSystem> {
  const startMs = context.clock.nowMs();
  const limitMs = context.clock.deadlineMs(bootLimitMs);
  for (;;) {
    const now = await readDpuSystem(await bmcSession(context), context.signal);
    const booting = now.bootState !== 'OsIsRunning' && now.bootState !== notReported;
    if (!booting || context.clock.nowMs() - startMs >= limitMs) return now;
    const text = `waiting for a boot of ${context.dpu.name} that is under way: ${now.bootState}`;
    await context.progress({ text, sinceMs: startMs, limitMs });
    await context.clock.poll(pollMs, context.signal);
  }
}

async function sendReset(context: ApplyContext): Promise<void> {
  const session = await bmcSession(context);
  try {
    await session.post(resetPath, { ResetType: 'ForceRestart' }, { timeoutMs: 30_000, signal: context.signal });
  } catch (error) {
    // A lost reply is no failure here: the wait below sees by the boot state whether the reset happened.
    if (!(error instanceof OpsError) || !['bmc-reply-lost', 'bmc-timeout'].includes(error.code)) throw error;
  }
}

/** Polls the boot progress until a reset was seen and is over. Returns the evidence as a sentence. */
async function watchReset(context: ApplyContext, before: Before, { ordinal, isOver }: Wanted): Promise<string> {
  const startMs = context.clock.nowMs();
  const limitMs = context.clock.deadlineMs(bootLimitMs);
  const seen: string[] = [];
  let moved = false;
  let state = before.bootState;
  while (context.clock.nowMs() - startMs < limitMs) {
    const now = await readTolerant(context);
    if (now !== undefined) {
      state = now.bootState;
      moved ||= hasMoved(before, now);
      if (seen.at(-1) !== state) seen.push(state);
      if (moved && isOver(now)) return `${seen.join(' > ')}; stamp ${before.bootStateTime} -> ${now.bootStateTime}`;
    }
    const text = `waiting for the ${ordinal} Arm reset of ${context.dpu.name}: ${state}`;
    await context.progress({ text, sinceMs: startMs, limitMs });
    await context.clock.poll(pollMs, context.signal);
  }
  const shown = moved ? state : `${state}, as before the reset`;
  throw errors.armNotReady({ target: context.dpu.name, state: shown, limit: '5 min', run: context.runId });
}

/** A BMC that is busy or restarts during the boot is part of the wait; anything else ends it. */
async function readTolerant(context: ApplyContext): Promise<DpuSystem | undefined> {
  try {
    return await readDpuSystem(await bmcSession(context), context.signal);
  } catch (error) {
    if (error instanceof OpsError && error.failure.kind === 'transient') return undefined;
    throw error;
  }
}

/** Another boot state or another stamp than before. What the BMC does not report (it has just started itself) is evidence of nothing. */
function hasMoved(before: Before, now: DpuSystem): boolean {
  if (now.bootState === notReported) return false;
  const stamps = [before.bootStateTime, now.bootStateTime];
  const otherState =
    before.bootState === notReported ? now.bootState !== 'OsIsRunning' : now.bootState !== before.bootState;
  return otherState || (!stamps.includes(notReported) && stamps[0] !== stamps[1]);
}

function isBefore(value: unknown): value is Before {
  return typeof value === 'object' && value !== null && 'bootState' in value && 'bootStateTime' in value;
}
