import type { JournalEntry, JournalEvent } from '../domain/journal.ts';
import type { Run } from '../domain/run.ts';
import { escapeMrkdwn, mention } from './text.ts';

export type ApprovalRequest = Extract<JournalEvent, { readonly type: 'approval-requested' }>;
type VoteEvent = Extract<JournalEvent, { readonly type: 'vote' }>;

/** What became of a request: words for the heading, and a sentence of mrkdwn. */
export interface Outcome {
  readonly headline: string;
  readonly text: string;
}

/** Where a request for approval stands. */
export interface ApprovalStanding {
  /** Undefined while it is open. */
  readonly outcome: Outcome | undefined;
  /** Votes so far, as a sentence of mrkdwn; empty before the first. */
  readonly votes: string;
}

const DECIDED = {
  approved: 'was approved',
  rejected: 'was rejected',
  expired: 'was not approved in time',
} as const;

/**
 * Where a request stands, from the entries after it. The run's record is asked as well, because a decision is stored there
 * a moment before it stands in the journal.
 */
export function approvalStanding(run: Run, request: ApprovalRequest, later: readonly JournalEntry[]): ApprovalStanding {
  const votes: VoteEvent[] = [];
  const standing = (outcome: Outcome | undefined): ApprovalStanding => ({ outcome, votes: votesText(votes) });
  for (const { event } of later) {
    if (event.type === 'vote') votes.push(event);
    const outcome = outcomeOf(event, votes);
    if (outcome !== undefined) return standing(outcome);
  }
  const record = run.approval;
  if (record === undefined || record.generation !== request.generation || record.state === 'open')
    return standing(undefined);
  return standing({ headline: DECIDED[record.state], text: record.state });
}

/** What this entry means for the request before it; undefined when it stays open. */
function outcomeOf(event: JournalEvent, votes: readonly VoteEvent[]): Outcome | undefined {
  const cast = votes.map(castText).join(', ');
  if (event.type === 'vote' && event.vote === 'reject') return { headline: DECIDED.rejected, text: cast };
  if (event.type === 'vote' && event.given >= event.wanted) return { headline: DECIDED.approved, text: cast };
  if (event.type === 'approved') return { headline: DECIDED.approved, text: cast || 'approved' };
  if (event.type === 'approval-expired') return { headline: DECIDED.expired, text: 'expired, nothing was changed' };
  if (event.type === 'cancel-requested')
    return { headline: 'was cancelled', text: `cancelled by ${mention(event.by.userId)} before it was approved` };
  if (event.type === 'approval-requested') return { headline: 'has a newer plan', text: 'replaced by a newer plan' };
  return event.type === 'run-ended' ? { headline: 'ended', text: event.state } : undefined;
}

function castText(vote: VoteEvent): string {
  const reason = vote.reason === undefined || vote.reason === '' ? '' : ` (${escapeMrkdwn(vote.reason)})`;
  return `${vote.vote === 'approve' ? 'approved' : 'rejected'} by ${mention(vote.by.userId)}${reason}`;
}

function votesText(votes: readonly VoteEvent[]): string {
  const last = votes.at(-1);
  if (last === undefined) return '';
  const missing = last.missing === undefined ? '' : `; still needed: ${escapeMrkdwn(last.missing)}`;
  return `${last.given} of ${last.wanted} approvals, ${votes.map(castText).join(', ')}${missing}`;
}

/** A vote of its own message, as a line of mrkdwn. */
export function voteText(event: VoteEvent): string {
  const reason = event.reason === undefined || event.reason === '' ? '' : ` Reason: ${escapeMrkdwn(event.reason)}`;
  if (event.vote === 'reject') return `${mention(event.by.userId)} rejected the plan.${reason} Nothing was changed.`;
  const missing = event.missing === undefined ? '' : ` Still needed: ${escapeMrkdwn(event.missing)}.`;
  return `${mention(event.by.userId)} approved the plan (${event.given} of ${event.wanted}).${reason}${missing}`;
}
