import { canonicalHash } from '../domain/canonical.ts';
import type { OutboxPost, OutboxStore } from '../domain/ports.ts';
import { isEnded } from '../domain/run.ts';
import type { ChatMessage } from '../report/message.ts';
import { cardKey, postsOf } from '../report/posts.ts';
import { runCard } from '../report/run-card.ts';
import { runView } from '../report/run-view.ts';
import { isSilence, NotPublished } from './not-published.ts';
import type { Poster, PosterDeps, PostRequest, PostResult } from './poster.ts';
import type { KeyRow } from './outbox-keys.ts';
import { newestOf } from './outbox-keys.ts';
import type { FeedPorts, RunSnapshot } from './run-feed.ts';
import { RunFeed } from './run-feed.ts';

export interface RunPublisherDeps extends FeedPorts {
  readonly posts: Pick<OutboxStore, 'all' | 'sent'>;
  readonly poster: Poster;
  readonly tools: Pick<PosterDeps, 'budgets' | 'clock' | 'wait' | 'log'>;
}

/** `settled`: everything is published and the run has ended; `open`: come back when something changes or time passes. */
export type Published = 'settled' | 'open' | 'gone';

const PRIORITY = { root: 0, finalCard: 1, thread: 2, live: 3, card: 3 } as const;
/** A request that waits for an answer is looked for this often: somebody may have deleted it. */
const LOOK_MS = 60_000;
/** The running time on a card moves in steps of this: otherwise every look would be an edit. */
const CARD_TICK_MS = 15_000;
/** While the thread is posted, the card is looked at this often. */
const CARD_PAUSE_MS = 2000;

/** Refusals that mean: this message cannot be edited or replied to any more, a new one takes its place. */
const MESSAGE_GONE = new Set([
  'message_not_found',
  'cant_update_message',
  'edit_window_closed',
  'is_inactive',
  'thread_not_found',
  'cannot_reply_to_message',
  'restricted_action_thread_locked',
]);

/** The card in use; replaced in place when a person deletes it, so that whoever is posting goes on under the new one. */
interface Root {
  key: string;
  ts: string;
}

/** Publishes one run: root card, thread in order, edits. Used by one task at a time. */
export class RunPublisher {
  readonly #deps: RunPublisherDeps;
  readonly #runId: number;
  readonly #feed: RunFeed;
  #ended = false;
  /** When each message that waits for an answer was last looked for. */
  readonly #looks = new Map<string, number>();

  constructor(deps: RunPublisherDeps, runId: number) {
    this.#deps = deps;
    this.#runId = runId;
    this.#feed = new RunFeed(deps, runId);
  }

  /** The run has ended: an edit of its card that still waits for its turn becomes urgent. */
  ended(): void {
    this.#ended = true;
  }

  /** Brings the chat up to what the journal says now. Throws `NotPublished` when the chat did not take something. */
  async publish(signal: AbortSignal): Promise<Published> {
    const snapshot = await this.#feed.read();
    if (snapshot === undefined) return 'gone';
    const root = await this.#ensureRoot(snapshot, await this.#records(), signal);
    const known = await this.#records();
    // Thread and card have budgets of their own and do not wait for each other: a long thread must not let the card age.
    const thread = this.#thread(snapshot, known, root, signal);
    const lanes = await Promise.allSettled([thread, this.#cardBeside(thread, root, signal)]);
    for (const lane of lanes) if (lane.status === 'rejected') throw lane.reason;
    return isEnded(snapshot.run.state) && lanes.every((lane) => lane.status === 'fulfilled' && lane.value)
      ? 'settled'
      : 'open';
  }

  get #cards(): KeyRow {
    return { first: cardKey(this.#runId), sign: '/' };
  }

  async #records(): Promise<Map<string, OutboxPost>> {
    return new Map((await this.#deps.posts.all(this.#runId)).map((post) => [post.key, post]));
  }

  async #ensureRoot(snapshot: RunSnapshot, known: Map<string, OutboxPost>, signal: AbortSignal): Promise<Root> {
    const { key } = newestOf(this.#cards, known);
    const ts = known.get(key)?.ts;
    if (ts !== undefined) return { key, ts };
    const { message, digest } = this.#rendered(snapshot);
    const { channel } = snapshot.run;
    const request = { runId: this.#runId, key, channel, message, digest, priority: PRIORITY.root };
    return { key, ts: (await this.#deps.poster.post(request, signal)).ts };
  }

  /** Posts what is missing in the thread, in order; edits what may change. True when nothing is left to do. */
  async #thread(
    snapshot: RunSnapshot,
    known: Map<string, OutboxPost>,
    root: Root,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { run, plans, entries } = snapshot;
    const roots = [...known.values()].filter((record) => record.key.startsWith(cardKey(run.id)));
    for (const post of postsOf(run, plans, entries)) {
      const { key, next } = post.live ? newestOf({ first: post.key, sign: '#' }, known) : { key: post.key, next: '' };
      const record = known.get(key);
      const digest = canonicalHash(post.message);
      const { message, file } = post;
      const base = { runId: run.id, key, channel: run.channel, message, digest, ...(file && { file }) };
      const reply = { ...base, ...threadOf(root, roots), priority: PRIORITY.thread };
      const there =
        record?.ts === undefined
          ? await this.#postReply(reply, root, signal)
          : { ts: record.ts, asAsked: record.digest === digest };
      if (there === undefined) return false;
      const isSuspect = post.asks && record?.ts !== undefined && (await this.#isMissing({ ...reply, ts: record.ts }));
      if (!post.live || (there.asAsked && !isSuspect)) continue;
      const edited = await this.#editReply({ ...base, ts: there.ts }, post.asks, signal);
      if (edited === 'gone' && (await this.#postReply({ ...reply, key: next }, root, signal)) === undefined)
        return false;
    }
    return true;
  }

  /** A reply that a person deleted stays deleted, unless it waits for an answer. */
  async #editReply(
    reply: Omit<PostRequest, 'priority'> & { readonly ts: string },
    asks: boolean,
    signal: AbortSignal,
  ): Promise<'gone' | 'done'> {
    await this.#deps.tools.budgets.edits.take(PRIORITY.live, signal);
    const edited = await this.#deps.poster.edit(reply, signal);
    if (edited === 'edited') return 'done';
    if (asks && edited.refused === 'message_not_found') {
      this.#deps.tools.log.info({ run: this.#runId, key: reply.key }, 'a request that waits is gone, it is put back');
      return 'gone';
    }
    await this.#giveUp(reply, edited.refused);
    return 'done';
  }

  /**
   * Whether a person seems to have deleted what waits for an answer; it is not edited meanwhile, so nothing else would tell.
   * Only a hint: the chat's refusal of an edit says it for certain.
   */
  async #isMissing(place: Parameters<Poster['isThere']>[0]): Promise<boolean> {
    const { budgets, clock } = this.#deps.tools;
    const nowMs = clock.nowMs();
    const lastMs = this.#looks.get(place.key);
    if (lastMs === undefined) this.#looks.set(place.key, nowMs);
    if (lastMs === undefined || nowMs - lastMs < LOOK_MS || !budgets.looks.tryTake()) return false;
    this.#looks.set(place.key, nowMs);
    return (await this.#deps.poster.isThere(place)) === false;
  }

  /** Undefined when the root is gone: a new card has been posted and the reply comes with the next look. */
  async #postReply(request: PostRequest, root: Root, signal: AbortSignal): Promise<PostResult | undefined> {
    try {
      return await this.#deps.poster.post(request, signal);
    } catch (error) {
      if (!(error instanceof NotPublished) || error.fault.kind !== 'refused' || !MESSAGE_GONE.has(error.fault.error))
        throw error;
      await this.#replaceRoot(root, error.fault.error, signal);
      return undefined;
    }
  }

  /** Keeps the card up to date while the thread is being brought up to date. True when it was, last. */
  async #cardBeside(thread: Promise<unknown>, root: Root, signal: AbortSignal): Promise<boolean> {
    let posting = true;
    const posted = thread.then(
      () => (posting = false),
      () => (posting = false),
    );
    for (;;) {
      const current = await this.#card(root, signal).catch((error: unknown) => {
        // While the thread is being posted the chat may come back: the card must not wait for the next try of the run.
        if (!posting || !isSilence(error)) throw error;
        return false;
      });
      if (!posting) return current;
      const stop = new AbortController();
      const pause = this.#deps.tools.wait(CARD_PAUSE_MS, stop.signal).catch(() => undefined);
      await Promise.race([posted, pause]);
      stop.abort();
      signal.throwIfAborted();
    }
  }

  /** Edits the card when it shows something else than it should. True when it is up to date. */
  async #card(root: Root, signal: AbortSignal): Promise<boolean> {
    const record = (await this.#records()).get(root.key);
    const before = await this.#feed.read();
    if (before === undefined) return true;
    const { state, channel } = before.run;
    const isSuspect = state === 'awaiting-approval' && (await this.#isMissing({ key: root.key, channel, ts: root.ts }));
    if (record?.digest === this.#rendered(before).digest && !isSuspect) return true;
    this.#ended = isEnded(before.run.state);
    await this.#deps.tools.budgets.edits.take(() => (this.#ended ? PRIORITY.finalCard : PRIORITY.card), signal);
    // While it waited for its turn the run went on: only the newest view is shown.
    const newest = (await this.#feed.read()) ?? before;
    const request = { runId: this.#runId, key: root.key, channel: newest.run.channel, ...this.#rendered(newest) };
    const edited = await this.#deps.poster.edit({ ...request, ts: root.ts }, signal);
    if (edited === 'edited') return newest.run.version === before.run.version;
    if (MESSAGE_GONE.has(edited.refused)) await this.#replaceRoot(root, edited.refused, signal);
    else throw new NotPublished({ kind: 'refused', error: edited.refused });
    return false;
  }

  /** Posts a new card under the next key; a person deleted the old one, or Slack locked it. */
  async #replaceRoot(root: Root, reason: string, signal: AbortSignal): Promise<void> {
    const old = root.key;
    const newest = newestOf(this.#cards, await this.#records());
    if (newest.key !== old) return;
    const snapshot = await this.#feed.read();
    if (snapshot === undefined) return;
    this.#deps.tools.log.info({ run: this.#runId, reason }, 'card is gone, a new one is posted');
    const { channel } = snapshot.run;
    const key = newest.next;
    const request = { runId: this.#runId, key, channel, ...this.#rendered(snapshot), priority: PRIORITY.root };
    const { ts } = await this.#deps.poster.post(request, signal);
    Object.assign(root, { key, ts });
  }

  #rendered({ run, plans, fold, progress }: RunSnapshot): { readonly message: ChatMessage; readonly digest: string } {
    const view = runView(run, plans, fold, progress);
    const nowMs = this.#deps.tools.clock.nowMs();
    const steady = Math.floor(nowMs / CARD_TICK_MS) * CARD_TICK_MS;
    return { message: runCard(view, nowMs), digest: canonicalHash(runCard(view, steady)) };
  }

  /** A reply that a person deleted stays deleted: it is noted as shown, so that it is not tried for ever. */
  async #giveUp(post: Omit<PostRequest, 'priority'> & { readonly ts: string }, error: string): Promise<void> {
    const { key, channel, ts, digest } = post;
    this.#deps.tools.log.warn({ run: this.#runId, key, error }, 'message cannot be edited any more');
    await this.#deps.posts.sent(this.#runId, key, { channel, ts, digest });
  }
}

/** Where a reply goes, and where an earlier attempt may have put it. */
function threadOf(root: Root, cards: readonly OutboxPost[]): Pick<PostRequest, 'threadTs' | 'olderThreads'> {
  const olderThreads = cards.flatMap(({ ts }) => (ts === undefined || ts === root.ts ? [] : [ts]));
  return { threadTs: root.ts, olderThreads };
}
