import { describe, expect, it } from 'vitest';
import { flashReboots } from '../../../src/steps/flash-plan.ts';
import { codeOf, freshWorld, provision } from './flash-run.ts';
import type { FlashWorld } from './flash-world.ts';
import { params } from './flash-world.ts';

const unsigned = { ...params, image: { ...params.image, signed: false }, secureBootMustBeOff: true };
const off = 'PATCH Bluefield/SecureBoot {"SecureBootEnable":false}';
const reset = 'POST Actions/ComputerSystem.Reset {"ResetType":"ForceRestart"}';

/** With the installation Secure Boot comes back, and the new system does not start with it. */
function comesBack(change: Partial<FlashWorld['is']> = {}): FlashWorld {
  const world = freshWorld(change);
  world.is.crash = (point) => {
    if (point !== 'before await-boot-1') return;
    world.is.secureBoot = true;
    world.is.boots = 'stays-in-uefi';
  };
  return world;
}

function measures(world: FlashWorld): readonly string[] {
  return world.sent.filter((line) => line === off || line === reset);
}

describe('Secure Boot that comes back with an image that is not signed', () => {
  it('is switched off, the Arm reset twice, and the flash goes on', async () => {
    const world = comesBack();

    expect(await codeOf(provision(world, unsigned))).toBe('done');

    expect(measures(world)).toEqual([off, reset, reset]);
    expect(world.pushes()).toBe(1);
  });

  it('ends in uefi-shell when four resets have not helped', async () => {
    const world = comesBack({ resetsUntilFree: 99 });

    expect(await codeOf(provision(world, unsigned))).toBe('uefi-shell');

    expect(measures(world)).toEqual([off, reset, reset, reset, reset]);
  });

  it('is left alone for a signed image: the card stands in UEFI for another reason', async () => {
    const world = comesBack();

    expect(await codeOf(provision(world))).toBe('uefi-shell');

    expect(measures(world)).toEqual([]);
  });

  it('a worker that dies between its reset and the word of it does not reset once more', async () => {
    const world = comesBack();
    const before = world.is.crash;
    let died = false;
    world.is.crash = (point) => {
      before(died ? '' : point);
      if (died || point !== 'after freeing-reset-1') return;
      died = true;
      throw new Error('SIGKILL');
    };
    await codeOf(provision(world, unsigned));

    expect(await codeOf(provision(world, unsigned))).toBe('done');

    expect(measures(world)).toEqual([off, reset, reset]);
    expect(world.pushes()).toBe(1);
  });

  it('is in the plan: up to four more Arm resets, only where the image is not signed', () => {
    const more = { what: 'arm', target: 'as7-dpu0', times: 4, certainty: 'at-most' };

    expect(flashReboots(unsigned, 'as7-dpu0')).toContainEqual(expect.objectContaining(more));
    expect(flashReboots(params, 'as7-dpu0')).not.toContainEqual(expect.objectContaining(more));
  });
});
