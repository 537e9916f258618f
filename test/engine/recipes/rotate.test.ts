import { describe, expect, it } from 'vitest';
import { rotate } from '../../../jobs/rotate.ts';
import type { World } from '../../support/engine-world.ts';
import { provisionedWorld, runRecipe } from '../../support/provisioned.ts';

async function filed(world: World, what: 'bmc' | 'arm'): Promise<Readonly<Record<string, string>>> {
  const { serial } = world.rack.card('as7-dpu0');
  const list = await world.stores.credentials.bmc(what === 'bmc' ? { serial } : { armSerial: serial });
  return Object.fromEntries(list.map(({ slot, secret }) => [slot, secret.reveal()]));
}

describe('/dpu rotate', () => {
  it('bmc: the old password becomes the previous one, and only the new one opens the BMC', async () => {
    const world = await provisionedWorld();
    const { current: old } = await filed(world, 'bmc');

    const run = await runRecipe(world, rotate, { what: 'bmc' });

    expect(run.failure).toBeUndefined();
    expect(run.state).toBe('done');
    const now = await filed(world, 'bmc');
    expect(now).toEqual({ current: expect.any(String), previous: old });
    expect(now['current']).not.toBe(old);
    const card = world.rack.snapshot().cards.find(({ name }) => name === 'as7-dpu0');
    expect(card?.bmc.rootPassword).toBe(now['current']);
  });

  it('arm: the new password opens the Arm and the old one does not any more', async () => {
    const world = await provisionedWorld();
    const { current: old = '' } = await filed(world, 'arm');

    const run = await runRecipe(world, rotate, { what: 'arm' });

    expect(run.failure).toBeUndefined();
    expect(run.state).toBe('done');
    const { current = '', previous } = await filed(world, 'arm');
    expect(previous).toBe(old);
    const card = world.rack.card('as7-dpu0');
    expect(card.armLogin('ubuntu', old)).toBe('wrong');
    expect(card.armLogin('ubuntu', current)).toBe('ok');
  });
});
