import { describe, expect, it } from 'vitest';
import { requestCancel } from '../../src/domain/policy.ts';
import type { Step } from '../../src/domain/step.ts';
import { errors } from '../../src/errors.ts';
import { Crash, order, startEngine, workUntilStopped } from '../support/engine-world.ts';
import { fakeRecipe, fakeStep } from '../support/fake-steps.ts';
import { ana } from '../support/make-run.ts';
import type { Left } from '../support/pair-world.ts';
import { createPairWorld, orderPair, pairRecipe } from '../support/pair-world.ts';

const nothing = (): Left => ({ things: new Set() });

describe('a unit that is a pair', () => {
  it('gives card steps each card and pair steps both ends, in the order of the inventory', async () => {
    const world = createPairWorld();
    const left = nothing();
    const seen: string[] = [];
    const recipe = pairRecipe(left, {
      apply: async (context) => {
        const ends = context.pair?.ends ?? [];
        seen.push(...ends.map((end) => `${end.name} ${end.host.name} ${end.card.dpu.name} ${end.entry.hostAddress}`));
        seen.push([...left.things].join(', '));
        return Promise.resolve({ kind: 'done' });
      },
    });
    const run = await orderPair(world);

    const ended = await workUntilStopped(world, startEngine(world, { recipe }), run.id);

    expect(ended.state).toBe('done');
    expect(seen).toEqual([
      'a as7 as7-dpu0 192.168.50.1/24',
      'b as8 as8-dpu0 192.168.50.2/24',
      'address as7-dpu0, address as8-dpu0, tunnel as7+as8',
    ]);
    expect([...left.things]).toEqual([]);
  });

  it('holds both hosts while it writes, and neither afterwards', async () => {
    const world = createPairWorld();
    const during: (number | undefined)[] = [];
    const recipe = pairRecipe(nothing(), {
      apply: async () => {
        for (const host of ['as7', 'as8']) during.push((await world.stores.holds.get(host))?.runId);
        return { kind: 'done' };
      },
    });
    const run = await orderPair(world);

    await workUntilStopped(world, startEngine(world, { recipe }), run.id);

    expect(during).toEqual([run.id, run.id]);
    expect(await world.stores.holds.all()).toEqual([]);
  });

  it('waits while another run has one of its hosts, and that one never gets the other', async () => {
    const world = createPairWorld();
    await world.stores.holds.take(['as8'], 7, 'Ben', world.clock.nowMs());
    const run = await orderPair(world);
    const deps = startEngine(world, { recipe: pairRecipe(nothing()) });

    await expect(workUntilStopped(world, deps, run.id)).rejects.toThrow('does not move');

    const unit = (await world.stores.runs.get(run.id))?.units['as7+as8'];
    expect(unit).toMatchObject({ state: 'waiting', waitingReason: expect.stringContaining('as8') });
    expect((await world.stores.holds.all()).map((hold) => hold.unit)).toEqual(['as8']);
  });

  it('keeps a run of one of its hosts waiting while it has both', async () => {
    const world = createPairWorld();
    const host = fakeRecipe([fakeStep('switch')]);
    let state = '';
    const recipe = pairRecipe(nothing(), {
      apply: async () => {
        const other = await order(world);
        const deps = startEngine(world, { recipe: host });
        await expect(workUntilStopped(world, deps, other.id)).rejects.toThrow('does not move');
        state = (await world.stores.runs.get(other.id))?.units['as7']?.state ?? '';
        return { kind: 'done' };
      },
    });
    const run = await orderPair(world);

    await workUntilStopped(world, startEngine(world, { recipe, leaseMs: 3_600_000 }), run.id);

    expect(state).toBe('waiting');
  });

  it('is refused as a whole when one end is, before anything is changed', async () => {
    const world = createPairWorld();
    const left = nothing();
    const recipe = pairRecipe(left);
    const check = fakeStep('check', {
      risk: 'read',
      diff: (_seen, _params, { name: target }) =>
        target === 'as8-dpu0'
          ? { kind: 'refused', failure: errors.nicMode({ target }).failure }
          : { kind: 'satisfied', reason: 'fine' },
    });
    const steps = [{ step: check, params: () => ({}) }, ...recipe.steps];
    const run = await orderPair(world);

    const ended = await workUntilStopped(world, startEngine(world, { recipe: { ...recipe, steps } }), run.id);

    expect(ended.state).toBe('refused');
    expect(ended.units['as7+as8']?.targetNotes?.map((note) => note.outcome)).toEqual(['refused', 'refused']);
    expect([...left.things]).toEqual([]);
  });
});

describe('a recipe that cleans up', () => {
  it('takes away what it has added when a step fails, the last first, and frees the hosts', async () => {
    const world = createPairWorld();
    const left = nothing();
    const recipe = pairRecipe(left, {
      apply: async () => Promise.reject(errors.commandFailed({ host: 'as7', command: 'x', exitCode: 1, output: '' })),
    });
    const run = await orderPair(world);

    const ended = await workUntilStopped(world, startEngine(world, { recipe }), run.id);

    expect(ended).toMatchObject({ state: 'failed', failure: { code: 'command-failed' } });
    expect([...left.things]).toEqual([]);
    expect(await world.stores.holds.all()).toEqual([]);
    const entries = await world.stores.journal.read(run.id, 'as7+as8');
    const taken = entries.flatMap(({ event }) => (event.type === 'intent' ? [event.text] : []));
    expect(taken.slice(-3)).toEqual([
      'take tunnel as7+as8 away',
      'take address as8-dpu0 away',
      'take address as7-dpu0 away',
    ]);
  });

  it('breaks off a long act that a person cancels, and cleans up before it ends', async () => {
    const world = createPairWorld();
    const left = nothing();
    const recipe = pairRecipe(left, {
      apply: async (context) => {
        await world.stores.runs.update(context.runId, (run) => requestCancel(run, ana, world.clock.nowMs()));
        await context.checkpoint();
        throw new Error('went on');
      },
    });
    const run = await orderPair(world);

    const ended = await workUntilStopped(world, startEngine(world, { recipe }), run.id);

    expect(ended.state).toBe('cancelled');
    expect([...left.things]).toEqual([]);
    expect(await world.stores.holds.all()).toEqual([]);
  });

  it('says what it could not take away, and keeps the hosts until a resume has', async () => {
    const world = createPairWorld();
    const left = nothing();
    const recipe = pairRecipe(left);
    let isStuck = true;
    const steps = recipe.steps.map((entry) => {
      if (entry.step.name !== 'tunnel') return entry;
      const step: Step = {
        ...entry.step,
        undo: async (context, params) => {
          if (isStuck) throw errors.commandFailed({ host: 'as7', command: 'ip', exitCode: 2, output: 'busy' });
          await entry.step.undo?.(context, params);
        },
      };
      return { ...entry, step };
    });
    const run = await orderPair(world);
    const deps = startEngine(world, { recipe: { ...recipe, steps } });

    const ended = await workUntilStopped(world, deps, run.id);

    expect(ended).toMatchObject({ state: 'needs-human', failure: { code: 'clean-up-failed', deviceState: 'changed' } });
    expect(ended.failure?.what).toContain('tunnel (as7+as8)');
    expect([...left.things]).toEqual(['tunnel as7+as8']);
    expect((await world.stores.holds.all()).map((hold) => hold.unit)).toEqual(['as7', 'as8']);
    isStuck = false;
  });

  it('leaves nothing behind and holds nothing, wherever its worker dies', async () => {
    const calm = createPairWorld();
    await workUntilStopped(calm, startEngine(calm, { recipe: pairRecipe(nothing()) }), (await orderPair(calm)).id);
    const points = calm.points.length;
    expect(points).toBeGreaterThan(40);

    for (let crashAt = 0; crashAt < points; crashAt += 1) {
      const world = createPairWorld();
      const left = nothing();
      const recipe = pairRecipe(left);
      const run = await orderPair(world);
      const first = workUntilStopped(world, startEngine(world, { recipe, crashAt }), run.id);
      await expect(first, calm.points[crashAt]).rejects.toThrow(Crash);
      const ended = await workUntilStopped(world, startEngine(world, { recipe }), run.id);
      expect(ended.state, `${crashAt} ${calm.points[crashAt]}`).toBe('done');
      expect([...left.things], calm.points[crashAt]).toEqual([]);
      expect(await world.stores.holds.all(), calm.points[crashAt]).toEqual([]);
    }
  });
});
