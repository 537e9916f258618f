import { rolesOfRule } from '../domain/approval-rule.ts';
import type { Inventory } from '../domain/inventory.ts';
import { approvalRule, rolesOf } from '../domain/policy.ts';
import type { Directory, GroupMembers } from '../domain/ports.ts';
import type { Run } from '../domain/run.ts';

/** When more people may approve, nobody is told in person: a message to everybody is a message to nobody. */
export const MAX_TOLD = 20;

/**
 * Who is told in person that a run waits for approval: the users and members of the rule's roles, without those who asked,
 * and without deactivated people, guests and people of other workspaces. More than `MAX_TOLD` are given as they are, nobody
 * having been looked up. Errors: slack-unavailable.
 */
export function createApproversOf(ports: {
  readonly inventory: () => Inventory;
  readonly directory: Directory & GroupMembers;
}): (run: Run) => Promise<readonly string[]> {
  return async ({ approval }) => {
    const inventory = ports.inventory();
    const rule = approval === undefined ? undefined : approvalRule(inventory.policy, approval.risk);
    if (approval === undefined || rule === undefined || rule.dm === false) return [];
    const names = rolesOfRule(rule);
    const roles = names.flatMap((name) => inventory.roles[name] ?? []);
    const groups = roles.flatMap(({ userGroups }) => userGroups);
    const members = groups.length === 0 ? [] : await ports.directory.members(groups);
    const named = new Set([...roles.flatMap(({ users }) => users), ...members]);
    for (const { userId } of approval.askers) named.delete(userId);
    if (named.size > MAX_TOLD) return [...named];
    const people = await Promise.all(
      [...named].map(async (userId) => ports.directory.person(userId, { fresh: false })),
    );
    const mayApprove = people.filter((person) => rolesOf(inventory, person).some((role) => names.includes(role)));
    return mayApprove.map(({ userId }) => userId);
  };
}
