/** Messages of a run's thread about single steps. Titles come from the plan, so they come in. */
import type { KnownBlock } from '@slack/types';
import { duration } from '../domain/duration.ts';
import type { JournalEvent } from '../domain/journal.ts';
import type { Failure, Verdict } from '../domain/outcome.ts';
import { note as small, preformatted, sections } from './blocks.ts';
import type { ChatMessage } from './message.ts';
import { count, cutPlain, escapeMrkdwn, mention, oneLine, prose, shortHashes, slackDate } from './text.ts';
import { failureLines } from './words.ts';

/** As many lines of a console as are read without scrolling a phone for long. */
const SNIPPET_LINES = 40;
const SNIPPET_CHARACTERS = 2600;
const SNIPPET_LINE_CHARACTERS = 200;

/** A change that was made and verified. */
export function appliedMessage(
  target: string,
  title: string,
  event: Extract<JournalEvent, { readonly type: 'step-applied' }>,
): ChatMessage {
  const head = `*${escapeMrkdwn(target)}*: *${oneLine(title)}* done in ${duration(event.tookMs)}`;
  const text = prose(shortHashes(event.reason), 900);
  const warning = event.warning === undefined ? [] : [`*Warning:* ${prose(event.warning, 900)}`];
  const checked = checkedLine(event.verdicts);
  const checks = checked === undefined ? [] : [small(escapeMrkdwn(checked))];
  return { text: `${head}. ${text}`, blocks: [...sections([head, text, ...warning]), ...checks] };
}

const SHOWN_CHECKS = 10;
const CHECK_CHARACTERS = 150;

/** What was looked at after a step, and what was there, as plain text. */
export function checkedLine(verdicts: readonly Verdict[]): string | undefined {
  if (verdicts.length === 0) return undefined;
  const shown = verdicts.slice(0, SHOWN_CHECKS).map(({ check, pass, actual }) => {
    const [what, is] = [check, shortHashes(actual)].map((text) =>
      cutPlain(text.replaceAll(/\s+/g, ' '), CHECK_CHARACTERS),
    );
    return `${what}: ${is}${pass ? '' : ' (NOT as wanted)'}`;
  });
  const more = verdicts.length > SHOWN_CHECKS ? ` and ${count(verdicts.length - SHOWN_CHECKS, 'more check')}` : '';
  return `Checked ${shown.join('; ')}${more}`;
}

/**
 * What is waited for, as a line of mrkdwn. `title`: of the step; a whole unit that waits for another run has none and no
 * deadline, because it is looked at again until that run lets go.
 */
export function waitingText(
  name: string,
  title: string | undefined,
  { reason, untilMs }: Extract<JournalEvent, { readonly type: 'step-waiting' }>,
): string {
  if (title === undefined) return `*${escapeMrkdwn(name)}* waits: ${prose(reason, 1800)}`;
  return `*${escapeMrkdwn(name)}*: ${oneLine(title)} waits: ${prose(reason, 900)} (until ${slackDate(untilMs)})`;
}

/** Something that is right and still worth a person's eye: a card without crypto. */
export function warningMessage(target: string, title: string, warning: string): ChatMessage {
  const text = `*${escapeMrkdwn(target)}*: *Warning* (${oneLine(title)}): ${prose(warning, 900)}`;
  return { text, blocks: sections([text]) };
}

/** What went wrong, and what to do; the requester is mentioned where it needs a person. */
export function failureMessage(title: string, failure: Failure, requesterId: string): ChatMessage {
  const heading = `*${oneLine(title)}*${failure.kind === 'needs-human' ? ` ${mention(requesterId)}` : ''}`;
  const evidence: KnownBlock[] = failure.evidence === undefined ? [] : [preformatted(failure.evidence, 1500)];
  const blocks = [...sections([heading, ...failureLines(failure)]), ...evidence];
  return { text: `${oneLine(title)}. ${oneLine(failure.what)}`, blocks };
}

/** A piece of a console or log as a code block; of a long one the end, because that is where it stopped. */
export function snippetMessage(event: Extract<JournalEvent, { readonly type: 'snippet' }>): ChatMessage {
  return { text: snippetHeading(event), blocks: snippetBlocks(event) };
}

/** The same below other blocks. */
export function snippetBlocks(event: Extract<JournalEvent, { readonly type: 'snippet' }>): KnownBlock[] {
  return [...sections([snippetHeading(event)]), preformatted(snippetLines(event.text).shown.join('\n'))];
}

function snippetHeading({ title, target, text }: Extract<JournalEvent, { readonly type: 'snippet' }>): string {
  const { shown, left } = snippetLines(text);
  const cut = left === 0 ? '' : `, the last ${count(shown.length, 'line')} of ${shown.length + left}`;
  return `*${oneLine(title)}* (${escapeMrkdwn(target)}${cut})`;
}

function snippetLines(text: string): { readonly shown: readonly string[]; readonly left: number } {
  const lines = text.replace(/\s+$/, '').split(/\r?\n/);
  const shown: string[] = [];
  let size = 0;
  for (const line of lines.slice(-SNIPPET_LINES).toReversed()) {
    const short = line.length > SNIPPET_LINE_CHARACTERS ? `${line.slice(0, SNIPPET_LINE_CHARACTERS - 1)}…` : line;
    size += short.length + 1;
    if (size > SNIPPET_CHARACTERS) break;
    shown.unshift(short);
  }
  return { shown, left: lines.length - shown.length };
}
