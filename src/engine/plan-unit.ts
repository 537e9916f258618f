import { canonicalHash } from '../domain/canonical.ts';
import type { HostSession } from '../domain/device-ports.ts';
import type { HostSlice } from '../domain/inventory.ts';
import type { Failure } from '../domain/outcome.ts';
import type { PlannedPin, PlannedStep, UnitPlan } from '../domain/plan.ts';
import { planHash, planRisk } from '../domain/plan.ts';
import type { Run, UnitRecord } from '../domain/run.ts';
import type { Diff, Need, ObserveContext, Recipe, RecipeStep, Step } from '../domain/step.ts';
import { errors, failureOf } from '../errors.ts';
import type { EngineDeps } from './deps.ts';
import { endsQuietly } from './ends-quietly.ts';
import type { CardState } from './walk.ts';
import { cardsOf, checkInventory, observeContext, recipeOf, recipeTarget, segmentsOf, unmetNeed } from './walk.ts';
import { isDrainedAfter, withHooks } from './hooks.ts';

/** One planned step with what it teaches the rest of the plan. */
interface Planned {
  readonly step: PlannedStep;
  readonly pins: readonly PlannedPin[];
  readonly serial?: string;
  readonly learnt?: Readonly<Record<string, string>>;
}

/**
 * Observes a unit and says what the recipe would do to it. Changes nothing: steps get reading sessions only. A card that
 * is refused drops out with its reason, the others are planned on. Throws OpsError when the host itself cannot be planned.
 */
export async function planUnit(deps: EngineDeps, run: Run, record: UnitRecord, signal: AbortSignal): Promise<UnitPlan> {
  const slice = run.slices[record.unit];
  if (slice === undefined) throw errors.bug({ detail: `run ${run.id} has no slice for ${record.unit}` });
  checkInventory(deps, slice);
  const recipe = recipeOf(deps, run.recipe, run.recipeVersion);
  const host = await deps.devices.hosts.open(slice);
  const cards = cardsOf(slice, record.targets);
  const isDrained = isDrainedAfter(await deps.journal.read(run.id, record.unit));
  const planner = new UnitPlanner({ deps, run, slice, recipe, host, signal, cards, isDrained });
  for (const segment of segmentsOf(recipe))
    if (segment.scope === 'host') await planner.planHost(segment.steps);
    else for (const card of cards) await planner.planCard(segment.steps, card);
  return planner.finish(record, deps.clock.nowMs());
}

/** Gathers the plan of one unit while the recipe is walked. */
class UnitPlanner {
  readonly #deps: EngineDeps;
  readonly #run: Run;
  readonly #slice: HostSlice;
  readonly #recipe: Recipe;
  readonly #host: HostSession;
  readonly #signal: AbortSignal;
  readonly #cards: readonly CardState[];
  readonly #isDrained: boolean;
  readonly #steps: PlannedStep[] = [];
  readonly #pins: PlannedPin[] = [];
  readonly #refused = new Map<string, Failure>();
  /** Per target: which need an earlier planned change provides, and the title of that change. */
  readonly #provided = new Map<string, Map<Need, string>>();

  constructor(input: {
    readonly deps: EngineDeps;
    readonly run: Run;
    readonly slice: HostSlice;
    readonly recipe: Recipe;
    readonly host: HostSession;
    readonly signal: AbortSignal;
    readonly cards: readonly CardState[];
    readonly isDrained: boolean;
  }) {
    this.#deps = input.deps;
    this.#run = input.run;
    this.#slice = input.slice;
    this.#recipe = input.recipe;
    this.#host = input.host;
    this.#signal = input.signal;
    this.#cards = input.cards;
    this.#isDrained = input.isDrained;
  }

  async planHost(steps: readonly RecipeStep[]): Promise<void> {
    for (const entry of steps) {
      const left = this.#cardsLeft();
      const frame = left[0];
      if (frame === undefined) return;
      const { step } = await this.#plan(entry, this.#slice.name, frame);
      // A host that cannot be reached or used takes all its cards with it.
      if (step.failure) for (const card of left) this.#refused.set(card.dpu.name, step.failure);
    }
  }

  async planCard(steps: readonly RecipeStep[], card: CardState): Promise<void> {
    for (const entry of steps) {
      if (this.#refused.has(card.dpu.name)) return;
      const planned = await this.#plan(entry, card.dpu.name, card);
      if (planned.serial !== undefined) card.serial = planned.serial;
      if (planned.learnt) card.learnt = { ...card.learnt, ...planned.learnt };
      if (planned.step.failure) this.#refused.set(card.dpu.name, planned.step.failure);
    }
  }

  finish(record: UnitRecord, nowMs: number): UnitPlan {
    const cards = this.#cards;
    const serials = new Map(cards.map((card) => [card.dpu.name, card.serial]));
    const known = this.#steps.map((step) => {
      const serial = serials.get(step.target);
      return serial === undefined ? step : { ...step, serial };
    });
    const steps = withHooks(this.#slice, known, this.#isDrained);
    const body = {
      unit: record.unit,
      site: record.site,
      simulated: this.#slice.simulated,
      recipe: { name: this.#recipe.name, version: this.#recipe.version },
      profileHash: canonicalHash(cards.map((card) => [card.dpu.name, card.profile])),
      steps,
      pins: this.#pins,
      refused: [...this.#refused].map(([target, failure]) => ({ target, failure })),
    };
    return { ...body, runId: this.#run.id, risk: planRisk(steps), hash: planHash(body), madeAtMs: nowMs };
  }

  async #plan(entry: RecipeStep, target: string, card: CardState): Promise<Planned> {
    const context = observeContext(this.#deps, {
      runId: this.#run.id,
      slice: this.#slice,
      scope: entry.step.scope,
      card,
      cards: this.#cardsLeft(),
      host: this.#host,
      signal: this.#signal,
      actions: [],
    });
    const planned = await planStep(this.#recipe, entry, target, this.#run.params, context, this.#providedFor(target));
    this.#steps.push(planned.step);
    this.#pins.push(...planned.pins);
    if (planned.step.state === 'change' || planned.step.state === 'deferred') this.#provide(target, entry.step);
    return planned;
  }

  #cardsLeft(): readonly CardState[] {
    return this.#cards.filter((card) => !this.#refused.has(card.dpu.name));
  }

  #provide(target: string, step: Step): void {
    const provided = this.#provided.get(target) ?? new Map<Need, string>();
    this.#provided.set(target, provided);
    for (const need of step.provides) provided.set(need, step.title);
  }

  /** What a host step provides all its cards have; a host step waits for what any card that is still in will have. */
  #providedFor(target: string): ReadonlyMap<Need, string> {
    const ofHost = this.#provided.get(this.#slice.name) ?? [];
    const names = target === this.#slice.name ? this.#cardsLeft().map((card) => card.dpu.name) : [target];
    return new Map([...ofHost, ...names.flatMap((name) => [...(this.#provided.get(name) ?? [])])]);
  }
}

/**
 * Plans one step on one target, within the limit of the step. Errors while looking refuse the target; they are never taken
 * for "nothing to do". Throws only when the job itself has to end.
 */
async function planStep(
  recipe: Recipe,
  entry: RecipeStep,
  target: string,
  options: Readonly<Record<string, unknown>>,
  jobContext: ObserveContext,
  provided: ReadonlyMap<Need, string>,
): Promise<Planned> {
  const { step } = entry;
  const limitMs = jobContext.clock.deadlineMs(step.timeoutMs);
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
  const deferred = (why: string): Planned => ({
    step: {
      ...base,
      state: 'deferred',
      reason: aim === undefined ? why : `${aim}; ${why}`,
      reboots: step.worstReboots?.(context.dpu, context.slice, params) ?? [],
    },
    pins: [],
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
    if (diff.kind === 'waiting') return deferred(diff.reason);
    if (diff.kind === 'deferred' && provided.has(diff.awaits)) return deferred(diff.reason);
    const planned = plannedOf(base, diff, refused);
    return { ...planned, ...(serial !== undefined && { serial }), ...(learnt && { learnt }) };
  } catch (error) {
    jobContext.signal.throwIfAborted();
    if (endsQuietly(error)) throw error;
    if (!limit.aborted) return refused(failureOf(error));
    const seconds = `${Math.round(limitMs / 1000)} s`;
    return refused(errors.lookTimeout({ step: step.name, target, limit: seconds, run: context.runId }).failure);
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
