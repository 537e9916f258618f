import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ArtefactStore } from '../domain/artefacts.ts';
import type { Clock } from '../domain/device-ports.ts';
import type { Journal, Notifier, OutboxStore, ProgressStore, RunStore } from '../domain/ports.ts';
import { isEnded } from '../domain/run.ts';
import type { ChatPort } from './chat-client.ts';
import type { FilePort } from './file-client.ts';
import { FileUploads } from './file-uploads.ts';
import type { Log, Wait } from './log.ts';
import { reasonOf } from './log.ts';
import { isSilence, NotPublished } from './not-published.ts';
import type { DirectPorts } from './outbox-direct.ts';
import { DirectPublisher } from './outbox-direct.ts';
import type { Published } from './outbox-run.ts';
import { RunPublisher } from './outbox-run.ts';
import { Poster } from './poster.ts';
import { runAsPublisher } from './publisher-lease.ts';
import { PublisherBudgets } from './rate-budget.ts';

export interface OutboxDeps {
  readonly chat: ChatPort;
  readonly files: FilePort;
  readonly artefacts: Pick<ArtefactStore, 'get'>;
  readonly store: OutboxStore;
  readonly runs: Pick<RunStore, 'get' | 'open' | 'recent' | 'plan'>;
  readonly journal: Pick<Journal, 'read'>;
  readonly progress: Pick<ProgressStore, 'get'>;
  readonly notifier: Pick<Notifier, 'subscribe'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Team id of the workspace. */
  readonly workspace: string;
  /** Different for every process that ever ran. */
  readonly owner: string;
  /** Waiting on the wall clock; a test gives its own. */
  readonly wait?: Wait;
  readonly timing?: Partial<OutboxTiming>;
  /** Without it nobody is told of a request for approval in person. */
  readonly direct?: DirectPorts;
}

/** All in ms of the wall clock. */
export interface OutboxTiming {
  readonly leaseMs: number;
  /** Open runs are looked at this often even when nobody says that they changed. */
  readonly pollMs: number;
  /** Least time between two looks at the same run. */
  readonly gapMs: number;
  /** Between the two look-ups of a post of unknown outcome. */
  readonly lookupGapMs: number;
  readonly maxBackoffMs: number;
  /** A chat that gives no answer is tried at least this often. */
  readonly maxSilenceMs: number;
}

const TIMING: OutboxTiming = {
  leaseMs: 15_000,
  pollMs: 5000,
  gapMs: 500,
  lookupGapMs: 15_000,
  maxBackoffMs: 60_000,
  maxSilenceMs: 15_000,
};
/** Ended runs that a new publisher checks for messages its predecessor did not get to. */
const RECENT_RUNS = 100;
/** Tasks that are worked on at the same time, two for a run; budgets and the store are shared. */
const MAX_TASKS = 100;
const MAX_EARLY = 3;

/**
 * The outbox: the single publisher of a workspace. Posts each run's card and thread and keeps the card up to date, until
 * `signal` is aborted. Any number of processes may run it; one at a time publishes, the others wait for its lease. It
 * keeps nothing of its own: a new one continues from store and journal.
 */
export async function runOutbox(deps: OutboxDeps, signal: AbortSignal): Promise<void> {
  const wait: Wait = deps.wait ?? (async (ms, stop) => sleep(ms, undefined, { signal: stop }));
  const timing = { ...TIMING, ...deps.timing };
  const { store, workspace, owner, log } = deps;
  const lease = { store, workspace, owner, ttlMs: timing.leaseMs, wait, log };
  await runAsPublisher(lease, signal, async (term) => new PublisherTerm(deps, timing, wait, term).run());
}

/** What a task brings to the chat: card and thread of a run, or the messages in person. */
type TaskKind = 'thread' | 'direct';

interface RunTask {
  readonly runId: number;
  readonly publisher: { publish(signal: AbortSignal): Promise<Published> };
  busy: boolean;
  dirty: boolean;
  /** When it was last looked at; undefined before the first time. */
  lookedAtMs: number | undefined;
  notBeforeMs: number;
  failures: number;
  /** Its last try got no answer from the chat. */
  unanswered: boolean;
  /** Tries that came early because the chat had answered others; few, or one odd message would be tried without end. */
  early: number;
}

/** One term of the lease. */
class PublisherTerm {
  readonly #deps: OutboxDeps;
  readonly #timing: OutboxTiming;
  readonly #wait: Wait;
  readonly #signal: AbortSignal;
  readonly #budgets: PublisherBudgets;
  readonly #poster: Poster;
  readonly #tasks = new Map<string, RunTask>();
  readonly #running = new Set<Promise<void>>();
  /** Versions of ended runs of which everything is published, by task. */
  readonly #settled = new Map<string, number>();
  readonly #changed = new Set<number>();
  #answeredAtMs = -Infinity;
  #wake = new AbortController();

  constructor(deps: OutboxDeps, timing: OutboxTiming, wait: Wait, signal: AbortSignal) {
    const { chat, files, artefacts, store, clock, log } = deps;
    this.#deps = deps;
    this.#timing = timing;
    this.#wait = wait;
    this.#signal = signal;
    // Every task that waits for its turn listens to it.
    setMaxListeners(0, signal);
    signal.addEventListener('abort', () => this.#wake.abort(), { once: true });
    this.#budgets = new PublisherBudgets({ clock, wait });
    const { lookupGapMs } = timing;
    const budgets = this.#budgets;
    const uploads = new FileUploads({ files, artefacts, store, budget: budgets.files, clock, wait, log });
    const answered = (): void => this.#answered();
    this.#poster = new Poster({ chat, store, uploads, budgets, clock, wait, log, answered, lookupGapMs });
  }

  async run(): Promise<void> {
    const unsubscribe = await this.#subscribe();
    try {
      while (!this.#signal.aborted) {
        await this.#look().catch((error: unknown) => {
          this.#deps.log.warn({ reason: reasonOf(error) }, 'runs cannot be read, trying again');
        });
        await this.#sleep();
      }
    } finally {
      await Promise.allSettled(this.#running);
      await unsubscribe().catch((error: unknown) => {
        this.#deps.log.debug({ reason: reasonOf(error) }, 'subscription not ended cleanly');
      });
    }
  }

  /** Being told is only quicker: without it every open run is looked at in turn. */
  async #subscribe(): Promise<() => Promise<void>> {
    try {
      return await this.#deps.notifier.subscribe((runId) => {
        this.#changed.add(runId);
        this.#wake.abort();
      });
    } catch (error) {
      this.#deps.log.warn({ reason: reasonOf(error) }, 'not told about changes, looking by itself');
      return async () => undefined;
    }
  }

  /** Starts a task for every run that may have something to publish and is due. */
  async #look(): Promise<void> {
    const changed = [...this.#changed];
    this.#changed.clear();
    const kinds: readonly TaskKind[] = this.#deps.direct === undefined ? ['thread'] : ['thread', 'direct'];
    for (const runId of changed) for (const kind of kinds) this.#task(runId, kind).dirty = true;
    const open = await this.#deps.runs.open();
    const recent = await this.#deps.runs.recent(RECENT_RUNS);
    for (const runId of open) for (const kind of kinds) this.#task(runId, kind);
    for (const { id, version } of recent.filter(({ state }) => isEnded(state)))
      for (const kind of kinds) if (this.#settled.get(taskName(id, kind)) !== version) this.#task(id, kind);
    const nowMs = this.#deps.clock.nowMs();
    for (const [name, task] of this.#tasks) {
      if (this.#running.size >= MAX_TASKS) return;
      if (!task.busy && this.#dueAtMs(task) <= nowMs) this.#start(name, task);
    }
  }

  /** When a task is to look again: at once when told or new, after its backoff when it failed, else after the poll interval. */
  #dueAtMs(task: RunTask): number {
    if (task.lookedAtMs === undefined || task.dirty || task.failures > 0) return task.notBeforeMs;
    return task.lookedAtMs + this.#timing.pollMs;
  }

  #task(runId: number, kind: TaskKind): RunTask {
    const name = taskName(runId, kind);
    const known = this.#tasks.get(name);
    if (known !== undefined) return known;
    const publisher = kind === 'thread' ? this.#threadPublisher(runId) : this.#directPublisher(runId);
    const fresh = { notBeforeMs: 0, failures: 0, unanswered: false, early: 0 };
    const task = { runId, publisher, busy: false, dirty: false, lookedAtMs: undefined, ...fresh };
    this.#tasks.set(name, task);
    return task;
  }

  #threadPublisher(runId: number): RunPublisher {
    const { runs, journal, progress, clock, log, store } = this.#deps;
    const tools = { budgets: this.#budgets, clock, wait: this.#wait, log };
    return new RunPublisher({ runs, journal, progress, posts: store, poster: this.#poster, tools }, runId);
  }

  #directPublisher(runId: number): RunTask['publisher'] {
    const { runs, journal, chat, log, store, direct } = this.#deps;
    if (direct === undefined) return { publish: async () => 'settled' };
    const ports = { runs, journal, chat, log, posts: store, poster: this.#poster, budgets: this.#budgets };
    return new DirectPublisher({ ...direct, ...ports }, runId);
  }

  #start(name: string, task: RunTask): void {
    task.busy = true;
    task.dirty = false;
    task.lookedAtMs = this.#deps.clock.nowMs();
    const work = this.#publish(name, task).finally(() => {
      task.busy = false;
      this.#running.delete(work);
      if (task.dirty || task.failures > 0) this.#wake.abort();
    });
    this.#running.add(work);
  }

  async #publish(name: string, task: RunTask): Promise<void> {
    const { clock, log } = this.#deps;
    try {
      const published = await task.publisher.publish(this.#signal);
      Object.assign(task, { failures: 0, unanswered: false, early: 0 });
      task.notBeforeMs = clock.nowMs() + this.#timing.gapMs;
      if (published !== 'open' && !task.dirty) await this.#settle(name, task);
    } catch (error) {
      if (this.#signal.aborted) return;
      task.unanswered = isSilence(error);
      if (this.#mayGoEarly(task) && this.#answeredAtMs >= (task.lookedAtMs ?? 0)) {
        task.early += 1;
        task.failures = 0;
      }
      const afterMs = this.#backoffMs(error, task.failures);
      task.failures += 1;
      task.notBeforeMs = clock.nowMs() + afterMs;
      log.warn({ run: task.runId, task: name, reason: reasonOf(error), afterMs }, 'run not published, trying again');
    }
  }

  async #settle(name: string, task: RunTask): Promise<void> {
    const run = await this.#deps.runs.get(task.runId);
    if (run !== undefined && !isEnded(run.state)) return;
    if (run !== undefined) this.#settled.set(name, run.version);
    this.#tasks.delete(name);
  }

  #backoffMs(error: unknown, failures: number): number {
    const asked = error instanceof NotPublished && error.fault.kind === 'rate-limited' ? error.fault.retryAfterMs : 0;
    const mostMs = isSilence(error) ? this.#timing.maxSilenceMs : this.#timing.maxBackoffMs;
    return Math.max(asked, Math.min(mostMs, 1000 * 2 ** Math.min(failures, 10)));
  }

  /** The chat is there: nobody who had no answer from it waits any longer. */
  #answered(): void {
    this.#answeredAtMs = this.#deps.clock.nowMs();
    for (const task of this.#tasks.values()) {
      if (task.busy || !this.#mayGoEarly(task)) continue;
      Object.assign(task, { unanswered: false, early: task.early + 1, notBeforeMs: this.#answeredAtMs });
      this.#wake.abort();
    }
  }

  #mayGoEarly({ unanswered, early }: RunTask): boolean {
    return unanswered && early < MAX_EARLY;
  }

  /** Until somebody says that a run changed, a task is due, or the poll interval is over. */
  async #sleep(): Promise<void> {
    const nowMs = this.#deps.clock.nowMs();
    const idle = [...this.#tasks.values()].filter((task) => !task.busy);
    const soonest = Math.min(this.#timing.pollMs, ...idle.map((task) => Math.max(1, this.#dueAtMs(task) - nowMs)));
    if (!this.#wake.signal.aborted) await this.#wait(soonest, this.#wake.signal).catch(() => undefined);
    if (!this.#signal.aborted) this.#wake = new AbortController();
  }
}

function taskName(runId: number, kind: TaskKind): string {
  return `${runId} ${kind}`;
}
