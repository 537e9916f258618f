import { describe, expect, test } from 'vitest';
import { createWorld, words } from './doubles.ts';

describe('/dpu mode, /dpu reboot and /dpu rotate', () => {
  test.each([
    ['mode dpu-a nic', { recipe: 'mode', params: { mode: 'nic', viaCard: false } }],
    ['mode rack1 dpu --via-card', { recipe: 'mode', params: { mode: 'dpu', viaCard: true } }],
    ['reboot dpu-a arm', { recipe: 'reboot', params: { what: 'arm', cold: false, viaCard: false } }],
    ['reboot dpu-a bmc --plan', { recipe: 'reboot', params: { what: 'bmc', cold: false, viaCard: false } }],
    ['rotate rack1 bmc', { recipe: 'rotate', params: { what: 'bmc' } }],
    ['reboot host-b host --cold', { recipe: 'reboot', params: { what: 'host', cold: true, viaCard: false } }],
  ])('%s starts a run of that', async (line, wanted) => {
    const world = createWorld();

    await world.say('UANA', line);

    expect(world.runs.get(418)).toMatchObject(wanted);
    expect(world.runs.get(418)?.planOnly).toBe(line.includes('--plan'));
  });

  test.each([
    ['mode dpu-a fast', 'is dpu or nic'],
    ['mode dpu-a', 'mode'],
    ['reboot dpu-a fan', 'is arm, bmc or host'],
    ['rotate dpu-a uefi', 'is bmc or arm'],
    ['reboot dpu-a arm --cold', 'goes with host only'],
  ])('%s is refused and starts nothing', async (line, why) => {
    const world = createWorld();

    expect(words(await world.say('UANA', line))).toContain(why);
    expect(world.runs.size).toBe(0);
  });
});
