import {
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebAPIRequestError,
  WebClient,
} from '@slack/web-api';
import type { WebClientOptions } from '@slack/web-api';
import type { ChatMessage } from '../report/message.ts';
import { silentLogger } from './library-logger.ts';
import { reasonOf } from './log.ts';
import type { SlackAccess } from './log.ts';

/** What became of a request to the chat that did not simply work. */
export type ChatFault =
  /** Not done; allowed again after so long. */
  | { readonly kind: 'rate-limited'; readonly retryAfterMs: number }
  /** Not done: the request never reached the chat. */
  | { readonly kind: 'unsent'; readonly reason: string }
  /** Not done: the chat refused with this error code. */
  | { readonly kind: 'refused'; readonly error: string }
  /** Done or not done: no answer, or an answer that says neither. */
  | { readonly kind: 'unknown'; readonly reason: string };

export type ChatResult<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: ChatFault };

/** A message as it is sent. */
export interface OutgoingMessage extends ChatMessage {
  /** Links are shown as what they lead to; a link to a file of the bot then shares the file. */
  readonly unfurl?: boolean;
}

/** What the publisher needs of the chat. Nothing here repeats a request by itself. */
export interface ChatPort {
  /** Posts with the key as metadata; gives the message's ts. */
  post(request: {
    readonly channel: string;
    readonly threadTs?: string;
    readonly message: OutgoingMessage;
    readonly key: string;
  }): Promise<ChatResult<string>>;
  update(request: {
    readonly channel: string;
    readonly ts: string;
    readonly message: ChatMessage;
  }): Promise<ChatResult<undefined>>;
  /** Looks for the message with this key, from `sinceMs` on: among roots, or in a thread. */
  find(request: {
    readonly channel: string;
    readonly threadTs?: string;
    readonly key: string;
    readonly sinceMs: number;
  }): Promise<ChatResult<string | undefined>>;
  /** Id of the direct message with a person. Asking again changes nothing. */
  open(userId: string): Promise<ChatResult<string>>;
  /** Address at which people see a message. */
  permalink(place: { readonly channel: string; readonly ts: string }): Promise<ChatResult<string>>;
}

/** Metadata event type under which keys travel. The payload holds the key only: every app of the workspace can read it. */
export const METADATA_TYPE = 'dpubot_post';

/** A request may take so long; after that its outcome is unknown. */
export const REQUEST_TIMEOUT_MS = 10_000;
const PAGE_SIZE = 200;
const MAX_PAGES = 20;

/**
 * Options of every web client of the house. Nothing is retried inside (a retried postMessage can post twice), and a 429 is
 * an error at once (otherwise the library would hold back all requests of that client). Source: web-api 8.2 WebClient.js.
 */
export function webClientOptions(apiUrl: string | undefined, retries = 0): WebClientOptions {
  return {
    logger: silentLogger,
    timeout: REQUEST_TIMEOUT_MS,
    retryConfig: { retries, minTimeout: 300, maxTimeout: 1000 },
    rejectRateLimitedCalls: true,
    allowAbsoluteUrls: false,
    ...(apiUrl === undefined ? {} : { slackApiUrl: apiUrl.endsWith('/') ? apiUrl : `${apiUrl}/` }),
  };
}

/** The publisher's own client: its 429s and slow calls never hold up an answer to a person. */
export function createChatPort(access: SlackAccess): ChatPort {
  const client = new WebClient(access.botToken, webClientOptions(access.apiUrl));
  return {
    post: async ({ channel, threadTs, message, key }) =>
      attempt(async () => {
        const request = {
          channel,
          text: message.text,
          blocks: [...message.blocks],
          metadata: { event_type: METADATA_TYPE, event_payload: { key } },
          unfurl_links: message.unfurl ?? false,
          unfurl_media: message.unfurl ?? false,
          ...(threadTs === undefined ? {} : { thread_ts: threadTs }),
        };
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- not the postMessage of browser windows
        const reply = await client.chat.postMessage(request);
        if (reply.ts === undefined) throw new Error('chat.postMessage answered without ts');
        return reply.ts;
      }),
    update: async ({ channel, ts, message }) =>
      attempt(async () => {
        await client.chat.update({ channel, ts, text: message.text, blocks: [...message.blocks] });
        return undefined;
      }),
    find: async (request) => attempt(async () => find(client, request)),
    open: async (userId) =>
      attempt(async () => {
        const { channel } = await client.conversations.open({ users: userId });
        if (channel?.id === undefined) throw new Error('conversations.open answered without a channel');
        return channel.id;
      }),
    permalink: async ({ channel, ts }) =>
      attempt(async () => {
        const { permalink } = await client.chat.getPermalink({ channel, message_ts: ts });
        if (permalink === undefined) throw new Error('chat.getPermalink answered without an address');
        return permalink;
      }),
  };
}

async function find(client: WebClient, request: Parameters<ChatPort['find']>[0]): Promise<string | undefined> {
  const { channel, threadTs, key, sinceMs } = request;
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const common = {
      channel,
      oldest: String(Math.floor(sinceMs / 1000)),
      limit: PAGE_SIZE,
      include_all_metadata: true,
      ...(cursor === undefined ? {} : { cursor }),
    };
    const reply =
      threadTs === undefined
        ? await client.conversations.history(common)
        : await client.conversations.replies({ ...common, ts: threadTs });
    for (const message of reply.messages ?? [])
      if (message.ts !== undefined && keyOf(message) === key) return message.ts;
    cursor = reply.response_metadata?.next_cursor;
    if (cursor === undefined || cursor === '') return undefined;
  }
  throw new Error('too many messages to look through');
}

/** The key in a message's metadata, when it is one of ours. */
export function keyOf(message: object): unknown {
  const metadata: unknown = 'metadata' in message ? message.metadata : undefined;
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  if (!('event_type' in metadata) || metadata.event_type !== METADATA_TYPE || !('event_payload' in metadata))
    return undefined;
  const payload = metadata.event_payload;
  return typeof payload === 'object' && payload !== null && 'key' in payload ? payload.key : undefined;
}

/** Makes one request; what goes wrong becomes a fault. */
export async function attempt<T>(call: () => Promise<T>): Promise<ChatResult<T>> {
  try {
    return { ok: true, value: await call() };
  } catch (error) {
    return { ok: false, fault: chatFaultOf(error) };
  }
}

/** Errors after which "some aspect of the operation may have succeeded" (error table of every Slack method). */
const AMBIGUOUS = new Set(['fatal_error', 'internal_error', 'service_unavailable', 'request_timeout']);
/** Socket errors after which nothing can have been sent. */
const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']);

/** What an error of the web client says about the request. */
export function chatFaultOf(error: unknown): ChatFault {
  if (error instanceof WebAPIRateLimitedError)
    return { kind: 'rate-limited', retryAfterMs: Math.max(1, error.retryAfter) * 1000 };
  if (error instanceof WebAPIPlatformError) {
    const code = error.data.error;
    if (code === 'ratelimited' || code === 'rate_limited') return { kind: 'rate-limited', retryAfterMs: 30_000 };
    return AMBIGUOUS.has(code) ? { kind: 'unknown', reason: code } : { kind: 'refused', error: code };
  }
  if (error instanceof WebAPIHTTPError) return { kind: 'unknown', reason: `HTTP ${error.statusCode}` };
  if (error instanceof WebAPIRequestError) {
    const code = socketCode(error.original);
    const reason = code ?? reasonOf(error.original);
    return { kind: code !== undefined && NEVER_SENT.has(code) ? 'unsent' : 'unknown', reason };
  }
  return { kind: 'unknown', reason: reasonOf(error) };
}

/** Code of a socket error; `fetch` hides it in the cause of its own TypeError. */
export function socketCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return socketCode(error.cause);
}
