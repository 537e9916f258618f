import { describe, expect, it } from 'vitest';
import { planUnit } from '../../src/engine/plan-unit.ts';
import { UnitSession } from '../../src/engine/unit-session.ts';
import { provision } from '../../jobs/provision.ts';
import { createWorld, order, startEngine } from '../support/engine-world.ts';
import type { World } from '../support/engine-world.ts';
import { makeInventory } from '../support/make-run.ts';

async function openSession(world: World): Promise<UnitSession> {
  const deps = startEngine(world);
  const run = await order(world);
  const record = run.units['as7'];
  const slice = run.slices['as7'];
  if (record === undefined || slice === undefined) throw new Error('the run has no unit as7');
  const { signal } = new AbortController();
  const owner = { workerId: 'w1', incarnation: 1, runId: run.id };
  const taken = await deps.leases.acquire(['as7'], owner, deps.leaseMs);
  if (!taken.ok) throw new Error('the lease is taken');
  const plan = await planUnit(deps, run, record, signal);
  const recipe = provision;
  return new UnitSession({ deps, run, record, slices: [slice], recipe, lease: taken.lease, signal, plan, past: [] });
}

describe('unit-session', () => {
  it('writes nothing once its lease belongs to somebody else', async () => {
    const world = createWorld(makeInventory(['as7']));
    const unit = await openSession(world);
    world.clock.advance(11_000);
    await world.stores.leases.acquire(['as7'], { workerId: 'w2', incarnation: 1, runId: 1 }, 5_000);

    await expect(unit.beforeWrite()).rejects.toMatchObject({ code: 'lease-lost' });

    expect(await world.stores.holds.get('as7')).toBeUndefined();
    expect(unit.hasWritten).toBe(false);
  });

  it('takes the hold with the first write, not before', async () => {
    const world = createWorld(makeInventory(['as7']));
    const unit = await openSession(world);
    const before = await world.stores.holds.get('as7');

    await unit.beforeWrite();

    expect(before).toBeUndefined();
    expect(await world.stores.holds.get('as7')).toMatchObject({ runId: unit.run.id, by: 'Ana' });
    expect(unit.hasWritten).toBe(true);
  });

  it('refuses to write when another run has the hold', async () => {
    const world = createWorld(makeInventory(['as7']));
    const unit = await openSession(world);
    await world.stores.holds.take(['as7'], 99, 'Cleo', 0);

    await expect(unit.beforeWrite()).rejects.toMatchObject({ code: 'host-held' });

    expect(await world.stores.holds.get('as7')).toMatchObject({ runId: 99 });
    expect(unit.hasWritten).toBe(false);
  });
});
