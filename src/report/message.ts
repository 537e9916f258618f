import type { KnownBlock } from '@slack/types';

/** What is posted: blocks for the eye, `text` as the summary that notifications and screen readers use. */
export interface ChatMessage {
  readonly text: string;
  readonly blocks: readonly KnownBlock[];
}

/** What a command answers to the person who gave it (only they see it). Undefined: the run's own card is the answer. */
export type Answer = ChatMessage | undefined;
