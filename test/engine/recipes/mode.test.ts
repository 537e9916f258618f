import { describe, expect, it } from 'vitest';
import { mode } from '../../../jobs/mode.ts';
import type { World } from '../../support/engine-world.ts';
import { provisionedWorld, runRecipe } from '../../support/provisioned.ts';

function modeOf(world: World): unknown {
  return world.rack.snapshot().cards.find(({ name }) => name === 'as7-dpu0')?.mode.current;
}

describe('/dpu mode', () => {
  it('takes a card to NIC mode and back to DPU mode, each with one cold power cycle', async () => {
    const world = await provisionedWorld();

    const toNic = await runRecipe(world, mode, { mode: 'nic' });
    expect(toNic.failure).toBeUndefined();
    expect(toNic.state).toBe('done');
    expect(modeOf(world)).toBe('nic');

    const back = await runRecipe(world, mode, { mode: 'dpu' });
    expect(back.failure).toBeUndefined();
    expect(back.state).toBe('done');
    expect(modeOf(world)).toBe('dpu');
    expect(world.rack.card('as7-dpu0').armExec('ubuntu', 'uname -m').stdout.trim()).toBe('aarch64');
  });

  it('finds a card in that mode satisfied, and asks nobody', async () => {
    const world = await provisionedWorld();

    expect((await runRecipe(world, mode, { mode: 'dpu' }, { answer: 'wait' })).state).toBe('satisfied');
  });
});
