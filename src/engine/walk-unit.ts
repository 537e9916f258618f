import type { JournalEntry } from '../domain/journal.ts';
import type { Failure } from '../domain/outcome.ts';
import { errors } from '../errors.ts';
import type { EngineDeps } from './deps.ts';
import { leftDrained, undrainIfDrained } from './hooks.ts';
import { runStep } from './run-step.ts';
import type { Tally, UnitResult } from './unit-outcome.ts';
import { count, endedWith, newTally, takeAlong, warn } from './unit-outcome.ts';
import type { UnitSession } from './unit-session.ts';
import type { CardState } from './walk.ts';
import { cardsOf, segmentsOf } from './walk.ts';

/** How soon a unit that is held by somebody else, or halted, is looked at again (wall). */
export const lookAgainMs = 3_000;

/** A unit that may not go on while everything is halted. */
export function waitForUnhalt(deps: EngineDeps, halt: { readonly by: string; readonly reason: string }): UnitResult {
  const reason = `all work is halted by ${halt.by}: ${halt.reason}`;
  return { kind: 'waiting', reason, untilMs: deps.clock.nowMs() + lookAgainMs };
}

/** Card by card up to the next host step; a card that fails drops out, the others go on; the worst outcome counts. */
export async function walkUnit(unit: UnitSession, past: readonly JournalEntry[]): Promise<UnitResult> {
  const refused = new Set(unit.plan.refused.map((entry) => entry.target));
  const cards = cardsOf(unit.slice, unit.record.targets).filter((card) => !refused.has(card.dpu.name));
  const tally = newTally(unit.record.targets);
  for (const { target, failure } of unit.plan.refused) count(tally, target, { kind: 'refused', failure });
  const dropped = new Set<string>();
  for (const { target, outcome, failure } of failedBefore(past, cards)) {
    dropped.add(target);
    count(tally, target, { kind: outcome, failure });
  }
  for (const segment of segmentsOf(unit.recipe)) {
    const left = cards.filter((card) => !dropped.has(card.dpu.name));
    for (const card of segment.scope === 'host' ? left.slice(0, 1) : left) {
      const target = segment.scope === 'host' ? unit.slice.name : card.dpu.name;
      const stop = await walkTarget(unit, { steps: segment.steps, target, card, cards: left }, tally, dropped);
      if (stop) return stop;
    }
  }
  return settleLoad(unit, tally);
}

/**
 * Cards that dropped out since the newest plan. A unit that has waited, or whose worker died, is walked from its beginning:
 * what failed is not tried again before a person resumes the run, which makes a new plan.
 */
function failedBefore(past: readonly JournalEntry[], cards: readonly CardState[]): readonly Failed[] {
  const planned = past.findLastIndex((entry) => entry.event.type === 'plan-ready');
  const failed = past.slice(planned + 1).flatMap(({ event }): Failed[] => {
    if (event.type !== 'step-failed' || event.outcome === 'cancelled') return [];
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
async function settleLoad(unit: UnitSession, tally: Tally): Promise<UnitResult> {
  if (tally.state === 'failed' || tally.state === 'needs-human' || tally.state === 'plan-outdated') {
    warnOfDrain(unit, tally);
    return endedWith(tally);
  }
  const failure = await undrainIfDrained(unit);
  if (failure) count(tally, unit.slice.name, { kind: 'failed', failure });
  return endedWith(tally);
}

function warnOfDrain(unit: UnitSession, tally: Tally): void {
  const text = leftDrained(unit);
  if (text !== undefined) warn(tally, unit.slice.name, text);
}

/** What is walked in one go: one host step, or the steps of a card up to the next host step. */
interface Walked {
  readonly steps: UnitSession['recipe']['steps'];
  readonly target: string;
  readonly card: CardState;
  readonly cards: readonly CardState[];
}

/** Returns a result only when the whole unit stops here. */
async function walkTarget(
  unit: UnitSession,
  { steps, target, card, cards }: Walked,
  tally: Tally,
  dropped: Set<string>,
): Promise<UnitResult | undefined> {
  const all = unit.recipe.steps;
  for (const entry of steps) {
    const checkpoint = await unit.checkpoint();
    switch (checkpoint.kind) {
      case 'superseded':
        return { kind: 'superseded' };
      case 'halted':
        return waitForUnhalt(unit.deps, checkpoint);
      case 'cancelled': {
        const state = unit.hasWritten ? 'changed' : 'unchanged';
        const { failure } = errors.cancelled({ run: unit.run.id, by: checkpoint.by, target, state });
        takeAlong(tally, leftOf(cards, dropped), 'cancelled');
        warnOfDrain(unit, tally);
        return { kind: 'ended', state: 'cancelled', summary: failure.what, failure, notes: [...tally.notes.values()] };
      }
      case 'go':
        break;
    }
    unit.countSteps(all.indexOf(entry) + 1, all.length);
    const outcome = await runStep(unit, entry, target, card, cards);
    if (outcome === undefined) continue;
    if (outcome.kind === 'waiting') return outcome;
    // A step that this run had begun before its worker died, and that now shows what was wanted, was applied by it.
    const ours = unit.actionsOf(entry.step.name, target).length > 0;
    if (!count(tally, target, outcome, ours)) continue;
    dropped.add(target);
    // A host step that fails takes all cards along; outside the plan nothing more may be written at all.
    const isOutside = 'failure' in outcome && outcome.failure.code === 'plan-outdated';
    if (target !== unit.slice.name && !isOutside) return undefined;
    if (outcome.kind !== 'satisfied' && outcome.kind !== 'applied')
      takeAlong(tally, leftOf(cards, dropped), outcome.kind);
    return settleLoad(unit, tally);
  }
  return undefined;
}

function leftOf(cards: readonly CardState[], dropped: ReadonlySet<string>): readonly string[] {
  return cards.map((card) => card.dpu.name).filter((name) => !dropped.has(name));
}
