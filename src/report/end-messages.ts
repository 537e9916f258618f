import type { KnownBlock } from '@slack/types';
import { duration } from '../domain/duration.ts';
import type { JournalEvent } from '../domain/journal.ts';
import { isLookName } from '../domain/look.ts';
import type { Run, TargetNote } from '../domain/run.ts';
import { hostsOf } from '../domain/run.ts';
import { unitName } from '../domain/unit-name.ts';
import type { Bullet } from './blocks.ts';
import { bulletList, sections, table } from './blocks.ts';
import type { FoldedStep, FoldedUnit, JournalFold } from './journal-fold.ts';
import type { ChatMessage } from './message.ts';
import { count, escapeMrkdwn, mention, oneLine, prose, shortHashes } from './text.ts';
import { isWorthALine, noteSpans } from './target-notes.ts';
import { failureLines, outcomeWords, runStateText, unitStateWords } from './words.ts';

type UnitEnded = Extract<JournalEvent, { readonly type: 'unit-ended' }>;
type RunEnded = Extract<JournalEvent, { readonly type: 'run-ended' }>;

/** End of a unit: outcome, and each step that turned out to be right only now; those of the plan stand there. */
export function unitEndMessage(
  unit: string,
  folded: FoldedUnit | undefined,
  event: UnitEnded,
  tellFailure: boolean,
  planned: (step: string, target: string) => { readonly title: string; readonly wasRight: boolean },
): ChatMessage {
  const satisfied = Object.values(folded?.steps ?? {}).filter((step) => step.state === 'satisfied');
  const took =
    folded?.startedAtMs !== undefined && folded.ended !== undefined
      ? ` after ${duration(folded.ended.atMs - folded.startedAtMs)}`
      : '';
  const head = `*${escapeMrkdwn(unit)}: ${unitStateWords[event.state]}*${took}. ${prose(event.summary)}`;
  const bullets = satisfied.flatMap(({ step, target, reason }): Bullet[] => {
    const { title, wasRight } = planned(step, target);
    const why = reason === '' ? '' : `: ${shortHashes(reason)}`;
    return wasRight ? [] : [{ spans: ['Right already: ', { bold: title }, ` (${target})${why}`] }];
  });
  const blocks = [...sections([head]), ...(bullets.length === 0 ? [] : [bulletList([], bullets)])];
  if (tellFailure && event.failure !== undefined) blocks.push(...sections(failureLines(event.failure)));
  return { text: head, blocks };
}

/** How many cards the message at the end says more about than their row in the table. */
const SHOWN_NOTES = 20;

/** End of a run: outcome with its summary, a table of the targets, what is to know of each, and the requester is mentioned. */
export function runEndMessage(run: Run, fold: JournalFold, event: RunEnded): ChatMessage {
  const stamp = run.simulated ? ' (SIMULATED)' : '';
  const head = `${mention(run.requester.userId)} *Run ${run.id}${stamp}: ${runStateText(event.state, run.recipe)}*`;
  if (isLookName(run.recipe)) return lookEndMessage(run, fold, event, head);
  const notes = Object.values(run.units).flatMap((unit) => unit.targetNotes ?? []);
  const told =
    notes.some((note) => note.failure !== undefined) ||
    Object.values(fold.units).some((unit) => unit.ended?.failure !== undefined || unit.planFailure !== undefined);
  const lines = [head, prose(event.summary)];
  if (event.failure !== undefined && !told) lines.push(...failureLines(event.failure));
  const names = [...new Set([...Object.keys(run.units), ...Object.keys(fold.units)])];
  // The drift stands above, and nothing was done.
  const isInspected = run.recipe === 'inspect';
  const rows = (isInspected ? [] : names).flatMap((name) =>
    targetRows(unitOf(run, name), fold.units[name], run.units[name]?.targetNotes ?? [], waitedFor(run, name)),
  );
  const shown = rows.slice(0, 99);
  const text = `Run ${run.id}${stamp}: ${runStateText(event.state, run.recipe)}. ${oneLine(event.summary)}`;
  const blocks = sections(lines);
  if (shown.length > 0) blocks.push(targetTable(shown));
  if (rows.length > shown.length)
    blocks.push(...sections([`${count(rows.length - shown.length, 'more target')} not listed here.`]));
  return { text, blocks: [...blocks, ...noteBlocks(notes)] };
}

/** One line, because what was seen stands above it: the sentence of the one unit, or how many there were. */
function lookEndMessage(run: Run, fold: JournalFold, event: RunEnded, head: string): ChatMessage {
  const [unit, ...others] = Object.keys(run.units);
  const ended = unit === undefined || others.length > 0 ? undefined : fold.units[unit]?.ended;
  const text = `${head}. ${oneLine(ended?.summary ?? event.summary, 900)}`;
  return { text, blocks: sections([text]) };
}

/** What is to be said of the cards of a unit whose turn never came: its plan is no result. */
function waitedFor(run: Run, unit: string): string | undefined {
  if (run.units[unit]?.state !== 'planned') return undefined;
  return run.planOnly ? 'planned' : 'not started';
}

function noteBlocks(notes: readonly TargetNote[]): KnownBlock[] {
  const worth = notes.filter(isWorthALine);
  if (worth.length === 0) return [];
  const bullets = worth.slice(0, SHOWN_NOTES).map((note): Bullet => ({ spans: noteSpans(note) }));
  const rest = worth.length > SHOWN_NOTES ? [`and ${count(worth.length - SHOWN_NOTES, 'more card')}`] : [];
  return [bulletList([], bullets), ...sections(rest)];
}

/** The column of the hosts is there when the names of the cards do not say it already: phones are narrow. */
function targetTable(rows: readonly (readonly string[])[]): KnownBlock {
  const isNamed = rows.every(([card = '', host = '']) => card.startsWith(host));
  const head = ['Card', 'Host', 'Result', 'Changed', 'Right', 'Took'];
  const [shownHead = head, ...shown] = isNamed
    ? [head, ...rows].map((row) => row.filter((_, column) => column !== 1))
    : [head, ...rows];
  return table(shownHead, shown);
}

interface NamedUnit {
  readonly name: string;
  /** As people call it. */
  readonly called: string;
  readonly hosts: readonly string[];
}

function unitOf(run: Run, name: string): NamedUnit {
  const record = run.units[name];
  return { name, called: unitName(run, name), hosts: record === undefined ? [name] : hostsOf(record) };
}

/**
 * A row for each card of the unit. The host itself has one only where something of its own was changed or went wrong:
 * that it could be reached is in every other row. Without notes (a unit that did not end) only cards that were worked on.
 */
function targetRows(
  { name, called, hosts }: NamedUnit,
  unit: FoldedUnit | undefined,
  notes: readonly TargetNote[],
  instead: string | undefined,
): string[][] {
  const steps = Object.values(unit?.steps ?? {});
  const targets = new Set([...steps.map((step) => step.target), ...notes.map((note) => note.target)]);
  const isCutShort =
    unit?.ended?.state === 'cancelled' ||
    unit?.ended?.state === 'plan-outdated' ||
    steps.some((step) => step.target === name && isBad(step));
  return [...targets].flatMap((target) => {
    const own = steps.filter((step) => step.target === target);
    const number = (state: FoldedStep['state']): number => own.filter((step) => step.state === state).length;
    const note = notes.find((entry) => entry.target === target);
    const isOwn = target === name || hosts.includes(target);
    if (isOwn && number('satisfied') === own.length && note?.failure === undefined) return [];
    const bad = own.find(isBad);
    const good = note?.failure === undefined && instead !== undefined ? instead : resultOf(unit, note, isCutShort);
    const result = bad === undefined ? good : `${outcomeWords[bad.state]}: ${bad.title ?? bad.step}`;
    const took = own.reduce((sum, step) => sum + (step.tookMs ?? 0), 0);
    const shown = target === name ? called : target;
    // Of a pair each card has a host of its own.
    return [
      [
        shown,
        hosts.length > 1 ? shown : name,
        result,
        String(number('applied')),
        String(number('satisfied')),
        duration(took),
      ],
    ];
  });
}

type Bad = 'failed' | 'needs-human' | 'refused' | 'cancelled';
const BAD: readonly FoldedStep['state'][] = ['failed', 'needs-human', 'refused', 'cancelled'] satisfies Bad[];

function isBad(step: FoldedStep): step is FoldedStep & { readonly state: Bad } {
  return BAD.includes(step.state);
}

/** Where the whole unit stopped, a card that has no failure of its own was not finished, whatever it had reached. */
function resultOf(unit: FoldedUnit | undefined, note: TargetNote | undefined, isCutShort: boolean): string {
  if (note === undefined) return unitStateWords[unit?.ended?.state ?? 'running'];
  const isCarried = note.failure === undefined && note.outcome !== 'activation-pending';
  return isCarried && isCutShort ? 'not finished' : outcomeWords[note.outcome];
}
