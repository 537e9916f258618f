import { limitText } from '../domain/limit-text.ts';
import type { Failure } from '../domain/outcome.ts';
import type { PlannedPin, PlannedStep } from '../domain/plan.ts';
import type { Diff, Need, ObserveContext, Recipe, RecipeStep } from '../domain/step.ts';
import { errors, failureOf } from '../errors.ts';
import { endsQuietly } from './ends-quietly.ts';
import { recipeTarget, unmetNeed } from './walk.ts';

/** One planned step with what it teaches the rest of the plan. */
export interface Planned {
  readonly step: PlannedStep;
  readonly pins: readonly PlannedPin[];
  readonly serial?: string;
  readonly learnt?: Readonly<Record<string, string>>;
}

/**
 * Plans one step on one target, within the limit of the step. Errors while looking refuse the target; they are never taken
 * for "nothing to do". Throws only when the job itself has to end.
 */
export async function planStep(
  recipe: Recipe,
  entry: RecipeStep,
  target: string,
  options: Readonly<Record<string, unknown>>,
  jobContext: ObserveContext,
  provided: ReadonlyMap<Need, string>,
): Promise<Planned> {
  const { step } = entry;
  const limitMs = jobContext.clock.stepLimitMs(step.timeoutMs);
  const limit = AbortSignal.timeout(Math.ceil(limitMs));
  const context = { ...jobContext, signal: AbortSignal.any([jobContext.signal, limit]) };
  const chosenBy = recipeTarget(context, options);
  const skip = entry.skip?.(chosenBy);
  const params = skip === undefined ? step.params.parse(entry.params(chosenBy)) : undefined;
  const base = {
    step: step.name,
    title: step.title,
    target,
    params,
    wanted: skip === undefined ? step.wanted(params) : undefined,
    risk: step.risk,
    changes: [],
    reboots: [],
  };
  if (skip !== undefined) return { step: { ...base, state: 'skipped', reason: skip, risk: 'read' }, pins: [] };
  const awaited = [...step.needs, ...(entry.waitsFor ?? [])].findLast((need) => provided.has(need));
  const aim = step.aim?.(params);
  const deferred = (why: string, learnt?: Planned['learnt']): Planned => ({
    step: {
      ...base,
      state: 'deferred',
      reason: aim === undefined ? why : `${aim}; ${why}`,
      reboots: step.worstReboots?.(context.dpu, context.slice, params) ?? [],
    },
    pins: [],
    ...(learnt && { learnt }),
  });
  if (awaited !== undefined) return deferred(`known after "${provided.get(awaited) ?? awaited}"`);
  const refused = (failure: Failure): Planned => ({
    step: { ...base, state: 'refused', reason: `${failure.what} ${failure.why}`, failure },
    pins: [],
  });
  try {
    const unmet = await unmetNeed(recipe, step, context);
    if (unmet) return unmet.untilMs === undefined ? refused(unmet.failure) : deferred(unmet.failure.what);
    const observed = await step.observe(context, params);
    const serial = step.serial?.(observed, context.dpu);
    const learnt = step.learns?.(observed, params, context.dpu);
    const diff = step.diff(observed, params, context.dpu);
    if (diff.kind === 'waiting') return deferred(diff.reason, learnt);
    if (diff.kind === 'deferred' && provided.has(diff.awaits)) return deferred(diff.reason, learnt);
    const planned = plannedOf(base, diff, refused);
    return { ...planned, ...(serial !== undefined && { serial }), ...(learnt && { learnt }) };
  } catch (error) {
    jobContext.signal.throwIfAborted();
    if (endsQuietly(error)) throw error;
    if (!limit.aborted) return refused(failureOf(error));
    return refused(
      errors.lookTimeout({ step: step.name, target, limit: limitText(limitMs), run: context.runId }).failure,
    );
  }
}

function plannedOf(
  base: Omit<PlannedStep, 'state' | 'reason'>,
  diff: Exclude<Diff, { kind: 'waiting' }>,
  refused: (failure: Failure) => Planned,
): Planned {
  switch (diff.kind) {
    case 'satisfied':
      return {
        step: {
          ...base,
          state: 'satisfied',
          reason: diff.reason,
          ...(diff.warning !== undefined && { warning: diff.warning }),
          ...(diff.pending && { pending: true }),
        },
        pins: [],
      };
    case 'refused':
      return refused(diff.failure);
    case 'deferred':
      return refused(
        errors.needMissing({
          step: base.title,
          target: base.target,
          need: diff.awaits,
          remedy: 'Add the step that provides it to the profile, or do it by hand, and plan again.',
        }).failure,
      );
    case 'change':
      return {
        step: {
          ...base,
          state: 'change',
          reason: diff.changes.map((change) => change.text).join('; '),
          changes: diff.changes,
          reboots: diff.reboots ?? [],
          ...(diff.warning !== undefined && { warning: diff.warning }),
          ...(diff.present === undefined ? {} : { present: diff.present }),
        },
        pins: diff.pins ?? [],
      };
  }
}
