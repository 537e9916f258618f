import type { StepOutcome } from '../domain/outcome.ts';
import type { UnitPlan } from '../domain/plan.ts';
import type { Run, UnitRecord } from '../domain/run.ts';
import type { ExpectedTimes } from '../domain/step-times.ts';
import { expectedTimes, timedAs, timedPlace } from '../domain/step-times.ts';
import type { EngineDeps } from './deps.ts';
import type { UnitSession } from './unit-session.ts';
import { recipeOf, slicesOf } from './walk.ts';

/** What the steps of a plan are expected to take, wall ms. An estimate is worth nobody's trouble: without one it is left out. */
export async function expectedOf(
  deps: EngineDeps,
  run: Run,
  record: UnitRecord,
  plan: UnitPlan,
): Promise<ExpectedTimes | undefined> {
  try {
    const [slice] = slicesOf(run, record);
    if (slice === undefined) return undefined;
    const { steps } = recipeOf(deps, run.recipe, run.recipeVersion);
    const byName = new Map(steps.map(({ step }) => [step.name, step]));
    const times = await deps.stepTimes.of(timedPlace(plan.site, plan.simulated));
    const clock = deps.devices.clockOf(slice);
    return expectedTimes(plan, byName, times, (deviceMs) => clock.wallMs(deviceMs));
  } catch (error) {
    deps.log.warn({ run: run.id, problem: String(error) }, 'no estimate of how long the plan takes');
    return undefined;
  }
}

/** Notes how long a step of the plan took that ended well. */
export async function noteTime(
  { deps, plan, run }: UnitSession,
  place: { readonly step: string; readonly target: string },
  outcome: StepOutcome['kind'],
  tookMs: number,
): Promise<void> {
  const planned = plan.steps.find(({ step, target }) => step === place.step && target === place.target);
  // Put off in the plan, a step may turn out to have nothing to do: that is part of what it usually takes.
  const counts = outcome === 'applied' || (outcome === 'satisfied' && planned?.state === 'deferred');
  if (planned === undefined || !counts) return;
  try {
    await deps.stepTimes.note(timedPlace(plan.site, plan.simulated), timedAs(planned), tookMs);
  } catch (error) {
    deps.log.warn({ run: run.id, ...place, problem: String(error) }, 'not noted how long a step took');
  }
}
