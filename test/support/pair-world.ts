import { z } from 'zod';
import { recipeVersions } from '../../jobs/payloads.ts';
import type { Inventory } from '../../src/domain/inventory.ts';
import { sliceHash, sliceOf } from '../../src/domain/inventory.ts';
import { PairEntry } from '../../src/domain/pairs.ts';
import type { Run } from '../../src/domain/run.ts';
import type { Recipe, StepSpec } from '../../src/domain/step.ts';
import { defineStep } from '../../src/domain/step.ts';
import type { World } from './engine-world.ts';
import { createWorld, order } from './engine-world.ts';
import { fakeStep } from './fake-steps.ts';
import { makeInventory } from './make-run.ts';

/** What a bench leaves on its machines while it runs. */
export interface Left {
  readonly things: Set<string>;
}

/** as7 and as8 with a cable between their cards. */
export function pairInventory(): Inventory {
  const ends = [
    { card: 'as7-dpu0', hostAddress: '192.168.50.1/24' },
    { card: 'as8-dpu0', hostAddress: '192.168.50.2/24' },
  ];
  return { ...makeInventory(['as7', 'as8']), pairs: { wire1: PairEntry.parse({ ends }) } };
}

export function createPairWorld(): World {
  return createWorld(pairInventory());
}

/** A run of the recipe on the pair. */
export async function orderPair(world: World): Promise<Run> {
  const slices = ['as7', 'as8'].map((host) => sliceOf(world.inventory, host, { pairAsked: 'wire1' }));
  const unit = {
    unit: 'as7+as8',
    hosts: ['as7', 'as8'] as [string, string],
    site: 'lab',
    targets: ['as7-dpu0', 'as8-dpu0'],
    state: 'planning' as const,
    generation: 0,
  };
  return order(world, {
    recipe: 'bench',
    recipeVersion: recipeVersions.bench,
    text: 'bench raw',
    slices: Object.fromEntries(slices.map((slice) => [slice.name, slice])),
    sliceHashes: Object.fromEntries(slices.map((slice) => [slice.name, sliceHash(slice)])),
    units: { 'as7+as8': unit },
  });
}

/** A recipe that adds an address per card and a tunnel for the pair, measures, and takes both away again. */
export function pairRecipe(left: Left, measure: Partial<StepSpec<Record<string, never>, boolean>> = {}): Recipe {
  const adds = (name: string, scope: 'dpu' | 'pair'): Recipe['steps'][number]['step'] =>
    defineStep<Record<string, never>, undefined>({
      name,
      title: name,
      scope,
      risk: 'change',
      params: z.strictObject({}),
      timeoutMs: 60_000,
      needs: [],
      provides: [],
      wanted: () => 'there',
      observe: () => Promise.resolve(undefined),
      diff: (_seen, _params, { name: target }) => ({
        kind: 'change',
        changes: [{ target, from: 'none', to: 'there', text: `add ${name}` }],
      }),
      apply: async (context) => {
        const thing = `${name} ${context.pair?.name ?? context.dpu.name}`;
        await context.act({ name: 'add', text: `add ${thing}` }, async () => {
          left.things.add(thing);
          return Promise.resolve({ evidence: thing, value: undefined });
        });
        return { kind: 'done' };
      },
      undo: async (context) => {
        const thing = `${name} ${context.pair?.name ?? context.dpu.name}`;
        if (!left.things.has(thing)) return;
        await context.act({ name: 'take-away', text: `take ${thing} away` }, async () => {
          left.things.delete(thing);
          return Promise.resolve({ evidence: thing, value: undefined });
        });
      },
    });
  const steps = [
    adds('address', 'dpu'),
    adds('tunnel', 'pair'),
    fakeStep('measure', {
      scope: 'pair',
      observe: () => Promise.resolve(false),
      verify: () => Promise.resolve([]),
      ...measure,
    }),
  ];
  return {
    name: 'bench',
    version: recipeVersions.bench,
    onFailure: 'cleanup',
    needs: {},
    steps: steps.map((step) => ({ step, params: () => ({}) })),
  };
}
