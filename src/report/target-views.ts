/** Steps and targets of a unit: what its plan says, what its journal says, and what its record says at the end. */
import type { Failure, Risk } from '../domain/outcome.ts';
import type { PlannedStep, UnitPlan } from '../domain/plan.ts';
import { stepKey } from '../domain/plan.ts';
import type { TargetNote, UnitRecord } from '../domain/run.ts';
import { isUnitEnded } from '../domain/run.ts';
import type { FoldedStep, FoldedUnit } from './journal-fold.ts';

export type StepViewState = FoldedStep['state'] | 'to-do' | 'later' | 'right-already' | 'left-out' | 'skipped';

/** One step on one target, plan and journal together. */
export interface StepView {
  readonly step: string;
  readonly title: string;
  readonly target: string;
  readonly state: StepViewState;
  readonly reason: string;
  readonly risk?: Risk;
  readonly startedAtMs?: number;
  readonly endedAtMs?: number;
  readonly tookMs?: number;
  readonly limitMs?: number;
  readonly untilMs?: number;
  readonly failure?: Failure;
  readonly warning?: string;
}

/** A host or a DPU of a unit with its steps. */
export interface TargetView {
  readonly target: string;
  readonly steps: readonly StepView[];
  readonly done: number;
  /** Worst of its steps, in words' order: what a person wants to know first. */
  readonly state:
    | 'failed'
    | 'needs-human'
    | 'refused'
    | 'cancelled'
    | 'running'
    | 'waiting'
    | 'to-do'
    | 'activation-pending'
    | 'done';
  readonly warnings: readonly string[];
  /** What became of it, once its unit has ended. */
  readonly note?: TargetNote;
}

const PLANNED: Readonly<Record<PlannedStep['state'], StepViewState>> = {
  satisfied: 'right-already',
  change: 'to-do',
  deferred: 'later',
  refused: 'left-out',
  skipped: 'skipped',
};

/** Steps of the plan in order, each with what the journal says; then what the journal has and the plan has not. */
export function stepViews(fold: FoldedUnit, plan: UnitPlan | undefined): StepView[] {
  const planned = plan?.steps ?? [];
  const inPlan = new Set(planned.map((step) => stepKey(step.step, step.target)));
  const fromPlan = planned.map((step): StepView => {
    const { title, target, risk, failure, warning } = step;
    const folded = fold.steps[stepKey(step.step, target)];
    if (folded !== undefined) return { ...folded, title, risk };
    return {
      step: step.step,
      title,
      target,
      risk,
      state: PLANNED[step.state],
      reason: step.reason,
      ...(failure === undefined ? {} : { failure }),
      ...(warning === undefined ? {} : { warning }),
    };
  });
  const unplanned = Object.entries(fold.steps)
    .filter(([key]) => !inPlan.has(key))
    .map(([, step]): StepView => ({ ...step, title: step.title ?? step.step }));
  return [...fromPlan, ...unplanned];
}

const OVER: readonly StepViewState[] = ['satisfied', 'applied', 'right-already', 'skipped'];
const TROUBLE = ['failed', 'needs-human', 'refused', 'cancelled', 'running', 'waiting'] as const;

/** Targets in the order of their steps; before there are steps, the targets of the unit's record. */
export function targetViews(record: UnitRecord, steps: readonly StepView[]): TargetView[] {
  const notes = isUnitEnded(record.state) ? (record.targetNotes ?? []) : [];
  const names = steps.length === 0 ? record.targets : steps.map((step) => step.target);
  return [...new Set([...names, ...notes.map((note) => note.target)])].map((target) => {
    const own = steps.filter((step) => step.target === target);
    const note = notes.find((entry) => entry.target === target);
    return {
      target,
      steps: own,
      done: own.filter((step) => OVER.includes(step.state)).length,
      state: targetState(record, own, note),
      warnings: note?.warnings ?? [...new Set(own.flatMap((step) => step.warning ?? []))],
      ...(note === undefined ? {} : { note }),
    };
  });
}

/** A note that says "done" or "satisfied" counts the steps that were reached; whether that was all, the steps know. */
function targetState(record: UnitRecord, own: readonly StepView[], note: TargetNote | undefined): TargetView['state'] {
  const has = (state: StepViewState): boolean => own.some((step) => step.state === state);
  const trouble = has('left-out') && !has('failed') ? 'refused' : TROUBLE.find((state) => has(state));
  if (trouble !== undefined) return trouble;
  if (note !== undefined && note.outcome !== 'done' && note.outcome !== 'satisfied') return note.outcome;
  if (record.state === 'activation-pending' && note === undefined) return 'activation-pending';
  const isOver = ['done', 'satisfied', 'activation-pending'].includes(record.state);
  return isOver || ((own.length > 0 || note !== undefined) && own.every((step) => OVER.includes(step.state)))
    ? 'done'
    : 'to-do';
}
