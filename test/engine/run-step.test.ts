import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Run } from '../../src/domain/run.ts';
import type { Need, Recipe, StepSpec } from '../../src/domain/step.ts';
import { defineStep } from '../../src/domain/step.ts';
import { errors } from '../../src/errors.ts';
import { createWorld, order, startEngine, workUntilStopped } from '../support/engine-world.ts';
import { makeInventory } from '../support/make-run.ts';

const inventory = makeInventory(['as7']);
const change = { target: 'as7-dpu0', from: 'a', to: 'b', text: 'a -> b' };

/** A step that wants its switch on and turns it on. */
function fake(
  name: string,
  spec: Partial<StepSpec<Record<string, never>, boolean>> = {},
): ReturnType<typeof defineStep> {
  let on = false;
  return defineStep<Record<string, never>, boolean>({
    name,
    title: name,
    scope: 'dpu',
    risk: 'change',
    params: z.strictObject({}),
    timeoutMs: 60_000,
    needs: [],
    provides: [],
    wanted: () => 'on',
    observe: () => Promise.resolve(on),
    diff: (seen) => (seen ? { kind: 'satisfied', reason: 'on' } : { kind: 'change', changes: [change] }),
    apply: async (context) => {
      await context.act({ name: 'switch', text: 'switch it on' }, async () => {
        on = true;
        return { evidence: 'switched', value: undefined };
      });
      return { kind: 'done' };
    },
    verify: () => Promise.resolve([{ check: 'switch', pass: on, expected: 'on', actual: on ? 'on' : 'off' }]),
    ...spec,
  });
}

async function runOf(steps: readonly ReturnType<typeof fake>[], needs: Recipe['needs'] = {}): Promise<Run> {
  const recipe: Recipe = {
    name: 'provision',
    version: 1,
    onFailure: 'stop',
    needs,
    steps: steps.map((step) => ({ step, params: () => ({}) })),
  };
  const world = createWorld(inventory);
  const deps = startEngine(world, { recipe });
  return workUntilStopped(world, deps, (await order(world)).id);
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
    const run = await runOf([fake('one', { needs: ['arm-ssh'] })], never);

    expect(run.state).toBe('refused');
    expect(run.failure).toMatchObject({ code: 'need-missing', next: 'Flash it.' });
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

    const run = await runOf([first, fake('two', { needs: ['arm-ssh'] })], needs);

    expect(run.state).toBe('done');
    expect(run.summary).toContain('1 done');
  });

  it('refuses a step that must wait for something no planned change provides', async () => {
    const diff = (): { kind: 'deferred'; awaits: Need; reason: string } => ({
      kind: 'deferred',
      awaits: 'bmc-pinned',
      reason: 'later',
    });

    const run = await runOf([fake('one', { diff })]);

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
    const apply: StepSpec<Record<string, never>, boolean>['apply'] = (context) =>
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
    const apply: StepSpec<Record<string, never>, boolean>['apply'] = async (context) => {
      seen.push(context.dpu.name);
      if (context.dpu.name === 'as7-dpu0') throw errors.bmcUnpinned({ target: context.dpu.name });
      return { kind: 'done' };
    };
    const recipe: Recipe = {
      name: 'provision',
      version: 1,
      onFailure: 'stop',
      needs: {},
      steps: [{ step: fake('one', { apply, verify: () => Promise.resolve([]) }), params: () => ({}) }],
    };
    const world = createWorld(makeInventory(['as7'], 2));
    const deps = startEngine(world, { recipe });

    const run = await workUntilStopped(world, deps, (await order(world)).id);

    expect(seen).toEqual(['as7-dpu0', 'as7-dpu1']);
    expect(run.state).toBe('failed');
    expect(run.failure?.code).toBe('bmc-unpinned');
  });
});
