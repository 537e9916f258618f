import { describe, expect, test } from 'vitest';
import { recoverKinds } from '../../../jobs/payloads.ts';
import { createWorld, words } from './doubles.ts';

describe('/dpu recover', () => {
  test.each(recoverKinds)('%s starts a run of that, for one card or more', async (what) => {
    const world = createWorld();

    await world.say('UANA', `recover rack1 ${what}`);

    expect(world.runs.get(418)).toMatchObject({
      recipe: 'recover',
      params: { what, viaCard: false },
      planOnly: false,
      maxFailures: 0,
    });
  });

  test('only looks with --plan, and takes --via-card along', async () => {
    const world = createWorld();

    await world.say('UANA', 'recover dpu-a dpu-mode --plan --via-card');

    expect(world.runs.get(418)).toMatchObject({ params: { what: 'dpu-mode', viaCard: true }, planOnly: true });
  });

  test.each([
    ['recover dpu-a', 'what'],
    ['recover dpu-a everything', 'is one of arm-password, bmc-password, uefi-password, dpu-mode, factory-bmc'],
    ['recover nobody bmc-password', 'no rack, host or DPU'],
  ])('%s is refused and starts nothing', async (line, why) => {
    const world = createWorld();

    expect(words(await world.say('UANA', line))).toContain(why);
    expect(world.runs.size).toBe(0);
  });
});
