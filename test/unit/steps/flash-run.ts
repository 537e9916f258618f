import type { FlashParams } from '../../../src/steps/flash-params.ts';
import { installBfb } from '../../../src/steps/install-bfb.ts';
import { fixture } from '../../support/fixture.ts';
import type { FlashWorld } from './flash-world.ts';
import { createFlashWorld, goodJob, params, serial } from './flash-world.ts';

/** Looks, decides and acts, as the engine does with a step. */
export async function provision(world: FlashWorld, wanted: FlashParams = params): Promise<void> {
  const observed = await installBfb.observe(world.context, wanted);
  const diff = installBfb.diff(observed, wanted, world.context.dpu);
  if (diff.kind !== 'change') throw new Error(`${diff.kind}: ${JSON.stringify(diff)}`);
  await installBfb.apply?.(world.context, diff.changes, wanted, observed);
}

/** Code of the error that it ends with, `done` without one. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

/** A card that nobody has set up: it may be flashed. */
export function freshWorld(change: Partial<FlashWorld['is']> = {}): FlashWorld {
  const world = createFlashWorld();
  world.records.set(serial, { origin: 'factory', runId: 1, atMs: 0 });
  Object.assign(world.is, change);
  return world;
}

/** A bfb-install that writes the log of that situation. */
export function job(situation: string, change: Partial<typeof goodJob> = {}): typeof goodJob {
  return { ...goodJob, log: fixture(`bfb-install/${situation}.txt`), ...change };
}
