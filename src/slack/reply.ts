import type { WebClient } from '@slack/web-api';
import type { Answer, ChatMessage } from '../report/message.ts';
import type { Log } from './log.ts';
import { reasonOf } from './log.ts';

/** Slack wants an acknowledgement within 3 s; an answer that is ready by then travels in it. */
export const FAST_ANSWER_MS = 1500;

export interface ReplyRequest {
  /** Acknowledges; with a payload where the request takes one (slash commands). */
  readonly ack: (payload?: EphemeralPayload) => Promise<void>;
  readonly ackTakesAnswer: boolean;
  /** Answers through the request's response_url. */
  readonly respond: (payload: EphemeralPayload & { readonly replace_original: false }) => Promise<unknown>;
  readonly userId: string;
  readonly channel: string;
  readonly threadTs?: string;
  readonly answer: Promise<Answer>;
}

interface EphemeralPayload {
  readonly response_type: 'ephemeral';
  readonly text: string;
  readonly blocks: ChatMessage['blocks'][number][];
}

/**
 * Acknowledges in time and brings the answer to the person, only to them: in the acknowledgement when it is ready soon,
 * else by response_url, else as an ephemeral message. Never rejects: what cannot be delivered is logged.
 */
export async function reply(request: ReplyRequest, client: Pick<WebClient, 'chat'>, log: Log): Promise<void> {
  const soon = request.ackTakesAnswer ? await within(request.answer, FAST_ANSWER_MS) : 'later';
  const ready = soon === 'later' || soon === undefined ? undefined : soon;
  const acknowledged = await request.ack(ready === undefined ? undefined : payloadOf(ready)).then(
    () => true,
    (error: unknown) => {
      log.warn({ reason: reasonOf(error) }, 'request from Slack could not be acknowledged');
      return false;
    },
  );
  if (soon !== 'later' && (acknowledged || soon === undefined)) return;
  const answer = await request.answer;
  if (answer !== undefined) await deliver(request, answer, client, log);
}

async function deliver(
  request: ReplyRequest,
  answer: ChatMessage,
  client: Pick<WebClient, 'chat'>,
  log: Log,
): Promise<void> {
  const payload = payloadOf(answer);
  try {
    await request.respond({ ...payload, replace_original: false });
    return;
  } catch (error) {
    log.debug({ reason: reasonOf(error) }, 'response_url refused, trying an ephemeral message');
  }
  await tell({ client, log }, request, answer);
}

/** Who is told, and where; without a channel, or in a direct message, it is a message of its own. */
export interface Listener {
  readonly userId: string;
  readonly channel?: string;
  readonly threadTs?: string;
}

/** Tells a person something where only they see it. Never rejects: what cannot be delivered is logged. */
export async function tell(
  { client, log }: { readonly client: Pick<WebClient, 'chat'>; readonly log: Log },
  { userId, channel, threadTs }: Listener,
  answer: Answer,
): Promise<void> {
  if (answer === undefined) return;
  const { text } = answer;
  const blocks = [...answer.blocks];
  const thread = threadTs === undefined ? {} : { thread_ts: threadTs };
  try {
    // Slack opens the direct message with a person whose id stands for the channel.
    if (channel === undefined || channel === '' || channel.startsWith('D'))
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- not the postMessage of browser windows
      await client.chat.postMessage({ channel: channel || userId, text, blocks, ...thread });
    else await client.chat.postEphemeral({ channel, user: userId, text, blocks, ...thread });
  } catch (error) {
    log.warn({ reason: reasonOf(error), user: userId }, 'answer could not be delivered');
  }
}

function payloadOf(answer: ChatMessage): EphemeralPayload {
  return { response_type: 'ephemeral', text: answer.text, blocks: [...answer.blocks] };
}

/** The answer when it is there in time, else `later`. */
export async function within<T>(answer: Promise<T>, ms: number): Promise<T | 'later'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'later'>((resolve) => {
    timer = setTimeout(() => resolve('later'), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
