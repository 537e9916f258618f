import { describe, expect, it } from 'vitest';
import { Profile } from '../../../src/domain/profile.ts';
import { setEswitch } from '../../../src/steps/set-eswitch.ts';
import { carryOut, diedEverywhere, enrolled } from '../../support/arm-steps.ts';
import type { SwitchWorld } from '../../support/devlink-world.ts';

const p0 = 'pci/0000:03:00.0';
const wanted = { steering: 'leave', uplinks: ['p0'], steeringIsKept: false };
const wantsDmfs = { ...wanted, steering: 'dmfs' };

async function cardWith(one: SwitchWorld): Promise<Awaited<ReturnType<typeof enrolled>>> {
  const world = await enrolled();
  world.arm.switches[p0] = one;
  return world;
}

describe('set-eswitch', () => {
  it('brings a card in legacy mode to switchdev mode, and leaves its steering and the other port', async () => {
    const world = await cardWith({ mode: 'legacy', steering: 'smfs' });

    await expect(carryOut(setEswitch, world, wanted)).resolves.toBe('applied');

    expect(world.log).toEqual([`arm: devlink dev eswitch set ${p0} mode switchdev`]);
    await expect(carryOut(setEswitch, world, wanted)).resolves.toBe('satisfied');
  });

  it('sets the steering in legacy mode, where alone the driver takes it, and comes back', async () => {
    const world = await cardWith({ mode: 'switchdev', steering: 'smfs' });

    await expect(carryOut(setEswitch, world, wantsDmfs)).resolves.toBe('applied');

    expect(world.log).toEqual([
      `arm: devlink dev eswitch set ${p0} mode legacy`,
      `arm: devlink dev param set ${p0} name flow_steering_mode value dmfs cmode runtime`,
      `arm: devlink dev eswitch set ${p0} mode switchdev`,
    ]);
  });

  it('says in its plan that the steering is gone with the next boot, unless the boot service keeps it', () => {
    const seen = { p0: { mode: 'switchdev', steering: 'smfs' } };
    const planned = (params: unknown): string => JSON.stringify(setEswitch.diff(seen, params, { name: 'd' } as never));

    expect(planned(wantsDmfs)).toContain('until the card boots');
    expect(planned({ ...wantsDmfs, steeringIsKept: true })).not.toContain('until the card boots');
  });

  it('refuses a steering that the driver does not know, and changes nothing', async () => {
    const world = await cardWith({ mode: 'switchdev', steering: undefined });

    await expect(carryOut(setEswitch, world, wantsDmfs)).resolves.toBe('steering-not-settable');
    expect(world.log).toEqual([]);
    await expect(carryOut(setEswitch, world, wanted)).resolves.toBe('satisfied');
  });

  it('goes on wherever the worker dies, also between legacy mode and the way back', async () => {
    const make = async (): ReturnType<typeof cardWith> => cardWith({ mode: 'switchdev', steering: 'smfs' });
    for (const { point, world, outcome } of await diedEverywhere(setEswitch, make, wantsDmfs)) {
      expect(['applied', 'satisfied'], point).toContain(outcome);
      expect(world.arm.switches[p0], point).toEqual({ mode: 'switchdev', steering: 'dmfs' });
    }
  });
});

describe('a profile with steering', () => {
  it('is refused where it leaves the mode of the switch alone', () => {
    expect(Profile.safeParse({ dataPath: { eswitch: 'leave', steering: 'dmfs' } }).success).toBe(false);
    expect(Profile.safeParse({ dataPath: { steering: 'dmfs' } }).success).toBe(true);
  });
});
