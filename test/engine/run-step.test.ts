import { describe, expect, it } from 'vitest';
import type { UnitPlan } from '../../src/domain/plan.ts';
import type { Run } from '../../src/domain/run.ts';
import type { Need, Recipe, Step } from '../../src/domain/step.ts';
import { errors } from '../../src/errors.ts';
import type { World } from '../support/engine-world.ts';
import { createWorld, order, startEngine, workUntilStopped } from '../support/engine-world.ts';
import type { FakeSpec } from '../support/fake-steps.ts';
import { fakeChange, fakeRecipe, fakeStep as fake } from '../support/fake-steps.ts';
import { makeInventory } from '../support/make-run.ts';

const inventory = makeInventory(['as7']);

interface Worked {
  readonly world: World;
  readonly run: Run;
}

async function worked(steps: readonly Step[], needs: Recipe['needs'] = {}): Promise<Worked> {
  const world = createWorld(inventory);
  const deps = startEngine(world, { recipe: fakeRecipe(steps, needs) });
  return { world, run: await workUntilStopped(world, deps, (await order(world)).id) };
}

async function runOf(...input: Parameters<typeof worked>): Promise<Run> {
  return (await worked(...input)).run;
}

async function planOf(world: World, run: Run): Promise<UnitPlan | undefined> {
  return world.stores.runs.plan(run.id, 'as7', run.units['as7']?.planHash ?? '');
}

const never: Recipe['needs'] = {
  'arm-ssh': () =>
    Promise.resolve({
      met: false,
      failure: errors.needMissing({ step: 'x', target: 'as7-dpu0', need: 'arm-ssh', remedy: 'Flash it.' }).failure,
    }),
};

describe('run-step', () => {
  it('applies a harmless change without asking anybody', async () => {
    const run = await runOf([fake('one'), fake('two')]);

    expect(run.state).toBe('done');
    expect(run.approval).toBeUndefined();
  });

  it('is a failure when the card accepted a change and does not show it', async () => {
    const verify = (): Promise<{ check: string; pass: boolean; expected: string; actual: string }[]> =>
      Promise.resolve([{ check: 'switch', pass: false, expected: 'on', actual: 'off' }]);

    const run = await runOf([fake('one', { verify }), fake('two')]);

    expect(run.state).toBe('needs-human');
    expect(run.failure).toMatchObject({ code: 'verify-mismatch', deviceState: 'changed' });
  });

  it('refuses a need that nothing provides, with its remedy, and leaves the card alone', async () => {
    let isApplied = false;
    const apply: FakeSpec['apply'] = () => {
      isApplied = true;
      return Promise.resolve({ kind: 'done' });
    };

    const run = await runOf([fake('one', { needs: ['arm-ssh'], apply })], never);

    expect(run.state).toBe('refused');
    expect(run.failure).toMatchObject({ code: 'need-missing', next: 'Flash it.' });
    expect(isApplied).toBe(false);
  });

  it('defers a need that an earlier change provides, and then does both', async () => {
    const provides: Need[] = ['arm-ssh'];
    let met = false;
    const needs: Recipe['needs'] = {
      'arm-ssh': async (context) => (met ? { met: true } : ((await never['arm-ssh']?.(context)) ?? { met: true })),
    };
    const first = fake('one', {
      provides,
      verify: () => {
        met = true;
        return Promise.resolve([]);
      },
    });

    const { world, run } = await worked([first, fake('two', { needs: ['arm-ssh'] })], needs);

    const entries = await world.stores.journal.read(run.id, 'as7');
    const applied = entries.flatMap(({ event }) => (event.type === 'step-applied' ? [event.step] : []));
    expect((await planOf(world, run))?.steps.map(({ state }) => state)).toEqual(['change', 'deferred']);
    expect(run.state).toBe('done');
    expect(applied).toEqual(['one', 'two']);
  });

  it('refuses a step that must wait for something no planned change provides', async () => {
    const diff = (): { kind: 'deferred'; awaits: Need; reason: string } => ({
      kind: 'deferred',
      awaits: 'bmc-pinned',
      reason: 'later',
    });

    const run = await runOf([fake('one', { diff })]);

    expect(run.state).toBe('refused');
    expect(run.failure?.code).toBe('need-missing');
  });

  it('says that the outcome is unknown when a step cannot tell, and asks for a person', async () => {
    const apply = (): never => {
      throw errors.outcomeUnknown({ what: 'The push may be running.', why: 'No reply came.', run: 418 });
    };

    const run = await runOf([fake('one', { apply })]);

    expect(run.state).toBe('needs-human');
    expect(run.failure).toMatchObject({ code: 'outcome-unknown', deviceState: 'unknown' });
  });

  it('stops a step at its limit and says that the card may still be busy', async () => {
    const apply: FakeSpec['apply'] = (context) =>
      new Promise((_, reject) => {
        context.signal.addEventListener('abort', () => reject(new Error('aborted')));
      });

    const run = await runOf([fake('one', { apply, timeoutMs: 20 })]);

    expect(run.failure).toMatchObject({ code: 'step-timeout', deviceState: 'unknown' });
  });

  it('takes an error it does not know for a bug of its own, never for success', async () => {
    const observe = (): never => {
      throw new TypeError('x is not a function');
    };

    const run = await runOf([fake('one', { observe })]);

    expect(run.state).toBe('failed');
    expect(run.failure).toMatchObject({ code: 'bug', why: 'TypeError: x is not a function' });
  });

  it('lets the other card go on when one fails, and the unit ends with the worst', async () => {
    const seen: string[] = [];
    const apply: FakeSpec['apply'] = async (context) => {
      seen.push(context.dpu.name);
      if (context.dpu.name === 'as7-dpu0') throw errors.bmcUnpinned({ target: context.dpu.name });
      return { kind: 'done' };
    };
    const recipe = fakeRecipe([fake('one', { apply, verify: () => Promise.resolve([]) })]);
    const world = createWorld(makeInventory(['as7'], 2));
    const deps = startEngine(world, { recipe });

    const run = await workUntilStopped(world, deps, (await order(world)).id);

    expect(seen).toEqual(['as7-dpu0', 'as7-dpu1']);
    expect(run.state).toBe('failed');
    expect(run.failure?.code).toBe('bmc-unpinned');
  });

  it('does not say that nothing was changed when a step fails after it has acted', async () => {
    const acted: FakeSpec['apply'] = async (context) => {
      await context.act({ name: 'switch', text: 'switch it on' }, () =>
        Promise.resolve({ evidence: 'switched', value: undefined }),
      );
      throw errors.bmcUnreachable({ target: 'as7-dpu0', address: 'model' });
    };
    const inTheAct: FakeSpec['apply'] = async (context) =>
      context.act({ name: 'switch', text: 'switch it on' }, () => {
        throw errors.bmcUnreachable({ target: 'as7-dpu0', address: 'model' });
      });
    const before: FakeSpec['apply'] = () => {
      throw errors.bmcUnreachable({ target: 'as7-dpu0', address: 'model' });
    };

    const states = [];
    for (const apply of [acted, inTheAct, before])
      states.push((await runOf([fake('one', { apply })])).failure?.deviceState);

    expect(states).toEqual(['changed', 'unknown', 'unchanged']);
  });

  it('refuses a need that nobody can look at, in the plan already', async () => {
    const { world, run } = await worked([fake('one', { needs: ['rshim'] })]);

    const entries = await world.stores.journal.read(run.id, 'as7');
    expect(run.state).toBe('refused');
    expect(run.failure?.code).toBe('need-missing');
    expect(entries.map(({ event }) => event.type)).toEqual(['plan-started', 'plan-ready']);
  });

  it('waits for a need that comes by itself, and then goes on', async () => {
    const world = createWorld(inventory);
    const untilMs = world.clock.nowMs() + 20_000;
    const needs: Recipe['needs'] = {
      'bmc-session': (context) =>
        Promise.resolve(
          context.clock.nowMs() < untilMs
            ? { met: false, untilMs, failure: errors.bmcLocked({ target: 'as7-dpu0', untilIso: 'soon' }).failure }
            : { met: true },
        ),
    };
    const deps = startEngine(world, { recipe: fakeRecipe([fake('one', { needs: ['bmc-session'] })], needs) });

    const run = await workUntilStopped(world, deps, (await order(world)).id);

    expect(run.state).toBe('done');
    expect(world.clock.nowMs()).toBeGreaterThanOrEqual(untilMs);
  });

  it('goes on after a lock-out that it had planned to wait for', async () => {
    const world = createWorld(inventory);
    const untilMs = world.clock.nowMs() + 20_000;
    const diff: FakeSpec['diff'] = (on) => {
      if (world.clock.nowMs() < untilMs) return { kind: 'waiting', reason: 'locked', untilMs };
      return on ? { kind: 'satisfied', reason: 'on' } : { kind: 'change', changes: [fakeChange] };
    };
    const deps = startEngine(world, { recipe: fakeRecipe([fake('one', { diff })]) });

    const run = await workUntilStopped(world, deps, (await order(world)).id);

    expect(run.state).toBe('done');
    expect(world.clock.nowMs()).toBeGreaterThanOrEqual(untilMs);
  });

  it('runs a host step with the cards that are left when the first one has failed', async () => {
    const seen: string[] = [];
    const first = fake('one', {
      apply: async (context) => {
        if (context.dpu.name === 'as7-dpu0') throw errors.bmcUnpinned({ target: context.dpu.name });
        return { kind: 'done' };
      },
      verify: () => Promise.resolve([]),
    });
    const host = fake('two', {
      scope: 'host',
      apply: async (context) => {
        seen.push(context.dpu.name);
        return { kind: 'done' };
      },
      verify: () => Promise.resolve([]),
    });
    const world = createWorld(makeInventory(['as7'], 2));
    const deps = startEngine(world, { recipe: fakeRecipe([first, host]) });

    await workUntilStopped(world, deps, (await order(world)).id);

    expect(seen).toEqual(['as7-dpu1']);
  });
});
