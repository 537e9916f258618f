import { expect } from 'vitest';
import { DpuEntry } from '../../src/domain/inventory.ts';
import type { ActionRecord, Step } from '../../src/domain/step.ts';
import { enrolArmLogin } from '../../src/steps/enrol-arm-login.ts';
import type { ArmWorld } from './arm-world.ts';
import { contextOf, createArmWorld, ourKey } from './arm-world.ts';

const dpu = DpuEntry.parse({ name: 'as7-dpu0', bmc: { address: 'auto' } });

/** An Arm that can be logged in to by key, reached over tmfifo. */
export async function enrolled(change: Partial<ArmWorld['arm']> = {}): Promise<ArmWorld> {
  const world = createArmWorld({ keys: [ourKey], ...change });
  await carryOut(enrolArmLogin, world, { adopt: false });
  world.log.length = 0;
  return world;
}

/** Looks, acts and verifies; what came of it in a word, or the code of a refusal. */
export async function carryOut(
  step: Step,
  world: ArmWorld,
  params: unknown = {},
  options: Parameters<typeof contextOf>[1] = {},
): Promise<string> {
  const context = contextOf(world, options);
  const observed = await step.observe(context, params);
  const diff = step.diff(observed, params, dpu);
  if (diff.kind === 'refused') return diff.failure.code;
  if (diff.kind !== 'change') return diff.kind;
  await step.apply?.(context, diff.changes, params, observed);
  const verdicts = (await step.verify?.(context, params)) ?? [];
  const wrong = verdicts.filter((verdict) => !verdict.pass);
  return wrong.length === 0 ? 'applied' : `mismatch: ${wrong.map((one) => `${one.check} ${one.actual}`).join()}`;
}

class Crash extends Error {}

/** Dies at every point once, goes on in a new life, and hands out each world at its end. */
export async function diedEverywhere(
  step: Step,
  make: () => Promise<ArmWorld>,
  params: unknown = {},
): Promise<readonly { point: string; world: ArmWorld; outcome: string }[]> {
  const points: string[] = [];
  await carryOut(step, await make(), params, { tick: (point) => points.push(point) });
  const ends: { point: string; world: ArmWorld; outcome: string }[] = [];
  for (const [index, point] of points.entries()) {
    const world = await make();
    const actions: ActionRecord[] = [];
    let passed = 0;
    const tick = (): void => {
      if (passed++ === index) throw new Crash(point);
    };
    await expect(carryOut(step, world, params, { tick, actions })).rejects.toThrow(Crash);
    ends.push({ point, world, outcome: await carryOut(step, world, params, { actions }) });
  }
  return ends;
}
