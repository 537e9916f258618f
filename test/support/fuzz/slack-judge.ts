import { checkBlocks } from '../../../src/lab/chat/blocks/check-blocks.ts';
import { areBlocksTooLong } from '../../../src/lab/chat/blocks/text-size.ts';

/**
 * What Slack would do with a message, by its documentation and by nothing of src/report: block limits as the pretend Slack
 * knows them, and every place where text is parsed.
 */

/** A message as it goes over the wire. */
interface Sent {
  readonly text: string;
  readonly blocks: readonly unknown[];
}

/** `text` of more characters is refused by chat.update with `msg_too_long`, and split by chat.postMessage. */
const maxTextCharacters = 4_000;
const usableImages = { isUsableImage: () => true };

/** User mentions and dates; everything else in angle brackets is a link, a channel or a broadcast. */
const userMention = /<@([UW][A-Z0-9]{1,20})>/g;
const date = /<!date\^\d{1,12}\^[^<>|^]+\|[^<>|]+>/g;
const entity = /&(?:amp|lt|gt);/g;

const loneSurrogate = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;
/** All but tab and line feed; with the marks that turn the direction of what follows. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const control = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069]/;

/** Elements of rich text that reach people or lead elsewhere (docs.slack.dev/reference/block-kit/blocks/rich-text-block). */
const activeElements: readonly unknown[] = ['user', 'usergroup', 'broadcast', 'channel', 'team', 'link'];

/** Everything that is wrong with a message, as sentences; `people` are the ids that dpubot itself may mention. */
export function problemsOf(message: Sent, people: ReadonlySet<string>): string[] {
  const { text, blocks } = message;
  const problems = checkBlocks(blocks, 'message', usableImages);
  if (blocks.length === 0) problems.push('no blocks');
  if (areBlocksTooLong(blocks)) problems.push('msg_blocks_too_long');
  if (text.trim() === '') problems.push('no text for notifications and screen readers');
  if (text.length > maxTextCharacters) problems.push(`text of ${text.length} characters`);
  problems.push(...liveMarks(text, people).map((mark) => `in the text: ${mark}`));
  visit({ text, blocks }, people, problems);
  return problems;
}

/** Walks over everything that is sent. */
function visit(node: unknown, people: ReadonlySet<string>, problems: string[]): void {
  if (typeof node === 'string') problems.push(...unprintable(node));
  if (typeof node !== 'object' || node === null) return;
  if (Array.isArray(node)) {
    for (const one of node) visit(one, people, problems);
    return;
  }
  const { type, text, verbatim } = node as Readonly<Record<string, unknown>>;
  if (type === 'mrkdwn') {
    problems.push(...liveMarks(String(text), people).map((mark) => `in mrkdwn: ${mark}`));
    // Without it Slack makes links of addresses and "certain mentions" of plain text by itself (text object reference).
    if (verbatim !== true) problems.push('mrkdwn that Slack may parse for more than its marks');
  }
  if (type === 'markdown') problems.push('a markdown block: nothing escapes foreign text for it');
  if (activeElements.includes(type)) problems.push(`an active element of rich text: ${JSON.stringify(node)}`);
  for (const one of Object.values(node)) visit(one, people, problems);
}

/** Whatever of a text Slack would act on and dpubot had no reason to write. */
function liveMarks(mrkdwn: string, people: ReadonlySet<string>): string[] {
  const strangers = [...mrkdwn.matchAll(userMention)].flatMap(([mark, id = '']) => (people.has(id) ? [] : [mark]));
  const rest = mrkdwn.replaceAll(userMention, 'x').replaceAll(date, 'x').replaceAll(entity, 'x');
  const left = rest.match(/<[^>]*>?|>|&[a-z#0-9]*;?/g) ?? [];
  const fences = rest.split('```').length % 2 === 0 ? ['a code fence that is not closed'] : [];
  return [...strangers, ...left, ...fences];
}

function unprintable(text: string): string[] {
  const surrogates = loneSurrogate.test(text) ? [`half a character in ${JSON.stringify(text.slice(0, 200))}`] : [];
  const signs = control.test(text) ? [`a control character in ${JSON.stringify(text.slice(0, 200))}`] : [];
  return [...surrogates, ...signs];
}
