import { expect, it } from 'vitest';
import { provision } from '../../../jobs/provision.ts';
import { requestCancel } from '../../../src/domain/policy.ts';
import type { World } from '../../support/engine-world.ts';
import { order, startEngine, workUntilStopped } from '../../support/engine-world.ts';
import { ana } from '../../support/make-run.ts';
import { runRecipe } from '../../support/provisioned.ts';
import { whenActing } from '../../support/when-acting.ts';
import { wholeWorld } from '../../support/whole-rack.ts';

/** A run that is given up with its card in UEFI: the image is not signed, and Secure Boot came back with the flash. */
async function giveUpInUefi(world: World): Promise<void> {
  world.rack.injectFault('secureboot-back-after-flash', { target: 'as7-dpu0' });
  const deps = whenActing(startEngine(world, { leaseMs: 36_000_000 }), 'secure-boot-off-1', async () =>
    Promise.reject(new Error('it ends here')),
  );
  const run = await workUntilStopped(world, deps, (await order(world)).id);
  expect(run.failure?.why).toContain('it ends here');
  await world.stores.runs.update(run.id, (stopped) => requestCancel(stopped, ana, 0));
  await world.stores.holds.clear('as7', run.id);
}

it('a new run gets a card out of UEFI that a run which was given up left there with Secure Boot on', async () => {
  const world = wholeWorld();
  await giveUpInUefi(world);
  expect(world.rack.card('as7-dpu0').armIsUp()).toBe(false);

  const run = await runRecipe(world, provision, {});

  expect(run.failure).toBeUndefined();
  expect(run.state).toBe('done');
  expect(world.rack.card('as7-dpu0').armExec('ubuntu', 'mokutil --sb-state').stdout.trim()).toBe('SecureBoot disabled');
});
