import type { ApprovalRule } from './inventory.ts';

/** The roles whose people may approve by this rule: one, or two. */
export function rolesOfRule({ role, andRole }: ApprovalRule): readonly string[] {
  return andRole === undefined || andRole === role ? [role] : [role, andRole];
}

/** How many different people have to approve: no role shares its person with the other. */
export function peopleWanted(rule: ApprovalRule): number {
  return Math.max(rule.votes, rolesOfRule(rule).length);
}

/** Whether somebody with these roles is one of those who may approve. */
export function hasRoleOf(rule: ApprovalRule, roles: readonly string[]): boolean {
  return rolesOfRule(rule).some((role) => roles.includes(role));
}

/** An approval by somebody who may give it. */
interface Approval {
  /** The same for the same person. */
  readonly person: string;
  readonly roles: readonly string[];
}

/**
 * How much of the rule these approvals fill. Each role has a place of its own, the other places are for either role, and a
 * person fills one place whatever roles they have. With two roles the best seating needs no search: it falls short by the
 * people that lack, or by the places of the roles that nobody has. `unseen`: these roles.
 */
export function countApprovals(
  rule: ApprovalRule,
  approvals: readonly Approval[],
): { readonly given: number; readonly unseen: readonly string[] } {
  const people = new Set(approvals.map(({ person }) => person));
  const roles = rolesOfRule(rule);
  const unseen = roles.filter((role) => !approvals.some((approval) => approval.roles.includes(role)));
  const places = roles.length === 1 ? people.size : peopleWanted(rule) - unseen.length;
  return { given: Math.min(people.size, places), unseen };
}

/** "2 more approvals: one by role approvers, one by role security". `left` is at least as many as `unseen`. */
export function missingText(rule: ApprovalRule, left: number, unseen: readonly string[]): string {
  const more = `${left} more approval${left === 1 ? '' : 's'}`;
  const roles = rolesOfRule(rule);
  const either = `role ${roles.join(' or ')}`;
  if (roles.length === 1 || unseen.length === 0) return `${more} by ${either}`;
  if (left === 1) return `${more} by role ${unseen.join(' or ')}`;
  const rest = left - unseen.length;
  const parts = [...unseen.map((role) => `one by role ${role}`), ...(rest > 0 ? [`${rest} by ${either}`] : [])];
  return `${more}: ${parts.join(', ')}`;
}
