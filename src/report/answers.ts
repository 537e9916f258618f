/** What a command answers to the person who gave it. Only they see it. */
import type { KnownBlock } from '@slack/types';
import { duration } from '../domain/duration.ts';
import type { Failure } from '../domain/outcome.ts';
import type { Run } from '../domain/run.ts';
import { header, note, preformatted, sections, table } from './blocks.ts';
import { fitMessage } from './limits.ts';
import type { ChatMessage, FailureAnswer } from './message.ts';
import { count, cutPlain, escapeMrkdwn, inlineCode, slackDate } from './text.ts';
import { failureLines, runStateText } from './words.ts';

/** A plain sentence or a few lines. The text is foreign: nothing in it pings or links; single back-ticks stay code. */
export function textAnswer(text: string): ChatMessage {
  const escaped = escapeMrkdwn(text);
  return fitMessage({ text: escaped, blocks: sections(escaped.split('\n')) });
}

/** A refusal or an error: what, why, what to do next, with the evidence when there is some. */
export function failureAnswer(failure: Failure): FailureAnswer {
  const evidence: KnownBlock[] = failure.evidence === undefined ? [] : [preformatted(failure.evidence, 1500)];
  const blocks = [...sections(failureLines(failure)), ...evidence];
  return { ...fitMessage({ text: `${escapeMrkdwn(failure.what)} ${escapeMrkdwn(failure.next)}`, blocks }), failure };
}

/** A titled table; cells are plain text and never parsed. More than 99 rows are counted, not shown. */
export function tableAnswer(
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  footnote?: string,
): ChatMessage {
  const shown = rows.slice(0, 99);
  const blocks: KnownBlock[] = [header(title)];
  blocks.push(shown.length === 0 ? note('Nothing to list.') : table(head, shown));
  if (rows.length > shown.length) blocks.push(note(`${count(rows.length - shown.length, 'more row')} not shown.`));
  if (footnote !== undefined) blocks.push(note(escapeMrkdwn(footnote)));
  return fitMessage({ text: `${escapeMrkdwn(title)}: ${count(rows.length, 'row')}`, blocks });
}

/** Runs, one line each, newest first as given. */
export function runsAnswer(runs: readonly Run[]): ChatMessage {
  if (runs.length === 0) return textAnswer('There are no runs yet. `/dpu help` shows what can be asked for.');
  const lines = runs.slice(0, 30).map((run) => {
    const stamp = run.simulated ? ' (SIMULATED)' : '';
    const took = run.endedAtMs === undefined ? '' : `, took ${duration(run.endedAtMs - run.createdAtMs)}`;
    const who = escapeMrkdwn(run.requester.displayName);
    return `*${run.id}* ${runStateText(run.state, run.recipe)}: ${inlineCode(cutPlain(run.text, 120))} by ${who}, ${slackDate(run.createdAtMs, 'day-and-time')}${took}${stamp}`;
  });
  return fitMessage({
    text: `Newest runs: ${runs
      .slice(0, 5)
      .map((run) => `${run.id} ${run.state}`)
      .join(', ')}`,
    blocks: [header('Newest runs'), ...sections(lines), note('`/dpu run NUMBER` shows one of them.')],
  });
}

/** One entry of help: how a command is written and what it does. */
export interface HelpEntry {
  readonly usage: string;
  readonly summary: string;
  /** Such as "needs approval by a second person". */
  readonly remark?: string;
  readonly details?: readonly string[];
}

/** Help, generated from the command table by the caller. */
export function helpAnswer(title: string, entries: readonly HelpEntry[], footnote?: string): ChatMessage {
  const lines = entries.flatMap((entry) => [
    `${inlineCode(entry.usage)}: ${escapeMrkdwn(entry.summary)}${entry.remark === undefined ? '' : ` (${escapeMrkdwn(entry.remark)})`}`,
    ...(entry.details ?? []).map((line) => `    ${escapeMrkdwn(line)}`),
  ]);
  const blocks = [header(title), ...sections(lines)];
  if (footnote !== undefined) blocks.push(note(escapeMrkdwn(footnote)));
  return fitMessage({
    text: `${escapeMrkdwn(title)}: ${entries.map((entry) => escapeMrkdwn(entry.usage)).join('; ')}`,
    blocks,
  });
}
