/** What plan and journal together know of a step. */
import type { PlannedStep, UnitPlan } from '../domain/plan.ts';
import { stepKey } from '../domain/plan.ts';
import type { JournalFold } from './journal-fold.ts';

export interface KnownSteps {
  readonly plans: readonly UnitPlan[];
  readonly fold: JournalFold;
}

/** What the plan that was in force knew of a step. */
export function plannedOf(
  known: KnownSteps,
  unit: string,
): (step: string, target: string) => { title: string; wasRight: boolean } {
  return (step, target) => ({
    title: titleOf(known, unit, step, target),
    wasRight: plannedStep(known, unit, step, target)?.state === 'satisfied',
  });
}

function plannedStep(known: KnownSteps, unit: string, step: string, target: string): PlannedStep | undefined {
  const hash = known.fold.units[unit]?.planHash;
  const plan = known.plans.find((entry) => entry.unit === unit && entry.hash === hash);
  return plan?.steps.find((entry) => entry.step === step && entry.target === target);
}

/** Title of a step as the plan has it, else as the journal has it, else its name. */
export function titleOf(known: KnownSteps, unit: string, step: string, target: string): string {
  const folded = known.fold.units[unit]?.steps[stepKey(step, target)];
  return plannedStep(known, unit, step, target)?.title ?? folded?.title ?? step;
}
