import { expect, it } from 'vitest';
import { order, startEngine, workUntilStopped } from '../../support/engine-world.ts';
import { wholeWorld } from '../../support/whole-rack.ts';

it('frees a card whose Secure Boot came back when the image was flashed, which is not signed, and finishes', async () => {
  const world = wholeWorld();
  world.rack.injectFault('secureboot-back-after-flash', { target: 'as7-dpu0' });
  const deps = startEngine(world, { leaseMs: 36_000_000 });

  const run = await workUntilStopped(world, deps, (await order(world)).id);

  const entries = await world.stores.journal.read(run.id, 'as7');
  const acts = entries.flatMap(({ event }) => (event.type === 'intent' ? [event.action] : []));
  expect(acts).toEqual(expect.arrayContaining(['secure-boot-off-1', 'freeing-reset-1']));
  expect(run.failure).toBeUndefined();
  expect(run.state).toBe('done');
  expect(world.rack.card('as7-dpu0').armExec('ubuntu', 'mokutil --sb-state').stdout.trim()).toBe('SecureBoot disabled');
});
