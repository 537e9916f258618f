import { canonicalHash } from '../domain/canonical.ts';
import type { HostSession } from '../domain/device-ports.ts';
import type { JournalEntry } from '../domain/journal.ts';
import type { Failure } from '../domain/outcome.ts';
import type { PlannedPin, PlannedStep, UnitPlan } from '../domain/plan.ts';
import { planHash, planRisk } from '../domain/plan.ts';
import type { Run, UnitRecord } from '../domain/run.ts';
import { hostsOf } from '../domain/run.ts';
import type { Need, Recipe, RecipeStep, Step } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { EngineDeps } from './deps.ts';
import { ActionLog } from './action-log.ts';
import type { CardState, Place } from './walk.ts';
import {
  cardsOf,
  checkInventory,
  observeContext,
  pairContext,
  placesOf,
  recipeOf,
  segmentsOf,
  slicesOf,
} from './walk.ts';
import { isDrainedAfter, withHooks } from './hooks.ts';
import type { Planned } from './plan-step.ts';
import { planStep } from './plan-step.ts';

/**
 * Observes a unit and says what the recipe would do to it. Changes nothing: steps get reading sessions only. A card that
 * is refused drops out with its reason, the others are planned on. Throws OpsError when the host itself cannot be planned.
 */
export async function planUnit(deps: EngineDeps, run: Run, record: UnitRecord, signal: AbortSignal): Promise<UnitPlan> {
  const slices = slicesOf(run, record);
  for (const slice of slices) checkInventory(deps, slice);
  const recipe = recipeOf(deps, run.recipe, run.recipeVersion);
  const hosts = new Map<string, HostSession>();
  for (const slice of slices) hosts.set(slice.name, await deps.devices.hosts.open(slice));
  const cards = slices.flatMap((slice) => cardsOf(slice, record.targets));
  const past = await deps.journal.read(run.id, record.unit);
  const planner = new UnitPlanner({ deps, run, record, recipe, hosts, signal, cards, past });
  for (const { scope, steps } of segmentsOf(recipe)) await planner.plan(scope, steps);
  return planner.finish(deps.clock.nowMs());
}

/** What a plan is made of. */
interface Planning {
  readonly deps: EngineDeps;
  readonly run: Run;
  readonly record: UnitRecord;
  readonly recipe: Recipe;
  /** Opened, by name. */
  readonly hosts: ReadonlyMap<string, HostSession>;
  readonly signal: AbortSignal;
  readonly cards: readonly CardState[];
  /** What the run has done already, when it is planned anew: it must know its own work again. */
  readonly past: readonly JournalEntry[];
}

/** Gathers the plan of one unit while the recipe is walked. */
class UnitPlanner {
  readonly #input: Planning;
  readonly #actions: ActionLog;
  readonly #steps: PlannedStep[] = [];
  readonly #pins: PlannedPin[] = [];
  readonly #refused = new Map<string, Failure>();
  /** Per target: which need an earlier planned change provides, and the title of that change. */
  readonly #provided = new Map<string, Map<Need, string>>();

  constructor(input: Planning) {
    this.#input = input;
    this.#actions = new ActionLog(input.past);
  }

  /** The steps of one segment, wherever they belong. A pair of which one end is refused is not looked at any further. */
  async plan(scope: Step['scope'], steps: readonly RecipeStep[]): Promise<void> {
    const { record } = this.#input;
    for (const place of placesOf(scope, record, this.#cardsLeft())) {
      if (record.hosts !== undefined && this.#refused.size > 0) return;
      if (scope === 'dpu') await this.#planCard(steps, place.card);
      else await this.#planShared(steps, place);
    }
  }

  async #planShared(steps: readonly RecipeStep[], { target, card, cards }: Place): Promise<void> {
    for (const entry of steps) {
      const { step } = await this.#plan(entry, target, card);
      // A host that cannot be reached or used takes all its cards with it.
      if (step.failure) for (const each of cards) this.#refused.set(each.dpu.name, step.failure);
    }
  }

  async #planCard(steps: readonly RecipeStep[], card: CardState): Promise<void> {
    for (const entry of steps) {
      if (this.#refused.has(card.dpu.name)) return;
      const planned = await this.#plan(entry, card.dpu.name, card);
      if (planned.serial !== undefined) card.serial = planned.serial;
      if (planned.learnt) card.learnt = { ...card.learnt, ...planned.learnt };
      if (planned.step.failure) this.#refused.set(card.dpu.name, planned.step.failure);
    }
  }

  finish(nowMs: number): UnitPlan {
    const { record, run, recipe, cards, past } = this.#input;
    const serials = new Map(cards.map((card) => [card.dpu.name, card.serial]));
    const known = this.#steps.map((step) => {
      const serial = serials.get(step.target);
      return serial === undefined ? step : { ...step, serial };
    });
    const slices = slicesOf(run, record);
    const steps = slices.reduce<readonly PlannedStep[]>(
      (all, slice) => withHooks(slice, all, isDrainedAfter(past, slice.name)),
      known,
    );
    const body = {
      unit: record.unit,
      site: record.site,
      simulated: slices.some((slice) => slice.simulated),
      recipe: { name: recipe.name, version: recipe.version },
      profileHash: canonicalHash(cards.map((card) => [card.dpu.name, card.profile])),
      steps,
      pins: this.#pins,
      refused: this.#refusals(),
      ...(run.outsideWindow && { outsideWindow: true as const }),
    };
    return { ...body, runId: run.id, risk: planRisk(steps), hash: planHash(body), madeAtMs: nowMs };
  }

  /** One end of a pair alone cannot be measured: its refusal is that of both. */
  #refusals(): UnitPlan['refused'] {
    const { record, cards } = this.#input;
    const refused = [...this.#refused].map(([target, failure]) => ({ target, failure }));
    const [first] = refused;
    if (record.hosts === undefined || first === undefined) return refused;
    return cards.map(({ dpu }) => ({ target: dpu.name, failure: this.#refused.get(dpu.name) ?? first.failure }));
  }

  async #plan(entry: RecipeStep, target: string, card: CardState): Promise<Planned> {
    const { deps, run, record, recipe, signal } = this.#input;
    const { scope, name } = entry.step;
    const cards = this.#cardsLeft();
    const context = observeContext(deps, {
      runId: run.id,
      slice: card.slice,
      scope,
      card,
      cards: scope === 'host' ? cards.filter((each) => each.slice.name === card.slice.name) : cards,
      host: this.#hostOf(card.slice.name),
      signal,
      actions: this.#actions.of(name, target),
      actionsIn: (step, its) => this.#actions.of(step, its),
      ...(scope === 'pair' && { pair: pairContext(record, cards, (host) => this.#hostOf(host)) }),
    });
    const planned = await planStep(recipe, entry, target, run.params, context, this.#providedFor(target, card));
    this.#steps.push(planned.step);
    this.#pins.push(...planned.pins);
    if (planned.step.state === 'change' || planned.step.state === 'deferred') this.#provide(target, entry.step);
    return planned;
  }

  #hostOf(name: string): HostSession {
    const host = this.#input.hosts.get(name);
    if (host === undefined) throw errors.bug({ detail: `${name} was planned before it was opened` });
    return host;
  }

  #cardsLeft(): readonly CardState[] {
    return this.#input.cards.filter((card) => !this.#refused.has(card.dpu.name));
  }

  #provide(target: string, step: Step): void {
    const provided = this.#provided.get(target) ?? new Map<Need, string>();
    this.#provided.set(target, provided);
    for (const need of step.provides) provided.set(need, step.title);
  }

  /**
   * What a step of a host or a pair provides all its cards have; such a step waits for what any card that is still in will
   * have.
   */
  #providedFor(target: string, card: CardState): ReadonlyMap<Need, string> {
    const { record } = this.#input;
    const isCard = target === card.dpu.name;
    const cards = this.#cardsLeft().filter((each) => target === record.unit || each.slice.name === target);
    const shared = target === record.unit ? hostsOf(record) : [card.slice.name];
    const names = new Set([record.unit, ...shared, ...(isCard ? [target] : cards.map((each) => each.dpu.name))]);
    return new Map([...names].flatMap((name) => [...(this.#provided.get(name) ?? [])]));
  }
}
