import type { KnownBlock } from '@slack/types';
import type { UnitPlan } from '../domain/plan.ts';
import type { Run } from '../domain/run.ts';
import { unitName } from '../domain/unit-name.ts';
import type { ApprovalRequest, ApprovalStanding } from './approval-standing.ts';
import { header, note, runButtons, sections } from './blocks.ts';
import { fitMessage } from './limits.ts';
import type { ChatMessage } from './message.ts';
import { changeLists } from './plan-message.ts';
import { rebootTexts } from './reboot-texts.ts';
import { count, escapeMrkdwn, inlineCode, mention, nameList, slackDate } from './text.ts';
import { erasesFiles, riskWords } from './words.ts';

/** Devices whose reboots the request names; the plan above it names all. */
const SHOWN_REBOOTS = 8;
const SHOWN_TARGETS = 20;
const SHOWN_HASHES = 20;

/** What whoever approves must know of a run that was started with `--outside-window`. */
const OUTSIDE_WINDOW = 'the work does not wait for the maintenance window of these hosts';

/** The request for approval in the thread, below the plan. While it is open it has the buttons; afterwards it says what became of it. */
export function approvalMessage(
  run: Run,
  plans: readonly UnitPlan[],
  request: ApprovalRequest,
  standing: ApprovalStanding,
): ChatMessage {
  const { outcome } = standing;
  const title = `Run ${run.id} ${outcome === undefined ? 'needs approval' : outcome.headline}${stampOf(run)}`;
  const lines = [
    `${mention(run.requester.userId)} asked for ${inlineCode(`/dpu ${run.text}`)}${resumedText(run, request)}`,
    ...workLines(run, plans, request),
    ...(plans.length === 0 ? [] : [`*Plans:* ${hashesText(run, plans)}`]),
    ...(outcome === undefined ? openLines(run, request, standing) : [`*Outcome:* ${outcome.text}`]),
  ];
  return { text: title, blocks: [header(title), ...sections(lines), ...buttonsOf(run, request, standing)] };
}

/** Where a message in person leads to. */
export interface ThreadPlace {
  /** Address of the run's card; missing when the chat does not tell it. */
  readonly link?: string;
}

/**
 * The same request for one of those who may approve, in person: with what is changed, because the plan stands elsewhere.
 * Once it is decided only who decided what is left of it.
 */
export function approvalDirectMessage(
  run: Run,
  plans: readonly UnitPlan[],
  request: ApprovalRequest,
  standing: ApprovalStanding,
  { link }: ThreadPlace,
): ChatMessage {
  const { outcome } = standing;
  const title = `Run ${run.id} ${outcome === undefined ? 'needs your approval' : outcome.headline}${stampOf(run)}`;
  const isAddress = link !== undefined && /^https?:\/\/[^\s<>|]+$/.test(link);
  const thread = isAddress ? ` (<${link}|open the thread>)` : '';
  const asked = `${mention(run.requester.userId)} asked for ${inlineCode(`/dpu ${run.text}`)} in ${channelText(run.channel)}${thread}${resumedText(run, request)}`;
  const text = `${title}: ${escapeMrkdwn(run.text)}, ${riskWords[request.risk]}`;
  if (outcome !== undefined)
    return fitMessage({ text, blocks: [header(title), ...sections([asked, `*Outcome:* ${outcome.text}`])] });
  const targets = [...new Set(plans.flatMap((plan) => plan.steps.map((step) => step.target)))];
  const lines = [
    asked,
    ...(targets.length === 0 ? [] : [`*Targets:* ${nameList(targets, SHOWN_TARGETS)}`]),
    ...workLines(run, plans, request),
    ...openLines(run, request, standing),
  ];
  const blocks: KnownBlock[] = [
    header(title),
    ...sections(lines),
    ...plans.flatMap((plan) => changeLists(plan, unitName(run, plan.unit))),
    ...(plans.length === 0 ? [] : [note(`Plans ${hashesText(run, plans)}`)]),
    ...buttonsOf(run, request, standing),
  ];
  return fitMessage({ text, blocks }, 'The rest of the plan is in the thread.');
}

function channelText(channel: string): string {
  return /^[CG][A-Z0-9]{1,20}$/.test(channel) ? `<#${channel}>` : 'a direct message';
}

function stampOf(run: Run): string {
  return run.simulated ? ' (SIMULATED)' : '';
}

/** Who set the run going again asked for this plan, too. */
function resumedText(run: Run, { generation }: ApprovalRequest): string {
  const { approval, requester } = run;
  if (approval?.generation !== generation) return '';
  const others = approval.askers.filter(({ userId }) => userId !== requester.userId);
  return others.length === 0 ? '' : `; set going again by ${mentions(others)}`;
}

/** What it is that somebody takes responsibility for. */
function workLines(run: Run, plans: readonly UnitPlan[], request: ApprovalRequest): string[] {
  const erased = plans.flatMap((plan) => plan.steps.filter(erasesFiles).map((step) => step.target));
  return [
    `*Risk:* ${riskWords[request.risk]}`,
    ...(erased.length === 0 ? [] : [`*Erased:* all files on ${nameList([...new Set(erased)], 20)}`]),
    ...rebootLine(plans),
    ...(run.outsideWindow ? [`*Outside the window:* ${OUTSIDE_WINDOW}`] : []),
    ...(run.startAtMs === undefined
      ? []
      : [`*Starts:* ${slackDate(run.startAtMs, 'day-and-time')} at the earliest; the approval covers it`]),
  ];
}

/** What goes away, and how often: as the plan says it. */
function rebootLine(plans: readonly UnitPlan[]): string[] {
  const { each } = rebootTexts(plans.flatMap((plan) => plan.steps));
  if (each.length === 0) return [];
  const more = each.length > SHOWN_REBOOTS ? `; and ${each.length - SHOWN_REBOOTS} more, see the plan` : '';
  return [`*Reboots:* ${each.slice(0, SHOWN_REBOOTS).join('; ')}${more}`];
}

function openLines(run: Run, request: ApprovalRequest, { votes }: ApprovalStanding): string[] {
  return [
    `*May approve:* ${mayApprove(run, request)}`,
    ...(votes === '' ? [] : [`*So far:* ${votes}`]),
    `*Expires:* ${slackDate(request.expiresAtMs, 'day-and-time')}. Without a decision by then nothing is changed, and \`/dpu resume ${run.id}\` makes a fresh plan.`,
  ];
}

/** "2 different people, one of role approvers and one of role security at least; not @ana". */
function mayApprove(run: Run, { roles, wanted = 1, generation }: ApprovalRequest): string {
  if (roles.length === 0) return 'Nobody is allowed to by the policy';
  const askers = run.approval?.generation === generation ? run.approval.askers : [run.requester];
  const names = roles.map((role) => escapeMrkdwn(role));
  const who =
    names.length > 1
      ? `${Math.max(wanted, names.length)} different people, at least ${names.map((name) => `one of role ${name}`).join(' and ')}`
      : `${wanted === 1 ? 'one person' : `${wanted} different people`} of role ${names.join('')}`;
  return `${who}; not ${mentions(askers)}`;
}

function mentions(people: readonly { readonly userId: string }[]): string {
  return people.map(({ userId }) => mention(userId)).join(' or ');
}

function hashesText(run: Run, plans: readonly UnitPlan[]): string {
  const hashes = plans.map((plan) => `${escapeMrkdwn(unitName(run, plan.unit))} ${inlineCode(plan.hash.slice(0, 12))}`);
  const more = hashes.length > SHOWN_HASHES ? ` and ${count(hashes.length - SHOWN_HASHES, 'more plan')}` : '';
  return `${hashes.slice(0, SHOWN_HASHES).join(', ')}${more}`;
}

function buttonsOf(run: Run, request: ApprovalRequest, { outcome }: ApprovalStanding): KnownBlock[] {
  if (outcome !== undefined) return [];
  const buttons = runButtons(run.id, request.generation, ['approve', 'reject', 'details']);
  return buttons === undefined ? [] : [buttons];
}
