import type { CardRef } from '../domain/device-ports.ts';
import type { ApplyContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import { readDpuSystem } from '../facts/dpu-system.ts';
import { readBootId } from '../facts/host-power.ts';
import { bmcReader } from './bmc-session.ts';
import { powerState } from './power-reset.ts';

const pollMs = 10_000;
const hostLimitMs = 900_000;
const cardLimitMs = 600_000;

/** Waits until the host answers SSH with another boot id than `before`; returns it. Errors: host-not-back. */
export async function waitForHost(context: ApplyContext, before: string): Promise<string> {
  const host = context.slice.name;
  const sinceMs = context.clock.nowMs();
  const limitMs = context.clock.deadlineMs(hostLimitMs);
  let last = 'it still shows the boot of before';
  for (;;) {
    const seen = await bootIdNow(context);
    if ('bootId' in seen && seen.bootId !== before) return seen.bootId;
    if ('problem' in seen) last = seen.problem;
    if (context.clock.nowMs() - sinceMs >= limitMs) break;
    await context.progress({ text: `waiting for ${host} to boot`, lastLine: last, sinceMs, limitMs });
    await context.clock.poll(pollMs, context.signal);
  }
  const power = await powerState(context);
  throw errors.hostNotBack({ host, power, last, limit: '15 min', run: context.runId });
}

type BootIdSeen = { readonly bootId: string } | { readonly problem: string };

/**
 * The boot id, or why it cannot be read just now. A login that is refused counts among the latter: it was good before, and
 * a system that is still starting refuses ordinary users.
 */
export async function bootIdNow(context: ApplyContext): Promise<BootIdSeen> {
  try {
    return { bootId: await readBootId(context.host, context.signal) };
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof OpsError)) throw error;
    if (error.failure.kind !== 'transient' && error.code !== 'ssh-auth-failed') throw error;
    return { problem: error.failure.what };
  }
}

/** Names of the cards whose system is up; one whose BMC cannot be asked does not count. */
export async function runningCards(context: ApplyContext): Promise<readonly string[]> {
  const names: string[] = [];
  for (const card of context.cards) {
    const seen = await bootStateOf({ ...context, card, dpu: card.dpu });
    if ('state' in seen && seen.state === 'OsIsRunning') names.push(card.dpu.name);
  }
  return names;
}

/**
 * Waits until the cards have booted, one after the other; returns a sentence on each. A card that did not run before (it
 * was in NIC mode, or has no system yet) is waited for as well, and is no error when its limit is over.
 * Errors: card-not-back, and those of the transport for a card that ran before.
 */
export async function waitForCards(
  context: ApplyContext,
  ranBefore: readonly string[],
  toNic: readonly string[],
): Promise<string> {
  const sinceMs = context.clock.nowMs();
  const texts: string[] = [];
  for (const card of context.cards) {
    // In NIC mode UEFI is where the boot ends. Source: NVIDIA BlueField BMC docs, BootProgress.
    const last = toNic.includes(card.dpu.name) ? 'UEFI' : 'OsIsRunning';
    texts.push(await waitForCard(context, card, last, ranBefore, sinceMs));
  }
  return texts.join('; ');
}

async function waitForCard(
  context: ApplyContext,
  card: CardRef,
  last: string,
  ranBefore: readonly string[],
  sinceMs: number,
): Promise<string> {
  const target = card.dpu.name;
  const limitMs = context.clock.deadlineMs(cardLimitMs);
  for (;;) {
    const seen = await bootStateOf({ ...context, card, dpu: card.dpu });
    const state = 'state' in seen ? seen.state : seen.error.failure.what;
    const isOver = context.clock.nowMs() - sinceMs >= limitMs;
    const isLost = 'error' in seen && seen.error.failure.kind !== 'transient';
    if (state === last) return `${target} ${last}`;
    if ((isOver || isLost) && !ranBefore.includes(target)) return `${target} ${state}`;
    if (isLost) throw seen.error;
    if (isOver)
      throw errors.cardNotBack({ target, host: context.slice.name, state, limit: '10 min', run: context.runId });
    await context.progress({ text: `waiting for ${target} to boot: ${state}`, sinceMs, limitMs });
    await context.clock.poll(pollMs, context.signal);
  }
}

type BootStateSeen = { readonly state: string } | { readonly error: OpsError };

async function bootStateOf(context: ApplyContext): Promise<BootStateSeen> {
  try {
    return { state: (await readDpuSystem(await bmcReader(context), context.signal)).bootState };
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof OpsError) return { error };
    throw error;
  }
}
