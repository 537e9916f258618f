import type { AnyBlock, MessageMetadata } from '@slack/types';
import { asBlocks, checkBlocks } from '../blocks/check-blocks.ts';
import { isObject } from '../blocks/report.ts';
import { areBlocksTooLong } from '../blocks/text-size.ts';
import type { Lab } from '../lab.ts';
import { ApiError, type Call, optionalString, reasons, structured } from './call.ts';

/** Posts above this are refused; the page shows longer ones as they come (Slack truncates or splits above 4,000). */
const maxTextLength = 40_000;
const maxMetadataBytes = 16_000;

/** Blocks that passed the check; throws `invalid_blocks` with Slack's messages otherwise. */
export function validBlocks(lab: Lab, blocks: unknown): AnyBlock[] | undefined {
  if (blocks === undefined) {
    return undefined;
  }
  if (!Array.isArray(blocks)) {
    throw new ApiError('invalid_blocks_format');
  }
  const problems = checkBlocks(blocks, 'message', { isUsableImage: (id) => lab.files.isUsableImage(id) });
  if (problems.length > 0) {
    lab.stats.refusedBlocks(problems);
    throw new ApiError('invalid_blocks', reasons(problems));
  }
  if (areBlocksTooLong(blocks)) {
    lab.stats.refusedBlocks(['msg_blocks_too_long']);
    throw new ApiError('msg_blocks_too_long');
  }
  return asBlocks(blocks);
}

/** `text`, `blocks`, `markdown_text` and `metadata` of a message call. */
export interface Content {
  text: string | undefined;
  blocks: AnyBlock[] | undefined;
  metadata: MessageMetadata | undefined;
}

export function contentOf({ lab, args }: Call): Content {
  const text = optionalString(args, 'text');
  const blocks = validBlocks(lab, structured(args, 'blocks', 'invalid_blocks_format'));
  const markdown = optionalString(args, 'markdown_text');
  const metadata = metadataOf(args);
  if (text !== undefined && text.length > maxTextLength) {
    throw new ApiError('msg_too_long');
  }
  if (markdown === undefined) {
    return { text, blocks, metadata };
  }
  if (text !== undefined || blocks !== undefined) {
    throw new ApiError('markdown_text_conflict');
  }
  if (markdown.length > 12_000) {
    throw new ApiError('msg_too_long');
  }
  return { text: markdown, blocks: [{ type: 'markdown', text: markdown }], metadata };
}

/** Message metadata (docs.slack.dev/messaging/message-metadata). */
function metadataOf(args: Call['args']): MessageMetadata | undefined {
  const metadata = structured(args, 'metadata', 'invalid_metadata_format');
  if (metadata === undefined) {
    return undefined;
  }
  if (!isObject(metadata) || typeof metadata.event_type !== 'string' || !isObject(metadata.event_payload)) {
    throw new ApiError('invalid_metadata_format');
  }
  if (JSON.stringify(metadata).length > maxMetadataBytes) {
    throw new ApiError('metadata_too_large');
  }
  return metadata as unknown as MessageMetadata;
}
