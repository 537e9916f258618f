import { describe, expect, it } from 'vitest';
import type { EngineDeps } from '../../src/engine/deps.ts';
import { errors, failureOf } from '../../src/errors.ts';
import { createWorld, order, startEngine, workUntilStopped } from '../support/engine-world.ts';
import type { FakeSpec } from '../support/fake-steps.ts';
import { fakeRecipe, fakeStep } from '../support/fake-steps.ts';
import { makeInventory } from '../support/make-run.ts';

const inventory = makeInventory(['as7']);

/** Redis does not answer one time, the next. */
class Outage {
  isOver = false;

  hit<A extends readonly unknown[], T>(call: (...input: A) => Promise<T>): (...input: A) => Promise<T> {
    return async (...input) => {
      if (this.isOver) return call(...input);
      this.isOver = true;
      throw errors.storeUnavailable({ operation: 'answer' });
    };
  }
}

describe('plan: looking has limits', () => {
  it('gives up a look that hangs at the limit of its step, and says that nothing was changed', async () => {
    const observe: FakeSpec['observe'] = (context) =>
      new Promise((_, reject) => {
        context.signal.addEventListener('abort', () => reject(new Error('aborted')));
      });
    const world = createWorld(inventory);
    const deps = startEngine(world, { recipe: fakeRecipe([fakeStep('one', { observe, timeoutMs: 20 })]) });

    const run = await workUntilStopped(world, deps, (await order(world)).id);

    expect(run.state).toBe('failed');
    expect(run.failure).toMatchObject({ code: 'look-timeout', deviceState: 'unchanged' });
  });

  it('does not look at a host that this worker’s inventory describes differently', async () => {
    let looked = false;
    const observe: FakeSpec['observe'] = () => {
      looked = true;
      return Promise.resolve(false);
    };
    const world = createWorld(inventory);
    const deps = startEngine(world, { recipe: fakeRecipe([fakeStep('one', { observe })]) });
    const other = { ...deps, inventory: () => makeInventory(['as7'], 2) };

    const run = await workUntilStopped(world, other, (await order(world)).id);

    expect(run.failure?.code).toBe('inventory-differs');
    expect(looked).toBe(false);
  });
});

describe('a short outage of Redis', () => {
  it.each<readonly [string, (deps: EngineDeps, outage: Outage) => EngineDeps]>([
    [
      'while the plan is stored',
      (deps, outage) => ({ ...deps, runs: { ...deps.runs, savePlan: outage.hit((plan) => deps.runs.savePlan(plan)) } }),
    ],
    [
      'while a plan reads the pins',
      (deps, outage) => ({
        ...deps,
        devices: {
          ...deps.devices,
          pins: { ...deps.devices.pins, get: outage.hit((kind, target) => deps.devices.pins.get(kind, target)) },
        },
      }),
    ],
    [
      'before a write',
      (deps, outage) => ({
        ...deps,
        leases: { ...deps.leases, renew: outage.hit((lease, ttlMs) => deps.leases.renew(lease, ttlMs)) },
      }),
    ],
    [
      'while a password is filed',
      (deps, outage) => {
        const { credentials } = deps.devices;
        return {
          ...deps,
          devices: {
            ...deps.devices,
            credentials: { ...credentials, savePending: outage.hit((...input) => credentials.savePending(...input)) },
          },
        };
      },
    ],
  ])('%s is no failure of the run: it goes on from the journal', async (_when, withOutage) => {
    const world = createWorld(inventory);
    const outage = new Outage();
    const deps = withOutage(startEngine(world), outage);
    const { id } = await order(world);

    const run = await workUntilStopped(world, deps, id).catch((error: unknown) => {
      // What a job throws ends in the queue; the sweeper has the unit taken up again.
      if (failureOf(error).code !== 'store-unavailable') throw error;
      return workUntilStopped(world, deps, id);
    });

    expect(outage.isOver).toBe(true);
    expect(run.state).toBe('done');
  });
});
