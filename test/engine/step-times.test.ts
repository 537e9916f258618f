import { describe, expect, it } from 'vitest';
import type { Run } from '../../src/domain/run.ts';
import type { StepTimeStore } from '../../src/domain/step-times.ts';
import type { Step } from '../../src/domain/step.ts';
import { errors } from '../../src/errors.ts';
import type { World } from '../support/engine-world.ts';
import { createWorld, order, startEngine, workUntilStopped } from '../support/engine-world.ts';
import { fakeRecipe, fakeStep } from '../support/fake-steps.ts';
import { makeInventory } from '../support/make-run.ts';

/** A step that takes so long when it acts. */
function slow(world: World, name: string, tookMs: number, spec: Parameters<typeof fakeStep>[1] = {}): Step {
  const step = fakeStep(name, spec);
  return {
    ...step,
    apply: async (...args) => {
      world.clock.advance(tookMs);
      return step.apply?.(...args) ?? { kind: 'done' };
    },
  };
}

async function work(world: World, steps: readonly Step[], stepTimes?: StepTimeStore): Promise<Run> {
  const deps = startEngine(world, { recipe: fakeRecipe(steps), leaseMs: 100_000_000 });
  return workUntilStopped(world, { ...deps, ...(stepTimes && { stepTimes }) }, (await order(world)).id);
}

async function expectedIn(world: World, run: Run): Promise<unknown> {
  const entries = await world.stores.journal.read(run.id, 'as7');
  return entries.flatMap(({ event }) => (event.type === 'plan-ready' ? [event.expected] : []))[0];
}

describe('how long steps take', () => {
  it('is noted of those that were carried out, and of no others', async () => {
    const world = createWorld(makeInventory(['as7']));
    const right = fakeStep('right', { diff: () => ({ kind: 'satisfied', reason: 'right' }) });
    const fails = slow(world, 'fails', 5_000, {
      apply: () => Promise.reject(errors.bmcUnreachable({ target: 'as7-dpu0', address: 'model' })),
    });

    await work(world, [right, slow(world, 'flash', 600_000), fails]);

    expect(await world.stores.stepTimes.of('lab:simulated')).toEqual({ flash: [600_000] });
  });

  it('becomes what the next plan expects, once there are five of them', async () => {
    const world = createWorld(makeInventory(['as7']));
    const seen: unknown[] = [];
    for (let index = 1; index <= 6; index += 1) {
      const run = await work(world, [slow(world, 'flash', index * 60_000, { usualMs: 900_000 })]);
      seen.push(await expectedIn(world, run));
    }

    const declared = { 'flash as7-dpu0': { ms: 900_000, of: 0 } };
    expect(seen).toEqual([...Array.from({ length: 5 }, () => declared), { 'flash as7-dpu0': { ms: 180_000, of: 5 } }]);
  });

  it('is no reason for a run to stop, and no part of what is approved', async () => {
    const world = createWorld(makeInventory(['as7']));
    const broken: StepTimeStore = {
      note: () => Promise.reject(new Error('no room')),
      of: () => Promise.reject(new Error('no room')),
    };
    const known = await work(createWorld(makeInventory(['as7'])), [fakeStep('flash', { usualMs: 900_000 })]);

    const run = await work(world, [fakeStep('flash', { usualMs: 900_000 })], broken);

    expect(run.state).toBe('done');
    expect(await expectedIn(world, run)).toBeUndefined();
    expect(run.units['as7']?.planHash).toBe(known.units['as7']?.planHash);
  });
});
