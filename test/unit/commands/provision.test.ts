import { describe, expect, test } from 'vitest';
import { sliceHash, sliceOf } from '../../../src/domain/inventory.ts';
import { createWorld, words } from './doubles.ts';

describe('/dpu provision', () => {
  test('creates a run in planning with everything frozen, and asks a worker to look at it', async () => {
    const world = createWorld();

    const answer = await world.say('UANA', 'provision rack1');

    expect(answer).toBeUndefined();
    const run = world.runs.get(418);
    expect(run).toMatchObject({
      recipe: 'provision',
      text: 'provision rack1',
      requester: { userId: 'UANA', teamId: 'T1', displayName: 'ana' },
      channel: 'C0FLEET1',
      state: 'planning',
      planOnly: false,
      simulated: false,
      maxFailures: 0,
      waveSpec: ['1', '25%', 'rest'],
      approvalMinutes: 60,
      startByMinutes: 60,
    });
    expect(run?.units['host-b']).toEqual({
      unit: 'host-b',
      site: 'lab',
      targets: ['dpu-b0', 'dpu-b1'],
      state: 'planning',
      generation: 0,
    });
    const slice = sliceOf(world.inventory, 'host-b');
    expect(run?.slices['host-b']).toEqual(slice);
    expect(run?.sliceHashes['host-b']).toBe(sliceHash(slice));
    expect(world.advanced).toEqual([418]);
    expect(world.notified).toEqual([418]);
  });

  test('journals and audits who asked for what, with the resolved targets', async () => {
    const world = createWorld();

    await world.say('UANA', 'provision rack1 —plan');

    expect(world.events.map((entry) => entry.event)).toEqual([
      { type: 'run-created', by: { userId: 'UANA', teamId: 'T1', displayName: 'ana' }, text: 'provision rack1 --plan' },
    ]);
    expect(world.audit).toEqual([
      expect.objectContaining({ action: 'provision --plan', runId: 418, targets: ['dpu-a', 'dpu-b0', 'dpu-b1'] }),
    ]);
    expect(world.runs.get(418)?.planOnly).toBe(true);
  });

  test('a single card makes a unit of its host with that card only', async () => {
    const world = createWorld();

    await world.say('UANA', 'provision dpu-b1');

    expect(world.runs.get(418)?.units).toMatchObject({ 'host-b': { targets: ['dpu-b1'] } });
  });

  test('a canary goes first and alone, and the waves of the policy follow for the other hosts', async () => {
    const world = createWorld();

    await world.say('UANA', 'provision rack1 --canary HOST-B --max-failures 3');

    const run = world.runs.get(418);
    expect(Object.keys(run?.units ?? {})).toEqual(['host-b', 'host-a']);
    expect(run).toMatchObject({ waveSpec: ['1', '1', '25%', 'rest'], maxFailures: 3 });
  });

  test('a canary goes first and alone also where the policy knows no waves', async () => {
    const world = createWorld();
    world.inventory = { ...world.inventory, policy: { ...world.inventory.policy, waves: 'all' } };

    await world.say('UANA', 'provision rack1 --canary host-b');

    expect(world.runs.get(418)?.waveSpec).toEqual(['1', 'rest']);
  });

  test('what the person said about old cards, mode and way is stored with the run', async () => {
    const world = createWorld();

    await world.say('UANA', 'provision rack1');
    await world.say('UANA', 'provision rack1 --reflash --set-mode --via-card');
    await world.say('UANA', 'provision rack1 --adopt');

    expect([418, 419, 420].map((id) => world.runs.get(id)?.params)).toEqual([
      { adopt: false, reflash: false, setMode: false, viaCard: false, force: false, via: 'rshim' },
      { adopt: false, reflash: true, setMode: true, viaCard: true, force: false, via: 'rshim' },
      { adopt: true, reflash: false, setMode: false, viaCard: false, force: false, via: 'rshim' },
    ]);
  });

  test('a card whose BMC address is not known yet is taken: it is found during the run', async () => {
    const world = createWorld();

    await world.say('UANA', 'provision rack2');

    expect(world.runs.get(418)?.units).toMatchObject({ 'host-c': { targets: ['dpu-c'] } });
  });

  test('a run is simulated as soon as one of its sites is', async () => {
    const world = createWorld();
    const site = world.inventory.sites.lab;
    if (!site) throw new Error('the sample has no site lab');
    world.inventory = { ...world.inventory, sites: { lab: { ...site, simulated: true } } };

    await world.say('UANA', 'provision host-a');

    expect(world.runs.get(418)?.simulated).toBe(true);
  });

  test.each([
    ['a person without the role', 'UDAN', 'provision rack1', {}, 'may not use'],
    ['an unknown target', 'UANA', 'provision rakc1', {}, 'Did you mean \\"rack1\\"?'],
    ['a canary that is misspelt', 'UANA', 'provision rack1 --canary host-x', {}, 'Did you mean \\"host-a\\"?'],
    ['a canary of another rack', 'UANA', 'provision rack1 --canary dpu-c', {}, 'is no host of rack1'],
    ['a card as canary', 'UANA', 'provision rack1 --canary dpu-b1', {}, 'Did you mean \\"host-b\\"?'],
    ['adopt and reflash together', 'UANA', 'provision rack1 --adopt --reflash', {}, '--adopt exclude each other'],
    ['a number of failures below zero', 'UANA', 'provision rack1 --max-failures=-1', {}, 'from 0 to 999'],
    ['more than 999 failures', 'UANA', 'provision rack1 --max-failures 1000', {}, 'from 0 to 999'],
    ['a channel the inventory does not name', 'UANA', 'provision rack1', { channel: 'C0OTHER' }, 'C0FLEET1, #fleet'],
    ['a wrong flag', 'UANA', 'provision rack1 --pln', {}, 'Did you mean \\"--plan\\"?'],
  ])('starts nothing for %s and says why', async (_what, user, text, extra, expected) => {
    const world = createWorld();

    const answer = await world.say(user, text, extra);

    expect(words(answer)).toContain(expected);
    expect(world.runs.size + world.events.length + world.advanced.length).toBe(0);
  });

  test('a channel that is allowed by its name is known by the name the entrance tells', async () => {
    const world = createWorld();

    await world.say('UANA', 'provision rack1', { channel: 'C0OTHER', channelName: 'fleet' });

    expect(world.runs.size).toBe(1);
  });

  test('asks for an invitation where the bot cannot post, and starts nothing', async () => {
    const world = createWorld();
    world.channels.clear();

    const answer = await world.say('UANA', 'provision rack1', { channelName: 'fleet' });

    expect(words(answer)).toContain('/invite @dpubot');
    expect(words(answer)).toContain('#fleet');
    expect(world.runs.size).toBe(0);
  });

  test('starts nothing while work is halted, and says who halted it and why', async () => {
    const world = createWorld();
    world.halt = { by: 'cleo', reason: 'power work', sinceMs: 1 };

    const answer = await world.say('UANA', 'provision rack1');

    expect(words(answer)).toContain('cleo: power work');
    expect(world.runs.size).toBe(0);
  });
});
