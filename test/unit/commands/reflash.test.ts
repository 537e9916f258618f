import { describe, expect, test } from 'vitest';
import { sliceHash, sliceOf } from '../../../src/domain/inventory.ts';
import { createWorld, words } from './doubles.ts';

describe('/dpu reflash', () => {
  test('freezes the image that was named in place of that of the profile', async () => {
    const world = createWorld();
    const name = Object.keys(world.inventory.images)[0] ?? 'none';

    await world.say('UANA', `reflash dpu-a --image ${name}`);

    const run = world.runs.get(418);
    const [unit = ''] = Object.keys(run?.units ?? {});
    expect(run).toMatchObject({ recipe: 'reflash', params: { reflash: true, force: true, via: 'auto' } });
    expect(run?.slices[unit]?.imageAsked).toBe(name);
    expect(Object.values(run?.slices[unit]?.profiles ?? {}).map((profile) => profile.image)).toEqual([name]);
    expect(run?.slices[unit]?.images[name]).toEqual(world.inventory.images[name]);
    expect(run?.sliceHashes[unit]).toBe(sliceHash(sliceOf(world.inventory, unit, { imageAsked: name })));
    expect(run?.sliceHashes[unit]).not.toBe(sliceHash(sliceOf(world.inventory, unit)));
  });

  test.each([
    ['reflash dpu-a', '--image'],
    ['reflash dpu-a --image nothing-like-it', 'has no image'],
    ['reflash dpu-a --image x --via usb', 'is rshim or redfish'],
  ])('%s is refused and starts nothing', async (line, why) => {
    const world = createWorld();

    expect(words(await world.say('UANA', line))).toContain(why);
    expect(world.runs.size).toBe(0);
  });
});
