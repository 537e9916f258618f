import type { ArtefactRef } from '../domain/artefacts.ts';
import type { Clock } from '../domain/device-ports.ts';
import type { OutboxPost, OutboxStore } from '../domain/ports.ts';
import { errors } from '../errors.ts';
import { blockLimits } from '../report/limits.ts';
import type { ChatMessage } from '../report/message.ts';
import { plainText } from '../report/plain-text.ts';
import { cutPlain } from '../report/text.ts';
import type { ChatPort, ChatResult, OutgoingMessage } from './chat-client.ts';
import { withFile } from './file-message.ts';
import type { FileUploads } from './file-uploads.ts';
import type { Log, Wait } from './log.ts';
import { NotPublished } from './not-published.ts';
import type { PublisherBudgets } from './rate-budget.ts';

export interface PosterDeps {
  readonly chat: ChatPort;
  readonly store: Pick<OutboxStore, 'claim' | 'again' | 'sent'>;
  readonly uploads: Pick<FileUploads, 'attach'>;
  readonly budgets: PublisherBudgets;
  readonly clock: Clock;
  readonly wait: Wait;
  readonly log: Log;
  /** Called whenever the chat took something: it is there again for all who wait for it. */
  readonly answered: () => void;
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
  /** Attached to the message; the digest is of the message alone. */
  readonly file?: ArtefactRef;
  readonly digest: string;
  /** Lower goes first. */
  readonly priority: number;
}

type LookUp = Pick<PostRequest, 'channel' | 'key' | 'threadTs' | 'olderThreads'>;

export interface PostResult {
  readonly ts: string;
  /** False when it was there already: it may show what was true at an earlier time. */
  readonly asAsked: boolean;
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
      const forms = await this.#forms(request, post, signal);
      // Looking and uploading took their time; the turn taken before is over.
      if (!claimed || request.file !== undefined)
        await this.#deps.budgets.posts(channel).take(request.priority, signal);
      if (!claimed) await this.#deps.store.again(runId, key);
      signal.throwIfAborted();
      const ts = await this.#send(request, forms);
      await this.#deps.store.sent(runId, key, { channel, ts, digest });
      return { ts, asAsked: true };
    }
    this.#deps.log.info({ run: runId, key }, 'a post of unknown outcome was found, not repeated');
    await this.#deps.store.sent(runId, key, { channel, ts: found });
    return { ts: found, asAsked: false };
  }

  /** Looks for a post that was begun and is not wanted any more: its ts when it is there. Nothing is sent. */
  async find(
    request: Pick<PostRequest, 'runId' | 'key' | 'channel'>,
    post: OutboxPost,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { runId, key, channel } = request;
    if (this.#unsent.has(key)) return undefined;
    const found = await this.#lookUp(request, post, signal);
    if (found !== undefined) await this.#deps.store.sent(runId, key, { channel, ts: found });
    return found;
  }

  /** Whether a message that was sent is still there. Undefined when the chat does not say. */
  async isThere(place: LookUp & { readonly ts: string }): Promise<boolean | undefined> {
    // By the chat's own clock: an edit long after the post must not move the look past it.
    const atMs = Number(place.ts) * 1000;
    try {
      return (await this.#findAnywhere(place, { atMs })) !== undefined;
    } catch (error) {
      if (!(error instanceof NotPublished)) throw error;
      if (error.fault.kind === 'rate-limited') this.#deps.budgets.looks.pause(error.fault.retryAfterMs);
      return undefined;
    }
  }

  /** Edits a message; the chat's refusal is returned (the message may have been deleted), other faults are thrown. */
  async edit(
    request: Omit<PostRequest, 'priority'> & { readonly ts: string },
    signal: AbortSignal,
  ): Promise<'edited' | { readonly refused: string }> {
    const { runId, key, channel, ts, digest, message } = request;
    signal.throwIfAborted();
    const result = await this.#tolerant([message], key, async (shown) =>
      this.#deps.chat.update({ channel, ts, message: shown }),
    );
    if (result.ok) {
      this.#deps.answered();
      await this.#deps.store.sent(runId, key, { channel, ts, digest });
      return 'edited';
    }
    if (result.fault.kind === 'rate-limited') this.#deps.budgets.edits.pause(result.fault.retryAfterMs);
    if (result.fault.kind === 'refused') return { refused: result.fault.error };
    throw new NotPublished(result.fault);
  }

  /** The message with its file, in all forms that Slack might take. The file goes first: nobody sees it until the post. */
  async #forms(request: PostRequest, post: OutboxPost, signal: AbortSignal): Promise<readonly OutgoingMessage[]> {
    const { runId, key, message, file, priority } = request;
    if (file === undefined) return [message];
    this.#unsent.add(key);
    return withFile(message, file, await this.#deps.uploads.attach({ runId, file, post, priority }, signal));
  }

  async #send(request: PostRequest, forms: readonly OutgoingMessage[]): Promise<string> {
    const { key, channel, threadTs } = request;
    const result = await this.#tolerant(forms, key, async (message) =>
      this.#deps.chat.post({ channel, message, key, ...(threadTs === undefined ? {} : { threadTs }) }),
    );
    if (result.ok) {
      this.#deps.answered();
      this.#unsent.delete(key);
      return result.value;
    }
    if (result.fault.kind === 'unknown') this.#unsent.delete(key);
    else this.#unsent.add(key);
    if (result.fault.kind === 'rate-limited') this.#deps.budgets.posts(channel).pause(result.fault.retryAfterMs);
    throw new NotPublished(result.fault);
  }

  /** On `invalid_blocks` in the next form, at last as one plain section: an odd rendering is better than silence. */
  async #tolerant<T>(
    forms: readonly OutgoingMessage[],
    key: string,
    call: (message: OutgoingMessage) => Promise<ChatResult<T>>,
  ): Promise<ChatResult<T>> {
    const [form, ...others] = forms;
    if (form === undefined) throw errors.bug({ detail: `no form of ${key} to send` });
    const result = await call(form);
    if (result.ok || result.fault.kind !== 'refused' || !BLOCK_FAULTS.has(result.fault.error)) return result;
    this.#deps.log.warn({ key, error: result.fault.error }, 'blocks refused, sent in a simpler form');
    return others.length > 0 ? this.#tolerant(others, key, call) : call(inPlainText(form));
  }

  /** The post may be there: asks now, and once more after a while, because a slow request may still have been under way. */
  async #lookUp(request: LookUp, post: OutboxPost, signal: AbortSignal): Promise<string | undefined> {
    const first = await this.#findAnywhere(request, post);
    if (first !== undefined) return first;
    await this.#deps.wait(this.#deps.lookupGapMs, signal);
    return this.#findAnywhere(request, post);
  }

  async #findAnywhere(request: LookUp, post: Pick<OutboxPost, 'atMs'>): Promise<string | undefined> {
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

function inPlainText(message: OutgoingMessage): OutgoingMessage {
  const text = cutPlain(plainText(message), blockLimits.sectionText);
  return { ...message, blocks: [{ type: 'section', text: { type: 'plain_text', text } }] };
}
