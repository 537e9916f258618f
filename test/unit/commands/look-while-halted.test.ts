import { expect, test } from 'vitest';
import type { Run } from '../../../src/domain/run.ts';
import { createWorld } from './doubles.ts';

const halt = { by: 'cleo', reason: 'fire drill', sinceMs: 0 };

test('a look is started while all work is halted: it only reads', async () => {
  const world = createWorld();
  world.halt = halt;

  await world.say('UANA', 'diag dpu-b1 links');
  await world.say('UANA', 'provision host-a --plan');

  expect([...world.runs.values()].map((run) => run.recipe)).toEqual(['diag']);
  expect(world.failures).toEqual(['halted']);
});

test('a look that failed is looked again while all work is halted', async () => {
  const world = createWorld();
  await world.say('UANA', 'diag dpu-b1 links');
  const started: Run | undefined = world.runs.get(418);
  if (started === undefined) throw new Error('the look was not started');
  const units = Object.fromEntries(
    Object.entries(started.units).map(([name, unit]) => [name, { ...unit, state: 'failed' as const }]),
  );
  world.runs.set(418, { ...started, state: 'failed', units });
  world.halt = halt;

  await world.say('UANA', 'resume 418');

  expect(world.failures).toEqual([]);
  expect(world.runs.get(418)).toMatchObject({
    state: 'planning',
    units: { 'host-b': { state: 'planning', generation: 1 } },
  });
});
