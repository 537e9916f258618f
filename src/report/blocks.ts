/** Builders of the few blocks the house uses. Texts given to `section` and `note` are mrkdwn whose foreign parts are escaped. */
import type { ActionsBlock, Button, KnownBlock, RichTextElement, RichTextList, RichTextSection } from '@slack/types';
import { blockLimits, mrkdwnText } from './limits.ts';
import { ISO_TIME, cutMrkdwn, cutPlain, dateFallback, isPlanTime } from './text.ts';

/** A heading; plain text, no escaping needed. */
export function header(text: string): KnownBlock {
  return { type: 'header', text: { type: 'plain_text', text: cutPlain(text, blockLimits.headerText), emoji: false } };
}

/** One paragraph of mrkdwn. `expand` keeps Slack from folding it behind "See more". */
export function section(mrkdwn: string): KnownBlock {
  return { type: 'section', expand: true, text: mrkdwnText(cutMrkdwn(mrkdwn, blockLimits.sectionText)) };
}

/** Lines of mrkdwn packed into as few sections as the limit on a section's text allows. */
export function sections(lines: readonly string[]): KnownBlock[] {
  const blocks: KnownBlock[] = [];
  let text = '';
  for (const line of lines) {
    const next = cutMrkdwn(line, blockLimits.sectionText);
    if (text !== '' && text.length + 1 + next.length > blockLimits.sectionText) {
      blocks.push(section(text));
      text = next;
    } else text = text === '' ? next : `${text}\n${next}`;
  }
  if (text.trim() !== '') blocks.push(section(text));
  return blocks;
}

/** Small grey text under the rest. */
export function note(...mrkdwn: readonly string[]): KnownBlock {
  return {
    type: 'context',
    elements: mrkdwn
      .slice(0, blockLimits.contextElements)
      .map((text) => mrkdwnText(cutMrkdwn(text, blockLimits.fieldText))),
  };
}

/** Device output: preformatted rich text, in which nothing is ever parsed as mention, link or fence. */
export function preformatted(text: string, maxCharacters = 2800): KnownBlock {
  return {
    type: 'rich_text',
    elements: [
      { type: 'rich_text_preformatted', elements: [{ type: 'text', text: cutPlain(text, maxCharacters) || ' ' }] },
    ],
  };
}

/** A piece of rich text. Nothing in it is ever parsed, so foreign text needs no escaping; `dateMs` is shown in the reader's zone. */
export type Span =
  | string
  | { readonly bold: string }
  | { readonly code: string }
  | { readonly dateMs: number; readonly withDay?: boolean };

/** A sentence of dpubot itself whose points in time (ISO 8601, UTC) are shown in the reader's zone, as `prose` does it. */
export function proseSpans(text: string): Span[] {
  const spans: Span[] = [];
  let done = 0;
  for (const { 0: iso, index } of text.matchAll(ISO_TIME)) {
    const dateMs = Date.parse(iso);
    if (Number.isNaN(dateMs)) continue;
    spans.push(text.slice(done, index), { dateMs, withDay: isPlanTime(iso) });
    done = index + iso.length;
  }
  return [...spans, text.slice(done)];
}

/** One bullet; `indent` 1 is a bullet below a bullet. */
export interface Bullet {
  readonly indent?: 0 | 1;
  readonly spans: readonly Span[];
}

/** A heading line with bullets below it; wrapped lines stay beside their bullet. */
export function bulletList(heading: readonly Span[], bullets: readonly Bullet[]): KnownBlock {
  const lists: RichTextList[] = [];
  for (const { indent = 0, spans } of bullets.filter((bullet) => bullet.spans.length > 0)) {
    const item = line(spans);
    const last = lists.at(-1);
    if (last?.indent === indent) last.elements.push(item);
    else lists.push({ type: 'rich_text_list', style: 'bullet', indent, elements: [item] });
  }
  return { type: 'rich_text', elements: heading.length === 0 ? lists : [line(heading), ...lists] };
}

function line(spans: readonly Span[]): RichTextSection {
  return { type: 'rich_text_section', elements: spans.filter((span) => span !== '').map(richElement) };
}

function richElement(span: Span): RichTextElement {
  if (typeof span === 'string') return { type: 'text', text: oneSpan(span) };
  if ('bold' in span) return { type: 'text', text: oneSpan(span.bold), style: { bold: true } };
  if ('code' in span) return { type: 'text', text: oneSpan(span.code), style: { code: true } };
  const timestamp = Math.floor(span.dateMs / 1000);
  const format = span.withDay === true ? '{date_short_pretty} {time}' : '{time}';
  return { type: 'date', timestamp, format, fallback: dateFallback(span.dateMs) };
}

/** Slack refuses an empty text. */
function oneSpan(text: string): string {
  return cutPlain(text.replaceAll(/\s+/g, ' '), blockLimits.spanText) || ' ';
}

/** A table of plain cells with a heading row; cells are never parsed. Names in the first column are kept in one piece, figures stand to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): KnownBlock {
  const cells = (texts: readonly string[]): { type: 'raw_text'; text: string }[] =>
    texts.slice(0, blockLimits.tableColumns).map((text) => ({ type: 'raw_text', text: cutPlain(text, 200) || ' ' }));
  const isFigures = (column: number): boolean => rows.length > 0 && rows.every((row) => /^\d/.test(row[column] ?? ''));
  return {
    type: 'table',
    rows: [head, ...rows].slice(0, blockLimits.tableRows).map(cells),
    column_settings: head.map((_, column) => ({
      is_wrapped: column > 0 && !isFigures(column),
      ...(isFigures(column) && { align: 'right' as const }),
    })),
  };
}

/** What a button of a run's messages may do; each stands for the command of that name. */
export const runActions = ['approve', 'reject', 'cancel', 'resume', 'done', 'console', 'details'] as const;
export type RunAction = (typeof runActions)[number];

const LABELS: Readonly<Record<RunAction, string>> = {
  approve: 'Approve',
  reject: 'Reject',
  cancel: 'Cancel',
  resume: 'Resume',
  done: 'Done',
  console: 'Console',
  details: 'Details',
};

/** Buttons of a run. The value holds nothing but run and generation: everything else is looked up when it is pressed. */
export function runButtons(runId: number, generation: number, actions: readonly RunAction[]): ActionsBlock | undefined {
  if (actions.length === 0) return undefined;
  return { type: 'actions', elements: actions.map((action) => runButton(runId, generation, action)) };
}

function runButton(runId: number, generation: number, action: RunAction): Button {
  return {
    type: 'button',
    action_id: `run:${action}`,
    text: { type: 'plain_text', text: LABELS[action], emoji: false },
    value: runButtonValue(runId, generation),
    accessibility_label: spokenLabel(action, runId),
    ...(action === 'approve' || action === 'done' ? { style: 'primary' as const } : {}),
    ...(action === 'reject' || action === 'cancel' ? { style: 'danger' as const } : {}),
  };
}

function spokenLabel(action: RunAction, runId: number): string {
  if (action === 'done') return `Done by hand, go on with run ${runId}`;
  return action === 'console' ? `Console of the card that run ${runId} works on` : `${LABELS[action]} run ${runId}`;
}

/** The opaque value of a run's buttons: `418:3`. */
export function runButtonValue(runId: number, generation: number): string {
  return `${runId}:${generation}`;
}

/** Reads a button of a run; undefined when action id or value is not one of ours. */
export function parseRunButton(
  actionId: string,
  value: string | undefined,
): { readonly action: RunAction; readonly runId: number; readonly generation: number } | undefined {
  const action = runActions.find((name) => actionId === `run:${name}`);
  const match = /^(\d{1,9}):(\d{1,9})$/.exec(value ?? '');
  if (action === undefined || match === null) return undefined;
  return { action, runId: Number(match[1]), generation: Number(match[2]) };
}
