import { describe, expect, it } from 'vitest';
import { requestResume } from '../../src/domain/policy.ts';
import type { Run } from '../../src/domain/run.ts';
import type { Diff, Step } from '../../src/domain/step.ts';
import { createWorld, order, startEngine, workUntilStopped } from '../support/engine-world.ts';
import { fakeChange, fakeRecipe, fakeStep } from '../support/fake-steps.ts';
import { ana, makeInventory } from '../support/make-run.ts';

const pin = (sha256: string) => ({ target: 'as7-dpu0', kind: 'bmc-certificate', sha256 }) as const;
const arm = (times: number) => ({ what: 'arm', target: 'as7-dpu0', times, certainty: 'planned' }) as const;

/** A first step that writes; once it has, the second one sees what `after` says instead of `before`. */
async function runWith(
  before: Partial<Diff>,
  after: Partial<Diff>,
  serialAfter = 'MT1',
): Promise<{
  readonly run: Run;
  readonly applied: boolean;
}> {
  let written = false;
  let applied = false;
  const change = (more: Partial<Diff>): Diff => ({ kind: 'change', changes: [fakeChange], ...more }) as Diff;
  const first: Step = fakeStep('one', {
    apply: async (context) => {
      await context.act({ name: 'write', text: 'write' }, () => {
        written = true;
        return Promise.resolve({ evidence: 'written', value: undefined });
      });
      return { kind: 'done' };
    },
    verify: () => Promise.resolve([]),
  });
  const second: Step = fakeStep('two', {
    diff: () => change(written ? after : before),
    serial: () => (written ? serialAfter : 'MT1'),
    apply: () => {
      applied = true;
      return Promise.resolve({ kind: 'done' });
    },
    verify: () => Promise.resolve([]),
  });
  const world = createWorld(makeInventory(['as7']));
  const deps = startEngine(world, { recipe: fakeRecipe([first, second]) });
  const run = await workUntilStopped(world, deps, (await order(world)).id);
  return { run, applied };
}

describe('the envelope of an approval, after the first write', () => {
  it('has room for what was planned, and for fewer resets', async () => {
    const { run } = await runWith({ reboots: [arm(2)], pins: [pin('a')] }, { reboots: [arm(1)], pins: [pin('a')] });

    expect(run.state).toBe('done');
  });

  it.each([
    ['a certificate that was not approved', { pins: [pin('a')] }, { pins: [pin('b')] }, 'MT1'],
    ['another value where the present one was approved', { present: 'a' }, { present: 'b' }, 'MT1'],
    ['more resets than were approved', { reboots: [arm(2)] }, { reboots: [arm(3)] }, 'MT1'],
    ['another card in the slot', {}, {}, 'MT2'],
  ])('has no room for %s', async (_what, before, after, serial) => {
    const { run, applied } = await runWith(before, after, serial);

    expect(applied).toBe(false);
    expect(run.units['as7']?.state).toBe('plan-outdated');
  });

  it('does not say that nothing was changed, and leads back to the run that holds the host', async () => {
    const { run } = await runWith({ pins: [pin('a')] }, { pins: [pin('b')] });

    expect(run.failure?.deviceState).toBe('changed');
    expect(run.failure?.next).toContain(`/dpu resume ${run.id}`);
    expect(run.failure?.next).not.toContain('Nothing was changed');
  });
});

describe('resume of a unit that was approved and never begun', () => {
  it('goes by the new plan when what is left needs nobody’s approval', async () => {
    const world = createWorld(makeInventory(['as7']));
    let done = false;
    const risky = fakeStep('risky', {
      risk: 'disruptive',
      diff: () => (done ? { kind: 'satisfied', reason: 'on' } : { kind: 'change', changes: [fakeChange] }),
    });
    const deps = startEngine(world, { recipe: fakeRecipe([risky, fakeStep('harmless')]) });
    const { id } = await order(world, { startByMinutes: 1 });
    await workUntilStopped(world, deps, id, 'wait');
    const late = { ...deps, clock: { nowMs: () => world.clock.nowMs() + 61_000 } };
    const failed = await workUntilStopped(world, late, id);
    done = true;

    await world.stores.runs.update(id, (run) => requestResume(run, ana));
    await world.stores.queue.addAdvance({ runId: id });
    const run = await workUntilStopped(world, deps, id, 'wait');

    expect(failed.failure?.code).toBe('approval-void');
    expect(run.state).toBe('done');
  });
});
