import { expect, test } from 'vitest';
import type { World } from './doubles.ts';
import { createWorld, words } from './doubles.ts';

const halted = (world: World) => void (world.halt = { by: 'cleo', reason: 'x', sinceMs: 0 });
const held = (world: World) => void world.holds.set('host-a', { unit: 'host-a', runId: 7, sinceMs: 0, by: 'ana' });

function leased(world: World): void {
  held(world);
  world.leases.set('host-a', { workerId: 'w1', incarnation: 1, runId: 7 });
}

function waiting(world: World, expiresAtMs: number): void {
  const run = world.runs.get(418);
  if (!run) return;
  const approval = {
    generation: 1,
    state: 'open',
    hashes: {},
    risk: 'disruptive',
    requestedAtMs: 0,
    votes: [],
    askers: [run.requester],
  } as const;
  world.runs.set(418, { ...run, state: 'awaiting-approval', approval: { ...approval, expiresAtMs } });
}

const open = (world: World) => waiting(world, world.nowMs + 1);
const expired = (world: World) => waiting(world, world.nowMs);
const nothing = () => {};

test.each([
  ['a line that is not understood', 'UANA', 'provison rack1', nothing, 'command-invalid'],
  ['an unknown target', 'UANA', 'provision rack9', nothing, 'target-unknown'],
  [
    'a channel the bot is not in',
    'UANA',
    'provision rack1',
    (world: World) => world.channels.clear(),
    'not-in-channel',
  ],
  ['a canary that is no host of the target', 'UANA', 'provision rack2 --canary host-a', nothing, 'command-invalid'],
  ['a halt', 'UANA', 'provision rack1', halted, 'halted'],
  ['a missing right', 'UEVE', 'provision rack1', nothing, 'not-allowed'],
  ['a run that is not there', 'UEVE', 'run 9', nothing, 'run-unknown'],
  ['a run in the wrong state', 'UANA', 'resume 418', nothing, 'run-not-in-state'],
  ['an approval by the requester', 'UANA', 'approve 418', open, 'self-approval'],
  ['an approval that comes too late', 'UBEN', 'approve 418', expired, 'approval-expired'],
  ['a host that a worker is writing to', 'UCLEO', 'unlock host-a --force', leased, 'unit-busy'],
  ['a hold that is not forced', 'UCLEO', 'unlock host-a', held, 'command-invalid'],
])('%s is answered with its own code, once', async (_what, user, line, prepare, code) => {
  const world = createWorld();
  await world.say('UANA', 'provision rack1');
  prepare(world);

  await world.say(user, line);

  expect(world.failures).toEqual([code]);
});

test('the second of two approvers is answered with already-decided', async () => {
  const world = createWorld();
  await world.say('UANA', 'provision rack1');
  open(world);

  await world.say('UBEN', 'approve 418');
  await world.say('UCLEO', 'approve 418');

  expect(world.failures).toEqual(['already-decided']);
});

test.each([
  ['a guest', { guest: true }],
  ['somebody deactivated', { active: false }],
  ['somebody of another workspace', { external: true, teamId: 'T2' }],
])('%s reads nothing either: runs of channels they are not in would be among it', async (_what, difference) => {
  const world = createWorld();
  await world.say('UANA', 'provision rack1');
  world.people.set('UZOE', difference);

  for (const line of ['run 418', 'runs', 'details 418', 'help', 'help provision', '', 'provision --help'])
    expect(words(await world.say('UZOE', line))).toContain('may not');

  expect(world.failures).toEqual(Array.from({ length: 7 }, () => 'not-allowed'));
});
