import type { KnownBlock } from '@slack/types';
import type { JournalEvent } from '../domain/journal.ts';
import type { LookRow } from '../domain/look.ts';
import { preformatted, sections, table } from './blocks.ts';
import type { ChatMessage } from './message.ts';
import { oneLine } from './text.ts';

/** What a look saw of one target: what it means, the values, and the end of what was read. The whole of it is the file of the post. */
export function lookMessage(
  event: Extract<JournalEvent, { readonly type: 'looked' }>,
  isSimulated: boolean,
): ChatMessage {
  const { target, title, summary, rows = [], lines = [], warnings = [] } = event;
  const named = title.includes(target) ? title : `${title} of ${target}`;
  const heading = `*${oneLine(named)}*${isSimulated ? ' (SIMULATED)' : ''}`;
  const said = oneLine(summary, 900);
  const blocks: KnownBlock[] = sections([heading, said, ...warnings.map((text) => `*Warning:* ${oneLine(text, 900)}`)]);
  if (rows.length > 0) blocks.push(rowTable(rows));
  if (lines.length > 0) blocks.push(preformatted(lines.join('\n')));
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
