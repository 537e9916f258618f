import { describe, expect, it } from 'vitest';
import { advance } from '../../src/engine/advance.ts';
import { sweep } from '../../src/engine/sweep.ts';
import { errors } from '../../src/errors.ts';
import type { World } from '../support/engine-world.ts';
import { createWorld, order, startEngine, workUntilStopped } from '../support/engine-world.ts';
import { makeInventory } from '../support/make-run.ts';
import { createPairWorld, orderPair } from '../support/pair-world.ts';

const inventory = makeInventory(['as7']);

/** Sweeps every 20 seconds and works off `advance`, as if no worker served the site. */
async function nobodyWorksFor(world: World, ms: number, runId: number): Promise<void> {
  const deps = startEngine(world);
  for (let waitedMs = 0; waitedMs < ms; waitedMs += 20_000) {
    world.clock.advance(20_000);
    await sweep(deps);
    while (world.stores.queue.take('advance')) await advance(deps, { runId });
  }
}

describe('sweep', () => {
  it('goes on with the other runs when the record of one cannot be read', async () => {
    const world = createWorld(inventory);
    const broken = await order(world);
    const good = await order(world);
    const deps = startEngine(world);
    while (world.stores.queue.take());
    const get: typeof deps.runs.get = async (id) => {
      if (id === broken.id) throw errors.storeCorrupt({ key: 'run', problem: 'not JSON' });
      return deps.runs.get(id);
    };

    const swept = sweep({ ...deps, runs: { ...deps.runs, get } });

    await expect(swept).rejects.toMatchObject({ code: 'store-corrupt' });

    expect(world.stores.queue.waiting.map((job) => job.runId)).toEqual([good.id]);
  });

  it('asks ever more seldom when nobody takes a job', async () => {
    const world = createWorld(inventory);
    const { id } = await order(world);

    await nobodyWorksFor(world, 50 * 60_000, id);

    const swept = (await world.stores.journal.read(id, 'as7')).filter((entry) => entry.event.type === 'swept');
    const gapsMs = swept.slice(1).map((entry, index) => entry.atMs - (swept[index]?.atMs ?? 0));
    expect(swept.length).toBeGreaterThan(4);
    expect(swept.length).toBeLessThan(10);
    expect(gapsMs).toEqual(gapsMs.toSorted((a, b) => a - b));
    expect(gapsMs.at(-1)).toBeGreaterThan(600_000);
  });

  it('ends a run whose site nobody serves, and says so', async () => {
    const world = createWorld(inventory);
    const { id } = await order(world);

    await nobodyWorksFor(world, 130 * 60_000, id);

    const run = await world.stores.runs.get(id);
    expect(run?.state).toBe('failed');
    expect(run?.failure?.code).toBe('no-worker');
    expect(run?.failure?.why).toContain('lab');
  });
});

describe('sweep of a pair', () => {
  /** A pair at which a worker has been silent for a minute, holding the leases of these hosts. */
  async function sweepPair(leased: readonly string[]): Promise<number | undefined> {
    const world = createPairWorld();
    const deps = startEngine(world);
    const { id } = await orderPair(world);
    await world.stores.runs.update(id, (run) => ({
      ...run,
      state: 'running',
      units: Object.fromEntries(
        Object.entries(run.units).map(([name, unit]) => [name, { ...unit, state: 'running' as const }]),
      ),
    }));
    await world.stores.leases.acquire(leased, { ...deps.worker, workerId: deps.worker.id, runId: id }, 600_000);
    world.clock.advance(60_000);

    await sweep(deps);

    return (await world.stores.runs.get(id))?.units['as7+as8']?.generation;
  }

  it('leaves it to the worker that holds both hosts, however long that says nothing', async () => {
    expect(await sweepPair(['as7', 'as8'])).toBe(0);
  });

  it('takes it up again when one of its hosts is held by nobody', async () => {
    expect(await sweepPair(['as8'])).toBe(1);
  });
});

describe('advance', () => {
  it('gives the hold back when a unit ends well while the run is being looked at', async () => {
    const world = createWorld(inventory);
    const deps = startEngine(world);
    const { id } = await order(world);
    await workUntilStopped(world, deps, id, 'wait');
    await world.stores.runs.update(id, (run) => ({
      ...run,
      state: 'running',
      waves: [['as7']],
      units: Object.fromEntries(
        Object.entries(run.units).map(([name, unit]) => [name, { ...unit, state: 'running' as const }]),
      ),
    }));
    await world.stores.holds.take(['as7'], id, 'Ana', 0);
    const ending: typeof deps.halt.get = async () => {
      await world.stores.runs.update(id, (run) => {
        const unit = run.units['as7'];
        if (unit === undefined || unit.state === 'done') return undefined;
        return { ...run, units: { as7: { ...unit, state: 'done' } } };
      });
      return undefined;
    };

    await advance({ ...deps, halt: { ...deps.halt, get: ending } }, { runId: id });
    await advance(deps, { runId: id });

    expect((await world.stores.runs.get(id))?.state).toBe('done');
    expect(await world.stores.holds.get('as7')).toBeUndefined();
  });

  it('starts a wave of many hosts with long names, although the journal holds 4 KiB an entry', async () => {
    const names = Array.from({ length: 120 }, (_, index) => `host-${'x'.repeat(45)}-${index}`);
    const world = createWorld(makeInventory(names));
    const { id } = await order(world);
    await world.stores.runs.update(id, (run) => ({
      ...run,
      state: 'running',
      waves: [names],
      waveIndex: -1,
      units: Object.fromEntries(
        Object.entries(run.units).map(([name, unit]) => [name, { ...unit, state: 'planned' as const }]),
      ),
    }));

    await advance(startEngine(world), { runId: id });

    const run = await world.stores.runs.get(id);
    expect(Object.values(run?.units ?? {}).every((unit) => unit.state === 'queued')).toBe(true);
  });

  it('does not pile up jobs however long all work is halted', async () => {
    const world = createWorld(makeInventory(['as7', 'as8']));
    const deps = startEngine(world);
    const { id } = await order(world, { waveSpec: ['1', 'rest'] });
    await workUntilStopped(world, deps, id, 'wait');
    await world.stores.runs.update(id, (run) => {
      const { as7, as8 } = run.units;
      if (as7 === undefined || as8 === undefined) return undefined;
      return { ...run, state: 'running', waves: [['as7'], ['as8']], units: { as7: { ...as7, state: 'done' }, as8 } };
    });
    await world.stores.halt.set({ by: 'Dana', reason: 'smoke', sinceMs: 0 });

    for (let round = 0; round < 50; round += 1) {
      world.clock.advance(2_000);
      await sweep(deps);
      while (world.stores.queue.take('advance')) await advance(deps, { runId: id });
    }

    expect(world.stores.queue.waiting.length).toBeLessThan(3);
  });
});
