import type { CardRef, HostReader } from '../domain/device-ports.ts';
import type { DpuEntry, HostSlice, Profile } from '../domain/inventory.ts';
import { Profile as ProfileSchema, sliceHash, sliceOf } from '../domain/inventory.ts';
import type { ActionRecord, ObserveContext, Recipe, RecipeStep, Step, Unmet } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { EngineDeps } from './deps.ts';

/** Steps that belong together: one host step, or the DPU steps up to the next host step, done card by card. */
export interface Segment {
  readonly scope: 'host' | 'dpu';
  readonly steps: readonly RecipeStep[];
}

export function segmentsOf(recipe: Recipe): readonly Segment[] {
  const segments: { scope: 'host' | 'dpu'; steps: RecipeStep[] }[] = [];
  for (const entry of recipe.steps) {
    const scope = entry.step.scope === 'host' ? 'host' : 'dpu';
    const last = segments.at(-1);
    if (scope === 'dpu' && last?.scope === 'dpu') last.steps.push(entry);
    else segments.push({ scope, steps: [entry] });
  }
  return segments;
}

/** A card on its way through the recipe. `serial` is learnt by identify-card. */
export interface CardState {
  readonly dpu: DpuEntry;
  readonly profile: Profile;
  serial?: string;
}

/** The cards of a unit that the run names, in inventory order. */
export function cardsOf(slice: HostSlice, targets: readonly string[]): CardState[] {
  return slice.entry.dpus
    .filter((dpu) => targets.includes(dpu.name))
    .map((dpu) => ({ dpu, profile: slice.profiles[dpu.name] ?? ProfileSchema.parse({}) }));
}

/** What a step of this card may look at. Host steps get the first card of the host as their frame. */
export function observeContext(
  deps: EngineDeps,
  input: {
    readonly runId: number;
    readonly slice: HostSlice;
    readonly card: CardState;
    readonly host: HostReader;
    readonly signal: AbortSignal;
    readonly actions: readonly ActionRecord[];
  },
): ObserveContext {
  const { runId, slice, card, host, signal, actions } = input;
  const ref: CardRef = { slice, dpu: card.dpu, ...(card.serial === undefined ? {} : { serial: card.serial }) };
  return {
    runId,
    slice,
    card: ref,
    dpu: card.dpu,
    profile: card.profile,
    host,
    bmc: deps.devices.bmc,
    pins: deps.devices.pins,
    clock: deps.devices.clockOf(slice),
    signal,
    actions,
  };
}

export function recipeOf(deps: EngineDeps, name: string, version: number): Recipe {
  const recipe = deps.recipes[name];
  if (recipe === undefined) throw errors.bug({ detail: `this worker has no recipe "${name}"` });
  if (recipe.version !== version)
    throw errors.bug({
      detail: `the run was made with version ${version} of "${name}", this worker has ${recipe.version}`,
    });
  return recipe;
}

/** The first need of a step that is not there. One that the recipe cannot look at counts as not there. */
export async function unmetNeed(recipe: Recipe, step: Step, context: ObserveContext): Promise<Unmet | undefined> {
  for (const need of step.needs) {
    const check = recipe.needs[need];
    if (check === undefined) {
      const remedy = `Report it: the recipe "${recipe.name}" has no way to look for it.`;
      const { failure } = errors.needMissing({ step: step.title, target: context.dpu.name, need, remedy });
      return { met: false, failure };
    }
    const answer = await check(context);
    if (!answer.met) return answer;
  }
  return undefined;
}

/** Errors: inventory-differs, when this worker describes the host differently than the run does. */
export function checkInventory(deps: EngineDeps, slice: HostSlice): void {
  const inventory = deps.inventory();
  const isKnown =
    inventory.hosts[slice.name] !== undefined && sliceHash(sliceOf(inventory, slice.name)) === sliceHash(slice);
  if (!isKnown) throw errors.inventoryDiffers({ host: slice.name });
}
