import { describe, expect, it } from 'vitest';
import { requestCancel, requestResume } from '../../src/domain/policy.ts';
import { errors } from '../../src/errors.ts';
import type { World } from '../support/engine-world.ts';
import { approve, createWorld, order, startEngine, workUntilStopped } from '../support/engine-world.ts';
import { fakeRecipe, fakeStep } from '../support/fake-steps.ts';
import { ana, makeInventory } from '../support/make-run.ts';

/** A run that stopped on as7 and holds it. */
async function stopOn(world: World): Promise<number> {
  const broken = fakeStep('flash', {
    apply: async (context) => {
      await context.act({ name: 'push', text: 'push' }, async () => ({ evidence: '', value: undefined }));
      throw errors.outcomeUnknown({ what: 'The push broke off.', why: 'The host was restarted.', run: 1 });
    },
  });
  const run = await order(world);
  const stopped = await workUntilStopped(world, startEngine(world, { recipe: fakeRecipe([broken]) }), run.id);
  expect([stopped.state, (await world.stores.holds.get('as7'))?.runId]).toEqual(['needs-human', stopped.id]);
  return stopped.id;
}

async function cancelStopped(world: World, id: number): Promise<void> {
  await world.stores.runs.update(id, (run) => requestCancel(run, ana, 0));
  await world.stores.holds.clear('as7', id);
}

describe('a host on which an earlier run has stopped', () => {
  it('is left out of the plan with the ways on, and worked on when that run was given up and this one is resumed', async () => {
    const world = createWorld(makeInventory(['as7', 'as8']));
    const one = createWorld(makeInventory(['as7']));
    const first = await stopOn({ ...one, stores: world.stores, clock: world.clock, rack: world.rack });
    const deps = startEngine(world, { recipe: fakeRecipe([fakeStep('flash')]) });
    const { id } = await order(world);

    const run = await workUntilStopped(world, deps, id);

    expect([run.state, run.units['as7']?.state, run.units['as8']?.state]).toEqual(['failed', 'failed', 'done']);
    const failure = run.units['as7']?.failure;
    expect(failure).toMatchObject({ code: 'host-held', deviceState: 'unchanged' });
    expect(failure?.what).toContain(`as7 is held by run ${first} (\`/dpu provision rack1\`, by Ana, since `);
    expect(failure?.why).toContain('It stopped in "flash" on as7-dpu0: The push broke off.');
    expect(failure?.next).toBe(
      `\`/dpu resume ${first}\` finishes it. \`/dpu cancel ${first}\` gives it up and as7 back; then \`/dpu resume ${id}\` works on it.`,
    );

    expect(run.units['as7']?.targetNotes).toEqual([{ target: 'as7-dpu0', outcome: 'failed', warnings: [] }]);

    await cancelStopped(world, first);
    await world.stores.runs.update(id, (stopped) => requestResume(stopped, ana));
    await world.stores.queue.addAdvance({ runId: id });
    expect((await workUntilStopped(world, deps, id)).state).toBe('done');
  });

  it('is waited for when that run stops after the plan was made; the wait says how to end it and goes on after it', async () => {
    const world = createWorld(makeInventory(['as7']));
    const deps = startEngine(world, { recipe: fakeRecipe([fakeStep('flash', { risk: 'disruptive' })]) });
    const { id } = await order(world);
    await workUntilStopped(world, deps, id, 'wait');
    const second = await stopOn(world);
    await approve(world, id);
    await expect(workUntilStopped(world, deps, id)).rejects.toThrow('does not move');
    const waiting = (await world.stores.runs.get(id))?.units['as7'];

    await cancelStopped(world, second);
    const run = await workUntilStopped(world, deps, id);

    expect(waiting?.waitingReason).toContain(`\`/dpu resume ${second}\` finishes it.`);
    expect(waiting?.waitingReason).toContain(
      `\`/dpu cancel ${second}\` gives it up and as7 back; this run then goes on`,
    );
    expect(run.state).toBe('done');
  });

  it('is planned as ever by a run that only plans', async () => {
    const world = createWorld(makeInventory(['as7']));
    await stopOn(world);
    const { id } = await order(world, { planOnly: true });

    const run = await workUntilStopped(world, startEngine(world, { recipe: fakeRecipe([fakeStep('flash')]) }), id);

    expect(run.state).toBe('planned');
  });
});
