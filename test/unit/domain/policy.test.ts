import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Inventory, Policy } from '../../../src/domain/inventory.ts';
import type { Actor } from '../../../src/domain/journal.ts';
import {
  castVote,
  judgeVotes,
  may,
  policyHash,
  requestCancel,
  requestResume,
  rolesOf,
} from '../../../src/domain/policy.ts';
import type { Approval, Run, UnitRecord, Vote } from '../../../src/domain/run.ts';
import { isUnitEnded, resumableStates, runEndStates, unitEndStates } from '../../../src/domain/run.ts';
import { sampleInventory } from '../commands/sample-inventory.ts';

const inventory = Inventory.parse(sampleInventory());
const { policy } = inventory;
const actor = (userId: string): Actor => ({ userId, teamId: 'T1', displayName: userId.toLowerCase() });
const ana = actor('UANA');

function person(userId: string, extra: object = {}) {
  const base = { userId, teamId: 'T1', displayName: userId, active: true, guest: false, external: false };
  return { ...base, userGroups: [] as string[], timeZone: 'UTC', ...extra };
}

function vote(userId: string, kind: Vote['vote'] = 'approve', roles: string[] = ['approvers'], reason?: string): Vote {
  return { by: actor(userId), vote: kind, roles, policyHash: 'h', atMs: 1, ...(reason !== undefined && { reason }) };
}

function unit(name: string, state: UnitRecord['state']): UnitRecord {
  return { unit: name, site: 'lab', targets: [`dpu-${name}`], state, generation: 2 };
}

function runWith(extra: Partial<Run> = {}): Run {
  const approval: Approval = {
    generation: 1,
    state: 'open',
    hashes: { 'host-a': 'aaa' },
    risk: 'disruptive',
    requestedAtMs: 0,
    expiresAtMs: 1000,
    votes: [],
    askers: [ana],
  };
  return {
    id: 418,
    version: 1,
    recipe: 'provision',
    recipeVersion: 1,
    params: {},
    text: 'provision rack1',
    requester: ana,
    channel: 'C1',
    createdAtMs: 0,
    state: 'awaiting-approval',
    planOnly: false,
    simulated: false,
    slices: {},
    sliceHashes: {},
    units: { 'host-a': unit('host-a', 'planned') },
    waves: [],
    waveIndex: 0,
    maxFailures: 0,
    approval,
    approvalMinutes: 60,
    startByMinutes: 60,
    waveSpec: 'all',
    ...extra,
  };
}

describe('rights', () => {
  test('roles come from the list of users and from user groups', () => {
    expect(rolesOf(inventory, person('UBEN'))).toEqual(['operators', 'approvers']);
    expect(rolesOf(inventory, person('UNEW', { userGroups: ['SOPS'] }))).toEqual(['operators']);
  });

  test.each([
    ['deactivated', { active: false }],
    ['a guest', { guest: true }],
    ['of another workspace', { external: true }],
  ])('somebody who is %s has no role, although the inventory names them', (_who, extra) => {
    expect(rolesOf(inventory, person('UCLEO', extra))).toEqual([]);
  });

  test('a right needs one of its roles; administering does not include operating', () => {
    expect(may(inventory, ['operators'], 'operate')).toBe(true);
    expect(may(inventory, ['operators'], 'administer')).toBe(false);
    expect(may(inventory, ['admins'], 'operate')).toBe(false);
  });

  test('the policy hash changes with roles and policy, and with nothing else', () => {
    const otherRole = { ...inventory, roles: { ...inventory.roles, admins: { users: [], userGroups: [] } } };
    const otherChannel = { ...inventory, channels: [] };

    expect(policyHash(otherRole)).not.toBe(policyHash(inventory));
    expect(policyHash(otherChannel)).toBe(policyHash(inventory));
  });
});

describe('judgeVotes', () => {
  test('one approval by an approver suffices for disruptive work, two are needed for destructive work', () => {
    expect(judgeVotes(policy, 'disruptive', [ana], [vote('UBEN')])).toMatchObject({
      state: 'approved',
      given: 1,
      wanted: 1,
    });
    const judged = judgeVotes(policy, 'destructive', [ana], [vote('UBEN')]);
    expect(judged).toMatchObject({ state: 'open', given: 1, wanted: 2 });
    expect(judged.missing).toBe('1 more approval by role approvers, not by uana');
  });

  test('the same person twice counts once', () => {
    expect(judgeVotes(policy, 'destructive', [ana], [vote('UBEN'), vote('UBEN')]).state).toBe('open');
  });

  test('a vote whose recorded roles lack the role does not count, neither for nor against', () => {
    expect(judgeVotes(policy, 'disruptive', [ana], [vote('UBEN', 'approve', ['operators'])]).state).toBe('open');
    expect(judgeVotes(policy, 'disruptive', [ana], [vote('UBEN', 'reject', [])]).state).toBe('open');
  });

  test('a rejection ends it whatever else was voted', () => {
    expect(judgeVotes(policy, 'disruptive', [ana], [vote('UBEN'), vote('UCLEO', 'reject')]).state).toBe('rejected');
  });

  test('a stricter policy of today makes an old approval insufficient', () => {
    const stricter = Policy.parse({ ...policy, approvals: { ...policy.approvals, disruptive: { role: 'admins' } } });

    expect(judgeVotes(stricter, 'disruptive', [ana], [vote('UBEN')]).state).toBe('open');
  });

  test('work of lower risk needs nobody', () => {
    expect(judgeVotes(policy, 'change', [ana], [])).toMatchObject({ state: 'approved', wanted: 0 });
  });

  const rule = { role: 'approvers', selfApprovalRole: 'night' };
  const lenient = Policy.parse({ ...policy, approvals: { disruptive: rule, destructive: rule } });

  test('a requester with the self-approval role may approve alone, only with a reason', () => {
    expect(judgeVotes(lenient, 'disruptive', [ana], [vote('UANA', 'approve', ['night'], 'alone')]).state).toBe(
      'approved',
    );
    expect(judgeVotes(lenient, 'disruptive', [ana], [vote('UANA', 'approve', ['night'], ' ')]).state).toBe('open');
    expect(judgeVotes(lenient, 'disruptive', [ana], [vote('UANA', 'approve', ['approvers'], 'x')]).state).toBe('open');
  });
});

const anyVote = fc
  .record({
    user: fc.constantFrom('UANA', 'UBEN', 'UCLEO', 'UDAN', 'UEVE'),
    kind: fc.constantFrom<Vote['vote']>('approve', 'approve', 'approve', 'reject'),
    roles: fc.subarray(['approvers', 'operators', 'admins']),
    reason: fc.option(fc.constantFrom('', ' ', 'because'), { nil: undefined }),
  })
  .map(({ user, kind, roles, reason }) => vote(user, kind, roles, reason));
const anyRule = fc.record({ role: fc.constantFrom('approvers', 'admins'), votes: fc.integer({ min: 1, max: 4 }) });

describe('votes of any number of people', () => {
  test('never approve without enough distinct allowed people other than the requester', () => {
    fc.assert(
      fc.property(fc.array(anyVote, { maxLength: 8 }), anyRule, (votes, rule) => {
        const rules = Policy.parse({ ...policy, approvals: { disruptive: rule, destructive: rule } });

        const { state, given } = judgeVotes(rules, 'destructive', [ana], votes);

        const allowed = votes.filter(
          (v) => v.vote === 'approve' && v.roles.includes(rule.role) && v.by.userId !== 'UANA',
        );
        const people = new Set(allowed.map((v) => v.by.userId));
        expect(given).toBe(people.size);
        if (state === 'approved') expect(people.size).toBeGreaterThanOrEqual(rule.votes);
      }),
    );
  });

  test('are judged the same in every order', () => {
    fc.assert(
      fc.property(
        fc.array(anyVote, { maxLength: 6 }).chain((votes) => fc.tuple(fc.constant(votes), shuffled(votes))),
        anyRule,
        ([votes, other], rule) => {
          const rules = Policy.parse({ ...policy, approvals: { disruptive: rule, destructive: rule } });

          expect(judgeVotes(rules, 'disruptive', [ana], other)).toEqual(judgeVotes(rules, 'disruptive', [ana], votes));
        },
      ),
    );
  });

  test('cast one after the other decide once: the run never changes after the deciding vote', () => {
    fc.assert(
      fc.property(fc.array(anyVote, { maxLength: 8 }), (votes) => {
        let run = runWith();
        let decided = 0;
        for (const next of votes) {
          const result = castVote(run, next, policy, 500);
          if (result.kind === 'refused') continue;
          expect(decided).toBe(0);
          if (result.kind !== 'recorded') decided++;
          run = result.run;
        }
        const state = run.approval?.state;
        expect(state).toBe(judgeVotes(policy, 'disruptive', [ana], run.approval?.votes ?? []).state);
      }),
    );
  });
});

function shuffled(votes: readonly Vote[]): fc.Arbitrary<Vote[]> {
  return fc.shuffledSubarray([...votes], { minLength: votes.length, maxLength: votes.length });
}

describe('castVote', () => {
  test('the deciding vote approves and stamps the time', () => {
    const result = castVote(runWith(), vote('UBEN'), policy, 500);

    expect(result.kind).toBe('approved');
    if (result.kind === 'refused') return;
    expect(result.run.approval).toMatchObject({ state: 'approved', approvedAtMs: 500 });
    expect(result.run.state).toBe('awaiting-approval');
  });

  test('the second of two who click is refused and told who was first', () => {
    const first = castVote(runWith(), vote('UBEN'), policy, 500);
    if (first.kind === 'refused') throw new Error('the first vote was refused');

    const second = castVote(first.run, vote('UCLEO'), policy, 501);

    expect(second).toEqual({ kind: 'refused', reason: 'already-decided', by: actor('UBEN') });
  });

  test.each([
    ['the requester', runWith(), vote('UANA'), 'self'],
    ['somebody without the role', runWith(), vote('UEVE', 'approve', ['operators']), 'not-allowed'],
    ['somebody without the role who rejects', runWith(), vote('UEVE', 'reject', []), 'not-allowed'],
    ['a run without a plan yet', { ...runWith({ state: 'planning' }), approval: undefined }, vote('UBEN'), 'not-open'],
    ['a cancelled run', runWith({ state: 'cancelled' }), vote('UBEN'), 'not-open'],
    ['a run that is being cancelled', runWith({ cancel: { by: ana, atMs: 1 } }), vote('UBEN'), 'not-open'],
    ['a run that was resumed and has no new plan yet', runWith({ state: 'planning' }), vote('UBEN'), 'not-open'],
    ['an expired run', runWith({ state: 'expired' }), vote('UBEN'), 'expired'],
  ])('refuses %s', (_who, run, cast, reason) => {
    expect(castVote(run as Run, cast, policy, 500)).toEqual({ kind: 'refused', reason });
  });

  test('refuses at the moment of expiry, and not a millisecond before', () => {
    expect(castVote(runWith(), vote('UBEN'), policy, 999).kind).toBe('approved');
    expect(castVote(runWith(), vote('UBEN'), policy, 1000)).toEqual({ kind: 'refused', reason: 'expired' });
  });

  test('refuses the same vote of one person twice, but lets them change it to a rejection', () => {
    const base = runWith();
    const risky = { ...base, approval: { ...base.approval, risk: 'destructive' } as Approval };
    const first = castVote(risky, vote('UBEN'), policy, 500);
    if (first.kind !== 'recorded') throw new Error(`the first vote was ${first.kind}`);

    expect(castVote(first.run, vote('UBEN'), policy, 501)).toEqual({ kind: 'refused', reason: 'voted' });
    expect(castVote(first.run, vote('UBEN', 'reject'), policy, 501).kind).toBe('rejected');
  });

  test('the requester may always withdraw by rejecting', () => {
    expect(castVote(runWith(), vote('UANA', 'reject', []), policy, 500).kind).toBe('rejected');
  });
});

describe('requestCancel', () => {
  test('marks an open run and leaves its state to the engine', () => {
    const run = requestCancel(runWith({ state: 'running' }), actor('UBEN'), 7);

    expect(run).toMatchObject({ state: 'running', cancel: { by: actor('UBEN'), atMs: 7 } });
  });

  test.each(['failed', 'needs-human'] as const)('ends a run that had stopped as %s', (state) => {
    expect(requestCancel(runWith({ state }), ana, 7)).toMatchObject({ state: 'cancelled' });
  });

  test('leaves runs alone that are ended or already being cancelled', () => {
    for (const state of runEndStates.filter((s) => s !== 'failed' && s !== 'needs-human'))
      expect(requestCancel(runWith({ state }), ana, 7)).toBeUndefined();
    expect(requestCancel(runWith({ cancel: { by: ana, atMs: 1 } }), ana, 7)).toBeUndefined();
  });
});

describe('requestResume', () => {
  const stopped = runWith({
    state: 'failed',
    endedAtMs: 9,
    summary: 'stopped',
    cancel: { by: ana, atMs: 1 },
    failure: { code: 'x', kind: 'permanent', what: '', why: '', next: '', deviceState: 'unchanged' },
    units: Object.fromEntries(unitEndStates.map((state) => [state, unit(state, state)])),
  });

  test('gives every unit that is not done, satisfied or refused a new generation and plans it again', () => {
    const run = requestResume(stopped, ana);

    expect(run?.state).toBe('planning');
    for (const [state, record] of Object.entries(run?.units ?? {})) {
      const kept = ['done', 'satisfied', 'refused'].includes(state);
      expect(record).toMatchObject(kept ? { state, generation: 2 } : { state: 'planning', generation: 3 });
    }
  });

  test('forgets how the run ended and keeps its approval', () => {
    const run = requestResume(stopped, ana);

    expect(run).not.toHaveProperty('endedAtMs');
    expect(run).not.toHaveProperty('failure');
    expect(run).not.toHaveProperty('summary');
    expect(run).not.toHaveProperty('cancel');
    expect(run?.approval).toEqual(stopped.approval);
  });

  test('is possible from exactly the resumable states', () => {
    const states = [...runEndStates, 'planning', 'awaiting-approval', 'running', 'paused'] as const;
    for (const state of states)
      expect(requestResume(runWith({ state }), ana) !== undefined).toBe(resumableStates.includes(state));
  });

  test('no unit of a resumed run still carries an end', () => {
    const run = requestResume(stopped, ana);

    const open = Object.values(run?.units ?? {}).filter((record) => !isUnitEnded(record.state));
    for (const record of open) expect(record.endedAtMs ?? record.failure).toBeUndefined();
    expect(open.length).toBe(unitEndStates.length - 3);
  });
});

describe('somebody else sets the run going again', () => {
  test('then neither the requester nor that person may approve the new plan', () => {
    const { by: ben } = vote('UBEN');
    const resumed = requestResume(runWith({ state: 'expired' }), ben);
    const judged = judgeVotes(policy, 'disruptive', [ana, ben], [vote('UBEN'), vote('UANA')]);

    expect(resumed?.resumedBy).toEqual(ben);
    expect(judged).toMatchObject({ state: 'open', given: 0 });
    expect(judged.missing).toContain(`${ana.displayName} or ${ben.displayName}`);
  });
});
