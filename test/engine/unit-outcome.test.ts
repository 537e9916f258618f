import { describe, expect, it } from 'vitest';
import type { Run, TargetNote } from '../../src/domain/run.ts';
import type { Recipe, Step } from '../../src/domain/step.ts';
import { errors } from '../../src/errors.ts';
import { createRack } from '../../src/lab/rack/model.ts';
import { rack2 } from '../../src/lab/rack/rack2.ts';
import type { World } from '../support/engine-world.ts';
import { Crash, createWorld, order, startEngine, workUntilStopped } from '../support/engine-world.ts';
import { fakeChange, fakeRecipe, fakeStep } from '../support/fake-steps.ts';
import { ana, makeInventory } from '../support/make-run.ts';

const [first, second] = ['as11-dpu0', 'as11-dpu1'];
const needs: Recipe['needs'] = { 'staged-firmware': async () => ({ met: true }) };

function worldOf(cards = 2): World {
  return createWorld(makeInventory(['as11'], cards), (nowMs) => createRack({ layout: rack2(), nowMs, seed: 1 }));
}

async function workThrough(world: World, steps: readonly Step[]): Promise<Run> {
  const deps = startEngine(world, { recipe: fakeRecipe(steps, needs) });
  return workUntilStopped(world, deps, (await order(world)).id);
}

/** A step that goes by card; `tries` counts how often it acted on which. */
function perCard(name: string, tries: string[], spec: Parameters<typeof fakeStep>[1] = {}): Step {
  return fakeStep(name, {
    observe: (context) => Promise.resolve(tries.includes(context.dpu.name)),
    apply: async (context) => {
      await context.act({ name: 'switch', text: 'switch it on' }, async () => {
        tries.push(context.dpu.name);
        return { evidence: 'switched', value: undefined };
      });
      return { kind: 'done' };
    },
    verify: () => Promise.resolve([]),
    ...spec,
  });
}

function outcomes(run: Run): readonly (readonly [string, TargetNote['outcome']])[] {
  return (run.units['as11']?.targetNotes ?? []).map(({ target, outcome }) => [target, outcome]);
}

describe('a unit that does something outside its plan', () => {
  it('stops at once, also when another card has failed before', async () => {
    const world = worldOf(3);
    const tries: string[] = [];
    let isPlanned = false;
    const one = fakeStep('one', {
      apply: async (context) => {
        isPlanned = true;
        await context.act({ name: 'switch', text: 'switch' }, async () => ({ evidence: '', value: undefined }));
        throw errors.nicMode({ target: 'x' });
      },
      diff: (_seen, _params, dpu) =>
        dpu.name === first ? { kind: 'change', changes: [fakeChange] } : { kind: 'satisfied', reason: 'right' },
    });
    const two = perCard('two', tries, {
      // Right when the plan was made, and not any more.
      diff: (_seen, _params, dpu) =>
        isPlanned && dpu.name === second
          ? { kind: 'change', changes: [fakeChange] }
          : { kind: 'satisfied', reason: 'right' },
    });
    const power = perCard('power', tries, { scope: 'host' });

    const run = await workThrough(world, [one, two, power]);

    expect(run.failure?.code).toBe('nic-mode');
    expect(tries).toEqual([]);
  });
});

describe('cards of a host on which something goes wrong', () => {
  it('are not called done when a step of the host takes them along', async () => {
    const world = worldOf();
    const flash = perCard('flash', [], { provides: ['staged-firmware'] });
    const power = fakeStep('power', {
      scope: 'host',
      needs: ['staged-firmware'],
      verify: () => Promise.resolve([{ check: 'power', pass: false, expected: 'on', actual: 'off' }]),
    });

    const run = await workThrough(world, [flash, power]);

    expect(outcomes(run)).toEqual([
      [first, 'needs-human'],
      [second, 'needs-human'],
      ['as11', 'needs-human'],
    ]);
    expect(run.units['as11']?.targetNotes?.filter((note) => note.failure).map((note) => note.target)).toEqual(['as11']);
  });

  it('are not called right when the host could not be opened after the approval', async () => {
    const world = worldOf();
    const deps = startEngine(world, { recipe: fakeRecipe([perCard('flash', [])]) });
    const { id } = await order(world);
    const { hosts: real } = deps.devices;
    let opened = 0;
    const open: typeof real.open = async (...input) => {
      opened += 1;
      if (opened > 1) throw errors.sshUnreachable({ host: 'as11', address: 'a' });
      return real.open(...input);
    };
    const hosts = { ...real, open };

    const run = await workUntilStopped(world, { ...deps, devices: { ...deps.devices, hosts } }, id);

    expect(run.state).toBe('failed');
    expect(outcomes(run)).toEqual([
      [first, 'failed'],
      [second, 'failed'],
    ]);
  });

  it('are called cancelled when they were not finished', async () => {
    const world = worldOf();
    const flash = perCard('flash', [], {
      verify: async () => {
        await world.stores.runs.update(418, (run) => ({ ...run, cancel: { by: ana, atMs: 1 } }));
        return [];
      },
    });

    const run = await workThrough(world, [flash, perCard('more', [])]);

    expect(outcomes(run)).toEqual([
      [first, 'cancelled'],
      [second, 'cancelled'],
    ]);
  });

  it('of which the last one waits are not tried again when they had failed', async () => {
    const world = worldOf();
    const tries: string[] = [];
    let isFirstLook = true;
    const flash = fakeStep('flash', {
      observe: (context) => Promise.resolve(context.actions.length > 0),
      apply: async (context) => {
        await context.act({ name: 'push', text: 'push' }, async () => {
          tries.push(context.dpu.name);
          return { evidence: 'pushed', value: undefined };
        });
        if (context.dpu.name === first) throw errors.nicMode({ target: first });
        if (!isFirstLook) return { kind: 'done' };
        isFirstLook = false;
        return { kind: 'waiting', reason: 'locked out', untilMs: world.clock.nowMs() + 5_000 };
      },
      diff: () => ({ kind: 'change', changes: [fakeChange] }),
      verify: () => Promise.resolve([]),
    });

    const run = await workThrough(world, [flash]);

    expect(tries).toEqual([first, second, second]);
    expect(outcomes(run)).toEqual([
      [first, 'failed'],
      [second, 'done'],
    ]);
    expect(run.state).toBe('failed');
  });

  it('are all left out by the plan: the unit ends as the worst of them', async () => {
    const world = worldOf();
    const look = fakeStep('look', {
      diff: (_seen, _params, { name }) =>
        name === first
          ? { kind: 'refused', failure: errors.nicMode({ target: name }).failure }
          : {
              kind: 'refused',
              failure: errors.wrongCard({ target: name, vpdSerial: 'A', bmcSerial: 'B', run: 418 }).failure,
            },
    });

    const run = await workThrough(world, [look]);

    expect(run.state).toBe('needs-human');
    expect(run.failure?.code).toBe('wrong-card');
    expect(outcomes(run)).toEqual([
      [first, 'refused'],
      [second, 'needs-human'],
    ]);
  });
});

describe('the summary of a unit', () => {
  it('does not count steps that the recipe leaves out as right already', async () => {
    const world = worldOf();
    const recipe = fakeRecipe([perCard('work', []), fakeStep('unwanted')]);
    const [work, unwanted] = recipe.steps;
    const steps = work && unwanted ? [work, { ...unwanted, skip: () => 'the profile does not want it' }] : [];
    const deps = startEngine(world, { recipe: { ...recipe, steps } });

    const run = await workUntilStopped(world, deps, (await order(world)).id);

    const entries = await world.stores.journal.read(run.id, 'as11');
    const ended = entries.flatMap(({ event }) => (event.type === 'unit-ended' ? [event.summary] : []));
    expect(ended).toEqual(['2 steps applied, 0 were right already']);
  });
});

describe('a worker that dies while its host is off', () => {
  it.each([
    ['is without power', 0, 'power-off'],
    ['was switched on and only boots', 1, 'power-off power-on'],
  ])('is followed by one that brings the host up first: it %s', async (_what, acts, told) => {
    const world = worldOf();
    const opens: string[] = [];
    const cycle = fakeStep('cycle', {
      scope: 'host',
      apply: async (context) => {
        for (const name of ['power-off', 'power-on'])
          await context.act({ name, text: name }, async () => ({ evidence: 'told', value: undefined }));
        return { kind: 'done' };
      },
      observe: () => Promise.resolve(opens.length > 0),
      verify: () => Promise.resolve([]),
    });
    const rescue: Recipe['rescue'] = {
      steps: ['cycle'],
      isDue: (actions) => actions.length > 0,
      open: async ({ actions }, open) => {
        opens.push(actions.map(({ action, done }) => `${action}${done ? '' : '?'}`).join(' '));
        return open();
      },
    };
    const recipe = { ...fakeRecipe([cycle]), rescue };
    const id = (await order(world)).id;
    // The points right after an act was journaled as done, as a worker passes them that does not die.
    const probe = worldOf();
    await workUntilStopped(probe, startEngine(probe, { recipe }), (await order(probe)).id);
    const dones = probe.points.flatMap((point, index) => (point === 'after journal done' ? [index] : []));
    const dying = startEngine(world, { recipe, crashAt: dones[acts] ?? -1 });
    await expect(workUntilStopped(world, dying, id)).rejects.toThrow(Crash);
    const before = [...opens];

    const run = await workUntilStopped(world, startEngine(world, { recipe }), id);

    expect([before, opens]).toEqual([[], [told]]);
    expect(run.state).toBe('done');
  });
});
