import { canonicalHash } from '../domain/canonical.ts';
import type { JournalEntry } from '../domain/journal.ts';
import { RUN_STREAM } from '../domain/journal.ts';
import type { UnitPlan } from '../domain/plan.ts';
import type { Journal, OutboxPost, OutboxStore, RecipientStore, RunStore } from '../domain/ports.ts';
import type { Run } from '../domain/run.ts';
import { isEnded } from '../domain/run.ts';
import type { ThreadPlace } from '../report/approval-message.ts';
import { approvalDirectMessage } from '../report/approval-message.ts';
import type { ApprovalRequest, ApprovalStanding } from '../report/approval-standing.ts';
import { approvalStanding } from '../report/approval-standing.ts';
import { note } from '../report/blocks.ts';
import type { ChatMessage } from '../report/message.ts';
import { cardKey, postKey } from '../report/posts.ts';
import { MAX_TOLD } from './approvers.ts';
import type { ChatPort } from './chat-client.ts';
import type { Log } from './log.ts';
import { NotPublished } from './not-published.ts';
import { newestOf } from './outbox-keys.ts';
import type { Published } from './outbox-run.ts';
import type { Poster, PostRequest } from './poster.ts';
import type { PublisherBudgets } from './rate-budget.ts';

export interface DirectPorts {
  /** Who is to be told that this run waits for approval. */
  readonly approversOf: (run: Run) => Promise<readonly string[]>;
  readonly recipients: RecipientStore;
}

export interface DirectPublisherDeps extends DirectPorts {
  readonly runs: Pick<RunStore, 'get' | 'plan'>;
  readonly journal: Pick<Journal, 'read'>;
  readonly posts: Pick<OutboxStore, 'all' | 'sent'>;
  readonly chat: Pick<ChatPort, 'open' | 'permalink'>;
  readonly poster: Poster;
  readonly budgets: PublisherBudgets;
  readonly log: Log;
}

/** What people press comes before what only shows how far a run is. */
const PRIORITY = 2;

/** One request for approval, and where it stands. */
interface Asked {
  readonly key: string;
  readonly request: ApprovalRequest;
  readonly standing: ApprovalStanding;
}

/**
 * Tells those who may approve a run in person, and afterwards what became of it. A task of its own beside the one of card
 * and thread: whoever cannot be reached, and a chat that wants no more direct messages, hold up nobody else.
 */
export class DirectPublisher {
  readonly #deps: DirectPublisherDeps;
  readonly #runId: number;
  /** Whom the chat does not let us write to, by key: logged once. */
  readonly #unreachable = new Set<string>();
  /** Posts of unknown outcome that turned out not to be there. */
  readonly #absent = new Set<string>();
  readonly #links = new Map<string, string | undefined>();
  #plans: { readonly generation: number; readonly plans: readonly UnitPlan[] } | undefined;
  /** Everything about requests up to this generation has been said. */
  #saidUpTo = 0;

  constructor(deps: DirectPublisherDeps, runId: number) {
    this.#deps = deps;
    this.#runId = runId;
  }

  /** Brings the direct messages up to what the journal says now. Throws `NotPublished` when the chat did not take something. */
  async publish(signal: AbortSignal): Promise<Published> {
    const run = await this.#deps.runs.get(this.#runId);
    if (run === undefined) return 'gone';
    const ended = isEnded(run.state) ? 'settled' : 'open';
    if (run.approval === undefined || run.approval.generation <= this.#saidUpTo) return ended;
    const known = new Map((await this.#deps.posts.all(run.id)).map((post) => [post.key, post]));
    const root = known.get(newestOf({ first: cardKey(run.id), sign: '/' }, known).key)?.ts;
    // Without a card there is nothing to lead to yet.
    if (root === undefined) return 'open';
    const entries = await this.#deps.journal.read(run.id, RUN_STREAM);
    const asked = requestsOf(run, entries);
    for (const one of asked) {
      if (one.standing.outcome === undefined) await this.#tell(run, one, known, root, signal);
      else await this.#tellOutcome(run, one, known, root, signal);
    }
    const newest = asked.at(-1);
    if (newest?.standing.outcome === undefined || newest.request.generation < run.approval.generation) return 'open';
    this.#saidUpTo = newest.request.generation;
    return ended;
  }

  /** Posts to everybody who was chosen and has no message yet; edits the others. */
  async #tell(
    run: Run,
    asked: Asked,
    known: ReadonlyMap<string, OutboxPost>,
    root: string,
    signal: AbortSignal,
  ): Promise<void> {
    const people = await this.#chosen(run, asked);
    if (people.length > MAX_TOLD) return this.#sayTooMany(run, asked, people.length, known, root, signal);
    if (people.length === 0) return;
    const place = await this.#place(run.channel, root);
    const message = approvalDirectMessage(run, await this.#plansOf(run), asked.request, asked.standing, place);
    const sending = people.map(async (userId) => this.#tellOne(run, asked, userId, message, known, signal));
    for (const result of await Promise.allSettled(sending)) if (result.status === 'rejected') throw result.reason;
  }

  async #chosen(run: Run, { key }: Asked): Promise<readonly string[]> {
    const { recipients, approversOf } = this.#deps;
    const chosen = await recipients.get(run.id, key);
    return chosen ?? recipients.choose(run.id, key, await approversOf(run));
  }

  async #tellOne(
    run: Run,
    asked: Asked,
    userId: string,
    message: ChatMessage,
    known: ReadonlyMap<string, OutboxPost>,
    signal: AbortSignal,
  ): Promise<void> {
    const key = `${asked.key}/${userId}`;
    if (this.#unreachable.has(key)) return;
    const record = known.get(key);
    try {
      const channel = record?.channel ?? (await this.#open(userId, signal));
      const post = { runId: run.id, key, channel, message, digest: canonicalHash(message) };
      const there = await this.#post({ ...post, priority: PRIORITY }, record, signal);
      if (!there.asAsked) await this.#edit({ ...post, ts: there.ts }, signal);
    } catch (error) {
      if (!(error instanceof NotPublished) || error.fault.kind !== 'refused') throw error;
      this.#unreachable.add(key);
      this.#deps.log.warn(
        { run: run.id, user: userId, error: error.fault.error },
        'an approver cannot be told by direct message; the request stands in the thread',
      );
    }
  }

  async #post(
    request: PostRequest,
    record: OutboxPost | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly ts: string; readonly asAsked: boolean }> {
    if (record?.ts === undefined) return this.#deps.poster.post(request, signal);
    return { ts: record.ts, asAsked: record.digest === request.digest };
  }

  async #open(userId: string, signal: AbortSignal): Promise<string> {
    const { chat, budgets } = this.#deps;
    await budgets.opens.take(PRIORITY, signal);
    const opened = await chat.open(userId);
    if (opened.ok) return opened.value;
    if (opened.fault.kind === 'rate-limited') budgets.opens.pause(opened.fault.retryAfterMs);
    throw new NotPublished(opened.fault);
  }

  /** A message that is gone or locked stays as it is: it is noted as shown, so that it is not tried for ever. */
  async #edit(post: Omit<PostRequest, 'priority'> & { readonly ts: string }, signal: AbortSignal): Promise<void> {
    await this.#deps.budgets.edits.take(PRIORITY, signal);
    const edited = await this.#deps.poster.edit(post, signal);
    if (edited === 'edited') return;
    const { key, channel, ts, digest } = post;
    this.#deps.log.warn({ run: this.#runId, key, error: edited.refused }, 'message cannot be edited any more');
    await this.#deps.posts.sent(this.#runId, key, { channel, ts, digest });
  }

  /** Takes the buttons away from everybody who was told; nobody is told now who was not before. */
  async #tellOutcome(
    run: Run,
    asked: Asked,
    known: ReadonlyMap<string, OutboxPost>,
    root: string,
    signal: AbortSignal,
  ): Promise<void> {
    const told = [...known.values()].filter(({ key }) => key.startsWith(`${asked.key}/`));
    if (told.length === 0) return;
    const place = await this.#place(run.channel, root);
    const message = approvalDirectMessage(run, [], asked.request, asked.standing, place);
    const digest = canonicalHash(message);
    const editing = told.map(async (record) => {
      const { key, channel } = record;
      const ts = record.ts ?? (await this.#found(record, signal));
      if (ts === undefined || record.digest === digest) return;
      await this.#edit({ runId: run.id, key, channel, message, digest, ts }, signal);
    });
    for (const result of await Promise.allSettled(editing)) if (result.status === 'rejected') throw result.reason;
  }

  async #found(record: OutboxPost, signal: AbortSignal): Promise<string | undefined> {
    const { key, channel } = record;
    if (this.#absent.has(key)) return undefined;
    const ts = await this.#deps.poster.find({ runId: this.#runId, key, channel }, record, signal);
    if (ts === undefined) this.#absent.add(key);
    return ts;
  }

  async #sayTooMany(
    run: Run,
    asked: Asked,
    count: number,
    known: ReadonlyMap<string, OutboxPost>,
    threadTs: string,
    signal: AbortSignal,
  ): Promise<void> {
    const key = `${asked.key}-none`;
    if (known.get(key)?.ts !== undefined) return;
    const text = `${count} people may approve this. With more than ${MAX_TOLD} nobody is told by direct message.`;
    const message = { text, blocks: [note(text)] };
    const post = { runId: run.id, key, channel: run.channel, threadTs, message, digest: canonicalHash(message) };
    await this.#deps.poster.post({ ...post, priority: PRIORITY }, signal);
  }

  /** Address of the run's card. A chat that refuses to tell it is not asked again. */
  async #place(channel: string, ts: string): Promise<ThreadPlace> {
    if (!this.#links.has(ts)) {
      const asked = await this.#deps.chat.permalink({ channel, ts });
      if (!asked.ok && asked.fault.kind !== 'refused') throw new NotPublished(asked.fault);
      this.#links.set(ts, asked.ok ? asked.value : undefined);
    }
    const link = this.#links.get(ts);
    return link === undefined ? {} : { link };
  }

  /** The plans that are asked about; they never change. */
  async #plansOf(run: Run): Promise<readonly UnitPlan[]> {
    const generation = run.approval?.generation ?? 0;
    if (this.#plans?.generation === generation) return this.#plans.plans;
    const hashes = Object.entries(run.approval?.hashes ?? {});
    const found = await Promise.all(hashes.map(async ([unit, hash]) => this.#deps.runs.plan(run.id, unit, hash)));
    const plans = found.flatMap((plan) => plan ?? []);
    this.#plans = { generation, plans };
    return plans;
  }
}

/** The requests of a run, oldest first. One that is newer than the record of the run waits until the record is read again. */
function requestsOf(run: Run, entries: readonly JournalEntry[]): Asked[] {
  const newest = run.approval?.generation ?? 0;
  return entries.flatMap(({ id, event }, index) => {
    if (event.type !== 'approval-requested' || event.generation > newest) return [];
    const standing = approvalStanding(run, event, entries.slice(index + 1));
    return [{ key: `${postKey(run.id, RUN_STREAM, id)}/dm`, request: event, standing }];
  });
}
