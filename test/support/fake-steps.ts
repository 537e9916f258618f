import { recipeVersions } from '../../jobs/payloads.ts';
import { z } from 'zod';
import type { Recipe, Step, StepSpec } from '../../src/domain/step.ts';
import { defineStep } from '../../src/domain/step.ts';

export type FakeSpec = StepSpec<Record<string, never>, boolean>;

export const fakeChange = { target: 'as7-dpu0', from: 'a', to: 'b', text: 'a -> b' };

/** A step that wants its switch on and turns it on. */
export function fakeStep(name: string, spec: Partial<FakeSpec> = {}): Step {
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
    diff: (seen) => (seen ? { kind: 'satisfied', reason: 'on' } : { kind: 'change', changes: [fakeChange] }),
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

/** A recipe of these steps, without parameters. */
export function fakeRecipe(steps: readonly Step[], needs: Recipe['needs'] = {}): Recipe {
  return {
    name: 'provision',
    version: recipeVersions.provision,
    onFailure: 'stop',
    needs,
    steps: steps.map((step) => ({ step, params: () => ({}) })),
  };
}
