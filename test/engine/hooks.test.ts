import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { requestResume } from '../../src/domain/policy.ts';
import type { Run } from '../../src/domain/run.ts';
import type { Recipe, Step } from '../../src/domain/step.ts';
import { errors } from '../../src/errors.ts';
import { createRack } from '../../src/lab/rack/model.ts';
import { rack2 } from '../../src/lab/rack/rack2.ts';
import { emptyFold, foldMore } from '../../src/report/journal-fold.ts';
import { runView } from '../../src/report/run-view.ts';
import type { World } from '../support/engine-world.ts';
import { createWorld, order, startEngine, workUntilStopped } from '../support/engine-world.ts';
import { fakeRecipe, fakeStep } from '../support/fake-steps.ts';
import { ana, makeInventory } from '../support/make-run.ts';

const undrained = '/tmp/undrained';
const needs: Recipe['needs'] = { 'staged-firmware': async () => ({ met: true }) };

function hookedWorld(): World {
  const inventory = makeInventory(['as11']);
  const host = inventory.hosts['as11'];
  if (host === undefined) throw new Error('no host');
  host.drain = { command: ['touch', '/tmp/drained'], timeoutSeconds: 60 };
  host.undrain = { command: ['touch', undrained], timeoutSeconds: 60 };
  return createWorld(inventory, (nowMs) => createRack({ layout: rack2(), nowMs, seed: 1 }));
}

function isUndrained(world: World): boolean {
  return world.rack.host('as11').exec('ops', `test -e ${undrained}`).exitCode === 0;
}

async function workThrough(world: World, steps: readonly Step[]): Promise<Run> {
  const deps = startEngine(world, { recipe: fakeRecipe(steps, needs) });
  return workUntilStopped(world, deps, (await order(world)).id);
}

async function resume(world: World, id: number, steps: readonly Step[]): Promise<Run> {
  await world.stores.runs.update(id, (run) => requestResume(run, ana));
  await world.stores.queue.addAdvance({ runId: id });
  return workUntilStopped(world, startEngine(world, { recipe: fakeRecipe(steps, needs) }), id, 'wait');
}

/** A step that a person does by hand: refused until then. */
function byHand(isDone: () => boolean): Step {
  return fakeStep('activate', {
    scope: 'host',
    needs: ['staged-firmware'],
    observe: () => Promise.resolve(isDone()),
    diff: (done) =>
      done
        ? { kind: 'satisfied', reason: 'active' }
        : {
            kind: 'refused',
            failure: errors.activationByHand({ host: 'as11', pending: 'it', why: 'By hand.', run: 418 }).failure,
          },
  });
}

describe('a host that was drained', () => {
  it('gets its load back when a person finished by hand what was left, and a resume finds nothing more to do', async () => {
    const world = hookedWorld();
    let isDone = false;
    const flash = fakeStep('flash', { risk: 'disruptive', provides: ['staged-firmware'] });
    const steps = [flash, byHand(() => isDone)];
    const stopped = await workThrough(world, steps);
    const before = isUndrained(world);
    isDone = true;

    const run = await resume(world, stopped.id, steps);

    expect([stopped.state, before]).toEqual(['needs-human', false]);
    expect(run.state).toBe('done');
    expect(isUndrained(world)).toBe(true);
    expect(await world.stores.holds.get('as11')).toBeUndefined();
  });

  it('gets its load back when a step of the host is refused: such a unit is free for others', async () => {
    const world = hookedWorld();
    const refused = fakeStep('check', {
      scope: 'host',
      needs: ['staged-firmware'],
      diff: () => ({ kind: 'refused', failure: errors.nicMode({ target: 'as11' }).failure }),
    });
    const flash = fakeStep('flash', { risk: 'disruptive', provides: ['staged-firmware'] });

    const run = await workThrough(world, [flash, refused]);

    expect(run.state).toBe('refused');
    expect(isUndrained(world)).toBe(true);
    expect(await world.stores.holds.get('as11')).toBeUndefined();
  });

  it.each<readonly [Run['state'], Parameters<typeof fakeStep>[1]]>([
    [
      'needs-human',
      { verify: () => Promise.resolve([{ check: 'switch', pass: false, expected: 'on', actual: 'odd' }]) },
    ],
    ['failed', { apply: () => Promise.reject(errors.nicMode({ target: 'as11-dpu0' })) }],
  ])('is said to be without load where it stays so: after %s', async (state, spec) => {
    const world = hookedWorld();

    const run = await workThrough(world, [fakeStep('flash', { risk: 'disruptive', ...spec })]);

    expect(run.state).toBe(state);
    expect(isUndrained(world)).toBe(false);
    const note = run.units['as11']?.targetNotes?.find(({ target }) => target === 'as11');
    expect(note?.warnings).toEqual([
      `Load was taken off as11 (drain) and is not put back: run \`touch ${undrained}\`.`,
    ]);
  });

  it('is said to be without load when the run is cancelled meanwhile', async () => {
    const world = hookedWorld();
    const flash = fakeStep('flash', {
      risk: 'disruptive',
      verify: async () => {
        await world.stores.runs.update(418, (run) => ({ ...run, cancel: { by: ana, atMs: 1 } }));
        return [];
      },
    });

    const run = await workThrough(world, [flash, fakeStep('more')]);

    const note = run.units['as11']?.targetNotes?.find(({ target }) => target === 'as11');
    expect(run.state).toBe('cancelled');
    expect(note?.warnings.join()).toContain('is not put back');
  });

  it('shows both hooks as done at the end', async () => {
    const world = hookedWorld();

    const run = await workThrough(world, [fakeStep('flash', { risk: 'disruptive' })]);

    const plan = await world.stores.runs.plan(run.id, 'as11', run.units['as11']?.planHash ?? '');
    const entries = await world.stores.journal.read(run.id, 'as11');
    const view = runView(run, plan ? [plan] : [], foldMore(emptyFold(), entries));
    const host = view.units[0]?.targets.find(({ target }) => target === 'as11');
    expect(host?.steps.map(({ step, state }) => [step, state])).toEqual([
      ['drain', 'applied'],
      ['undrain', 'applied'],
    ]);
  });
});

describe('a host that cannot be drained', () => {
  it('is asked once, not once a card: nothing disruptive is begun on any of them, and a resume asks again', async () => {
    const inventory = makeInventory(['as11'], 2);
    const host = inventory.hosts['as11'];
    if (host === undefined) throw new Error('no host');
    host.drain = { command: ['sh', '-c', 'echo x >> /tmp/asked; test -e /tmp/free'], timeoutSeconds: 60 };
    const world = createWorld(inventory, (nowMs) => createRack({ layout: rack2(), nowMs, seed: 1 }));
    const exec = (command: string): string => world.rack.host('as11').exec('ops', command).stdout;
    const asked = (): number => exec('cat /tmp/asked').trim().split('\n').length;
    let flashed = 0;
    const steps = (): readonly Step[] => [
      fakeStep('flash', {
        risk: 'disruptive',
        apply: async () => {
          flashed += 1;
          return Promise.resolve({ kind: 'done' });
        },
        verify: () => Promise.resolve([]),
      }),
    ];

    const run = await workThrough(world, steps());

    expect([run.state, run.failure?.code, asked(), flashed]).toEqual(['failed', 'hook-failed', 1, 0]);
    expect(run.units['as11']?.targetNotes?.map(({ target, outcome }) => [target, outcome])).toEqual([
      ['as11-dpu0', 'failed'],
      ['as11-dpu1', 'failed'],
    ]);
    exec('touch /tmp/free');
    expect((await resume(world, run.id, steps())).state).toBe('done');
    expect([asked(), flashed]).toEqual([2, 2]);
  });
});

describe('the time that a drain takes', () => {
  it('does not count against the step that waits for it', async () => {
    const world = hookedWorld();
    const stepMs = 400;
    let isOn = false;
    const flash = fakeStep('flash', {
      risk: 'disruptive',
      timeoutMs: stepMs,
      observe: () => Promise.resolve(isOn),
      apply: async (context) => {
        context.signal.throwIfAborted();
        await context.act({ name: 'switch', text: 'switch it on' }, async () => {
          isOn = true;
          return { evidence: 'switched', value: undefined };
        });
        return { kind: 'done' };
      },
      verify: () => Promise.resolve([]),
    });
    const deps = startEngine(world, { recipe: fakeRecipe([flash]) });
    const { devices } = deps;
    const open: typeof devices.hosts.open = async (slice) => {
      const session = await devices.hosts.open(slice);
      const run: typeof session.run = async (argv, options) => {
        if (argv.includes('/tmp/drained')) await setTimeout(stepMs + 100);
        return session.run(argv, options);
      };
      return { ...session, run };
    };

    const slow = { ...deps, devices: { ...devices, hosts: { ...devices.hosts, open } } };
    const run = await workUntilStopped(world, slow, (await order(world)).id);

    expect(run.failure).toBeUndefined();
    expect(run.state).toBe('done');
  });
});
