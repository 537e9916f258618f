import { describe, expect, it } from 'vitest';
import { provision } from '../../../jobs/provision.ts';
import type { Inventory } from '../../../src/domain/inventory.ts';
import { runRecipe } from '../../support/provisioned.ts';
import { wholeWorld } from '../../support/whole-rack.ts';

/** A profile that leaves the packages of the host alone: it has no rshim then, and gets none. */
function withoutDoca(image: string) {
  return (inventory: Inventory): Inventory => {
    const profiles = Object.entries(inventory.profiles).map(([name, { doca: _none, ...profile }]) => {
      return [name, { ...profile, image }] as const;
    });
    return { ...inventory, profiles: Object.fromEntries(profiles) };
  };
}

describe('a factory-fresh card in a host without rshim', () => {
  it('gets its image over Redfish in the run that sets the password of its BMC', async () => {
    const world = wholeWorld(undefined, undefined, withoutDoca('bf-2.9.2'));

    const run = await runRecipe(world, provision, { via: 'auto' });

    expect(run.failure).toBeUndefined();
    expect(run.state).toBe('done');
    expect(world.rack.card('as7-dpu0').armExec('ubuntu', 'cat /etc/mlnx-release').stdout.trim()).toBe(
      'bf-bundle-2.9.2-32_25.02_ubuntu-22.04_prod',
    );
  });

  it('is refused before anything is changed when the BMC could not fetch the image either', async () => {
    const world = wholeWorld(undefined, undefined, withoutDoca('bf-2.9.2-patched'));

    const run = await runRecipe(world, provision, { via: 'auto' });

    expect([run.state, run.failure?.code]).toEqual(['refused', 'flash-way-missing']);
    expect(run.failure?.next).toMatch(/The other way is closed too/);
    expect(await world.stores.credentials.bmc({ serial: 'MT2334XZ0A7K' })).toEqual([]);
  });
});
