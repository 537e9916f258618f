import type {
  ContextBlock,
  KnownBlock,
  MrkdwnElement,
  RichTextBlock,
  RichTextBlockElement,
  RichTextSection,
  RichTextText,
  TableBlock,
} from '@slack/types';
import type { ChatMessage } from './message.ts';
import { cutMrkdwn, cutPlain, readable } from './text.ts';

/** Limits of Block Kit that the house's blocks can meet, in characters or elements (d.ts of @slack/types 3.2.0, method errors). */
export const blockLimits = {
  messageText: 3900,
  blocks: 50,
  sectionText: 3000,
  sectionFields: 10,
  fieldText: 2000,
  headerText: 150,
  contextElements: 10,
  actionsElements: 25,
  buttonText: 75,
  buttonValue: 2000,
  selectOptions: 100,
  tableRows: 100,
  tableColumns: 20,
  /** Of one table or list, so that heading, remarks and buttons always fit beside it. */
  partText: 9000,
  spanText: 1000,
  /**
   * All text of a message's blocks, `blockSize` counting. Slack refuses more (`msg_blocks_too_long`) without naming a
   * figure; measured limits are near 13,400 (slackapi/bolt-js#2509).
   */
  totalText: 12_000,
} as const;

/**
 * A text of mrkdwn. `verbatim` keeps Slack from reading more into it than its marks: by default it makes links of bare
 * addresses and parses "certain mentions" (docs.slack.dev/reference/block-kit/composition-objects/text-object).
 */
export function mrkdwnText(text: string): MrkdwnElement {
  return { type: 'mrkdwn', text, verbatim: true };
}

/**
 * Returns the message within all limits: long texts are cut, surplus blocks in the middle are replaced by one line that
 * says so, and the last block stays when it holds the buttons. What cannot be read is taken out of every text. A readable
 * message within limits is returned with the same content.
 */
export function fitMessage(
  unread: ChatMessage,
  leftOut = 'More is left out here; `/dpu run` shows all of it.',
): ChatMessage {
  const message = readableIn(unread);
  const text = cutMrkdwn(
    message.text.trim() === '' ? 'dpubot has nothing to say.' : message.text,
    blockLimits.messageText,
  );
  const blocks = message.blocks.map(fitBlock).filter((block) => block !== undefined);
  if (blocks.length > 0) return { text, blocks: fitCount(blocks, leftOut) };
  return {
    text,
    blocks: [{ type: 'section', text: mrkdwnText(cutMrkdwn(text, blockLimits.sectionText)) }],
  };
}

/** Every text of a message readable. */
function readableIn<T>(value: T): T {
  if (typeof value === 'string') return readable(value) as T & string;
  if (Array.isArray(value)) return value.map(readableIn) as T & unknown[];
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, readableIn(entry)])) as T & object;
}

function fitCount(blocks: readonly KnownBlock[], leftOut: string): readonly KnownBlock[] {
  const last = blocks.at(-1);
  const tail = last?.type === 'actions' ? [last] : [];
  const body = tail.length > 0 ? blocks.slice(0, -1) : blocks;
  const kept: KnownBlock[] = [];
  let size = tail.reduce((sum, block) => sum + blockSize(block), 0);
  for (const block of body) {
    size += blockSize(block);
    const full =
      kept.length >= blockLimits.blocks - tail.length - (body.length + tail.length > blockLimits.blocks ? 1 : 0);
    if (full || (size > blockLimits.totalText && kept.length > 0)) {
      kept.push({ type: 'context', elements: [mrkdwnText(leftOut)] });
      break;
    }
    kept.push(block);
  }
  return [...kept, ...tail];
}

/** What a block counts towards `totalText`: its texts and a fixed share for the block itself. */
export function blockSize(block: KnownBlock): number {
  return 125 + textSize(block);
}

function textSize(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, entry) => sum + textSize(entry), 0);
  if (typeof value !== 'object' || value === null) return 0;
  return Object.entries(value).reduce(
    (sum, [key, entry]: [string, unknown]) =>
      sum + (key === 'text' && typeof entry === 'string' ? entry.length : textSize(entry)),
    0,
  );
}

/** One block within its own limits; undefined when nothing would be left of it (Slack refuses empty texts). */
function fitBlock(block: KnownBlock): KnownBlock | undefined {
  if (block.type === 'header') {
    const text = cutPlain(block.text.text.trim(), blockLimits.headerText);
    return text === '' ? undefined : { ...block, text: { ...block.text, text } };
  }
  if (block.type === 'section' && block.text !== undefined) {
    const text = cutMrkdwn(block.text.text, blockLimits.sectionText);
    return text.trim() === '' ? undefined : { ...block, text: { ...block.text, text } };
  }
  if (block.type === 'context') return fitContext(block);
  if (block.type === 'actions') {
    const elements = block.elements.slice(0, blockLimits.actionsElements);
    return elements.length === 0 ? undefined : { ...block, elements };
  }
  if (block.type === 'table') return fitTable(block);
  if (block.type === 'rich_text') return fitRichText(block);
  return block;
}

/** Rows from the top until the text is used up, and one that says how many are not there. */
function fitTable(block: TableBlock): TableBlock {
  let size = 0;
  const fits = (row: TableBlock['rows'][number]): boolean => (size += textSize(row)) <= blockLimits.partText;
  const all = block.rows.slice(0, blockLimits.tableRows).filter(fits);
  if (all.length === block.rows.length) return block;
  const rows = all.slice(0, blockLimits.tableRows - 1);
  const left = `and ${block.rows.length - rows.length} more`;
  const last = (rows[0] ?? []).map((_, column) => ({ type: 'raw_text' as const, text: column === 0 ? left : ' ' }));
  return { ...block, rows: last.length === 0 ? rows : [...rows, last] };
}

/** Bullets from the top until the text is used up, and a line that says how many are not there. */
function fitRichText(block: RichTextBlock): RichTextBlock {
  let size = 0;
  let left = 0;
  const fits = (item: RichTextSection): boolean => {
    const isIn = (size += textSize(item)) <= blockLimits.partText;
    if (!isIn) left += 1;
    return isIn;
  };
  const elements = block.elements.flatMap((part): RichTextBlockElement[] => {
    if (part.type !== 'rich_text_list') return [part];
    const items = part.elements.filter(fits);
    return items.length === 0 ? [] : [{ ...part, elements: items }];
  });
  if (left === 0) return block;
  const rest: RichTextText = { type: 'text', text: `and ${left} more` };
  return { ...block, elements: [...elements, { type: 'rich_text_section', elements: [rest] }] };
}

function fitContext(block: ContextBlock): ContextBlock | undefined {
  const elements = block.elements
    .slice(0, blockLimits.contextElements)
    .map((element) =>
      element.type === 'mrkdwn' ? { ...element, text: cutMrkdwn(element.text, blockLimits.fieldText) } : element,
    )
    .filter((element) => element.type !== 'mrkdwn' || element.text.trim() !== '');
  return elements.length === 0 ? undefined : { ...block, elements };
}
