import { countApprovals, hasRoleOf, missingText, peopleWanted } from './approval-rule.ts';
import { canonicalHash } from './canonical.ts';
import type { ApprovalRule, Inventory, Policy } from './inventory.ts';
import type { Actor } from './journal.ts';
import type { Risk } from './outcome.ts';
import type { Person } from './ports.ts';
import type { Approval, Run, UnitRecord, Vote } from './run.ts';
import { isEnded, resumableStates } from './run.ts';

/** Identifies the rules a vote was given under: roles and policy of the inventory. */
export function policyHash(inventory: Inventory): string {
  return canonicalHash({ roles: inventory.roles, policy: inventory.policy });
}

/**
 * Roles of a person by today's inventory. Deny by default: deactivated people, guests and people of other workspaces
 * have none, whatever the inventory says.
 */
export function rolesOf(inventory: Inventory, person: Person): string[] {
  if (!person.active || person.guest || person.external) return [];
  return Object.entries(inventory.roles)
    .filter(
      ([, role]) =>
        role.users.includes(person.userId) || role.userGroups.some((group) => person.userGroups.includes(group)),
    )
    .map(([name]) => name);
}

/** `operate`: start, cancel, resume runs. `administer`: force and halt. One does not include the other. */
export type Right = 'operate' | 'administer';

/** True when one of the roles gives the right. */
export function may(inventory: Inventory, roles: readonly string[], right: Right): boolean {
  return roles.some((role) => inventory.policy[right].includes(role));
}

/** Where an approval stands. `missing` is a sentence part for people; empty unless the state is `open`. */
export interface Judgement {
  readonly state: 'open' | 'approved' | 'rejected';
  readonly given: number;
  readonly wanted: number;
  readonly missing: string;
}

/**
 * Judges votes by a policy. Used by the bot at the click and by the worker, with its policy of the day, before the first
 * write. Only distinct people with a role of the rule (as recorded at their click) count, never those who asked (the
 * requester, and who resumed the run), unless the rule names a self-approval role that they have and they gave a reason:
 * then they may approve alone. Any rejection by somebody who counts or asked ends it. The order of votes does not matter.
 */
export function judgeVotes(policy: Policy, risk: Risk, askers: readonly Actor[], votes: readonly Vote[]): Judgement {
  const rule = approvalRule(policy, risk);
  if (!rule) return { state: 'approved', given: 0, wanted: 0, missing: '' };
  const wanted = peopleWanted(rule);
  const counted = votes.filter((vote) => hasRoleOf(rule, vote.roles));
  const approvals = counted.filter((vote) => vote.vote === 'approve' && !isAmong(vote.by, askers));
  const { given, unseen } = countApprovals(
    rule,
    approvals.map(({ by, roles }) => ({ person: personKey(by), roles })),
  );
  const rejected =
    counted.some((vote) => vote.vote === 'reject') ||
    votes.some((vote) => vote.vote === 'reject' && isAmong(vote.by, askers));
  if (rejected) return { state: 'rejected', given, wanted, missing: '' };
  if (given >= wanted || votes.some((vote) => isSelfApproval(rule, askers, vote)))
    return { state: 'approved', given, wanted, missing: '' };
  const names = askers.map((asker) => asker.displayName).join(' or ');
  const missing = `${missingText(rule, wanted - given, unseen)}, not by ${names}`;
  return { state: 'open', given, wanted, missing };
}

/** The rule for a risk; undefined when work of that risk needs no approval. */
export function approvalRule(policy: Policy, risk: Risk): ApprovalRule | undefined {
  return risk === 'disruptive' || risk === 'destructive' ? policy.approvals[risk] : undefined;
}

export type VoteRefusal = 'self' | 'not-allowed' | 'already-decided' | 'expired' | 'not-open' | 'voted';

export type VoteResult =
  | { readonly kind: 'recorded' | 'approved' | 'rejected'; readonly run: Run; readonly judgement: Judgement }
  | { readonly kind: 'refused'; readonly reason: VoteRefusal; readonly by?: Actor };

/**
 * Adds a vote to a run, or says why not. Pure, for use inside `RunStore.update`: of two people who click at once the
 * second sees the first one's record. Only the approval changes; what follows from it is decided by `advance`.
 */
export function castVote(run: Run, vote: Vote, policy: Policy, nowMs: number): VoteResult {
  const approval = run.approval;
  const refusal = approval ? closedReason(run, approval, nowMs) : ({ kind: 'refused', reason: 'not-open' } as const);
  if (refusal || !approval) return refusal ?? { kind: 'refused', reason: 'not-open' };
  const rule = approvalRule(policy, approval.risk);
  const own = isAmong(vote.by, approval.askers);
  if (own && vote.vote === 'approve' && !(rule && isSelfApproval(rule, approval.askers, vote)))
    return { kind: 'refused', reason: 'self' };
  if (!own && !(rule && hasRoleOf(rule, vote.roles))) return { kind: 'refused', reason: 'not-allowed' };
  if (approval.votes.some((old) => isSame(old.by, vote.by) && old.vote === vote.vote))
    return { kind: 'refused', reason: 'voted' };

  const votes = [...approval.votes, vote];
  const judgement = judgeVotes(policy, approval.risk, approval.askers, votes);
  const changed: Approval = {
    ...approval,
    votes,
    state: judgement.state,
    ...(judgement.state === 'approved' && { approvedAtMs: nowMs }),
  };
  const kind = judgement.state === 'open' ? 'recorded' : judgement.state;
  return { kind, run: { ...run, approval: changed }, judgement };
}

/**
 * Marks a run as to be cancelled; undefined when there is nothing to cancel. A run that had stopped with a failure is
 * ended for good at once: nothing is running any more, and its hold may then be given back.
 */
export function requestCancel(run: Run, by: Actor, nowMs: number): Run | undefined {
  const cancel = { by, atMs: nowMs };
  if (run.state === 'failed' || run.state === 'needs-human')
    return {
      ...run,
      state: 'cancelled',
      cancel,
      givenUp: true,
      summary: `cancelled by ${by.displayName} after it had stopped`,
    };
  if (isEnded(run.state) || run.cancel) return undefined;
  return { ...run, cancel };
}

/**
 * Sets a stopped run going again for one thing: to take away what it has added to these units. It ends as cancelled, and then
 * gives its hosts back.
 */
export function requestCleanUp(run: Run, names: readonly string[], by: Actor, nowMs: number): Run {
  const { endedAtMs: _ended, failure: _failure, summary: _summary, pausedReason: _paused, ...rest } = run;
  const units = Object.entries(run.units).map(([name, unit]): [string, UnitRecord] => {
    const again = names.includes(name);
    return [name, again ? { ...reopened(unit), state: 'queued', queuedAtMs: nowMs } : unit];
  });
  return { ...rest, state: 'running', cancel: { by, atMs: nowMs }, units: Object.fromEntries(units) };
}

/**
 * Sets a stopped run going again: back to planning, every unit that has not reached a good or refused end gets a new
 * generation. The approval stays; whether it covers the new plan is for the engine to say. Undefined when the run is not
 * in a state from which it can go on.
 */
export function requestResume(run: Run, by: Actor): Run | undefined {
  if (!resumableStates.includes(run.state) || run.givenUp) return undefined;
  const {
    endedAtMs: _ended,
    failure: _failure,
    summary: _summary,
    cancel: _cancel,
    pausedReason: _paused,
    ...rest
  } = run;
  const units = Object.entries(run.units).map(([name, unit]) => [name, resumedUnit(unit)] as const);
  return { ...rest, state: 'planning', resumedBy: by, units: Object.fromEntries(units) };
}

function resumedUnit(unit: UnitRecord): UnitRecord {
  if (unit.state === 'done' || unit.state === 'satisfied' || unit.state === 'refused') return unit;
  return { ...reopened(unit), state: 'planning' };
}

/** Without what was said of its end; jobs of before are outdated. */
function reopened(unit: UnitRecord): UnitRecord {
  const { failure: _failure, waitingUntilMs: _until, waitingReason: _reason, endedAtMs: _ended, ...before } = unit;
  const { cleaning: _cleaning, looksAgain: _again, ...rest } = before;
  return { ...rest, generation: unit.generation + 1 };
}

function closedReason(run: Run, approval: Approval, nowMs: number): VoteResult | undefined {
  if (approval.state === 'approved' || approval.state === 'rejected') {
    const wanted = approval.state === 'approved' ? 'approve' : 'reject';
    const by = approval.votes.findLast((vote) => vote.vote === wanted)?.by;
    return { kind: 'refused', reason: 'already-decided', ...(by && { by }) };
  }
  if (approval.state === 'expired' || run.state === 'expired' || nowMs >= approval.expiresAtMs)
    return { kind: 'refused', reason: 'expired' };
  // A run that was resumed keeps its old request until the new plan is there: nobody votes on that.
  const isOpen = run.state === 'awaiting-approval' && run.cancel === undefined;
  return isOpen ? undefined : { kind: 'refused', reason: 'not-open' };
}

function isSelfApproval(rule: ApprovalRule, askers: readonly Actor[], vote: Vote): boolean {
  return (
    vote.vote === 'approve' &&
    isAmong(vote.by, askers) &&
    rule.selfApprovalRole !== undefined &&
    vote.roles.includes(rule.selfApprovalRole) &&
    (vote.reason ?? '').trim() !== ''
  );
}

function isAmong(person: Actor, people: readonly Actor[]): boolean {
  return people.some((one) => isSame(one, person));
}

function isSame(a: Actor, b: Actor): boolean {
  return personKey(a) === personKey(b);
}

function personKey(actor: Actor): string {
  return `${actor.teamId}/${actor.userId}`;
}
