import type {
  ActionsBlock,
  KnownBlock,
  RichTextBlock,
  RichTextBlockElement,
  RichTextElement,
  TableBlock,
} from '@slack/types';
import type { ChatMessage } from './message.ts';

/**
 * A message as readable plain text: for transcripts, the command line, and the rendering used when Slack refuses the
 * blocks. `name` turns a user id into a name.
 */
export function plainText(message: ChatMessage, name: (userId: string) => string = (id) => id): string {
  if (message.blocks.length === 0) return unescapeMrkdwn(message.text, name);
  return message.blocks
    .map((block) => blockText(block, name))
    .filter((text) => text !== '')
    .join('\n');
}

function blockText(block: KnownBlock, name: (userId: string) => string): string {
  if (block.type === 'header') return `== ${block.text.text} ==`;
  if (block.type === 'section') {
    const fields = (block.fields ?? []).map((field) => field.text);
    return [block.text?.text ?? '', ...fields]
      .map((text) => unescapeMrkdwn(text, name))
      .filter((text) => text !== '')
      .join('\n');
  }
  if (block.type === 'context')
    return block.elements
      .map((element) => (element.type === 'image' ? element.alt_text : unescapeMrkdwn(element.text, name)))
      .join(' | ');
  if (block.type === 'actions') return buttonsText(block);
  if (block.type === 'rich_text') return richText(block);
  if (block.type === 'table') return tableText(block);
  if (block.type === 'image') return `[image: ${block.alt_text}]`;
  return '';
}

function buttonsText(block: ActionsBlock): string {
  return block.elements
    .map((element) => (element.type === 'button' ? `[${element.text.text}]` : ''))
    .join(' ')
    .trim();
}

/** Lists with their bullets; everything else line by line. */
function richText(block: RichTextBlock): string {
  return block.elements.flatMap((part) => richLines(part)).join('\n');
}

function richLines(part: RichTextBlockElement): string[] {
  if (part.type !== 'rich_text_list') return [part.elements.map(leafText).join('')];
  const bullet = `${'    '.repeat(part.indent ?? 0)}• `;
  return part.elements.map((item) => `${bullet}${item.elements.map(leafText).join('')}`);
}

function leafText(leaf: RichTextElement): string {
  if (leaf.type === 'text') return leaf.style?.code === true ? `\`${leaf.text}\`` : leaf.text;
  return leaf.type === 'date' ? (leaf.fallback ?? '') : '';
}

/** Columns as wide as their longest cell, so that the table reads in a fixed-width font. */
function tableText(block: TableBlock): string {
  const rows = block.rows.map((row) => row.map((cell) => (cell.type === 'raw_text' ? cell.text : '')));
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Mrkdwn without its marks: mentions by name, dates by their fallback, entities as the characters they stand for. */
function unescapeMrkdwn(text: string, name: (userId: string) => string): string {
  return text
    .replaceAll(/<@([UW][A-Z0-9]+)(?:\|[^>]*)?>/g, (_, id: string) => `@${name(id)}`)
    .replaceAll(/<!date\^[^|>]*\|([^>]*)>/g, '$1')
    .replaceAll(/<(https?:[^|>]*)\|([^>]*)>/g, '$2 ($1)')
    .replaceAll(/<([^<>]*)>/g, '$1')
    .replaceAll(/(?<![\w*])\*([^*\n]+)\*(?![\w*])/g, '$1')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
