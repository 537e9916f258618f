/** Messages of a run's thread about single steps. Titles come from the plan, so they come in. */
import type { JournalEvent } from '../domain/journal.ts';
import { note as small, preformatted, sections } from './blocks.ts';
import type { ChatMessage } from './message.ts';
import { count, duration, escapeMrkdwn, oneLine, prose, shortHashes } from './text.ts';

/** As many lines of a console as are read without scrolling a phone for long. */
const SNIPPET_LINES = 40;
const SNIPPET_CHARACTERS = 2600;
const SNIPPET_LINE_CHARACTERS = 200;

/** A change that was made and verified. */
export function appliedMessage(
  title: string,
  event: Extract<JournalEvent, { readonly type: 'step-applied' }>,
): ChatMessage {
  const head = `*${escapeMrkdwn(event.target)}*: *${oneLine(title)}* done in ${duration(event.tookMs)}`;
  const text = prose(shortHashes(event.reason), 900);
  const warning = event.warning === undefined ? [] : [`*Warning:* ${prose(event.warning, 900)}`];
  const checks = event.verdicts
    .slice(0, 10)
    .map(
      ({ check, pass, actual }) =>
        `${pass ? '' : 'NOT as wanted: '}${oneLine(check, 150)} is ${oneLine(shortHashes(actual), 150)}`,
    );
  const more = event.verdicts.length > 10 ? ` and ${count(event.verdicts.length - 10, 'more check')}` : '';
  const checked = checks.length === 0 ? [] : [small(`Checked: ${checks.join('; ')}${more}`)];
  return { text: `${head}. ${text}`, blocks: [...sections([head, text, ...warning]), ...checked] };
}

/** Something that is right and still worth a person's eye: a card without crypto. */
export function warningMessage(target: string, title: string, warning: string): ChatMessage {
  const text = `*${escapeMrkdwn(target)}*: *Warning* (${oneLine(title)}): ${prose(warning, 900)}`;
  return { text, blocks: sections([text]) };
}

/** A piece of a console or log as a code block; of a long one the end, because that is where it stopped. */
export function snippetMessage(event: Extract<JournalEvent, { readonly type: 'snippet' }>): ChatMessage {
  const { shown, left } = snippetLines(event.text);
  const cut = left === 0 ? '' : `, the last ${count(shown.length, 'line')} of ${shown.length + left}`;
  const heading = `*${oneLine(event.title)}* (${escapeMrkdwn(event.target)}${cut})`;
  return { text: heading, blocks: [...sections([heading]), preformatted(shown.join('\n'))] };
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
