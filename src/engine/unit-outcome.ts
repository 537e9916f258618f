import type { UnitEndState } from '../domain/journal.ts';
import type { Failure, StepOutcome } from '../domain/outcome.ts';
import type { UnitPlan } from '../domain/plan.ts';
import type { TargetNote, WalkEnd } from '../domain/run.ts';

/** How the walk over a unit ended, before it is written down. */
export type UnitResult =
  | Ended
  /** `looksAgain`: nobody knows that it will be over then, or the reason says when it will be. */
  | { readonly kind: 'waiting'; readonly reason: string; readonly untilMs: number; readonly looksAgain?: true }
  /** Another job has this unit now: say nothing, change nothing. */
  | { readonly kind: 'superseded' };

export interface Ended {
  readonly kind: 'ended';
  readonly state: UnitEndState;
  readonly summary: string;
  readonly failure?: Failure;
  readonly notes?: readonly TargetNote[];
  /** What the run had added is gone, and that was verified: the unit is free for others. */
  readonly cleanedUp?: true;
}

/** Worse is later. `plan-outdated` stops before any write and so is milder than a failure. */
const badness: readonly UnitEndState[] = [
  'satisfied',
  'done',
  'activation-pending',
  'cancelled',
  'refused',
  'plan-outdated',
  'failed',
  'needs-human',
];

/** What a refusal means for a unit of which nothing else is left. */
export function stateOfRefusal({ kind }: Failure): 'refused' | 'failed' | 'needs-human' {
  if (kind === 'needs-human') return 'needs-human';
  return kind === 'transient' || kind === 'bug' ? 'failed' : 'refused';
}

export function worseUnitState(a: UnitEndState, b: UnitEndState): UnitEndState {
  return badness.indexOf(a) >= badness.indexOf(b) ? a : b;
}

/** What became of the steps of a unit, counted while it is walked; `notes` by target, in the order they were met. */
export interface Tally {
  applied: number;
  satisfied: number;
  state: UnitEndState;
  failure?: Failure;
  readonly notes: Map<string, TargetNote>;
}

/** `targets`: the cards of the unit, so that each has its line also when nothing happened to it. */
export function newTally(targets: readonly string[]): Tally {
  const notes = new Map(
    targets.map((target): [string, TargetNote] => [target, { target, outcome: 'satisfied', warnings: [] }]),
  );
  return { applied: 0, satisfied: 0, state: 'satisfied', notes };
}

/** A tally as it stands in the record of the unit while what was added is taken away, and back. */
export function walkEndOf({ notes, ...tally }: Tally): WalkEnd {
  return { ...tally, notes: [...notes.values()] };
}

export function tallyOf({ notes, ...end }: WalkEnd): Tally {
  return { ...end, notes: new Map(notes.map((each) => [each.target, each])) };
}

/** A person has stopped the run: that is how the unit ends, whatever its cards came to before. */
export function cancelTally(tally: Tally, failure: Failure, targets: readonly string[]): void {
  tally.state = 'cancelled';
  tally.failure = failure;
  takeAlong(tally, targets, 'cancelled');
}

/** Counts one outcome; `ours`: this run has acted in that step. Returns true when the target cannot go on. */
export function count(tally: Tally, target: string, outcome: StepOutcome, ours = false): boolean {
  switch (outcome.kind) {
    case 'satisfied':
      note(tally, target, ours ? 'done' : 'satisfied', { warning: outcome.warning });
      if (ours) return applied(tally);
      tally.satisfied += 1;
      if (outcome.pending) {
        note(tally, target, 'activation-pending', {});
        tally.state = worseUnitState(tally.state, 'activation-pending');
      }
      return false;
    case 'applied':
      note(tally, target, 'done', { warning: outcome.warning });
      return applied(tally);
    case 'waiting':
    case 'cancelled':
      return true;
    case 'refused':
    case 'failed':
    case 'needs-human': {
      const state = outcome.failure.code === 'plan-outdated' ? 'plan-outdated' : outcome.kind;
      if (worseUnitState(tally.state, state) === state) tally.failure = outcome.failure;
      tally.state = worseUnitState(tally.state, state);
      note(tally, target, outcome.kind, { failure: outcome.failure });
      return true;
    }
  }
}

/** Adds what a person has to know of a target, whatever became of it. */
export function warn(tally: Tally, target: string, warning: string): void {
  note(tally, target, 'satisfied', { warning });
}

/** Cards that were all right and stop with something else: a step of the host that failed, a cancel. */
export function takeAlong(tally: Tally, targets: readonly string[], outcome: TargetNote['outcome']): void {
  for (const target of targets) note(tally, target, outcome, {});
}

function applied(tally: Tally): false {
  tally.applied += 1;
  tally.state = worseUnitState(tally.state, 'done');
  return false;
}

function note(
  tally: Tally,
  target: string,
  outcome: TargetNote['outcome'],
  more: { readonly failure?: Failure; readonly warning?: string | undefined },
): void {
  // The host gets a line of its own only where there is something to say about it.
  if (!tally.notes.has(target) && more.failure === undefined && more.warning === undefined) return;
  const known = tally.notes.get(target) ?? { target, outcome: 'satisfied', warnings: [] };
  const isWorse = badness.indexOf(outcome) >= badness.indexOf(known.outcome);
  const { warning } = more;
  tally.notes.set(target, {
    ...known,
    outcome: isWorse ? outcome : known.outcome,
    ...(isWorse && more.failure && { failure: more.failure }),
    warnings: warning === undefined || known.warnings.includes(warning) ? known.warnings : [...known.warnings, warning],
  });
}

/** "3 steps applied, 3 were right already". */
export function summaryOf(tally: Tally): string {
  if (tally.state === 'cancelled' && tally.failure) return tally.failure.what;
  const applied = `${tally.applied} step${tally.applied === 1 ? '' : 's'} applied`;
  const text = `${applied}, ${tally.satisfied} ${tally.satisfied === 1 ? 'was' : 'were'} right already`;
  return tally.failure === undefined ? text : `${tally.failure.what} (${text})`;
}

/** How a unit ends whose cards have all dropped out or come to the end. */
export function endedWith(tally: Tally): Ended {
  return {
    kind: 'ended',
    state: tally.state,
    summary: summaryOf(tally),
    ...(tally.failure && { failure: tally.failure }),
    notes: [...tally.notes.values()],
  };
}

/** What to say of the cards of a unit that ended before a step was reached; those that the plan left out keep their reason. */
export function endedEarly(planned: readonly TargetNote[], state: UnitEndState): readonly TargetNote[] {
  const outcome = state === 'plan-outdated' ? 'refused' : state;
  return planned.map((known) => (known.failure === undefined ? { ...known, outcome } : known));
}

/** What a plan alone says about each card: left out and why, or right already, and what to look at. */
export function notesOfPlan(plan: UnitPlan, targets: readonly string[]): readonly TargetNote[] {
  return targets.map((target) => {
    const failure = plan.refused.find((entry) => entry.target === target)?.failure;
    const steps = plan.steps.filter((step) => step.target === target || !targets.includes(step.target));
    const warnings = steps.flatMap((step) => step.warning ?? []);
    if (failure) return { target, outcome: 'refused', failure, warnings };
    const isPending = steps.some((step) => step.pending);
    return { target, outcome: isPending ? 'activation-pending' : 'satisfied', warnings };
  });
}
