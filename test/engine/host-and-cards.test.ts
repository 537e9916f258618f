import { describe, expect, it } from 'vitest';
import type { Inventory } from '../../src/domain/inventory.ts';
import { Profile } from '../../src/domain/inventory.ts';
import type { UnitPlan } from '../../src/domain/plan.ts';
import { requestResume } from '../../src/domain/policy.ts';
import type { Run } from '../../src/domain/run.ts';
import type { RecipeStep, Step } from '../../src/domain/step.ts';
import { errors } from '../../src/errors.ts';
import { rack2 } from '../../src/lab/rack/rack2.ts';
import { createRack } from '../../src/lab/rack/model.ts';
import type { World } from '../support/engine-world.ts';
import { createWorld, order, startEngine, workUntilStopped } from '../support/engine-world.ts';
import { fakeRecipe, fakeStep } from '../support/fake-steps.ts';
import { ana, makeInventory } from '../support/make-run.ts';

/** A host with two cards, as11 of the pretend rack2. */
const inventory = makeInventory(['as11'], 2);

function worldOf(given: Inventory = inventory): World {
  return createWorld(given, (nowMs) => createRack({ layout: rack2(), nowMs, seed: 1 }));
}

async function planOf(world: World, run: Run): Promise<UnitPlan> {
  const plan = await world.stores.runs.plan(run.id, 'as11', run.units['as11']?.planHash ?? '');
  if (plan === undefined) throw new Error('no plan');
  return plan;
}

async function workThrough(world: World, steps: readonly Step[]): Promise<Run> {
  const deps = startEngine(world, { recipe: fakeRecipe(steps) });
  return workUntilStopped(world, deps, (await order(world)).id);
}

/** A step that is right from the start. */
function rightStep(name: string, spec: Parameters<typeof fakeStep>[1] = {}): Step {
  return fakeStep(name, { observe: () => Promise.resolve(true), ...spec });
}

/** One switch per card. */
function cardStep(name: string, spec: Parameters<typeof fakeStep>[1] = {}): Step {
  const on = new Set<string>();
  return fakeStep(name, {
    observe: (context) => Promise.resolve(on.has(context.dpu.name)),
    apply: async (context) => {
      await context.act({ name: 'switch', text: 'switch it on' }, async () => {
        on.add(context.dpu.name);
        return { evidence: 'switched', value: undefined };
      });
      return { kind: 'done' };
    },
    verify: (context) => {
      const isOn = on.has(context.dpu.name);
      return Promise.resolve([{ check: 'switch', pass: isOn, expected: 'on', actual: String(isOn) }]);
    },
    ...spec,
  });
}

describe('a plan for a host with several cards', () => {
  it('puts off what a card needs of a host step that is to be carried out first, for every card', async () => {
    const world = worldOf();
    const doca = fakeStep('doca', { scope: 'host', provides: ['rshim'] });
    const flash = cardStep('flash', { needs: ['rshim'] });

    const run = await workThrough(world, [doca, flash]);

    const { steps } = await planOf(world, run);
    expect(steps.map((step) => [step.step, step.target, step.state])).toEqual([
      ['doca', 'as11', 'change'],
      ['flash', 'as11-dpu0', 'deferred'],
      ['flash', 'as11-dpu1', 'deferred'],
    ]);
    expect(steps[1]?.reason).toContain('known after "doca"');
  });

  it.each([
    ['the first card has', ['as11-dpu0'], 'deferred'],
    ['the last card has', ['as11-dpu1'], 'deferred'],
    ['no card has', [], 'change'],
  ])('puts a host step off only while any card has yet to provide its needs: %s', async (_what, behind, state) => {
    const world = worldOf();
    const missing = new Set(behind);
    const flash = cardStep('flash', {
      provides: ['staged-firmware'],
      observe: (context) => Promise.resolve(!missing.has(context.dpu.name)),
      verify: (context) => {
        missing.delete(context.dpu.name);
        return Promise.resolve([]);
      },
    });
    const activate = fakeStep('activate', { scope: 'host', needs: ['staged-firmware'] });
    const deps = startEngine(world, {
      recipe: fakeRecipe([flash, activate], { 'staged-firmware': () => Promise.resolve({ met: true }) }),
    });

    const run = await workUntilStopped(world, deps, (await order(world)).id);

    const { steps } = await planOf(world, run);
    expect(steps.find((step) => step.step === 'activate')?.state).toBe(state);
    expect(run.state).toBe('done');
    expect([...missing]).toEqual([]);
  });

  it('puts off what waits for an earlier change, and asks nobody for it when it is carried out', async () => {
    const world = worldOf();
    let isFixed = false;
    const fix = cardStep('fix', {
      provides: ['drivers'],
      verify: () => {
        isFixed = true;
        return Promise.resolve([]);
      },
    });
    const look = rightStep('look', {
      diff: (_seen, _params, { name }) =>
        isFixed
          ? { kind: 'satisfied', reason: 'as wanted' }
          : { kind: 'refused', failure: errors.nicMode({ target: name }).failure },
    });
    const base = fakeRecipe([fix, look]);
    const steps = base.steps.map((entry): RecipeStep => ({
      ...entry,
      waitsFor: entry.step.name === 'look' ? ['drivers'] : [],
    }));
    const deps = startEngine(world, { recipe: { ...base, steps } });

    const run = await workUntilStopped(world, deps, (await order(world)).id);

    const planned = (await planOf(world, run)).steps.filter(({ step }) => step === 'look');
    expect(planned.map(({ state, reason }) => [state, reason])).toEqual([
      ['deferred', 'known after "fix"'],
      ['deferred', 'known after "fix"'],
    ]);
    expect(run.state).toBe('done');
    expect(run.approval).toBeUndefined();
  });

  it('tells a host step which cards are still in, and gives it the profile of the host', async () => {
    const seen: unknown[] = [];
    const given = makeInventory(['as11'], 2);
    const host = given.hosts['as11'];
    given.profiles['big'] = Profile.parse({ activation: 'later' });
    if (host) host.profile = 'big';
    const world = worldOf(given);
    const refuseFirst = rightStep('look', {
      diff: (_seen, _params, dpu) =>
        dpu.name === 'as11-dpu0'
          ? { kind: 'refused', failure: errors.nicMode({ target: dpu.name }).failure }
          : { kind: 'satisfied', reason: 'fine' },
    });
    const stage = rightStep('stage', {
      scope: 'host',
      observe: (context) => {
        seen.push([context.cards.map((card) => card.dpu.name), context.profile.activation]);
        return Promise.resolve(true);
      },
    });

    await workThrough(world, [refuseFirst, stage]);

    expect(seen).toEqual([[['as11-dpu1'], 'later']]);
  });
});

describe('what a unit says about each of its cards', () => {
  it('names the refused one with its reason and the finished one with its warning', async () => {
    const world = worldOf();
    const look = rightStep('look', {
      diff: (_seen, _params, dpu) =>
        dpu.name === 'as11-dpu0'
          ? { kind: 'refused', failure: errors.nicMode({ target: dpu.name }).failure }
          : { kind: 'satisfied', reason: 'fine', warning: 'no crypto' },
    });

    const run = await workThrough(world, [look, cardStep('work')]);

    expect(run.state).toBe('refused');
    expect(run.units['as11']?.targetNotes).toMatchObject([
      { target: 'as11-dpu0', outcome: 'refused', failure: { code: 'nic-mode' } },
      { target: 'as11-dpu1', outcome: 'done', warnings: ['no crypto'] },
    ]);
  });

  it('ends as activation pending, without asking anybody, when only a cold boot is missing', async () => {
    const world = worldOf();
    const activate = rightStep('activate', {
      scope: 'host',
      diff: () => ({ kind: 'satisfied', reason: 'activation pending', pending: true }),
    });

    const run = await workThrough(world, [activate]);

    expect(run.state).toBe('activation-pending');
    expect(run.approval).toBeUndefined();
  });
});

describe('drain and undrain', () => {
  function withHooks(undrain: readonly string[] = ['touch', '/tmp/undrained']): World {
    const given = makeInventory(['as11'], 2);
    const host = given.hosts['as11'];
    if (host === undefined) throw new Error('no host');
    host.drain = { command: ['touch', '/tmp/drained'], timeoutSeconds: 60 };
    host.undrain = { command: [...undrain], timeoutSeconds: 60 };
    return worldOf(given);
  }
  const exists = (world: World, path: string): boolean =>
    world.rack.host('as11').exec('ops', `test -e ${path}`).exitCode === 0;
  const intentsOf = async (world: World, run: Run): Promise<readonly string[]> => {
    const entries = await world.stores.journal.read(run.id, 'as11');
    return entries.flatMap(({ event }) => (event.type === 'intent' ? [event.step] : []));
  };

  it('run once around all disruptive work of the host, and stand in the plan', async () => {
    const world = withHooks();

    const run = await workThrough(world, [cardStep('one', { risk: 'disruptive' }), cardStep('two', { risk: 'disruptive' })]); // prettier-ignore

    expect(run.state).toBe('done');
    expect(await intentsOf(world, run)).toEqual(['drain', 'one', 'two', 'one', 'two', 'undrain']);
    expect((await planOf(world, run)).steps.map((step) => step.step)).toEqual(['drain', 'one', 'two', 'one', 'two', 'undrain']); // prettier-ignore
    expect([exists(world, '/tmp/drained'), exists(world, '/tmp/undrained')]).toEqual([true, true]);
  });

  it('leave a host alone on which nothing disruptive is to be done', async () => {
    const world = withHooks();

    const run = await workThrough(world, [cardStep('one')]);

    expect(run.state).toBe('done');
    expect([exists(world, '/tmp/drained'), exists(world, '/tmp/undrained')]).toEqual([false, false]);
  });

  it('keep the load off a host on which the work failed, until a resume has finished it', async () => {
    const world = withHooks();
    const done = new Set<string>();
    const undrained: boolean[] = [];
    let isBroken = true;
    const two = cardStep('two', {
      observe: (context) => Promise.resolve(done.has(context.dpu.name)),
      apply: async (context) => {
        undrained.push(exists(world, '/tmp/undrained'));
        await context.act({ name: 'switch', text: 'switch it on' }, async () => {
          if (!isBroken) done.add(context.dpu.name);
          return { evidence: 'switched', value: undefined };
        });
        return { kind: 'done' };
      },
      verify: ({ dpu }) =>
        Promise.resolve([{ check: 'switch', pass: done.has(dpu.name), expected: 'on', actual: 'odd' }]),
    });
    const steps = [cardStep('one', { risk: 'disruptive' }), two];
    const stopped = await workThrough(world, steps);
    undrained.push(exists(world, '/tmp/undrained'));
    isBroken = false;

    await world.stores.runs.update(stopped.id, (run) => requestResume(run, ana));
    await world.stores.queue.addAdvance({ runId: stopped.id });
    const run = await workUntilStopped(world, startEngine(world, { recipe: fakeRecipe(steps) }), stopped.id);

    expect([stopped.state, run.state]).toEqual(['needs-human', 'done']);
    // Both cards in vain, in between, and both cards again.
    expect(undrained).toEqual([false, false, false, false, false]);
    expect(exists(world, '/tmp/undrained')).toBe(true);
    expect(await intentsOf(world, run)).toEqual(['drain', 'one', 'two', 'one', 'two', 'two', 'two', 'undrain']);
  });

  it('end the work before it begins when the drain fails, with nothing changed', async () => {
    const given = makeInventory(['as11'], 2);
    const host = given.hosts['as11'];
    if (host) host.drain = { command: ['false'], timeoutSeconds: 60 };
    const world = worldOf(given);

    const run = await workThrough(world, [cardStep('one', { risk: 'disruptive' })]);

    expect(run.state).toBe('failed');
    expect(run.failure).toMatchObject({ code: 'hook-failed', deviceState: 'unchanged' });
    expect(run.failure?.what).toContain('drain hook of as11');
    expect(new Set(await intentsOf(world, run))).toEqual(new Set(['drain']));
  });

  it('say that the cards are done when only the undrain fails', async () => {
    const world = withHooks(['false']);

    const run = await workThrough(world, [cardStep('one', { risk: 'disruptive' })]);

    expect(run.failure).toMatchObject({ code: 'hook-failed', deviceState: 'changed' });
    expect(run.failure?.what).toContain('undrain hook of as11');
    expect(run.units['as11']?.targetNotes?.slice(0, 2).map((note) => note.outcome)).toEqual(['done', 'done']);
  });
});
