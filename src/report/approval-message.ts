import type { JournalEntry, JournalEvent } from '../domain/journal.ts';
import type { UnitPlan } from '../domain/plan.ts';
import type { Run } from '../domain/run.ts';
import { header, runButtons, sections } from './blocks.ts';
import type { ChatMessage } from './message.ts';
import { rebootTexts } from './reboot-texts.ts';
import { count, escapeMrkdwn, inlineCode, mention, nameList, slackDate } from './text.ts';
import { erasesFiles, riskWords } from './words.ts';

/** Devices whose reboots the request names; the plan above it names all. */
const SHOWN_REBOOTS = 8;

type ApprovalRequest = Extract<JournalEvent, { readonly type: 'approval-requested' }>;

/** The request for approval. While it is open it has the buttons; afterwards it says what became of it. */
export function approvalMessage(
  run: Run,
  plans: readonly UnitPlan[],
  request: ApprovalRequest,
  outcome: Outcome | undefined,
): ChatMessage {
  const stamp = run.simulated ? ' (SIMULATED)' : '';
  const title = `Run ${run.id} ${outcome === undefined ? 'needs approval' : outcome.headline}${stamp}`;
  const roles = request.roles.length === 0 ? 'Nobody is allowed to by the policy' : nameList(request.roles);
  const hashes = plans.map((plan) => `${escapeMrkdwn(plan.unit)} ${inlineCode(plan.hash.slice(0, 12))}`);
  const shown = hashes.slice(0, 20).join(', ');
  const erased = plans.flatMap((plan) => plan.steps.filter(erasesFiles).map((step) => step.target));
  const lines = [
    `${mention(run.requester.userId)} asked for ${inlineCode(`/dpu ${run.text}`)}`,
    `*Risk:* ${riskWords[request.risk]}`,
    ...(erased.length === 0 ? [] : [`*Erased:* all files on ${nameList([...new Set(erased)], 20)}`]),
    ...rebootLine(plans),
    ...(plans.length === 0
      ? []
      : [`*Plans:* ${shown}${hashes.length > 20 ? ` and ${count(hashes.length - 20, 'more plan')}` : ''}`]),
    ...(outcome === undefined
      ? [`*May approve:* ${roles}`, `*Expires:* ${slackDate(request.expiresAtMs, 'day-and-time')}`]
      : [`*Outcome:* ${outcome.text}`]),
  ];
  const buttons =
    outcome === undefined ? runButtons(run.id, request.generation, ['approve', 'reject', 'details']) : undefined;
  const blocks = [header(title), ...sections(lines)];
  return { text: title, blocks: buttons === undefined ? blocks : [...blocks, buttons] };
}

/** What goes away, and how often: as the plan says it. */
function rebootLine(plans: readonly UnitPlan[]): string[] {
  const { each } = rebootTexts(plans.flatMap((plan) => plan.steps));
  if (each.length === 0) return [];
  const more = each.length > SHOWN_REBOOTS ? `; and ${each.length - SHOWN_REBOOTS} more, see the plan` : '';
  return [`*Reboots:* ${each.slice(0, SHOWN_REBOOTS).join('; ')}${more}`];
}

/** What became of a request: words for the heading, and a sentence of mrkdwn. */
interface Outcome {
  readonly headline: string;
  readonly text: string;
}

const DECIDED = {
  approved: 'was approved',
  rejected: 'was rejected',
  expired: 'was not approved in time',
} as const;

/**
 * What became of a request, or undefined while it is open. The run's record is asked first, because a decision is stored
 * there a moment before it stands in the journal. `later` are the entries after the request.
 */
export function approvalOutcome(run: Run, generation: number, later: readonly JournalEntry[]): Outcome | undefined {
  const votes: string[] = [];
  for (const { event } of later) {
    if (event.type === 'vote')
      votes.push(`${event.vote === 'approve' ? 'approved' : 'rejected'} by ${mention(event.by.userId)}`);
    if (event.type === 'vote' && (event.vote === 'reject' || event.given >= event.wanted))
      return { headline: DECIDED[event.vote === 'reject' ? 'rejected' : 'approved'], text: votes.join(', ') };
    if (event.type === 'approved') return { headline: DECIDED.approved, text: votes.join(', ') || 'approved' };
    if (event.type === 'approval-expired') return { headline: DECIDED.expired, text: 'expired, nothing was changed' };
    if (event.type === 'approval-requested') return { headline: 'has a newer plan', text: 'replaced by a newer plan' };
    if (event.type === 'run-ended') return { headline: 'ended', text: event.state };
  }
  const record = run.approval;
  if (record === undefined || record.generation !== generation || record.state === 'open') return undefined;
  return { headline: DECIDED[record.state], text: record.state };
}

/** Who voted how, as a line of mrkdwn. */
export function voteText(event: Extract<JournalEvent, { readonly type: 'vote' }>): string {
  const reason = event.reason === undefined || event.reason === '' ? '' : ` Reason: ${escapeMrkdwn(event.reason)}`;
  if (event.vote === 'reject') return `${mention(event.by.userId)} rejected the plan.${reason} Nothing was changed.`;
  return `${mention(event.by.userId)} approved the plan (${event.given} of ${event.wanted}).${reason}`;
}
