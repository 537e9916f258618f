import type { UnitEndState } from '../domain/journal.ts';
import type { Failure, StepOutcome } from '../domain/outcome.ts';

/** How the walk over a unit ended, before it is written down. */
export type UnitResult =
  | { readonly kind: 'ended'; readonly state: UnitEndState; readonly summary: string; readonly failure?: Failure }
  | { readonly kind: 'waiting'; readonly reason: string; readonly untilMs: number }
  /** Another job has this unit now: say nothing, change nothing. */
  | { readonly kind: 'superseded' };

/** Worse is later. `plan-outdated` stops before any write and so is milder than a failure. */
const badness: readonly UnitEndState[] = [
  'satisfied',
  'done',
  'cancelled',
  'refused',
  'plan-outdated',
  'failed',
  'needs-human',
];

export function worseUnitState(a: UnitEndState, b: UnitEndState): UnitEndState {
  return badness.indexOf(a) >= badness.indexOf(b) ? a : b;
}

/** What became of the steps of a unit, counted while it is walked. */
export interface Tally {
  applied: number;
  satisfied: number;
  state: UnitEndState;
  failure?: Failure;
}

export function newTally(): Tally {
  return { applied: 0, satisfied: 0, state: 'satisfied' };
}

/** Counts one outcome; `ours`: this run has acted in that step. Returns true when the target cannot go on. */
export function count(tally: Tally, outcome: StepOutcome, ours = false): boolean {
  switch (outcome.kind) {
    case 'satisfied':
      if (ours) return count(tally, { kind: 'applied', reason: outcome.reason, verdicts: [] });
      tally.satisfied += 1;
      return false;
    case 'applied':
      tally.applied += 1;
      tally.state = worseUnitState(tally.state, 'done');
      return false;
    case 'waiting':
    case 'cancelled':
      return true;
    case 'refused':
    case 'failed':
    case 'needs-human': {
      const state = outcome.failure.code === 'plan-outdated' ? 'plan-outdated' : outcome.kind;
      if (worseUnitState(tally.state, state) === state) tally.failure = outcome.failure;
      tally.state = worseUnitState(tally.state, state);
      return true;
    }
  }
}

/** "3 steps applied, 3 were right already". */
export function summaryOf(tally: Tally): string {
  const applied = `${tally.applied} step${tally.applied === 1 ? '' : 's'} applied`;
  const text = `${applied}, ${tally.satisfied} ${tally.satisfied === 1 ? 'was' : 'were'} right already`;
  return tally.failure === undefined ? text : `${tally.failure.what} (${text})`;
}
