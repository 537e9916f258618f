import { describe, expect, it } from 'vitest';
import { comparableSnapshot } from '../../../src/lab/rack/model.ts';
import { makeInventory } from '../../support/make-run.ts';
import { createWorld, order, startEngine, workUntilStopped } from '../../support/engine-world.ts';

const inventory = makeInventory(['as7', 'as8']);

describe('provision on a factory-fresh rack', () => {
  it('asks, then leaves both cards with a password of their own and Secure Boot off', async () => {
    const world = createWorld(inventory);
    const { id } = await order(world);

    const run = await workUntilStopped(world, startEngine(world), id);

    const passwords = new Set<string | undefined>();
    expect(run.summary).toContain('2 done');
    expect(run.state).toBe('done');
    expect(run.approval?.votes.map(({ by }) => by.displayName)).toEqual(['Ben']);
    for (const name of ['as7-dpu0', 'as8-dpu0']) {
      const card = world.rack.card(name);
      const filed = await world.stores.credentials.bmc({ serial: card.serial });
      expect(filed.map((entry) => entry.slot)).toEqual(['current']);
      passwords.add(filed[0]?.secret.reveal());
      const state = world.rack.snapshot().cards.find((one) => one.name === name);
      expect(state?.bmc.rootPassword).toBe(filed[0]?.secret.reveal());
      expect(state?.secureBoot).toMatchObject({ enable: false, currentBoot: false });
    }
    expect(passwords.size).toBe(2);
  });

  it('finds everything satisfied when it runs again and asks nobody', async () => {
    const world = createWorld(inventory);
    const deps = startEngine(world);
    await workUntilStopped(world, deps, (await order(world)).id);
    const before = comparableSnapshot(world.rack.snapshot());

    const run = await workUntilStopped(world, deps, (await order(world)).id, 'wait');

    expect(run.state).toBe('satisfied');
    expect(comparableSnapshot(world.rack.snapshot())).toEqual(before);
  });

  it('changes nothing when only a plan is asked for', async () => {
    const world = createWorld(inventory);
    const before = comparableSnapshot(world.rack.snapshot());

    const run = await workUntilStopped(world, startEngine(world), (await order(world, { planOnly: true })).id);

    expect(run.state).toBe('planned');
    expect(comparableSnapshot(world.rack.snapshot())).toEqual(before);
  });
});
