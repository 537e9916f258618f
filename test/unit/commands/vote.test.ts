import { describe, expect, test } from 'vitest';
import { policyHash } from '../../../src/domain/policy.ts';
import type { Approval } from '../../../src/domain/run.ts';
import type { World } from './doubles.ts';
import { createWorld, words } from './doubles.ts';

/** Run 418 of ana on rack1, waiting for approval of plan generation 2. */
async function waitingRun(extra: Partial<Approval> = {}): Promise<World> {
  const world = createWorld();
  await world.say('UANA', 'provision rack1');
  const run = world.runs.get(418);
  if (!run) throw new Error('the run was not created');
  const approval: Approval = {
    generation: 2,
    state: 'open',
    hashes: { 'host-a': 'hash-a', 'host-b': 'hash-b' },
    risk: 'disruptive',
    requestedAtMs: world.nowMs,
    expiresAtMs: world.nowMs + 60_000,
    votes: [],
    askers: [run.requester],
    ...extra,
  };
  world.runs.set(418, { ...run, state: 'awaiting-approval', approval });
  for (const list of [world.events, world.audit, world.advanced, world.notified, world.lookups]) list.length = 0;
  return world;
}

describe('/dpu approve', () => {
  test('records the vote with rights read past every cache, and lets the worker go on', async () => {
    const world = await waitingRun();

    const answer = await world.say('UBEN', 'approve 418');

    expect(words(answer)).toContain('Run 418 is approved.');
    expect(world.lookups).toEqual([{ userId: 'UBEN', fresh: true }]);
    const approval = world.runs.get(418)?.approval;
    expect(approval).toMatchObject({ state: 'approved', approvedAtMs: world.nowMs });
    expect(approval?.votes).toEqual([
      {
        by: { userId: 'UBEN', teamId: 'T1', displayName: 'ben' },
        vote: 'approve',
        roles: ['operators', 'approvers'],
        policyHash: policyHash(world.inventory),
        atMs: world.nowMs,
      },
    ]);
    expect(world.events.map(({ event }) => event.type)).toEqual(['vote', 'approved']);
    expect(world.events[0]?.event).toMatchObject({ given: 1, wanted: 1 });
    expect(world.events[1]?.event).toMatchObject({ generation: 2 });
    expect(world.advanced).toEqual([418]);
  });

  test('audits each unit with its targets and the hash of exactly the plan that was approved', async () => {
    const world = await waitingRun();

    await world.say('UBEN', 'approve 418 --reason "looked at both"');

    expect(world.audit).toEqual([
      expect.objectContaining({ action: 'approve', runId: 418, targets: ['dpu-a'], planHash: 'hash-a' }),
      expect.objectContaining({ targets: ['dpu-b0', 'dpu-b1'], planHash: 'hash-b', detail: 'looked at both' }),
    ]);
  });

  test('a press on the button is answered by the card alone', async () => {
    const world = await waitingRun();

    expect(await world.say('UBEN', 'approve 418 --generation 2', { source: 'button' })).toBeUndefined();
    expect(world.runs.get(418)?.approval?.state).toBe('approved');
  });

  test('a press on the button of an older plan is told so and counts for nothing', async () => {
    const world = await waitingRun();

    const answer = await world.say('UBEN', 'approve 418 --generation 1', { source: 'button' });

    expect(words(answer)).toContain('this button belongs to an older plan');
    expect(world.runs.get(418)?.approval?.votes).toEqual([]);
  });

  test('the requester is refused with the reason, and that is on record', async () => {
    const world = await waitingRun();

    const answer = await world.say('UANA', 'approve 418');

    expect(words(answer)).toContain('ana asked for run 418 and so cannot approve it');
    expect(world.events).toEqual([]);
    expect(world.advanced).toEqual([]);
    expect(world.audit).toEqual([
      expect.objectContaining({ action: 'refused: approve', detail: 'self-approval: approve 418' }),
    ]);
  });

  test('of two who approve at once one wins, and the other is told who was first', async () => {
    const world = await waitingRun();

    const answers = await Promise.all([world.say('UBEN', 'approve 418'), world.say('UCLEO', 'approve 418')]);

    expect(words(answers[0])).toContain('Run 418 is approved.');
    expect(words(answers[1])).toContain('ben was first');
    expect(world.runs.get(418)?.approval?.votes).toHaveLength(1);
    expect(world.events.filter(({ event }) => event.type === 'approved')).toHaveLength(1);
  });

  test('destructive work needs two approvers, and the first one is told how many are missing', async () => {
    const world = await waitingRun({ risk: 'destructive' });

    const first = await world.say('UBEN', 'approve 418');
    const second = await world.say('UCLEO', 'approve 418');

    expect(words(first)).toContain('1 of 2; 1 more approval by role approvers');
    expect(words(second)).toContain('Run 418 is approved.');
  });

  test.each([
    ['somebody without the role', 'UEVE', {}, 'needs the role approvers'],
    ['a plan that has expired', 'UBEN', { expiresAtMs: 1_000_000 }, 'The plan of run 418 has expired'],
  ])('refuses %s', async (_what, user, approval, expected) => {
    const world = await waitingRun(approval);

    expect(words(await world.say(user, 'approve 418'))).toContain(expected);
    expect(world.events).toEqual([]);
  });

  test.each([
    ['deactivated', { active: false }],
    ['a guest', { guest: true }],
    ['of another workspace', { teamId: 'T2' }],
    ['marked as external', { external: true }],
  ])('an approver who is now %s is refused', async (_what, change) => {
    const world = await waitingRun();
    world.people.set('UBEN', change);

    const answer = await world.say('UBEN', 'approve 418');

    expect(words(answer)).toContain('may not');
    expect(world.runs.get(418)?.approval?.votes).toEqual([]);
  });

  test.each([
    ['deactivated', { active: false }],
    ['a guest', { guest: true }],
    ['of another workspace', { teamId: 'T2' }],
    ['marked as external', { external: true }],
  ])(
    'an approver who is now %s cannot reject either, is told what it needs, and that is on record',
    async (_who, change) => {
      const world = await waitingRun();
      world.people.set('UBEN', change);

      const answer = await world.say('UBEN', 'reject 418 --generation 2', { source: 'button' });

      expect(words(answer)).toContain('ben may not use `/dpu reject`');
      expect(words(answer)).toContain('That needs an active account of this workspace that is not a guest.');
      expect(world.runs.get(418)?.approval).toMatchObject({ state: 'open', votes: [] });
      expect(world.audit).toEqual([
        expect.objectContaining({ action: 'refused: reject', detail: 'not-allowed: reject 418 --generation 2' }),
      ]);
    },
  );

  test('whoever set the run going again is refused as the requester is, and told so', async () => {
    const cleo = { userId: 'UCLEO', teamId: 'T1', displayName: 'cleo' };
    const world = await waitingRun({ askers: [{ userId: 'UANA', teamId: 'T1', displayName: 'ana' }, cleo] });

    const answer = await world.say('UCLEO', 'approve 418');

    expect(words(answer)).toContain('cleo set run 418 going again and so cannot approve it');
    expect(world.runs.get(418)?.approval?.votes).toEqual([]);
    expect(words(await world.say('UBEN', 'approve 418'))).toContain('Run 418 is approved.');
  });

  test('a user group that somebody joined or left a second ago counts at the click', async () => {
    const world = await waitingRun();
    const roles = { ...world.inventory.roles, approvers: { users: [], userGroups: ['SAPP'] } };
    world.inventory = { ...world.inventory, roles };
    world.people.set('UEVE', { userGroups: ['SAPP'] });
    world.people.set('UBEN', { userGroups: [] });

    expect(words(await world.say('UBEN', 'approve 418'))).toContain('needs the role approvers');
    expect(words(await world.say('UEVE', 'approve 418'))).toContain('Run 418 is approved.');
    expect(world.lookups.every(({ fresh }) => fresh)).toBe(true);
  });

  test('two roles need two different people, and who is still missing is said by role', async () => {
    const world = await waitingRun({ risk: 'destructive' });
    const destructive = { role: 'approvers', andRole: 'admins', votes: 1 };
    const policy = { ...world.inventory.policy, approvals: { ...world.inventory.policy.approvals, destructive } };
    world.inventory = { ...world.inventory, policy };

    const first = await world.say('UBEN', 'approve 418');
    const second = await world.say('UDAN', 'approve 418');
    const stranger = await world.say('UEVE', 'approve 418');
    const third = await world.say('UCLEO', 'approve 418');

    expect(words(first)).toContain('1 of 2; 1 more approval by role admins, not by ana');
    expect(words(second)).toContain('1 of 2; 1 more approval by role admins, not by ana');
    expect(words(stranger)).toContain('needs the role approvers or admins');
    expect(words(third)).toContain('Run 418 is approved.');
    expect(world.events.map(({ event }) => event)).toMatchObject([
      { type: 'vote', given: 1, wanted: 2, missing: '1 more approval by role admins, not by ana' },
      { type: 'vote', given: 1, wanted: 2 },
      { type: 'vote', given: 2, wanted: 2 },
      { type: 'approved' },
    ]);
  });

  test('a run that waits for nothing cannot be approved', async () => {
    const world = createWorld();
    await world.say('UANA', 'provision rack1');

    expect(words(await world.say('UBEN', 'approve 418'))).toMatch(/Run 418 cannot be approved.*It is planning/s);
  });

  test('an unknown run is named', async () => {
    expect(words(await createWorld().say('UBEN', 'approve 77'))).toContain('There is no run 77.');
  });
});

describe('/dpu reject', () => {
  test('ends the request with the reason on record and tells the worker', async () => {
    const world = await waitingRun();

    const answer = await world.say('UCLEO', 'reject 418 --reason "wrong rack"');

    expect(words(answer)).toContain('Run 418 is rejected.');
    expect(world.runs.get(418)?.approval?.state).toBe('rejected');
    expect(world.events.map(({ event }) => event)).toEqual([
      expect.objectContaining({ type: 'vote', vote: 'reject', reason: 'wrong rack' }),
    ]);
    expect(world.advanced).toEqual([418]);
  });

  test('after a rejection an approval is told who rejected', async () => {
    const world = await waitingRun();
    await world.say('UCLEO', 'reject 418');

    expect(words(await world.say('UBEN', 'approve 418'))).toMatch(/Run 418 was already rejected.*cleo was first/s);
  });
});
