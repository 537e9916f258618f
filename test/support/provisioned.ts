import { sliceHash, sliceOf } from '../../src/domain/inventory.ts';
import { requestResume } from '../../src/domain/policy.ts';
import type { Recipe } from '../../src/domain/step.ts';
import type { Run } from '../../src/domain/run.ts';
import { ana } from './make-run.ts';
import type { World } from './engine-world.ts';
import { order, startEngine, workUntilStopped } from './engine-world.ts';
import { wholeWorld } from './whole-rack.ts';

/** So long that no lease ends while the clock of the pretend devices runs. */
const leaseMs = 36_000_000;

/** A world whose one host and card a run of `provision` has set up. */
export async function provisionedWorld(...args: Parameters<typeof wholeWorld>): Promise<World> {
  const world = wholeWorld(...args);
  const run = await workUntilStopped(world, startEngine(world, { leaseMs }), (await order(world)).id);
  if (run.state !== 'done') throw new Error(`provision ended ${run.state}: ${JSON.stringify(run.failure)}`);
  return world;
}

/** Orders a run of that recipe and works it off; Ben approves when asked. `image`: the one that the command named. */
export async function runRecipe(
  world: World,
  recipe: Recipe,
  params: object,
  { answer, image, planOnly = false }: { answer?: 'wait'; image?: string; planOnly?: boolean } = {},
): Promise<Run> {
  const deps = startEngine(world, { recipe, leaseMs });
  const slices = Object.fromEntries(
    Object.keys(world.inventory.hosts).map((host) => [host, sliceOf(world.inventory, host, { imageAsked: image })]),
  );
  const change = {
    recipe: recipe.name,
    recipeVersion: recipe.version,
    params: { ...params },
    text: recipe.name,
    planOnly,
    slices,
    sliceHashes: Object.fromEntries(Object.entries(slices).map(([host, slice]) => [host, sliceHash(slice)])),
  };
  return workUntilStopped(world, deps, (await order(world, change)).id, answer);
}

/** Ana's `/dpu resume`: a run that stopped looks anew and goes on. */
export async function resumeRun(world: World, recipe: Recipe, runId: number): Promise<Run> {
  const deps = startEngine(world, { recipe, leaseMs });
  await world.stores.runs.update(runId, (run) => requestResume(run, ana));
  await world.stores.queue.addAdvance({ runId });
  return workUntilStopped(world, deps, runId);
}
