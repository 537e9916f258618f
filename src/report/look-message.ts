import type { KnownBlock } from '@slack/types';
import type { JournalEvent } from '../domain/journal.ts';
import type { LookRow } from '../domain/look.ts';
import { note, preformatted, sections, table } from './blocks.ts';
import type { ChatMessage } from './message.ts';
import { escapeMrkdwn, oneLine } from './text.ts';

/** What a look saw of one target: what it means, the values, the end of what was read, and where all of it is. */
export function lookMessage(
  event: Extract<JournalEvent, { readonly type: 'looked' }>,
  isSimulated: boolean,
): ChatMessage {
  const { target, title, summary, rows = [], lines = [], warnings = [], file } = event;
  const named = title.includes(target) ? title : `${title} of ${target}`;
  const heading = `*${oneLine(named)}*${isSimulated ? ' (SIMULATED)' : ''}`;
  const said = oneLine(summary, 900);
  const blocks: KnownBlock[] = sections([heading, said, ...warnings.map((text) => `*Warning:* ${oneLine(text, 900)}`)]);
  if (rows.length > 0) blocks.push(rowTable(rows));
  if (lines.length > 0) blocks.push(preformatted(lines.join('\n')));
  if (file !== undefined) blocks.push(note(`Whole text: ${escapeMrkdwn(file.name)} (${size(file.bytes)}) attached`));
  return { text: `${heading}: ${said}`, blocks };
}

/** The third column is there only where a value looks wrong. */
function rowTable(rows: readonly LookRow[]): KnownBlock {
  if (rows.every((row) => row.warning === undefined))
    return table(
      ['What', 'Value'],
      rows.map(({ label, value }) => [label, value]),
    );
  const shown = rows.map(({ label, value, warning }) => [
    label,
    value,
    warning === undefined ? '' : `Warning: ${warning}`,
  ]);
  return table(['What', 'Value', 'Looks wrong'], shown);
}

function size(bytes: number): string {
  return bytes < 1024 ? `${bytes} bytes` : `${Math.round(bytes / 1024)} KiB`;
}
