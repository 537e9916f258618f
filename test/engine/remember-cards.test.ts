import { describe, expect, it } from 'vitest';
import { mode } from '../../jobs/mode.ts';
import type { Look } from '../../src/domain/look.ts';
import type { Run } from '../../src/domain/run.ts';
import { rememberCards } from '../../src/engine/remember-cards.ts';
import { comparableSnapshot } from '../../src/lab/rack/model.ts';
import { status } from '../../src/looks/status.ts';
import type { World } from '../support/engine-world.ts';
import { startEngine } from '../support/engine-world.ts';
import { provisionedWorld, runRecipe } from '../support/provisioned.ts';

/** The end of the job of a unit, as the worker has it. Returns the warnings in its log. */
async function afterJob(
  world: World,
  run: Run,
  { generationsLater = 0, look = status } = {},
): Promise<readonly string[]> {
  const warnings: string[] = [];
  const deps = {
    ...startEngine(world, { recipe: mode, look }),
    log: {
      info: () => undefined,
      warn: (_fields: object, text: string) => warnings.push(text),
      error: () => undefined,
    },
  };
  const generation = (run.units['as7']?.generation ?? 0) + generationsLater;
  await rememberCards(deps, { runId: run.id, unit: 'as7', generation }, new AbortController().signal);
  return warnings;
}

async function modeKnown(world: World): Promise<string | undefined> {
  return (await world.stores.facts.get('as7-dpu0'))?.facts.mode?.value;
}

describe('cards that a run has changed', () => {
  it('are looked at once the run has ended, so that all who ask know what they are now', async () => {
    const world = await provisionedWorld();
    const run = await runRecipe(world, mode, { mode: 'nic' });
    const before = comparableSnapshot(world.rack.snapshot());

    expect(await afterJob(world, run)).toEqual([]);

    expect(await modeKnown(world)).toBe('NIC mode');
    expect((await world.stores.facts.get('as7-dpu0'))?.runId).toBe(run.id);
    expect(comparableSnapshot(world.rack.snapshot())).toEqual(before);
    expect((await world.stores.runs.get(run.id))?.state).toBe('done');
  });

  it('are left alone when nothing was changed, or another job has the unit by now', async () => {
    const world = await provisionedWorld();

    const satisfied = await runRecipe(world, mode, { mode: 'dpu' });
    expect(await afterJob(world, satisfied)).toEqual([]);
    const changed = await runRecipe(world, mode, { mode: 'nic' });
    expect(await afterJob(world, changed, { generationsLater: 1 })).toEqual([]);

    expect(await modeKnown(world)).toBeUndefined();
  });

  it('are left alone after a failure: somebody will want to see them as they are', async () => {
    const world = await provisionedWorld();
    const run = await runRecipe(world, mode, { mode: 'nic' });
    await world.stores.runs.update(run.id, (now) => {
      const unit = now.units['as7'];
      return unit && { ...now, units: { as7: { ...unit, state: 'failed' as const } } };
    });

    expect(await afterJob(world, run)).toEqual([]);

    expect(await modeKnown(world)).toBeUndefined();
  });

  it('that do not answer are no trouble of the run: it stays done, and the log says it', async () => {
    const world = await provisionedWorld();
    const run = await runRecipe(world, mode, { mode: 'nic' });
    const silent: Look = { ...status, run: async () => Promise.reject(new Error('no answer')) };

    expect(await afterJob(world, run, { look: silent })).toEqual(['cards were not looked at after a run']);

    expect((await world.stores.runs.get(run.id))?.state).toBe('done');
  });
});
