import type { KnownBlock } from '@slack/types';
import type { ArtefactRef } from '../domain/artefacts.ts';
import type { JournalEvent } from '../domain/journal.ts';
import { sections, table } from './blocks.ts';
import type { ChatMessage } from './message.ts';
import { escapeMrkdwn, oneLine } from './text.ts';

type Event = Extract<JournalEvent, { readonly type: 'measured' }>;

/** The result with its first file (the chart), and a line for each further one: a message takes one file. */
export function measuredMessages(event: Event): { readonly message: ChatMessage; readonly file?: ArtefactRef }[] {
  const [first, ...others] = event.files;
  return [
    { message: resultMessage(event), ...(first && { file: first }) },
    ...others.map((file) => {
      const text = escapeMrkdwn(file.altText ?? file.name);
      return { message: { text, blocks: sections([text]) }, file };
    }),
  ];
}

/** The one line, a table of the series, and what a reader has to know about the figures. */
function resultMessage(event: Event): ChatMessage {
  const stamp = event.stamp === undefined ? '' : ` (${event.stamp})`;
  const heading = `*${oneLine(event.title)}*${stamp}`;
  const warnings = event.warnings.map((text) => `*Warning:* ${oneLine(text, 900)}`);
  const blocks: KnownBlock[] = sections([heading, oneLine(event.line, 900), ...warnings]);
  const { columns, rows } = event.table;
  if (rows.length > 0) blocks.push(table(columns, rows));
  return { text: `${heading}: ${oneLine(event.line, 900)}`, blocks };
}
