import { describe, expect, test } from 'vitest';
import { Inventory } from '../../../src/domain/inventory.ts';
import type { Person } from '../../../src/domain/ports.ts';
import { createApproversOf, MAX_TOLD } from '../../../src/slack/approvers.ts';
import { sampleInventory } from '../commands/sample-inventory.ts';
import { waiting } from './story.ts';

interface Setting {
  readonly rule: object;
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  readonly people?: Readonly<Record<string, Partial<Person>>>;
  readonly askers?: readonly string[];
}

/** Whom a run of UANA tells, and who was looked up for that. */
async function told({ rule, groups = {}, people = {}, askers = ['UANA'] }: Setting) {
  const sample = Inventory.parse(sampleInventory());
  const inventory = Inventory.parse({
    ...sample,
    roles: {
      approvers: { users: ['UANA', 'UBEN', 'UCLEO'] },
      security: { users: ['UBEN'], userGroups: ['SSEC'] },
    },
    policy: { approvals: { disruptive: rule, destructive: { role: 'security', dm: false } } },
  });
  const lookups: string[] = [];
  const approversOf = createApproversOf({
    inventory: () => inventory,
    directory: {
      members: async (wanted) => [...new Set(wanted.flatMap((group) => groups[group] ?? []))],
      canPost: async () => true,
      person: async (userId) => {
        lookups.push(userId);
        const base = { userId, teamId: 'T1', displayName: userId, active: true, guest: false, external: false };
        const userGroups = Object.keys(groups).filter((group) => groups[group]?.includes(userId));
        return { ...base, userGroups, timeZone: 'UTC', ...people[userId] };
      },
    },
  });
  const { approval } = waiting;
  if (approval === undefined) throw new Error('the story has no approval');
  const by = askers.map((userId) => ({ userId, teamId: 'T1', displayName: userId }));
  const of = async (risk: 'disruptive' | 'destructive' | 'change') =>
    approversOf({ ...waiting, approval: { ...approval, risk, askers: by } });
  return { of, lookups };
}

describe('in person are told', () => {
  test('the users of the role and the members of its groups, each once, without those who asked', async () => {
    const groups = { SSEC: ['UEVE', 'UBEN', 'UFAY'] };
    const rule = { role: 'approvers', andRole: 'security' };

    const { of } = await told({ rule, groups, askers: ['UANA', 'UFAY'] });

    expect(await of('disruptive')).toEqual(['UBEN', 'UCLEO', 'UEVE']);
  });

  test.each([
    ['deactivated', { active: false }],
    ['a guest', { guest: true }],
    ['of another workspace', { external: true }],
  ])('not those who are %s', async (_what, change) => {
    const { of } = await told({ rule: { role: 'approvers' }, people: { UBEN: change } });

    expect(await of('disruptive')).toEqual(['UCLEO']);
  });

  test('nobody where the rule says so, and nobody for work that needs no approval', async () => {
    const { of, lookups } = await told({ rule: { role: 'approvers' } });

    expect(await of('destructive')).toEqual([]);
    expect(await of('change')).toEqual([]);
    expect(lookups).toEqual([]);
  });

  test('too many to tell are counted without looking each of them up', async () => {
    const crowd = Array.from({ length: MAX_TOLD + 5 }, (_, index) => `UC${index}`);
    const { of, lookups } = await told({ rule: { role: 'security' }, groups: { SSEC: crowd } });

    expect((await of('disruptive')).length).toBeGreaterThan(MAX_TOLD);
    expect(lookups).toEqual([]);
  });
});
