import type { JournalEntry, Progress } from '../domain/journal.ts';
import { RUN_STREAM } from '../domain/journal.ts';
import type { UnitPlan } from '../domain/plan.ts';
import type { Journal, ProgressStore, RunStore } from '../domain/ports.ts';
import type { Run } from '../domain/run.ts';
import type { JournalFold } from '../report/journal-fold.ts';
import { emptyFold, foldMore } from '../report/journal-fold.ts';

export interface FeedPorts {
  readonly runs: Pick<RunStore, 'get' | 'plan'>;
  readonly journal: Pick<Journal, 'read'>;
  readonly progress: Pick<ProgressStore, 'get'>;
}

/** Everything the chat shows of a run, read at one moment. */
export interface RunSnapshot {
  readonly run: Run;
  readonly plans: readonly UnitPlan[];
  readonly entries: readonly JournalEntry[];
  readonly fold: JournalFold;
  readonly progress: ReadonlyMap<string, Progress>;
}

/** Reads one run again and again, each time only what is new in its journal. */
export class RunFeed {
  readonly #ports: FeedPorts;
  readonly #runId: number;
  readonly #lastIds = new Map<string, string>();
  readonly #plans = new Map<string, UnitPlan>();
  #entries: readonly JournalEntry[] = [];
  #fold: JournalFold = emptyFold();
  #reading: Promise<unknown> = Promise.resolve();

  constructor(ports: FeedPorts, runId: number) {
    this.#ports = ports;
    this.#runId = runId;
  }

  /** Undefined when the run is gone (past its retention). Calls at the same time are answered one after the other. */
  async read(): Promise<RunSnapshot | undefined> {
    const reading = this.#reading.then(async () => this.#readNews());
    this.#reading = reading.catch(() => undefined);
    return reading;
  }

  async #readNews(): Promise<RunSnapshot | undefined> {
    // The run's own stream goes first: what it refers to (a plan that is ready) is then certainly in the others.
    const ownEntries = await this.#news(RUN_STREAM);
    const run = await this.#ports.runs.get(this.#runId);
    if (run === undefined) return undefined;
    const units = Object.keys(run.units);
    const news = await Promise.all(units.map(async (unit) => this.#news(unit)));
    const fresh = [...ownEntries, ...news.flat()];
    await this.#loadPlans(run, fresh);
    const progress = await this.#progress(units);
    if (fresh.length > 0) this.#entries = [...this.#entries, ...fresh];
    this.#fold = foldMore(this.#fold, fresh);
    for (const entry of fresh) this.#lastIds.set(entry.unit, entry.id);
    return { run, plans: [...this.#plans.values()], entries: this.#entries, fold: this.#fold, progress };
  }

  async #news(unit: string): Promise<readonly JournalEntry[]> {
    return this.#ports.journal.read(this.#runId, unit, this.#lastIds.get(unit));
  }

  async #loadPlans(run: Run, fresh: readonly JournalEntry[]): Promise<void> {
    const named = fresh.flatMap(({ unit, event }) => (event.type === 'plan-ready' ? [{ unit, hash: event.hash }] : []));
    const current = Object.values(run.units).flatMap(({ unit, planHash }) =>
      planHash === undefined ? [] : [{ unit, hash: planHash }],
    );
    for (const { unit, hash } of [...named, ...current]) {
      const key = `${unit} ${hash}`;
      if (this.#plans.has(key)) continue;
      const plan = await this.#ports.runs.plan(this.#runId, unit, hash);
      if (plan !== undefined) this.#plans.set(key, plan);
    }
  }

  async #progress(units: readonly string[]): Promise<Map<string, Progress>> {
    const signs = await Promise.all(
      units.map(async (unit) => [unit, await this.#ports.progress.get(this.#runId, unit)] as const),
    );
    return new Map(signs.flatMap(([unit, sign]) => (sign === undefined ? [] : [[unit, sign]])));
  }
}
