import type { KnownBlock } from '@slack/types';
import type { Actor, JournalEntry, JournalEvent } from '../domain/journal.ts';
import type { ChatMessage } from './message.ts';
import { escapeMrkdwn, mention } from './text.ts';

/**
 * The entries whose messages may mention who asked for the run: at its end, when a person is needed, and for a slowdown
 * that was measured twice. Of many cards that need a person only the first calls, and an end with nothing done after it
 * does not call again. `ordered`: of one run, all streams. More entries never change what was said of earlier ones.
 */
export function callingEntries(ordered: readonly JournalEntry[]): ReadonlySet<JournalEntry> {
  const calling = new Set<JournalEntry>();
  /** That a person is needed was told: since the run was last set going, and with nothing done after it. */
  let told = false;
  let isLast = false;
  for (const entry of ordered) {
    const { event } = entry;
    const needsHuman =
      (event.type === 'step-failed' || event.type === 'plan-failed') && event.failure.kind === 'needs-human';
    const isEnd = event.type === 'run-ended';
    if (event.type === 'resumed') told = false;
    if (goesOn.has(event.type)) isLast = false;
    if ((needsHuman && !told) || (isEnd && !isLast) || event.type === 'measured') calling.add(entry);
    if (!needsHuman || told) continue;
    told = true;
    isLast = true;
  }
  return calling;
}

/** After these the last word was not that a person is needed. */
const goesOn: ReadonlySet<JournalEvent['type']> = new Set([
  'resumed',
  'approval-requested',
  'wave-started',
  'step-started',
  'cancel-requested',
]);

/**
 * The message with the person named in place of mentioned: a mention in a new message calls them. Foreign text is escaped
 * and has no mentions; device output (rich text, cells) is left as it is.
 */
export function withoutMention(message: ChatMessage, { userId, displayName }: Actor): ChatMessage {
  const called = mention(userId);
  // An id of an unexpected form is no mention.
  if (!called.startsWith('<@')) return message;
  const name = (text: string): string => text.replaceAll(called, escapeMrkdwn(displayName));
  return { text: name(message.text), blocks: message.blocks.map((block) => named(block, name)) };
}

function named(block: KnownBlock, name: (text: string) => string): KnownBlock {
  if (block.type === 'section' && block.text?.type === 'mrkdwn')
    return { ...block, text: { ...block.text, text: name(block.text.text) } };
  if (block.type !== 'context') return block;
  const elements = block.elements.map((one) => (one.type === 'mrkdwn' ? { ...one, text: name(one.text) } : one));
  return { ...block, elements };
}
