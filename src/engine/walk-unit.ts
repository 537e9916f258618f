import type { JournalEntry } from '../domain/journal.ts';
import type { Failure } from '../domain/outcome.ts';
import { errors } from '../errors.ts';
import { isUndoName } from './action-log.ts';
import { cleanUp } from './clean-up.ts';
import type { EngineDeps } from './deps.ts';
import { leftDrained, undrainIfDrained } from './hooks.ts';
import { runStep } from './run-step.ts';
import type { Ended, Tally, UnitResult } from './unit-outcome.ts';
import { cancelTally, count, endedWith, newTally, stateOfRefusal, takeAlong, tallyOf, warn } from './unit-outcome.ts';
import type { UnitSession } from './unit-session.ts';
import type { CardState, Place } from './walk.ts';
import { cardsOf, placesOf, segmentsOf } from './walk.ts';

/** How soon a unit that is held by somebody else, or halted, is looked at again (wall). */
export const lookAgainMs = 3_000;

/** A unit that may not go on while everything is halted. */
export function waitForUnhalt(
  deps: EngineDeps,
  halt: { readonly by: string; readonly reason: string },
): Extract<UnitResult, { kind: 'waiting' }> {
  const reason = `all work is halted by ${halt.by}: ${halt.reason}`;
  return { kind: 'waiting', reason, untilMs: deps.clock.nowMs() + lookAgainMs, looksAgain: true };
}

/**
 * Card by card up to the next host step; a card that fails drops out, the others go on; the worst outcome counts. A recipe
 * that cleans up takes away at the end what it has added, however it has ended. `refusal`: why no step may be carried out.
 */
export async function walkUnit(
  unit: UnitSession,
  past: readonly JournalEntry[],
  refusal?: Failure,
): Promise<UnitResult> {
  const { targets, cleaning } = unit.record;
  const cards = unit.slices.flatMap((slice) => cardsOf(slice, targets));
  const tally = cleaning ? tallyOf(cleaning) : newTally(targets);
  const stop = cleaning ? undefined : await walkCards(unit, cards, past, tally, refusal);
  if (stop) return stop;
  if (unit.recipe.onFailure !== 'cleanup') return settleLoad(unit, tally);
  const failure = await cleanUp(unit, cards, tally);
  if (failure) count(tally, unit.record.unit, { kind: 'needs-human', failure });
  const { state } = tally;
  const ended = await settleLoad(unit, tally);
  const isClean = failure === undefined && ended.state === state;
  return isClean ? { ...ended, cleanedUp: true } : ended;
}

/** All steps of the cards that the plan has not left out. Returns a result where the unit is to be looked at again. */
async function walkCards(
  unit: UnitSession,
  all: readonly CardState[],
  past: readonly JournalEntry[],
  tally: Tally,
  refusal: Failure | undefined,
): Promise<Stop | undefined> {
  const refused = new Set(unit.plan.refused.map((entry) => entry.target));
  const cards = all.filter((card) => !refused.has(card.dpu.name));
  for (const { target, failure } of unit.plan.refused)
    count(tally, target, { kind: unit.isPair ? stateOfRefusal(failure) : 'refused', failure });
  if (unit.mustOnlyClean) {
    await cancelled(unit, unit.record.unit, namesOf(all), tally);
    return undefined;
  }
  if (refusal) {
    for (const card of all) count(tally, card.dpu.name, { kind: stateOfRefusal(refusal), failure: refusal });
    return undefined;
  }
  const dropped = new Set<string>();
  for (const { target, outcome, failure } of failedBefore(past, cards)) {
    dropped.add(target);
    count(tally, target, { kind: outcome, failure });
  }
  return walkSegments(unit, cards, tally, dropped);
}

/** The unit does not come to its end now. */
type Stop = Exclude<UnitResult, { kind: 'ended' }>;

async function walkSegments(
  unit: UnitSession,
  cards: readonly CardState[],
  tally: Tally,
  dropped: Set<string>,
): Promise<Stop | undefined> {
  for (const segment of segmentsOf(unit.recipe)) {
    const left = cards.filter((card) => !dropped.has(card.dpu.name));
    if (unit.isPair && left.length < unit.record.targets.length) break;
    for (const place of placesOf(segment.scope, unit.record, left)) {
      const stop = await walkTarget(unit, { steps: segment.steps, ...place }, tally, dropped);
      if (stop !== undefined) return stop === 'over' ? undefined : stop;
    }
  }
  return undefined;
}

/**
 * Cards that dropped out since the newest plan. A unit that has waited, or whose worker died, is walked from its beginning:
 * what failed is not tried again before a person resumes the run, which makes a new plan.
 */
function failedBefore(past: readonly JournalEntry[], cards: readonly CardState[]): readonly Failed[] {
  const planned = past.findLastIndex((entry) => entry.event.type === 'plan-ready');
  const failed = past.slice(planned + 1).flatMap(({ event }): Failed[] => {
    if (event.type !== 'step-failed' || event.outcome === 'cancelled' || isUndoName(event.step)) return [];
    const { target, outcome, failure } = event;
    return cards.some((card) => card.dpu.name === target) ? [{ target, outcome, failure }] : [];
  });
  return [...new Map(failed.map((one) => [one.target, one])).values()];
}

interface Failed {
  readonly target: string;
  readonly outcome: 'failed' | 'refused' | 'needs-human';
  readonly failure: Failure;
}

/** A host that was drained gets its load back when all went well; otherwise it stays free for whoever looks into it. */
async function settleLoad(unit: UnitSession, tally: Tally): Promise<Ended> {
  if (['failed', 'needs-human', 'plan-outdated', 'cancelled'].includes(tally.state)) {
    warnOfDrain(unit, tally);
    return endedWith(tally);
  }
  for (const slice of unit.slices) {
    const failure = await undrainIfDrained(unit, slice);
    if (failure) count(tally, slice.name, { kind: 'failed', failure });
  }
  return endedWith(tally);
}

function warnOfDrain(unit: UnitSession, tally: Tally): void {
  for (const slice of unit.slices) {
    const text = leftDrained(unit, slice);
    if (text !== undefined) warn(tally, slice.name, text);
  }
}

/** What is walked in one go: one step of a host or a pair, or the steps of a card up to the next of those. */
interface Walked extends Place {
  readonly steps: UnitSession['recipe']['steps'];
}

/** Returns something only when the whole unit stops here: `over` when no step is left to do. */
async function walkTarget(
  unit: UnitSession,
  { steps, target, card, cards }: Walked,
  tally: Tally,
  dropped: Set<string>,
): Promise<Stop | 'over' | undefined> {
  const all = unit.recipe.steps;
  for (const entry of steps) {
    const checkpoint = await unit.checkpoint();
    switch (checkpoint.kind) {
      case 'superseded':
        return { kind: 'superseded' };
      case 'halted':
        return waitForUnhalt(unit.deps, checkpoint);
      case 'cancelled':
        return cancelled(unit, target, leftOf(cards, dropped), tally);
      case 'go':
        break;
    }
    unit.countSteps(all.indexOf(entry) + 1, all.length);
    const outcome = await runStep(unit, entry, target, card, cards);
    if (outcome === undefined) continue;
    if (outcome.kind === 'waiting') return outcome;
    // The look before the next step would tell it, and there may be none.
    if (outcome.kind === 'cancelled') return cancelled(unit, target, leftOf(cards, dropped), tally);
    // A step that this run had begun before its worker died, and that now shows what was wanted, was applied by it.
    const ours = unit.actionsOf(entry.step.name, target).length > 0;
    if (!count(tally, target, outcome, ours)) continue;
    dropped.add(target);
    // A host step that fails takes all cards along; outside the plan nothing more may be written at all.
    // Neither may a host be disturbed that could not be drained, whichever card it was for.
    const isOutside = 'failure' in outcome && ['plan-outdated', 'hook-failed'].includes(outcome.failure.code);
    const isCard = cards.some((one) => one.dpu.name === target);
    if (isCard && !unit.isPair && !isOutside) return undefined;
    if (outcome.kind !== 'satisfied' && outcome.kind !== 'applied')
      takeAlong(tally, leftOf(cards, dropped), outcome.kind);
    return 'over';
  }
  return undefined;
}

/** `left`: cards that stop with it. */
async function cancelled(unit: UnitSession, target: string, left: readonly string[], tally: Tally): Promise<'over'> {
  const state = unit.hasWritten ? 'changed' : 'unchanged';
  const { failure } = errors.cancelled({ run: unit.run.id, by: await cancellerOf(unit), target, state });
  cancelTally(tally, failure, left);
  return 'over';
}

async function cancellerOf(unit: UnitSession): Promise<string> {
  const checkpoint = await unit.checkpoint();
  return checkpoint.kind === 'cancelled' ? checkpoint.by : 'somebody';
}

function leftOf(cards: readonly CardState[], dropped: ReadonlySet<string>): readonly string[] {
  return namesOf(cards).filter((name) => !dropped.has(name));
}

function namesOf(cards: readonly CardState[]): readonly string[] {
  return cards.map((card) => card.dpu.name);
}
