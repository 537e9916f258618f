import type { KnownBlock } from '@slack/types';
import type { ArtefactRef } from '../domain/artefacts.ts';
import type { JournalEvent } from '../domain/journal.ts';
import { sections, table } from './blocks.ts';
import type { ChatMessage } from './message.ts';
import { escapeMrkdwn, mention, oneLine } from './text.ts';

type Event = Extract<JournalEvent, { readonly type: 'measured' }>;

/** Said of files that are no pictures. */
const captions: Readonly<Record<string, string>> = {
  'application/json': 'All figures, samples and conditions',
  'text/csv': 'The whole table',
  'text/plain': 'What the tools have logged',
};

/** Begins the warning that a reader must not miss: software has done what the hardware was to do. */
const loud = /^NOT OFFLOADED:?\s*/;

/**
 * The result with its first file (the chart), and a line for each further one: a message takes one file. The requester is
 * mentioned only where a second measurement has confirmed that it is worse than the baseline.
 */
export function measuredMessages(
  event: Event,
  requesterId: string,
): { readonly message: ChatMessage; readonly file?: ArtefactRef }[] {
  const [first, ...others] = event.files;
  return [
    { message: resultMessage(event, requesterId), ...(first && { file: first }) },
    ...others.map((file) => {
      const text = captionOf(file);
      return { message: { text, blocks: sections([text]) }, file };
    }),
  ];
}

/** The one line, a table of the series, and what a reader has to know about the figures. */
function resultMessage(event: Event, requesterId: string): ChatMessage {
  const stamp = event.stamp === undefined ? '' : ` (${event.stamp})`;
  const heading = `*${oneLine(event.title)}*${stamp}`;
  const line = oneLine(event.line, 900);
  const regression =
    event.regression === true ? [`${mention(requesterId)} *Slower than the baseline*, and measured twice.`] : [];
  const blocks: KnownBlock[] = sections([heading, line, ...regression, ...event.warnings.map(warningLine)]);
  const { columns, rows } = event.table;
  if (rows.length > 0) blocks.push(table(columns, rows));
  return { text: [`${heading}: ${line}`, ...regression].join(' '), blocks };
}

function warningLine(text: string): string {
  const isLoud = loud.test(text);
  return isLoud ? `*NOT OFFLOADED:* ${oneLine(text.replace(loud, ''), 900)}` : `*Warning:* ${oneLine(text, 900)}`;
}

/** Of a picture its title: what it shows in figures is read out where it is. */
function captionOf({ name, mimeType, altText }: ArtefactRef): string {
  if (altText !== undefined) return oneLine(altText.split('. ')[0] ?? altText);
  const caption = captions[mimeType];
  return caption === undefined ? escapeMrkdwn(name) : `${caption}: ${escapeMrkdwn(name)}`;
}
