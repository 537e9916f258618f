import { RUN_STREAM, type JournalEntry, type JournalEvent } from '../../../src/domain/journal.ts';
import type { UnitPlan } from '../../../src/domain/plan.ts';
import type { Run, RunState } from '../../../src/domain/run.ts';
import { isEnded } from '../../../src/domain/run.ts';
import { cardKey, postsOf, type Post } from '../../../src/report/posts.ts';
import { createStores, type Stores } from '../../../src/store/index.ts';
import { connect, type RedisSpace } from '../../../src/store/redis.ts';
import { eventually } from './eventually.ts';

const silent = { warn: () => undefined };
const clock = { nowMs: (): number => Date.now() };
const recentRuns = 1;

/** What Redis knows about runs, read behind the backs of bot and worker. */
export class Records {
  readonly space: RedisSpace;
  readonly stores: Stores;
  /** Each blocks while it waits for entries, so whoever waits has a connection of its own; these are free. */
  readonly #idle: RedisSpace[] = [];

  private constructor(space: RedisSpace) {
    this.space = space;
    this.stores = createStores(space, { clock, logger: silent });
  }

  static async open(url: string): Promise<Records> {
    return new Records(await connect(url, 'worker', { logger: silent }));
  }

  async close(): Promise<void> {
    for (const waiting of this.#idle) await waiting.close();
    await this.space.close();
  }

  async run(id: number): Promise<Run> {
    const run = await this.stores.runs.get(id);
    if (run === undefined) throw new Error(`there is no run ${id}`);
    return run;
  }

  /** Number of the newest run, 0 when there is none. */
  async newestRun(): Promise<number> {
    return (await this.stores.runs.recent(recentRuns))[0]?.id ?? 0;
  }

  /** Waits until the run is in one of the states, or has ended when none is named; another end is a failure. */
  async waitForRun(id: number, states: readonly RunState[], limitMs = 30_000): Promise<Run> {
    const run = await eventually(
      `run ${id} ${states.join(' or ')}`,
      async () => {
        const now = await this.run(id);
        return isEnded(now.state) || states.includes(now.state) ? now : undefined;
      },
      limitMs,
      async () => this.describe(id),
    );
    if (states.length > 0 && !states.includes(run.state))
      throw new Error(`run ${id} is ${run.state}, not ${states.join(' or ')}\n${await this.describe(id)}`);
    return run;
  }

  /** All entries of a run in the order in which they were written. */
  async journal(id: number): Promise<readonly JournalEntry[]> {
    const { units } = await this.run(id);
    const streams = [RUN_STREAM, ...Object.keys(units)];
    const entries = await Promise.all(streams.map(async (unit) => this.stores.journal.read(id, unit)));
    return entries.flat().toSorted((a, b) => a.atMs - b.atMs);
  }

  /**
   * Resolves within a millisecond or so of the entry's arrival in the stream of a unit, or of the run itself (`_run`);
   * entries that are there already count.
   */
  async waitForEvent(
    id: number,
    unit: string,
    matches: (event: JournalEvent) => boolean,
    limitMs = 20_000,
  ): Promise<JournalEntry> {
    const key = this.space.key('journal', id, unit);
    const deadlineMs = Date.now() + limitMs;
    const waiting = this.#idle.pop() ?? (await this.space.open('queue'));
    try {
      for (let after = '0-0'; Date.now() < deadlineMs;) {
        const reply = await waiting.client.xread('COUNT', 100, 'BLOCK', 500, 'STREAMS', key, after);
        for (const [entryId, fields] of reply?.[0]?.[1] ?? []) {
          after = entryId;
          const event = JSON.parse(fields[1] ?? 'null') as JournalEvent;
          if (matches(event)) return { id: entryId, runId: id, unit, atMs: Number(entryId.split('-')[0]), event };
        }
      }
    } finally {
      this.#idle.push(waiting);
    }
    throw new Error(`run ${id}, ${unit}: no such entry within ${limitMs / 1000} s\n${await this.describe(id)}`);
  }

  /** The messages that the thread of a run should have by now. */
  async wantedPosts(id: number): Promise<readonly Post[]> {
    const run = await this.run(id);
    const plans = await Promise.all(
      Object.values(run.units).map(async ({ unit, planHash }) =>
        planHash === undefined ? undefined : this.stores.runs.plan(id, unit, planHash),
      ),
    );
    return postsOf(
      run,
      plans.filter((plan): plan is UnitPlan => plan !== undefined),
      await this.journal(id),
    );
  }

  /** Message timestamp of every post that the outbox has noted as sent, by key. */
  async sentPosts(id: number): Promise<ReadonlyMap<string, string>> {
    const posts = await this.stores.outbox.all(id);
    return new Map(posts.flatMap((post) => (post.ts === undefined ? [] : [[post.key, post.ts] as const])));
  }

  /** Waits until the card and everything that belongs into the thread is noted as sent. Returns where the card is. */
  async waitUntilPublished(id: number, limitMs = 60_000): Promise<string> {
    return eventually(
      `everything about run ${id} in the chat`,
      async () => {
        const sent = await this.sentPosts(id);
        const wanted = await this.wantedPosts(id);
        return wanted.every((post) => sent.has(post.key)) ? sent.get(cardKey(id)) : undefined;
      },
      limitMs,
      async () => JSON.stringify(await this.stores.outbox.all(id), undefined, 1),
    );
  }

  /** A run with its journal in short lines, the newest first: of the message of a test that failed the end may be cut off. */
  async describe(id: number): Promise<string> {
    const run = await this.run(id);
    const units = Object.values(run.units).map((unit) => `${unit.unit} ${unit.state} g${unit.generation}`);
    const entries = (await this.journal(id)).map(
      ({ unit, atMs, event }) => `${new Date(atMs).toISOString().slice(17, 23)} ${unit} ${shortEvent(event)}`,
    );
    return [`run ${id} is ${run.state}: ${units.join(', ')}; newest first:`, ...entries.toReversed()].join('\n');
  }
}

function shortEvent(event: JournalEvent): string {
  const words: string[] = [event.type];
  if ('step' in event) words.push(event.step);
  if ('action' in event) words.push(event.action);
  if ('reason' in event && event.reason !== undefined) words.push(event.reason);
  if ('failure' in event && event.failure)
    words.push(`${event.failure.code}: ${event.failure.what} ${event.failure.why}`);
  return words.join(' ');
}
