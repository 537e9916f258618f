import type { ActionRecord, ApplyContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { readRunningInstallers } from '../facts/rshim.ts';
import { readBootId, readHostPower } from '../facts/host-power.ts';
import { bootIdNow, runningCards, waitForCards, waitForHost } from './power-return.ts';
import { lookForUpdates } from './update-elsewhere.ts';
import { openHostBmc, powerState, powerWords, sendReset, switchOff, switchOn } from './power-reset.ts';
import type { PowerWords } from './power-reset.ts';

const offName = 'power-off';
const onName = 'power-on';
const cycleName = 'power-cycle';
/** So long the host stays off: capacitors of a card have to empty. Source: NVIDIA BlueField docs ask for a cold boot. */
export const offMs = 30_000;
/** A shutdown that was asked for before the worker died may still be under way that long. */
export const shutdownMs = 180_000;
const settleLimitMs = 600_000;
const pollMs = 10_000;

/** The host before it was switched off, as it is journaled with the intent. */
interface Before {
  readonly bootId: string;
  readonly powerState: string;
  /** Names of the cards whose system was up. */
  readonly running: readonly string[];
}

/** True when this run has told the host to go off: it is not told a second time while that may have been carried out. */
export function hasCycled(actions: readonly ActionRecord[]): boolean {
  return lastCycle(actions) !== undefined;
}

/**
 * Cold power cycle of the host through its own BMC: off, 30 s without power, on, then SSH with a new boot id, then the cards.
 * It may be called again after the worker died at any point: the boot id and the power state tell how far it got. A host
 * that is off is switched on; one that has booted since is not switched again; one that demonstrably never went off is
 * told once more. `toNic`: cards that come up in NIC mode, whose boot ends in UEFI. Errors: host-power-unsupported, host-power-stuck, host-not-back, card-not-back, those of the transport.
 */
export async function powerCycleHost(context: ApplyContext, toNic: readonly string[] = []): Promise<void> {
  const session = await openHostBmc(context);
  const power = await readHostPower(session, context.signal);
  const words = powerWords(context.slice.name, power);
  const past = lastCycle(context.actions);
  const before = beforeOf(past) ?? {
    bootId: await readBootId(context.host, context.signal),
    powerState: power.powerState,
    running: (await runningCards(context)).filter((name) => !toNic.includes(name)),
  };
  const seen = past === undefined ? 'untouched' : await howFar(context, before, past.done);
  if (seen === 'untouched') await refuseWhileFlashing(context);
  if (seen === 'untouched') await goDown(context, words, before);
  if (seen !== 'booted' && words !== undefined) await goUp(context, words);
  await comeBack(context, before, toNic);
}

/** Somebody may be flashing a card that this run does not name, or one that has dropped out of it. */
async function refuseWhileFlashing(context: ApplyContext): Promise<void> {
  const [seen] = await readRunningInstallers(context.host, context.signal);
  const host = context.slice.name;
  if (seen !== undefined) throw errors.powerWhileFlashing({ host, seen });
  const { running } = await lookForUpdates(context);
  if (running) throw errors.rebootWhileFlashing({ target: host, ...running, run: context.runId });
}

async function goDown(context: ApplyContext, words: PowerWords | undefined, before: Before): Promise<void> {
  const host = context.slice.name;
  const name = words === undefined ? cycleName : offName;
  const text = words === undefined ? `power cycle of ${host}` : `switch ${host} off`;
  await context.act({ name, text, before }, async () => {
    const evidence = words === undefined ? await sendReset(context, 'PowerCycle') : await switchOff(context, words);
    return { evidence, value: undefined };
  });
}

async function goUp(context: ApplyContext, words: PowerWords): Promise<void> {
  const host = context.slice.name;
  await context.progress({ text: `${host} is off; waiting ${offMs / 1000} s`, limitMs: context.clock.wallMs(offMs) });
  await context.clock.poll(offMs, context.signal);
  await context.act({ name: onName, text: `switch ${host} on` }, async () => {
    forgetAll(context);
    return { evidence: await switchOn(context, words), value: undefined };
  });
}

async function comeBack(context: ApplyContext, before: Before, toNic: readonly string[]): Promise<void> {
  forgetAll(context);
  await waitForHost(context, before.bootId);
  // Connections through the host ended with it.
  forgetAll(context);
  await waitForCards(context, before.running, toNic);
}

/** Every card of the host has lost its power, also those that the run does not name. */
function forgetAll(context: ApplyContext): void {
  for (const dpu of context.slice.entry.dpus) {
    const card = context.cards.find((one) => one.dpu.name === dpu.name) ?? { slice: context.slice, dpu };
    context.bmc.noteReset(card);
    context.bmc.forget(card);
    context.arm.forget(card);
  }
}

/**
 * How far an earlier try of this run got: `off`, `booted` (another boot id), or `untouched` (the same boot is up and stays
 * up for as long as a shutdown that was asked for may take). While neither can be told it is waited: the host is going
 * down or coming up.
 */
async function howFar(
  context: ApplyContext,
  before: Before,
  wasDone: boolean,
): Promise<'off' | 'booted' | 'untouched'> {
  const sinceMs = context.clock.nowMs();
  const limitMs = context.clock.deadlineMs(settleLimitMs);
  const patienceMs = context.clock.wallMs(shutdownMs);
  for (;;) {
    const power = await powerState(context);
    if (power === 'Off') return 'off';
    const boot = await bootIdNow(context);
    if ('bootId' in boot && boot.bootId !== before.bootId) return 'booted';
    // It was seen off: never a second time. The wait for the host that follows says what is wrong.
    if (wasDone) return 'booted';
    const waitedMs = context.clock.nowMs() - sinceMs;
    if ('bootId' in boot && power === 'On' && waitedMs >= patienceMs) return 'untouched';
    if (waitedMs >= limitMs) return 'booted';
    const text = `looking how far the power cycle of ${context.slice.name} got: ${power}`;
    await context.progress({ text, sinceMs, limitMs });
    await context.clock.poll(pollMs, context.signal);
  }
}

/** The newest act by which this run told the host to go off. */
export function lastCycle(actions: readonly ActionRecord[]): ActionRecord | undefined {
  return actions.findLast((action) => action.action === offName || action.action === cycleName);
}

function beforeOf(record: ActionRecord | undefined): Before | undefined {
  const before = record?.before;
  return isBefore(before) ? before : undefined;
}

function isBefore(value: unknown): value is Before {
  return typeof value === 'object' && value !== null && 'bootId' in value && 'running' in value;
}
