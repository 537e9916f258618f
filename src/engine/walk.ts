import type { CardRef, HostReader } from '../domain/device-ports.ts';
import type { DpuEntry, HostSlice, Profile } from '../domain/inventory.ts';
import { Profile as ProfileSchema, sliceHash, sliceOf } from '../domain/inventory.ts';
import type { Look } from '../domain/look.ts';
import type {
  ActionRecord,
  End,
  ObserveContext,
  Pair,
  Recipe,
  RecipeStep,
  RecipeTarget,
  Step,
  Unmet,
} from '../domain/step.ts';
import type { Run, UnitRecord } from '../domain/run.ts';
import { hostsOf } from '../domain/run.ts';
import { errors } from '../errors.ts';
import type { EngineDeps } from './deps.ts';

/** Steps that belong together: one step of a host or a pair, or the DPU steps up to the next of those, done card by card. */
export interface Segment {
  readonly scope: Step['scope'];
  readonly steps: readonly RecipeStep[];
}

export function segmentsOf(recipe: Recipe): readonly Segment[] {
  const segments: { scope: Step['scope']; steps: RecipeStep[] }[] = [];
  for (const entry of recipe.steps) {
    const { scope } = entry.step;
    const last = segments.at(-1);
    if (scope === 'dpu' && last?.scope === 'dpu') last.steps.push(entry);
    else segments.push({ scope, steps: [entry] });
  }
  return segments;
}

/** A card on its way through the recipe. `serial` is learnt by identify-card. */
export interface CardState {
  readonly slice: HostSlice;
  readonly dpu: DpuEntry;
  readonly profile: Profile;
  serial?: string;
  learnt?: Readonly<Record<string, string>>;
}

/** What the run froze of the inventory for the hosts of a unit. */
export function slicesOf(run: Run, unit: UnitRecord): readonly HostSlice[] {
  return hostsOf(unit).map((host) => {
    const slice = run.slices[host];
    if (slice === undefined) throw errors.bug({ detail: `run ${run.id} has no slice for ${host}` });
    return slice;
  });
}

/** The cards of a unit that the run names, in inventory order. */
export function cardsOf(slice: HostSlice, targets: readonly string[]): CardState[] {
  return slice.entry.dpus
    .filter((dpu) => targets.includes(dpu.name))
    .map((dpu) => ({ slice, dpu, profile: slice.profiles[dpu.name] ?? ProfileSchema.parse({}) }));
}

/** A card as the ports know it. */
export function cardRef(slice: HostSlice, card: CardState): CardRef {
  const { dpu, serial, learnt } = card;
  return { slice, dpu, ...(serial === undefined ? {} : { serial }), ...(learnt && { learnt }) };
}

/**
 * What a step may look at. Steps of scope `host` get the first card that is still in as their frame, and the profile of
 * the host; `cards` are all that are still in.
 */
export function observeContext(
  deps: EngineDeps,
  input: {
    readonly runId: number;
    readonly slice: HostSlice;
    readonly scope: Step['scope'];
    readonly card: CardState;
    readonly cards: readonly CardState[];
    readonly host: HostReader;
    readonly signal: AbortSignal;
    readonly actions: readonly ActionRecord[];
    readonly actionsIn?: ObserveContext['actionsIn'];
    readonly pair?: Pair | undefined;
  },
): ObserveContext {
  const { runId, slice, scope, card, cards, host, signal, actions, actionsIn, pair } = input;
  return {
    runId,
    slice,
    card: cardRef(slice, card),
    dpu: card.dpu,
    profile: scope === 'host' ? slice.hostProfile : card.profile,
    cards: cards.map((each) => cardRef(each.slice, each)),
    host,
    bmc: deps.devices.bmc,
    arm: deps.devices.arm,
    hostBmc: deps.devices.hostBmc,
    pins: deps.devices.pins,
    records: deps.devices.records,
    checkCredential: async (ref) => {
      await deps.devices.credentials.named(ref);
    },
    clock: deps.devices.clockOf(slice),
    signal,
    actions,
    ...(actionsIn && { actionsIn }),
    ...(pair && { pair }),
  };
}

/** Where a step is carried out, and with which cards. */
export interface Place {
  readonly target: string;
  /** The card itself; for a host or a pair the first one of it that is still in. */
  readonly card: CardState;
  readonly cards: readonly CardState[];
}

/** A host step once per host, a card step once per card, a pair step once. `left`: cards that are still in. */
export function placesOf(scope: Step['scope'], unit: UnitRecord, left: readonly CardState[]): readonly Place[] {
  const [first] = left;
  if (first === undefined) return [];
  switch (scope) {
    case 'dpu':
      return left.map((card) => ({ target: card.dpu.name, card, cards: left }));
    case 'pair':
      return [{ target: unit.unit, card: first, cards: left }];
    case 'host':
      return hostsOf(unit).flatMap((target) => {
        const cards = left.filter((card) => card.slice.name === target);
        return cards[0] === undefined ? [] : [{ target, card: cards[0], cards }];
      });
  }
}

/** Both ends of a unit that is a pair, in the order of the inventory; undefined for a unit that is a host. */
export function pairContext<H extends HostReader>(
  unit: UnitRecord,
  cards: readonly CardState[],
  hostOf: (name: string) => H,
): Pair<H> | undefined {
  if (unit.hosts === undefined) return undefined;
  const endOf = (index: 0 | 1): End<H> => {
    const entry = cards[0]?.slice.pair?.ends[index];
    const card = cards.find((one) => one.dpu.name === entry?.card);
    if (entry === undefined || card === undefined)
      throw errors.bug({ detail: `${unit.unit} has lost one of its ends` });
    const { slice, dpu, profile } = card;
    const name = index === 0 ? 'a' : 'b';
    return { name, entry, slice, dpu, profile, card: cardRef(slice, card), host: hostOf(slice.name) };
  };
  return { name: unit.unit, ends: [endOf(0), endOf(1)] };
}

/** What the recipe chooses parameters by. */
export function recipeTarget(context: ObserveContext, options: Readonly<Record<string, unknown>>): RecipeTarget {
  const { slice, dpu, profile, cards, pair } = context;
  return { slice, dpu, profile, cards, options, ...(pair && { pair }) };
}

/** Errors: bug, when this worker has no such recipe or another version of it. */
export function recipeOf(deps: EngineDeps, name: string, version: number): Recipe {
  return ofVersion(deps.recipes[name], name, version);
}

/** Errors: bug, as with recipes. */
export function lookOf(deps: EngineDeps, name: string, version: number): Look {
  return ofVersion(deps.looks[name], name, version);
}

function ofVersion<T extends { readonly version: number }>(known: T | undefined, name: string, version: number): T {
  if (known === undefined) throw errors.bug({ detail: `this worker has no recipe "${name}"` });
  if (known.version !== version)
    throw errors.bug({
      detail: `the run was made with version ${version} of "${name}", this worker has ${known.version}`,
    });
  return known;
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
  const { name, imageAsked, pair } = slice;
  const asked = { imageAsked, pairAsked: pair?.name };
  const isKnown =
    inventory.hosts[name] !== undefined &&
    (pair === undefined || inventory.pairs[pair.name] !== undefined) &&
    sliceHash(sliceOf(inventory, name, asked)) === sliceHash(slice);
  if (!isKnown) throw errors.inventoryDiffers({ host: slice.name });
}
