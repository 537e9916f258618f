import { duration } from '../domain/duration.ts';
import { stepKey } from '../domain/plan.ts';
import type { ExpectedTime } from '../domain/step-times.ts';
import { isUnitEnded } from '../domain/run.ts';
import type { RunView, UnitView } from './run-view.ts';
import type { StepView } from './target-views.ts';

/** What is left of a run, ms of the wall clock, and the figures that it was added up from. */
export interface Estimate {
  readonly leftMs: number;
  readonly from: readonly ExpectedTime[];
  /** The step at work has taken longer than was expected of it. */
  readonly isLate: boolean;
}

/**
 * What the steps that still have work to do are expected to take, from figures noted when the plan was made. Units of a wave
 * go side by side, waves one after the other. Waiting for people, windows, locks and other runs is not counted. Undefined where
 * nothing is known of any step that is left.
 */
export function estimateOf(view: RunView, nowMs: number): Estimate | undefined {
  const byName = new Map(view.units.map((unit) => [unit.unit, unit]));
  const named = view.waves.length === 0 ? [view.units.map(({ unit }) => unit)] : view.waves;
  let leftMs = 0;
  let isLate = false;
  const from: ExpectedTime[] = [];
  for (const wave of named) {
    const units = wave.flatMap((name) => byName.get(name) ?? []).map((unit) => unitLeft(unit, nowMs));
    leftMs += Math.max(0, ...units.map((unit) => unit.leftMs));
    isLate ||= units.some((unit) => unit.isLate);
    from.push(...units.flatMap((unit) => unit.from));
  }
  return from.length === 0 ? undefined : { leftMs, from, isLate };
}

function unitLeft(unit: UnitView, nowMs: number): Estimate {
  const from: ExpectedTime[] = [];
  let leftMs = 0;
  let isLate = false;
  const steps = isUnitEnded(unit.state) ? [] : unit.targets.flatMap((target) => target.steps);
  for (const step of steps) {
    const expected = unit.expected?.[stepKey(step.step, step.target)];
    if (expected === undefined || !isLeft(step)) continue;
    const tookMs = step.state === 'running' && step.startedAtMs !== undefined ? nowMs - step.startedAtMs : 0;
    from.push(expected);
    leftMs += Math.max(0, expected.ms - Math.max(0, tookMs));
    isLate ||= tookMs > expected.ms;
  }
  return { leftMs, from, isLate };
}

function isLeft({ state }: StepView): boolean {
  return state === 'to-do' || state === 'later' || state === 'running' || state === 'waiting';
}

/** "about 12 min of work left (median of 5 here)"; before the start "takes about 12 min". */
export function estimateText(view: RunView, nowMs: number): string | undefined {
  const isAhead = view.state === 'awaiting-approval';
  if (!isAhead && view.state !== 'running') return undefined;
  const estimate = estimateOf(view, nowMs);
  if (estimate === undefined) return undefined;
  const source = sourceText(estimate.from);
  if (isAhead) return `takes about ${rounded(estimate.leftMs)} (${source})`;
  if (estimate.isLate && estimate.leftMs < SHORT_MS) return `longer than usual (${source})`;
  return `about ${rounded(estimate.leftMs)} of work left (${source})`;
}

const SHORT_MS = 10_000;

/** To ten seconds below two minutes, to the minute above: more would claim to be known. */
function rounded(ms: number): string {
  if (ms < 120_000) return `${Math.max(10, Math.ceil(ms / 10_000) * 10)} s`;
  const minutes = Math.ceil(ms / 60_000);
  return minutes < 60 ? `${minutes} min` : duration(minutes * 60_000);
}

/** The smallest number of measurements stands for all of them. */
function sourceText(from: readonly ExpectedTime[]): string {
  const measured = from.filter(({ of }) => of > 0);
  const fewest = Math.min(...measured.map(({ of }) => of));
  if (measured.length === 0) return 'default times of the steps';
  const median = `median of ${fewest} here`;
  return measured.length === from.length ? median : `${median}, for some steps their default`;
}
