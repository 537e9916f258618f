import type { KnownBlock } from '@slack/types';
import type { ArtefactRef } from '../domain/artefacts.ts';
import { section } from '../report/blocks.ts';
import { blockLimits, fitMessage } from '../report/limits.ts';
import type { ChatMessage } from '../report/message.ts';
import { cutMrkdwn, cutPlain, escapeMrkdwn } from '../report/text.ts';
import type { OutgoingMessage } from './chat-client.ts';
import type { StoredFile } from './file-client.ts';

/** What became of the file of a message: in Slack, or not, with a clause that says why. */
export type Attached =
  { readonly kind: 'stored'; readonly file: StoredFile } | { readonly kind: 'left-out'; readonly reason: string };

const PICTURES = new Set(['image/png', 'image/jpeg', 'image/gif']);

/**
 * The forms of a message with its file, best first: the next one is for when Slack refuses the blocks of the one before.
 *
 * A file uploaded without a channel is private to the bot. Its people can read it once the bot itself posts its permalink
 * (slackapi/bolt-python#1018, answer of a Slack engineer), under the bot's own name (slackapi/node-slack-sdk#1595). Beside
 * blocks the permalink counts only in the top-level text (slackapi/python-slack-sdk#1194), and with unfurling on. A picture
 * is shown by an image block with `slack_file`, posted with the token that uploaded it
 * (docs.slack.dev/reference/block-kit/composition-objects/slack-file-object).
 */
export function withFile(message: ChatMessage, ref: ArtefactRef, attached: Attached): readonly OutgoingMessage[] {
  if (attached.kind === 'left-out') {
    const sentence = `The file ${escapeMrkdwn(ref.name)} (${size(ref.bytes)}) is not here: ${escapeMrkdwn(attached.reason)}.`;
    return [withBlock(message, section(sentence))];
  }
  const { file } = attached;
  const link = `<${file.permalink}|${escapeMrkdwn(ref.name)}>`;
  const text = `${cutMrkdwn(message.text, blockLimits.messageText - link.length - 1)} ${link}`;
  // Its name stands in the preview that Slack puts below.
  const about = ref.mimeType === 'text/plain' ? 'Whole text' : 'File';
  const linked = withBlock({ ...message, text }, section(`<${file.permalink}|${about}> (${size(ref.bytes)})`));
  const asLink: OutgoingMessage = { ...linked, unfurl: true };
  if (!PICTURES.has(ref.mimeType) || !file.ready) return [asLink];
  const altText = cutPlain(ref.altText ?? ref.name, blockLimits.fieldText);
  return [withBlock(message, { type: 'image', slack_file: { id: file.fileId }, alt_text: altText }), asLink];
}

/** Below the heading: what is last may have to go when a message is too long. */
function withBlock(message: ChatMessage, block: KnownBlock): ChatMessage {
  const [heading, ...rest] = message.blocks;
  return fitMessage({ text: message.text, blocks: [...(heading === undefined ? [] : [heading]), block, ...rest] });
}

function size(bytes: number): string {
  return bytes < 1024 ? `${bytes} bytes` : `${Math.round(bytes / 1024)} KiB`;
}
