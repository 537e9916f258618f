import type { OutboxPost, OutboxStore } from '../domain/ports.ts';
import type { Clock } from '../domain/device-ports.ts';
import { blockLimits } from '../report/limits.ts';
import type { ChatMessage } from '../report/message.ts';
import { plainText } from '../report/plain-text.ts';
import { cutPlain } from '../report/text.ts';
import type { ChatFault, ChatPort, ChatResult } from './chat-client.ts';
import type { Log, Wait } from './log.ts';
import type { PublisherBudgets } from './rate-budget.ts';

export interface PosterDeps {
  readonly chat: ChatPort;
  readonly store: Pick<OutboxStore, 'claim' | 'again' | 'sent'>;
  readonly budgets: PublisherBudgets;
  readonly clock: Clock;
  readonly wait: Wait;
  readonly log: Log;
  /** Time between the two look-ups of a post whose outcome is unknown. */
  readonly lookupGapMs: number;
}

export interface PostRequest {
  readonly runId: number;
  readonly key: string;
  readonly channel: string;
  readonly threadTs?: string;
  /** Roots of earlier threads of the run, where an earlier attempt may have put it before its card was deleted. */
  readonly olderThreads?: readonly string[];
  readonly message: ChatMessage;
  readonly digest: string;
  /** Lower goes first. */
  readonly priority: number;
}

export interface PostResult {
  readonly ts: string;
  /** False when it was there already: it may show what was true at an earlier time. */
  readonly asAsked: boolean;
}

/** Thrown when a message could not be brought to the chat now; the run is tried again later and loses nothing. */
export class NotPublished extends Error {
  readonly fault: ChatFault;

  constructor(fault: ChatFault) {
    super(`not published: ${faultText(fault)}`);
    this.name = 'NotPublished';
    this.fault = fault;
  }
}

/** Clocks of the chat and of the bot may differ by this much when a message is looked for. */
const CLOCK_SKEW_MS = 10 * 60_000;

/** Brings single messages to the chat: each key once, whatever happens in between. */
export class Poster {
  readonly #deps: PosterDeps;
  /** Claimed by this process, and the chat said that nothing was posted: no look-up needed. */
  readonly #unsent = new Set<string>();

  constructor(deps: PosterDeps) {
    this.#deps = deps;
  }

  /**
   * Posts a message that is not there yet. The claim in the store comes first; when it was claimed before, somebody may have
   * sent it, so the chat is asked twice before it is sent again.
   */
  async post(request: PostRequest, signal: AbortSignal): Promise<PostResult> {
    const { runId, key, channel, digest } = request;
    await this.#deps.budgets.posts(channel).take(request.priority, signal);
    const { claimed, post } = await this.#deps.store.claim(runId, key, channel);
    if (post.ts !== undefined) return { ts: post.ts, asAsked: post.digest === digest };
    const found = claimed || this.#unsent.has(key) ? undefined : await this.#lookUp(request, post, signal);
    if (found === undefined) {
      // Looking took its time; the turn taken before is over.
      if (!claimed) await this.#deps.budgets.posts(channel).take(request.priority, signal);
      if (!claimed) await this.#deps.store.again(runId, key);
      signal.throwIfAborted();
      const ts = await this.#send(request);
      await this.#deps.store.sent(runId, key, { channel, ts, digest });
      return { ts, asAsked: true };
    }
    this.#deps.log.info({ run: runId, key }, 'a post of unknown outcome was found, not repeated');
    await this.#deps.store.sent(runId, key, { channel, ts: found });
    return { ts: found, asAsked: false };
  }

  /** Edits a message; the chat's refusal is returned (the message may have been deleted), other faults are thrown. */
  async edit(
    request: Omit<PostRequest, 'priority'> & { readonly ts: string },
    signal: AbortSignal,
  ): Promise<'edited' | { readonly refused: string }> {
    const { runId, key, channel, ts, digest, message } = request;
    signal.throwIfAborted();
    const result = await this.#tolerant(message, key, async (shown) =>
      this.#deps.chat.update({ channel, ts, message: shown }),
    );
    if (result.ok) {
      await this.#deps.store.sent(runId, key, { channel, ts, digest });
      return 'edited';
    }
    if (result.fault.kind === 'rate-limited') this.#deps.budgets.edits.pause(result.fault.retryAfterMs);
    if (result.fault.kind === 'refused') return { refused: result.fault.error };
    throw new NotPublished(result.fault);
  }

  async #send(request: PostRequest): Promise<string> {
    const { key, channel, threadTs } = request;
    const result = await this.#tolerant(request.message, key, async (message) =>
      this.#deps.chat.post({ channel, message, key, ...(threadTs === undefined ? {} : { threadTs }) }),
    );
    if (result.ok) {
      this.#unsent.delete(key);
      return result.value;
    }
    if (result.fault.kind === 'unknown') this.#unsent.delete(key);
    else this.#unsent.add(key);
    if (result.fault.kind === 'rate-limited') this.#deps.budgets.posts(channel).pause(result.fault.retryAfterMs);
    throw new NotPublished(result.fault);
  }

  /** On `invalid_blocks` once more as one plain section: an odd rendering is better than silence. */
  async #tolerant<T>(
    message: ChatMessage,
    key: string,
    call: (message: ChatMessage) => Promise<ChatResult<T>>,
  ): Promise<ChatResult<T>> {
    const result = await call(message);
    if (result.ok || result.fault.kind !== 'refused' || !BLOCK_FAULTS.has(result.fault.error)) return result;
    this.#deps.log.warn({ key, error: result.fault.error }, 'blocks refused, sent as plain text');
    const text = cutPlain(plainText(message), blockLimits.sectionText);
    return call({ text: message.text, blocks: [{ type: 'section', text: { type: 'plain_text', text } }] });
  }

  /** The post may be there: asks now, and once more after a while, because a slow request may still have been under way. */
  async #lookUp(request: PostRequest, post: OutboxPost, signal: AbortSignal): Promise<string | undefined> {
    const first = await this.#findAnywhere(request, post);
    if (first !== undefined) return first;
    await this.#deps.wait(this.#deps.lookupGapMs, signal);
    return this.#findAnywhere(request, post);
  }

  async #findAnywhere(request: PostRequest, post: OutboxPost): Promise<string | undefined> {
    const { channel, key, threadTs, olderThreads = [] } = request;
    const query = { channel, key, sinceMs: post.atMs - CLOCK_SKEW_MS };
    for (const older of olderThreads) {
      const result = await this.#deps.chat.find({ ...query, threadTs: older });
      if (result.ok && result.value !== undefined) return result.value;
      // A thread that is gone as a whole holds nothing any more; any other fault leaves the question open.
      if (!result.ok && result.fault.kind !== 'refused') throw new NotPublished(result.fault);
    }
    const result = await this.#deps.chat.find(threadTs === undefined ? query : { ...query, threadTs });
    if (result.ok) return result.value;
    throw new NotPublished(result.fault);
  }
}

const BLOCK_FAULTS = new Set([
  'invalid_blocks',
  'invalid_blocks_format',
  'msg_blocks_too_long',
  'only_one_table_allowed',
]);

function faultText(fault: ChatFault): string {
  if (fault.kind === 'rate-limited') return `rate limited for ${fault.retryAfterMs} ms`;
  return fault.kind === 'refused' ? `refused with ${fault.error}` : `${fault.kind}: ${fault.reason}`;
}
