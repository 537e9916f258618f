import type { KnownBlock } from '@slack/types';
import { duration } from '../domain/duration.ts';
import { isLookName } from '../domain/look.ts';
import { isEnded, isUnitEnded } from '../domain/run.ts';
import type { Bullet, Span } from './blocks.ts';
import { bulletList, header, note, proseSpans, runButtons, sections } from './blocks.ts';
import { currentBullets } from './current-bullets.ts';
import { estimateText } from './estimate.ts';
import { fitMessage } from './limits.ts';
import { lookBlocks } from './look-card.ts';
import { withoutMention } from './mentions.ts';
import type { ChatMessage } from './message.ts';
import { resolvedLine } from './resolved-line.ts';
import type { RunView, UnitView } from './run-view.ts';
import type { StepView, TargetView } from './target-views.ts';
import { count, escapeMrkdwn, mention, nameList, plainList, prose, slackDate } from './text.ts';
import { isWorthALine, noteLines, noteSpans, warningLines } from './target-notes.ts';
import { failureLines, riskWords, runStateText, targetStateWords, unitStateWords } from './words.ts';

/** With more targets than this the card counts states and names only what needs eyes. */
const LISTED_TARGETS = 12;
/** With at most this many targets each lists its steps. */
const DETAILED_TARGETS = 4;
const SHOWN_FAILURES = 3;
const SHOWN_BUSY = 8;
const SHOWN_NOTES = 8;

/** The one card of a run, edited in place. `nowMs` is the wall clock, for the running time of the current step. */
export function runCard(view: RunView, nowMs: number): ChatMessage {
  const body: KnownBlock[] = [
    header(`Run ${view.id}: ${view.text}`),
    ...sections([stateLine(view), ...situationLines(view)]),
    note(contextLine(view, nowMs)),
    ...approvalBlocks(view),
    ...bodyBlocks(view, nowMs),
    ...failureBlocks(view),
  ];
  const buttons = runButtons(view.id, view.generation, view.buttons);
  const message = { text: cardText(view), blocks: buttons === undefined ? body : [...body, buttons] };
  // The end mentions who asked; a card that is posted would do so at the beginning.
  return fitMessage(withoutMention(message, view.requester));
}

function bodyBlocks(view: RunView, nowMs: number): KnownBlock[] {
  const targets = view.units.flatMap((unit) => unit.targets);
  const isLong = targets.length > LISTED_TARGETS;
  if (isLookName(view.recipe)) return lookBlocks(view, isLong, nowMs);
  return isLong ? collapsed(view, targets, nowMs) : listed(view, targets.length, nowMs);
}

/** Summary for notifications and screen readers. */
function cardText(view: RunView): string {
  const summary = view.summary === undefined ? '' : `. ${escapeMrkdwn(view.summary)}`;
  const stamp = view.simulated ? ' (SIMULATED)' : '';
  return `Run ${view.id}, ${escapeMrkdwn(view.text)}${stamp}: ${headline(view)}${summary}`;
}

/** "Running" is no word for a run of which all that has work left only waits. */
function headline({ state, recipe, units }: RunView): string {
  const isAtWork = units.some((unit) => unit.state === 'running' || unit.state === 'queued');
  const isWaiting = state === 'running' && !isAtWork && units.some((unit) => unit.state === 'waiting');
  return isWaiting ? 'Waiting' : runStateText(state, recipe);
}

function stateLine(view: RunView): string {
  const wave = view.wave.of > 1 && view.state === 'running' ? waveText(view) : '';
  const cancelling = view.cancel !== undefined && !isEnded(view.state);
  return `*${headline(view)}*${wave}${cancelling ? ', stopping: cancel was asked for' : ''}`;
}

function waveText({ wave, units }: RunView): string {
  const ended = units.filter(({ state }) => isUnitEnded(state)).length;
  return `, wave ${wave.index} of ${wave.of}: ${ended} of ${count(units.length, 'host')} ended`;
}

function situationLines(view: RunView): string[] {
  const resolved = resolvedLine(view);
  const lines: string[] = resolved === undefined ? [] : [resolved];
  if (view.summary !== undefined) lines.push(prose(view.summary));
  if (view.pausedReason !== undefined) lines.push(`Paused because: ${prose(view.pausedReason)}`);
  if (view.cancel !== undefined) lines.push(`Cancel asked for by ${mention(view.cancel.by.userId)}.`);
  return lines;
}

function contextLine(view: RunView, nowMs: number): string {
  const left = estimateText(view, nowMs);
  const parts = [`asked for by ${mention(view.requester.userId)}`, ...approvedBy(view), timing(view, nowMs)];
  if (left !== undefined) parts.push(left);
  if (view.planOnly) parts.push('plan only');
  parts.push(...whenTexts(view, nowMs));
  return `${view.simulated ? '*SIMULATED* · ' : ''}${parts.join(' · ')}`;
}

/** When it may begin, where that is not at once. */
function whenTexts({ startAtMs, outsideWindow, endedAtMs }: RunView, nowMs: number): string[] {
  const isToCome = endedAtMs === undefined && startAtMs !== undefined && nowMs < startAtMs;
  return [
    ...(isToCome ? [`starts ${slackDate(startAtMs, 'day-and-time')}`] : []),
    ...(outsideWindow ? ['outside the maintenance window'] : []),
  ];
}

function approvedBy(view: RunView): string[] {
  if (view.approval?.state !== 'approved') return [];
  const people = view.approval.votes.filter((vote) => vote.vote === 'approve').map((vote) => mention(vote.by.userId));
  return people.length === 0 ? [] : [`approved by ${[...new Set(people)].join(', ')}`];
}

/** The summary of the end says how long it took; while a person is waited for, a running time would only go stale. */
function timing(view: RunView, nowMs: number): string {
  if (view.endedAtMs !== undefined) return `ended ${slackDate(view.endedAtMs)}`;
  const since = `since ${slackDate(view.createdAtMs)}`;
  const isAtWork = (view.state === 'planning' || view.state === 'running') && nowMs - view.createdAtMs >= 1000;
  return isAtWork ? `${since}, ${duration(nowMs - view.createdAtMs)} so far` : since;
}

function approvalBlocks(view: RunView): KnownBlock[] {
  const approval = view.approval;
  if (approval === undefined || view.state !== 'awaiting-approval') return [];
  const last = approval.votes.at(-1);
  const votes = last === undefined ? '' : ` ${last.given} of ${last.wanted} approvals so far.`;
  const roles = approval.roles.length === 0 ? '' : ` May approve: ${nameList(approval.roles)}.`;
  return sections([
    `*Needs approval* (${riskWords[approval.risk]}). The plan is in the thread.${votes}${roles} Expires ${slackDate(approval.expiresAtMs)}.`,
  ]);
}

function listed(view: RunView, targetCount: number, nowMs: number): KnownBlock[] {
  const isDetailed = targetCount <= DETAILED_TARGETS;
  return view.units.map((unit) => unitBlock(unit, isDetailed, nowMs));
}

/** Before a unit has started there is nothing to list: what would be done to it stands in the plan. */
function unitBlock(unit: UnitView, isDetailed: boolean, nowMs: number): KnownBlock {
  const bullets: Bullet[] = [];
  if (unit.waiting !== undefined)
    bullets.push({ spans: [...proseSpans(`Waiting: ${unit.waiting.reason}`), ...until(unit.waiting.untilMs)] });
  if (unit.current !== undefined) bullets.push(...currentBullets(unit.current, nowMs));
  const hasStarted = unit.state !== 'planning' && unit.state !== 'planned' && unit.state !== 'queued';
  if (hasStarted) bullets.push(...unit.targets.flatMap((target) => targetBullets(target, unit, isDetailed)));
  return bulletList([{ bold: unit.name }, `: ${unitState(unit, isDetailed && hasStarted)}`], bullets);
}

/** The summary counts what the steps below it show; it is left out where they stand there. */
function unitState(unit: UnitView, hasSteps: boolean): string {
  const took =
    unit.startedAtMs !== undefined && unit.endedAtMs !== undefined
      ? ` in ${duration(unit.endedAtMs - unit.startedAtMs)}`
      : '';
  const changes = unit.plan?.changes ?? 0;
  const planned = unit.state === 'planned' ? `, ${changes === 0 ? 'nothing to change' : count(changes, 'change')}` : '';
  const isQuiet = hasSteps && unit.failure === undefined;
  return `${unitStateWords[unit.state]}${took}${planned}${unit.summary === undefined || isQuiet ? '' : `. ${unit.summary}`}`;
}

function until(untilMs: number | undefined): Span[] {
  return untilMs === undefined ? [] : [' (until ', { dateMs: untilMs }, ')'];
}

const GROUPS: readonly { readonly word: string; readonly states: readonly StepView['state'][] }[] = [
  { word: 'changed', states: ['applied'] },
  { word: 'now', states: ['running'] },
  { word: 'waiting', states: ['waiting'] },
  { word: 'failed', states: ['failed', 'needs-human', 'refused', 'cancelled'] },
  { word: 'to do', states: ['to-do'] },
  { word: 'later', states: ['later'] },
];

/** How far a target is; with details, which of its steps stand how. What was done to a finished one stands in the thread. */
function targetBullets(target: TargetView, unit: UnitView, isDetailed: boolean): Bullet[] {
  const name = target.target === unit.unit ? unit.name : target.target;
  const isDone = isDetailed && target.state === 'done';
  const head: Bullet = {
    spans: [{ bold: name }, `: ${targetStateWords[target.state]}${isDone ? doneText(target) : progressText(target)}`],
  };
  const notes = (target.note === undefined ? warningLines(target.warnings) : noteLines(target.note, unit.failure)).map(
    (text): Bullet => ({ indent: 1, spans: [text] }),
  );
  if (!isDetailed || isDone) return [head, ...notes];
  return [head, ...notes, ...stepGroups(target).map((text): Bullet => ({ indent: 1, spans: [text] }))];
}

/** ", 7 of 12 steps"; without steps nothing. */
function progressText({ steps, done }: TargetView): string {
  const skipped = steps.filter(({ state }) => state === 'skipped').length;
  const due = steps.length - skipped;
  return due === 0 ? '' : `, ${done - skipped} of ${count(due, 'step')}`;
}

/** ", 9 steps changed it, 12 were right already"; without steps nothing. */
function doneText(target: TargetView): string {
  const applied = target.steps.filter(({ state }) => state === 'applied').length;
  const right = rightAlready(target);
  if (applied + right === 0) return '';
  if (applied === 0) return `, ${right === 1 ? 'its step was' : `all ${right} steps were`} right already`;
  const rest = right === 0 ? '' : `, ${right} ${right === 1 ? 'was' : 'were'} right already`;
  return `, ${count(applied, 'step')} changed it${rest}`;
}

/** Steps by what became of them. Those that were right already are only counted: their names are of no use here. */
function stepGroups(target: TargetView): string[] {
  const groups = GROUPS.flatMap(({ word, states }) => {
    const titles = target.steps.filter((step) => states.includes(step.state)).map((step) => step.title);
    return titles.length === 0 ? [] : [`${word}: ${plainList(titles, 12)}`];
  });
  const right = rightAlready(target);
  return right === 0 ? groups : [...groups, `right already: ${count(right, 'step')}`];
}

function rightAlready({ steps }: TargetView): number {
  return steps.filter(({ state }) => state === 'right-already' || state === 'satisfied').length;
}

function collapsed(view: RunView, targets: readonly TargetView[], nowMs: number): KnownBlock[] {
  const tally = new Map<string, number>();
  for (const target of targets) {
    const word = targetStateWords[target.state];
    tally.set(word, (tally.get(word) ?? 0) + 1);
  }
  const counts = [...tally].map(([word, number]) => `${number} ${word}`).join(', ');
  const lines = [`*${count(targets.length, 'target')} on ${count(view.units.length, 'unit')}*: ${counts}`];
  const busy = view.units.filter((unit) => unit.current !== undefined || unit.waiting !== undefined);
  const shown = busy.slice(0, SHOWN_BUSY).map((unit) => unitBlock({ ...unit, targets: [] }, false, nowMs));
  const rest = busy.length > SHOWN_BUSY ? [`and ${busy.length - SHOWN_BUSY} more at work`] : [];
  return [...sections(lines), ...shown, ...sections(rest), ...notable(targets)];
}

/** Of many cards, those of which there is more to say than that they are done. */
function notable(targets: readonly TargetView[]): KnownBlock[] {
  const notes = targets.flatMap((target) => target.note ?? []).filter(isWorthALine);
  if (notes.length === 0) return [];
  const bullets = notes.slice(0, SHOWN_NOTES).map((note): Bullet => ({ spans: noteSpans(note) }));
  const rest = notes.length > SHOWN_NOTES ? [`and ${notes.length - SHOWN_NOTES} more`] : [];
  return [bulletList([], bullets), ...sections(rest)];
}

function failureBlocks(view: RunView): KnownBlock[] {
  const units = view.units.filter((unit) => unit.failure !== undefined);
  const blocks = units
    .slice(0, SHOWN_FAILURES)
    .flatMap((unit) =>
      unit.failure === undefined
        ? []
        : sections([`*${escapeMrkdwn(unit.name)}: ${unitStateWords[unit.state]}*`, ...failureLines(unit.failure, 400)]),
    );
  if (units.length > SHOWN_FAILURES)
    blocks.push(
      note(`${units.length - SHOWN_FAILURES} more with trouble; the thread and \`/dpu run ${view.id}\` name them.`),
    );
  const own = units.length === 0 && view.failure !== undefined ? sections(failureLines(view.failure, 400)) : [];
  return [...blocks, ...own];
}
