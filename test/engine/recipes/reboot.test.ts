import { describe, expect, it } from 'vitest';
import { reboot } from '../../../jobs/reboot.ts';
import { provisionedWorld, runRecipe } from '../../support/provisioned.ts';

describe('/dpu reboot', () => {
  it('arm: resets the Arm once and leaves host and BMC alone', async () => {
    const world = await provisionedWorld();
    const [card, host] = [world.rack.card('as7-dpu0'), world.rack.host('as7')];
    const before = [card.armBootId(), host.bootId(), card.bmcStartedAtMs()];

    const run = await runRecipe(world, reboot, { what: 'arm' });

    expect(run.failure).toBeUndefined();
    expect(run.state).toBe('done');
    expect(card.armBootId()).not.toBe(before[0]);
    expect([host.bootId(), card.bmcStartedAtMs()]).toEqual(before.slice(1));
    expect(card.armIsUp()).toBe(true);
  });

  it('bmc: restarts the BMC once, and waits until it answers again', async () => {
    const world = await provisionedWorld();
    const card = world.rack.card('as7-dpu0');
    const before = [card.armBootId(), card.bmcStartedAtMs()];

    const run = await runRecipe(world, reboot, { what: 'bmc' });

    expect(run.failure).toBeUndefined();
    expect(run.state).toBe('done');
    expect(card.armBootId()).toBe(before[0]);
    expect(card.bmcStartedAtMs()).not.toBe(before[1]);
    expect(card.bmcIsUp()).toBe(true);
  });

  it.each([
    ['warm: its system starts anew and the Arm keeps running', false],
    ['cold: its cards lose their power too', true],
  ])('host, %s', async (_what, cold) => {
    const world = await provisionedWorld();
    const [card, host] = [world.rack.card('as7-dpu0'), world.rack.host('as7')];
    const before = { arm: card.armBootId(), host: host.bootId() };

    const run = await runRecipe(world, reboot, { what: 'host', cold });

    expect(run.failure).toBeUndefined();
    expect(run.state).toBe('done');
    expect(host.bootId()).not.toBe(before.host);
    expect(card.armBootId() !== before.arm).toBe(cold);
    expect(card.armIsUp()).toBe(true);
  });
});
