import { median } from 'simple-statistics';
import type { PlannedStep, UnitPlan } from './plan.ts';
import { stepKey } from './plan.ts';
import type { Step } from './step.ts';

/** So many durations are kept of each step of a place, the newest first. */
export const keptTimes = 20;
/** Fewer measurements than this say little: the step's own figure counts until then. */
export const enoughTimes = 5;

/** How long steps took, ms of the wall clock, newest first, by `timedAs`. */
export type StepTimes = Readonly<Record<string, readonly number[]>>;

/** Durations of steps that were carried out, by place. Only for estimates: nothing is decided by them. */
export interface StepTimeStore {
  note(place: string, name: string, tookMs: number): Promise<void>;
  /** All of a place, each list at most `keptTimes` long. */
  of(place: string): Promise<StepTimes>;
}

/** How long a step of a plan is expected to take; `of` is the number of measurements, 0 for the step's own figure. */
export interface ExpectedTime {
  readonly ms: number;
  readonly of: number;
}

/** By `step target`. Steps that nobody knows a figure of are missing: they are short, or the first of their kind. */
export type ExpectedTimes = Readonly<Record<string, ExpectedTime>>;

/** Times of a pretend rack never mix with real ones, whatever the site was before. */
export function timedPlace(site: string, simulated: boolean): string {
  return simulated ? `${site}:simulated` : site;
}

/**
 * Under which name a step's time is kept. One of which the plan cannot know yet whether it changes anything often takes no
 * time at all, so it is counted apart from the same step with its work before it.
 */
export function timedAs({ step, state }: Pick<PlannedStep, 'step' | 'state'>): string {
  return state === 'deferred' ? `${step} later` : step;
}

/**
 * What the steps of a plan that have work to do are expected to take: the median of the last times at this place, or, with
 * fewer than five, the figure that the step names from its source. `wallMs`: device time as it passes there.
 */
export function expectedTimes(
  plan: Pick<UnitPlan, 'steps'>,
  steps: ReadonlyMap<string, Pick<Step, 'usualMs'>>,
  times: StepTimes,
  wallMs: (deviceMs: number) => number,
): ExpectedTimes {
  const expected: Record<string, ExpectedTime> = {};
  for (const planned of plan.steps) {
    if (planned.state !== 'change' && planned.state !== 'deferred') continue;
    const usual = steps.get(planned.step)?.usualMs;
    const measured = typeof usual === 'function' ? [] : (times[timedAs(planned)] ?? []);
    const usualMs = typeof usual === 'function' ? usual(planned.params) : usual;
    const key = stepKey(planned.step, planned.target);
    if (measured.length >= enoughTimes) expected[key] = { ms: Math.round(median([...measured])), of: measured.length };
    else if (usualMs !== undefined) expected[key] = { ms: wallMs(usualMs), of: 0 };
  }
  return expected;
}
