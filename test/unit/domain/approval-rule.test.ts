import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { missingText, rolesOfRule } from '../../../src/domain/approval-rule.ts';
import { ApprovalRule, Inventory, Policy } from '../../../src/domain/inventory.ts';
import type { Actor } from '../../../src/domain/journal.ts';
import type { Judgement } from '../../../src/domain/policy.ts';
import { judgeVotes } from '../../../src/domain/policy.ts';
import type { Vote } from '../../../src/domain/run.ts';
import { sampleInventory } from '../commands/sample-inventory.ts';

const { policy } = Inventory.parse(sampleInventory());
const actor = (userId: string): Actor => ({ userId, teamId: 'T1', displayName: userId.toLowerCase() });
const approvalBy = (userId: string, ...roles: string[]): Vote => ({
  by: actor(userId),
  vote: 'approve',
  roles,
  policyHash: 'h',
  atMs: 1,
});

function judge(rule: object, ...votes: readonly Vote[]): Judgement {
  const rules = Policy.parse({ ...policy, approvals: { disruptive: rule, destructive: rule } });
  return judgeVotes(rules, 'destructive', [actor('UANA')], votes);
}

const both = { role: 'approvers', andRole: 'security' };

describe('a rule of two roles', () => {
  test.each<[string, Vote[], Partial<Judgement>]>([
    [
      'nobody yet',
      [],
      { given: 0, missing: '2 more approvals: one by role approvers, one by role security, not by uana' },
    ],
    [
      'one of the first role',
      [approvalBy('UBEN', 'approvers')],
      { given: 1, missing: '1 more approval by role security, not by uana' },
    ],
    [
      'two of the first role',
      [approvalBy('UBEN', 'approvers'), approvalBy('UDAN', 'approvers')],
      { given: 1, missing: '1 more approval by role security, not by uana' },
    ],
    [
      'one person with both roles',
      [approvalBy('UBEN', 'approvers', 'security')],
      { given: 1, missing: '1 more approval by role approvers or security, not by uana' },
    ],
    [
      'the requester for one of the roles',
      [approvalBy('UBEN', 'approvers'), approvalBy('UANA', 'security')],
      { given: 1, missing: '1 more approval by role security, not by uana' },
    ],
  ])('is open with %s', (_who, votes, expected) => {
    expect(judge(both, ...votes)).toEqual({ state: 'open', wanted: 2, ...expected });
  });

  test('is fulfilled by two people, also when one of them has both roles', () => {
    expect(judge(both, approvalBy('UBEN', 'approvers'), approvalBy('UEVE', 'security')).state).toBe('approved');
    expect(judge(both, approvalBy('UBEN', 'approvers', 'security'), approvalBy('UDAN', 'approvers')).state).toBe(
      'approved',
    );
  });

  test('with three votes asks for a third person of either role', () => {
    const rule = { ...both, votes: 3 };

    const none = judge(rule);
    const two = judge(rule, approvalBy('UBEN', 'approvers'), approvalBy('UEVE', 'security'));

    expect(none.missing).toBe(
      '3 more approvals: one by role approvers, one by role security, 1 by role approvers or security, not by uana',
    );
    expect(two).toMatchObject({ state: 'open', given: 2, wanted: 3 });
    expect(two.missing).toBe('1 more approval by role approvers or security, not by uana');
  });

  test('that are the same is a rule of one', () => {
    expect(judge({ role: 'approvers', andRole: 'approvers' }, approvalBy('UBEN', 'approvers')).state).toBe('approved');
  });

  test('is ended by a rejection of either', () => {
    const no: Vote = { ...approvalBy('UEVE', 'security'), vote: 'reject' };

    expect(judge(both, approvalBy('UBEN', 'approvers'), no).state).toBe('rejected');
  });
});

const anyRule = fc
  .record(
    {
      role: fc.constantFrom('approvers', 'security'),
      andRole: fc.constantFrom('security', 'admins'),
      votes: fc.integer({ min: 1, max: 5 }),
    },
    { requiredKeys: ['role', 'votes'] },
  )
  .map((rule) => ApprovalRule.parse(rule));
const anyPeople = fc.uniqueArray(
  fc.tuple(
    fc.constantFrom('UBEN', 'UCLEO', 'UDAN', 'UEVE', 'UFAY'),
    fc.subarray(['approvers', 'security', 'admins', 'operators']),
  ),
  { selector: ([user]) => user, maxLength: 5 },
);

/** The most places that can be filled, by trying every seating. */
function bestSeating(places: readonly (readonly string[])[], people: readonly (readonly string[])[]): number {
  const [place, ...others] = places;
  if (place === undefined) return 0;
  const seated = people.flatMap((roles, index) =>
    roles.some((role) => place.includes(role)) ? [1 + bestSeating(others, people.toSpliced(index, 1))] : [],
  );
  return Math.max(bestSeating(others, people), ...seated);
}

describe('whoever votes under whatever rule', () => {
  test('it is approved exactly when different people can be found for all its places', () => {
    fc.assert(
      fc.property(anyRule, anyPeople, (rule, people) => {
        const judged = judge(rule, ...people.map(([user, roles]) => approvalBy(user, ...roles)));

        const roles = rolesOfRule(rule);
        const own = roles.map((role) => [role]);
        const free = Array.from({ length: Math.max(0, rule.votes - own.length) }, () => roles);
        const best = bestSeating(
          [...own, ...free],
          people.map(([, held]) => held),
        );
        expect(judged.wanted).toBe(own.length + free.length);
        // Of one role all that were given are counted, also more than are wanted.
        expect(roles.length === 1 ? Math.min(judged.given, judged.wanted) : judged.given).toBe(best);
        expect(judged.state).toBe(best === judged.wanted ? 'approved' : 'open');
      }),
    );
  });

  test('what is missing names as many approvals as lack', () => {
    fc.assert(
      fc.property(anyRule, anyPeople, (rule, people) => {
        const judged = judge(rule, ...people.map(([user, roles]) => approvalBy(user, ...roles)));
        if (judged.state !== 'open') return;

        expect(judged.missing).toMatch(new RegExp(`^${judged.wanted - judged.given} more approvals? ?(by|:)`));
        expect(judged.missing.replace(`${judged.wanted - judged.given} more`, '')).not.toMatch(/\b0\b|-\d/);
      }),
    );
  });

  test('one that is missing is said in the singular', () => {
    expect(missingText(ApprovalRule.parse({ role: 'approvers' }), 1, ['approvers'])).toBe(
      '1 more approval by role approvers',
    );
  });
});
