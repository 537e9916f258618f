import type { Block, KnownBlock, RichTextBlockElement } from '@slack/types';

/** Names behind the ids of mentions. */
export interface Names {
  readonly users: ReadonlyMap<string, string>;
  readonly channels: ReadonlyMap<string, string>;
}

/** What a person reads of a message, line by line; buttons as `[Approve]`. Made from what the chat shows, not by dpubot. */
export function messageLines(
  message: { readonly text: string; readonly blocks?: readonly Block[] },
  names: Names,
): string[] {
  // The pretend Slack accepts known blocks only; their shape was checked when they were posted.
  const blocks = (message.blocks ?? []) as readonly KnownBlock[];
  const text =
    blocks.length === 0 ? mrkdwnText(message.text, names) : blocks.map((b) => blockText(b, names)).join('\n');
  return text.split('\n').map((line) => line.trimEnd());
}

function blockText(block: KnownBlock, names: Names): string {
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- blocks that dpubot does not use fall through to whatever text they hold
  switch (block.type) {
    case 'header':
      return block.text.text;
    case 'section':
      return [block.text, ...(block.fields ?? [])]
        .filter((text) => text !== undefined)
        .map((text) => textOf(text, names))
        .join('\n');
    case 'context':
      return block.elements.map((element) => ('text' in element ? textOf(element, names) : '')).join(' ');
    case 'actions':
      return block.elements
        .map((element) => (element.type === 'button' ? `[${element.text.text}]` : `[${element.type}]`))
        .join(' ');
    case 'divider':
      return '---';
    case 'image':
      return `(picture: ${block.alt_text})`;
    case 'rich_text':
      return block.elements.map(richText).join('\n');
    case 'table':
      return tableText(block.rows.map((row) => row.map((cell) => fragmentText(cell))));
    default:
      return fragmentText(block);
  }
}

function textOf(text: { readonly type: string; readonly text: string }, names: Names): string {
  return text.type === 'mrkdwn' ? mrkdwnText(text.text, names) : text.text;
}

/** A part of rich text: lists with their bullets, the rest as it stands. */
function richText(part: RichTextBlockElement): string {
  if (part.type !== 'rich_text_list') return fragmentText(part);
  const bullet = `${'    '.repeat(part.indent ?? 0)}• `;
  return part.elements.map((item) => `${bullet}${fragmentText(item)}`).join('\n');
}

/** Text inside rich text and table cells, whatever its nesting: an unknown element shows what text it has. */
function fragmentText(value: unknown): string {
  if (Array.isArray(value)) return value.map(fragmentText).join('');
  if (typeof value !== 'object' || value === null) return '';
  if ('timestamp' in value && typeof value.timestamp === 'number') return clockText(new Date(value.timestamp * 1000));
  if ('text' in value && typeof value.text === 'string') return value.text;
  return 'elements' in value ? fragmentText(value.elements) : '';
}

function tableText(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n');
}

/** Slack's mrkdwn as plain text: mentions by name, dates in local time, bold and entities resolved. */
export function mrkdwnText(mrkdwn: string, names: Names): string {
  return mrkdwn
    .replaceAll(/<([^<>]+)>/g, (_all, inner: string) => referenceText(inner, names))
    .replaceAll(/(?<![\w*])\*(?! )([^*\n]+)(?<! )\*(?![\w*])/g, '$1')
    .replaceAll(/^```\n?|\n?```$/gm, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

function referenceText(inner: string, names: Names): string {
  const [target = '', label] = inner.split('|');
  if (target.startsWith('@')) return `@${names.users.get(target.slice(1)) ?? label ?? target.slice(1)}`;
  if (target.startsWith('#')) return `#${label ?? names.channels.get(target.slice(1)) ?? target.slice(1)}`;
  const seconds = /^!date\^(\d+)\^/.exec(target)?.[1];
  if (seconds !== undefined) return clockText(new Date(Number(seconds) * 1000));
  return label ?? target;
}

/** `18:04:09`, local time. */
export function clockText(date: Date): string {
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}
