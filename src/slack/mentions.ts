import type { App } from '@slack/bolt';
import type { WebClient } from '@slack/web-api';
import { z } from 'zod';
import { channelNameOf } from './channel-name.ts';
import { keyOf } from './chat-client.ts';
import { reasonOf } from './log.ts';
import type { RequestOptions } from './once.ts';
import { once } from './once.ts';
import { tell } from './reply.ts';
import { typedText, withRun } from './typed-text.ts';

/** What is read of a message event; anything that a person did not just write has more, and is passed over. */
const Written = z.object({
  user: z.string(),
  text: z.string(),
  channel: z.string(),
  ts: z.string(),
  thread_ts: z.string().optional(),
  bot_id: z.undefined().optional(),
  subtype: z.undefined().optional(),
  edited: z.undefined().optional(),
  hidden: z.undefined().optional(),
});
type Written = z.infer<typeof Written>;

/**
 * `@dpubot bench ipsec` in a channel or thread, where slash commands do not reach, and plain lines in the direct message
 * with the bot. Only what a person wrote counts: nothing of bots, no edits.
 */
export function registerMentions(app: App, options: RequestOptions, botUserId: string): void {
  app.event('app_mention', async ({ event }) => {
    const written = Written.safeParse(event).data;
    if (written !== undefined) await onWritten(options, botUserId, written);
  });
  app.event('message', async ({ event }) => {
    if (event.channel_type !== 'im') return;
    const written = Written.safeParse(event).data;
    if (written !== undefined && written.user !== botUserId) await onWritten(options, botUserId, written);
  });
}

async function onWritten(options: RequestOptions, botUserId: string, written: Written): Promise<void> {
  const { user: userId, channel, thread_ts: threadTs } = written;
  const typed = typedText(written.text, botUserId);
  const runId = threadTs === undefined ? undefined : await runOfThread(options, channel, threadTs);
  const channelName = await channelNameOf(options.client, channel);
  const invocation = {
    text: runId === undefined ? typed : withRun(typed, runId),
    channel,
    source: 'mention',
    ...(channelName !== undefined && { channelName }),
  } as const;
  // One message is one command, by whichever events and however often it is told.
  const answer = await once(options, `message-${channel}-${written.ts}`, userId, invocation);
  if (answer === undefined || 'form' in answer) return;
  await tell(options, { userId, channel, ...(threadTs !== undefined && { threadTs }) }, answer);
}

/** The run that the root of the thread is about; undefined for other threads, or when Slack does not tell. */
async function runOfThread(
  { client, log }: { readonly client: Pick<WebClient, 'conversations'>; readonly log: RequestOptions['log'] },
  channel: string,
  threadTs: string,
): Promise<number | undefined> {
  try {
    const query = { channel, ts: threadTs, limit: 1, inclusive: true, include_all_metadata: true };
    const { messages = [] } = await client.conversations.replies(query);
    const root = messages.find(({ ts }) => ts === threadTs);
    const key = root === undefined ? undefined : keyOf(root);
    return typeof key === 'string' ? runOfKey(key) : undefined;
  } catch (error) {
    log.warn({ reason: reasonOf(error) }, 'the root of a thread could not be read');
    return undefined;
  }
}

/** The run of a message with this key: its card, or a request for approval in a direct message. */
function runOfKey(key: string): number | undefined {
  const match = /^run(\d{1,9})\//.exec(key);
  return match === null ? undefined : Number(match[1]);
}
