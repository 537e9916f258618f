import { RUN_STREAM, type JournalEntry } from '../../src/domain/journal.ts';
import type { UnitPlan } from '../../src/domain/plan.ts';
import type { OutboxStore, RunStore } from '../../src/domain/ports.ts';
import type { Run } from '../../src/domain/run.ts';
import { emptyFold, foldMore } from '../../src/report/journal-fold.ts';
import { runJson } from '../../src/report/json.ts';
import { postsOf } from '../../src/report/posts.ts';
import { createJournal } from '../../src/store/journal.ts';
import { createOutboxStore } from '../../src/store/outbox.ts';
import type { RedisSpace } from '../../src/store/redis.ts';
import { createRunStore } from '../../src/store/runs.ts';

const pollMs = 100;
const publishLimitMs = 10_000;

/** Reads what the store knows about runs, behind the chat's back: what a script decides by must not be guessed from text. */
export class Story {
  readonly runs: RunStore;
  readonly #space: RedisSpace;
  readonly #outbox: OutboxStore;

  constructor(space: RedisSpace) {
    this.#space = space;
    this.runs = createRunStore(space);
    this.#outbox = createOutboxStore(space, { nowMs: () => Date.now() });
  }

  /** A run as the JSON form for scripts. */
  async json(run: Run): Promise<unknown> {
    const { plans, entries } = await this.#read(run);
    return runJson(run, plans, foldMore(emptyFold(), entries));
  }

  /** Waits until every message about the run is in the chat, or for 10 s at most. */
  async published(run: Run): Promise<void> {
    const { plans, entries } = await this.#read(run);
    const wanted = postsOf(run, plans, entries).map((post) => post.key);
    const deadlineMs = Date.now() + publishLimitMs;
    while (Date.now() < deadlineMs) {
      const sent = new Set(
        (await this.#outbox.all(run.id)).filter((post) => post.state === 'sent').map((post) => post.key),
      );
      if (wanted.every((key) => sent.has(key))) return;
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }

  async #read(run: Run): Promise<{ readonly plans: readonly UnitPlan[]; readonly entries: readonly JournalEntry[] }> {
    const journal = createJournal(this.#space);
    const streams = [RUN_STREAM, ...Object.keys(run.units)];
    const [plans, entries] = await Promise.all([
      Promise.all(
        Object.values(run.units).map(async ({ unit, planHash }) =>
          planHash === undefined ? undefined : this.runs.plan(run.id, unit, planHash),
        ),
      ),
      Promise.all(streams.map((unit) => journal.read(run.id, unit))),
    ]);
    return { plans: plans.filter((plan) => plan !== undefined), entries: entries.flat() };
  }
}
