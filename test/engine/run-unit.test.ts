import { describe, expect, it } from 'vitest';
import { requestResume } from '../../src/domain/policy.ts';
import { whenActing } from '../support/when-acting.ts';
import { errors } from '../../src/errors.ts';
import { advance } from '../../src/engine/advance.ts';
import type { EngineDeps } from '../../src/engine/deps.ts';
import { runUnit } from '../../src/engine/run-unit.ts';
import { comparableSnapshot } from '../../src/lab/rack/model.ts';
import type { World } from '../support/engine-world.ts';
import { approve, createWorld, order, startEngine, workUntilStopped } from '../support/engine-world.ts';
import { ana, ben, makeInventory, withUnits } from '../support/make-run.ts';

const inventory = makeInventory(['as7']);

/** The job of as7 in a new run that Ben has approved. */
async function queuedUnit(world: World, deps: EngineDeps): Promise<Parameters<typeof runUnit>[1]> {
  const { id } = await order(world);
  await workUntilStopped(world, deps, id, 'wait');
  await approve(world, id);
  await advance(deps, { runId: id });
  const { state, generation } = (await world.stores.runs.get(id))?.units['as7'] ?? {};
  if (state !== 'queued' || generation === undefined) throw new Error(`as7 is not queued, but ${state}`);
  return { runId: id, unit: 'as7', generation };
}

async function provisioned(world: World): Promise<void> {
  await workUntilStopped(world, startEngine(world), (await order(world)).id);
}

describe('run-unit: the approved plan and the world', () => {
  it('writes nothing when a card changed between plan and start', async () => {
    const world = createWorld(inventory);
    const deps = startEngine(world);
    const { id } = await order(world);
    await workUntilStopped(world, deps, id, 'wait');
    world.rack.injectFault('pcie-downgraded', { target: 'as7-dpu0' });
    const before = comparableSnapshot(world.rack.snapshot());

    const run = await workUntilStopped(world, deps, id);

    expect(run.units['as7']?.state).toBe('plan-outdated');
    expect(run.state).toBe('failed');
    expect(run.units['as7']?.failure?.deviceState).toBe('unchanged');
    expect(comparableSnapshot(world.rack.snapshot())).toEqual(before);
    expect((await world.stores.journal.read(id, 'as7')).some((entry) => entry.event.type === 'intent')).toBe(false);
  });

  it('refuses an approval that waited longer than its start limit', async () => {
    const world = createWorld(inventory);
    const deps = startEngine(world);
    const { id } = await order(world, { startByMinutes: 1 });
    await workUntilStopped(world, deps, id, 'wait');
    await approve(world, id);
    world.clock.advance(61_000);

    const run = await workUntilStopped(world, deps, id);

    expect(run.units['as7']?.failure?.code).toBe('approval-void');
  });

  it('refuses votes that today’s policy no longer counts', async () => {
    const world = createWorld(inventory);
    const deps = { ...startEngine(world) };
    const { id } = await order(world);
    await workUntilStopped(world, deps, id, 'wait');
    await approve(world, id);
    const { policy } = world.inventory;
    const stricter = {
      ...world.inventory,
      policy: { ...policy, approvals: { ...policy.approvals, disruptive: { role: 'approvers', votes: 2 } } },
    };

    const run = await workUntilStopped(world, { ...deps, inventory: () => stricter }, id);

    expect(run.units['as7']?.failure?.code).toBe('approval-void');
    expect(run.units['as7']?.failure?.why).toContain('1 more approval');
  });

  it('refuses a unit that this worker’s inventory describes differently', async () => {
    const world = createWorld(inventory);
    const deps = startEngine(world);
    const { id } = await order(world);
    await workUntilStopped(world, deps, id, 'wait');

    const run = await workUntilStopped(world, { ...deps, inventory: () => makeInventory(['as7'], 2) }, id);

    expect(run.units['as7']?.failure?.code).toBe('inventory-differs');
  });
});

describe('run-unit: one hand on a device', () => {
  it('waits while another run holds the host, says whose it is once, and goes on when it is given back', async () => {
    const world = createWorld(inventory);
    await world.stores.holds.take(['as7'], 99, 'Cleo', world.clock.nowMs());
    const deps = startEngine(world);
    const { id } = await order(world);
    await expect(workUntilStopped(world, deps, id)).rejects.toThrow('does not move');

    const waiting = await world.stores.runs.get(id);
    await world.stores.holds.clear('as7');
    const run = await workUntilStopped(world, deps, id);

    const { failure } = errors.hostHeld({ host: 'as7', run: 99, by: 'Cleo', since: '2027-01-15T08:00:00.000Z' });
    expect(failure.code).toBe('host-held');
    expect(waiting?.units['as7']?.waitingReason).toBe(failure.what);
    expect(run.state).toBe('done');
    const said = (await world.stores.journal.read(id, 'as7')).filter((entry) => entry.event.type === 'step-waiting');
    expect(said).toHaveLength(1);
  });

  it('stops before the next write when the lease is taken away (lease-lost), and another worker finishes', async () => {
    const world = createWorld(inventory);
    const first = whenActing(startEngine(world), 'patch-secure-boot', async () => {
      world.clock.advance(11_000);
      await world.stores.leases.acquire(['as7'], { workerId: 'w2', incarnation: 1, runId: 1 }, 5_000);
    });
    const job = await queuedUnit(world, first);

    await runUnit(first, job, new AbortController().signal);
    const stopped = await world.stores.journal.read(job.runId, 'as7');
    const second = { ...startEngine(world), worker: { id: 'w2', incarnation: 1 } };
    const run = await workUntilStopped(world, second, job.runId);

    const entries = await world.stores.journal.read(job.runId, 'as7');
    const workers = entries.flatMap(({ event }) => (event.type === 'unit-started' ? [event.worker] : []));
    const acts = stopped.flatMap(({ event }) => (event.type === 'intent' ? [event.action] : []));
    expect(acts.at(-1)).toBe('patch-secure-boot');
    expect(run.state).toBe('done');
    expect([...new Set(workers)]).toEqual(['w1', 'w2']);
  });

  it('does nothing for a job of an older generation', async () => {
    const world = createWorld(inventory);
    const deps = startEngine(world);
    const job = await queuedUnit(world, deps);
    await world.stores.runs.update(job.runId, (run) => withUnits(run, { generation: job.generation + 1 }));
    const before = await world.stores.journal.read(job.runId, 'as7');
    const rack = comparableSnapshot(world.rack.snapshot());

    await runUnit(deps, job, new AbortController().signal);

    expect(await world.stores.journal.read(job.runId, 'as7')).toEqual(before);
    expect((await world.stores.runs.get(job.runId))?.units['as7']?.state).toBe('queued');
    expect(comparableSnapshot(world.rack.snapshot())).toEqual(rack);
  });
});

describe('run-unit: people stop it', () => {
  it('ends the running step, then cancels, keeps the hold, and resumes to the end', async () => {
    const world = createWorld(inventory);
    const deps = whenActing(startEngine(world), 'patch-password', async () => {
      await world.stores.runs.update(418, (run) => ({ ...run, cancel: { by: ben, atMs: 0 } }));
    });
    const { id } = await order(world);

    const cancelled = await workUntilStopped(world, deps, id);
    const entries = await world.stores.journal.read(id, 'as7');
    const hold = await world.stores.holds.get('as7');
    await world.stores.runs.update(id, (run) => requestResume(run, ana));
    await world.stores.queue.addAdvance({ runId: id });
    const run = await workUntilStopped(world, deps, id, 'wait');

    expect(cancelled.state).toBe('cancelled');
    expect(entries.findLast(({ event }) => 'step' in event)?.event).toMatchObject({
      type: 'step-applied',
      step: 'set-bmc-password',
    });
    expect(cancelled.units['as7']?.failure?.deviceState).toBe('changed');
    expect(hold?.runId).toBe(id);
    expect(run.state).toBe('done');
    expect(await world.stores.holds.get('as7')).toBeUndefined();
  });

  it('starts no step while everything is halted and goes on afterwards', async () => {
    const world = createWorld(inventory);
    const deps = whenActing(startEngine(world), 'patch-password', async () => {
      await world.stores.halt.set({ by: 'Dana', reason: 'smoke in row 3', sinceMs: 0 });
    });
    const { id } = await order(world);
    await expect(workUntilStopped(world, deps, id)).rejects.toThrow('does not move');
    const halted = await world.stores.journal.read(id, 'as7');

    await world.stores.halt.clear();
    const run = await workUntilStopped(world, deps, id);

    const started = halted.flatMap(({ event }) => (event.type === 'step-started' ? [event.step] : []));
    expect(started.at(-1)).toBe('set-bmc-password');
    expect(run.state).toBe('done');
  });
});

describe('run-unit: what waits', () => {
  it('says once that everything is halted and leaves the host alone meanwhile', async () => {
    const world = createWorld(inventory);
    const deps = whenActing(startEngine(world), 'patch-password', async () => {
      await world.stores.halt.set({ by: 'Dana', reason: 'smoke in row 3', sinceMs: 0 });
    });
    const { id } = await order(world);

    await expect(workUntilStopped(world, deps, id)).rejects.toThrow('does not move');

    const types = (await world.stores.journal.read(id, 'as7')).map((entry) => entry.event.type);
    expect(types.filter((type) => type === 'step-waiting')).toHaveLength(1);
    expect(types.filter((type) => type === 'unit-started')).toHaveLength(1);
  });

  it('does not wait for a held host longer than its approval lasts', async () => {
    const world = createWorld(inventory);
    const deps = startEngine(world);
    const { id } = await order(world, { startByMinutes: 1 });
    await workUntilStopped(world, deps, id, 'wait');
    await world.stores.holds.take(['as7'], 99, 'Cleo', world.clock.nowMs());

    const run = await workUntilStopped(world, deps, id);

    expect(run.failure?.code).toBe('approval-void');
  });

  it('does not bring a cancelled unit back to life when its job wakes up at that moment', async () => {
    const world = createWorld(inventory);
    const deps = startEngine(world);
    const job = await queuedUnit(world, deps);
    const { runId: id } = job;
    await world.stores.leases.acquire(['as7'], { workerId: 'w9', incarnation: 1, runId: 99 }, 60_000);
    const acquire: typeof deps.leases.acquire = async (...input) => {
      await world.stores.runs.update(id, (run) => ({ ...run, cancel: { by: ben, atMs: 0 } }));
      await advance(deps, { runId: id });
      return deps.leases.acquire(...input);
    };

    await runUnit({ ...deps, leases: { ...deps.leases, acquire } }, job, new AbortController().signal);

    const run = await world.stores.runs.get(id);
    expect(run?.state).toBe('cancelled');
    expect(run?.units['as7']?.state).toBe('cancelled');
  });
});

describe('run-unit: the second time', () => {
  it('takes neither hold nor approval when nothing is to change', async () => {
    const world = createWorld(inventory);
    await provisioned(world);

    const run = await workUntilStopped(world, startEngine(world), (await order(world)).id, 'wait');

    expect(run.state).toBe('satisfied');
    expect(run.approval).toBeUndefined();
    expect(await world.stores.holds.all()).toEqual([]);
  });
});
