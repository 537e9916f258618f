import { describe, expect, test } from 'vitest';
import type { World } from './doubles.ts';
import { createWorld, words } from './doubles.ts';

async function lockedBy(user: string, line: string): Promise<World> {
  const world = createWorld();
  world.nowMs = Date.parse('2026-11-24T09:00:00Z');
  await world.say(user, line);
  world.audit.length = 0;
  return world;
}

describe('/dpu lock', () => {
  test.each([
    ['rack1', ['host-a', 'host-b']],
    ['host-a', ['host-a']],
    ['dpu-b0', ['host-b']],
  ])('on %s locks %j, and that is on record', async (target, hosts) => {
    const world = createWorld();

    const answer = words(await world.say('UANA', `lock ${target} --reason “cable swap”`));

    expect((await world.locks.all()).map(({ host, by, reason }) => [host, by.displayName, reason])).toEqual(
      hosts.map((host) => [host, 'ana', 'cable swap']),
    );
    expect(world.audit).toEqual([expect.objectContaining({ action: 'lock', targets: hosts, detail: 'cable swap' })]);
    expect(answer).toContain('locked: cable swap');
    expect(answer).toContain('runs that come to them wait');
  });

  test.each([
    ['rack1 --except host-b', ['host-a']],
    ['rack1 --only dpu-b0', ['host-b']],
  ])('on a slice, %s, locks %j alone, and the same slice is unlocked', async (slice, hosts) => {
    const world = createWorld();

    await world.say('UANA', `lock ${slice} --reason "cable swap"`);
    const locked = (await world.locks.all()).map(({ host }) => host);
    await world.say('UANA', `unlock ${slice}`);

    expect(locked).toEqual(hosts);
    expect(await world.locks.all()).toEqual([]);
  });

  test('says on which of them a run is in the middle of something', async () => {
    const world = createWorld();
    world.leases.set('host-b', { workerId: 'w1', incarnation: 1, runId: 418 });

    const answer = words(await world.say('UANA', 'lock rack1 --reason "cooling fails"'));

    expect(answer).toContain('At work there now, and not stopped by this: host-b (run 418).');
  });

  test('is refused where somebody else has locked one of the hosts, and locks none', async () => {
    const world = await lockedBy('UBEN', 'lock host-b --reason "new firmware"');

    const answer = words(await world.say('UANA', 'lock rack1 --reason "cable swap"'));

    expect(answer).toContain('host-b is locked by ben since');
    expect(answer).toContain('new firmware');
    expect(world.failures).toEqual(['host-locked']);
    expect((await world.locks.all()).map(({ host }) => host)).toEqual(['host-b']);
  });

  test('said again by the same person keeps its time and takes the new reason', async () => {
    const world = await lockedBy('UANA', 'lock host-a --reason "cable swap"');
    const sinceMs = world.nowMs;
    world.nowMs += 60_000;

    await world.say('UANA', 'lock host-a --reason "cable swap, card too"');

    expect(await world.locks.get('host-a')).toMatchObject({ sinceMs, reason: 'cable swap, card too' });
  });

  test.each([
    ['without a reason', 'UANA', 'lock host-a', '--reason is missing'],
    ['by somebody who may not operate', 'UDAN', 'lock host-a --reason "cable swap"', 'needs the role operators'],
    ['on what is not there', 'UANA', 'lock hots-a --reason "cable swap"', 'Did you mean'],
  ])('is refused %s', async (_what, user, line, expected) => {
    const world = createWorld();

    expect(words(await world.say(user, line))).toContain(expected);
    expect(await world.locks.all()).toEqual([]);
  });
});

describe('a locked host', () => {
  test.each([
    'provision rack1',
    'reflash host-b --image bf-2.9.2',
    'mode dpu-b0 nic',
    'reboot host-b host',
    'rotate host-b bmc',
    'recover dpu-b1 stuck-rshim',
  ])('is not changed by %s: who, why, since when, and the ways on', async (line) => {
    const world = await lockedBy('UBEN', 'lock host-b --reason "new firmware"');

    const answer = words(await world.say('UANA', line));

    expect(answer).toContain('host-b is locked by ben since <!date^1795510800^');
    expect(answer).toContain('new firmware.');
    expect(answer).toContain('Talk to ben; `/dpu unlock host-b` takes it off');
    expect(world.failures).toEqual(['host-locked']);
    expect(world.runs.size).toBe(0);
  });

  test('may be left out where the command names others as well, and only there', async () => {
    const world = await lockedBy('UBEN', 'lock host-b --reason "new firmware"');

    expect(words(await world.say('UANA', 'provision rack1'))).toContain('`/dpu provision rack1 --except host-b`');
    expect(words(await world.say('UANA', 'provision host-b'))).not.toContain('--except');
  });

  test('keeps off also the person who locked it', async () => {
    const world = await lockedBy('UANA', 'lock host-a --reason "cable swap"');

    const answer = words(await world.say('UANA', 'provision host-a'));

    expect(answer).toContain('It is your own lock; `/dpu unlock host-a` takes it off.');
    expect(world.failures).toEqual(['host-locked']);
  });

  test.each(['provision host-a --plan', 'inspect host-a', 'status host-a --refresh', 'console dpu-a'])(
    'is looked at by %s',
    async (line) => {
      const world = await lockedBy('UBEN', 'lock host-a --reason "new firmware"');

      await world.say('UANA', line);

      expect(world.runs.size).toBe(1);
    },
  );

  test('keeps a stopped run from being resumed on it', async () => {
    const world = createWorld();
    await world.say('UANA', 'provision rack1');
    const run = world.runs.get(418);
    if (run) world.runs.set(418, { ...run, state: 'failed' });
    await world.say('UBEN', 'lock host-b --reason "new firmware"');

    const answer = words(await world.say('UANA', 'resume 418'));

    expect(answer).toContain('host-b is locked by ben');
    expect(answer).not.toContain('--except');
    expect(world.runs.get(418)?.state).toBe('failed');
  });

  test('stands in /dpu status with who, since when and why', async () => {
    const world = await lockedBy('UBEN', 'lock host-a --reason "new <!here> firmware"');

    const one = await world.say('UANA', 'status dpu-a');
    const all = words(await world.say('UANA', 'status'));

    expect(JSON.stringify(one)).toContain('*locked* by ben since <!date^1795510800^');
    expect(JSON.stringify(one)).toContain('new &lt;!here&gt; firmware');
    expect(all).toContain('lock of ben');
  });
});

describe('/dpu unlock of locks', () => {
  test('takes off all locks of a rack, says whose they were, and records each', async () => {
    const world = await lockedBy('UBEN', 'lock host-b --reason "new firmware"');
    await world.say('UANA', 'lock host-a --reason "cable swap"');
    world.audit.length = 0;

    const answer = words(await world.say('UANA', 'unlock rack1'));

    expect(await world.locks.all()).toEqual([]);
    expect(answer).toContain('host-a and host-b are unlocked; runs that wait there go on.');
    expect(answer).toContain('The lock on host-a was yours');
    expect(answer).toContain('The lock on host-b was of <@UBEN>');
    expect(answer).toContain('dpubot does not tell ben: do so yourself.');
    expect(world.audit).toEqual([
      expect.objectContaining({ action: 'unlock', targets: ['host-a'], detail: expect.stringContaining('by ana') }),
      expect.objectContaining({
        action: 'unlock',
        targets: ['host-b'],
        detail: 'locked by ben (UBEN) since 2026-11-24T09:00:00.000Z: new firmware',
      }),
    ]);
  });

  test('leaves the hold of a run, and says so', async () => {
    const world = await lockedBy('UBEN', 'lock host-a --reason "new firmware"');
    world.holds.set('host-a', { unit: 'host-a', runId: 418, sinceMs: 0, by: 'ana' });

    expect(words(await world.say('UBEN', 'unlock host-a'))).toContain('host-a is still held by run 418');
    expect(world.holds.size).toBe(1);
  });

  test('with nothing of a slice locked says so of its hosts, not of the target that has a locked one', async () => {
    const world = await lockedBy('UBEN', 'lock host-a --reason "new firmware"');

    expect(words(await world.say('UANA', 'unlock rack1,host-c --except host-a'))).toContain(
      'what is left of rack1,host-c (host-b and host-c) is not held, and not locked either.',
    );
    expect((await world.locks.all()).map(({ host }) => host)).toEqual(['host-a']);
  });

  test('with nothing locked says what there is instead: a hold, work in the middle, or nothing', async () => {
    const world = createWorld();
    expect(words(await world.say('UANA', 'unlock rack1'))).toContain('rack1 is not held, and not locked either.');

    world.leases.set('host-b', { workerId: 'w1', incarnation: 1, runId: 418 });
    expect(words(await world.say('UANA', 'unlock rack1'))).toContain('host-b is being worked on right now');

    world.holds.set('host-b', { unit: 'host-b', runId: 418, sinceMs: 0, by: 'ana' });
    const held = words(await world.say('UANA', 'unlock rack1'));
    expect(held).toContain('host-b is held by run 418');
    expect(held).toContain('Better: `/dpu resume 418`');
  });

  test('--force is for holds: of a host that is only locked it says whose lock it is', async () => {
    const world = await lockedBy('UBEN', 'lock host-a --reason "new firmware"');

    const answer = words(await world.say('UCLEO', 'unlock host-a --force'));

    expect(answer).toContain('ben has locked it: new firmware');
    expect(answer).toContain('`/dpu unlock host-a` takes the lock off');
    expect((await world.locks.all()).length).toBe(1);
  });

  test('is refused to people who may neither operate nor administer', async () => {
    const world = await lockedBy('UBEN', 'lock host-a --reason "new firmware"');

    expect(words(await world.say('UDAN', 'unlock host-a'))).toContain('needs the role operators');
    expect((await world.locks.all()).length).toBe(1);
  });
});
