import type { ArtefactStore } from '../../../src/domain/artefacts.ts';
import type { JournalEntry } from '../../../src/domain/journal.ts';
import type { UnitPlan } from '../../../src/domain/plan.ts';
import type { Journal, OutboxStore, RunStore } from '../../../src/domain/ports.ts';
import type { Run } from '../../../src/domain/run.ts';
import { isEnded } from '../../../src/domain/run.ts';
import type { ChatPort } from '../../../src/slack/chat-client.ts';
import type { FilePort } from '../../../src/slack/file-client.ts';
import type { Log } from '../../../src/slack/log.ts';
import type { OutboxDeps } from '../../../src/slack/outbox.ts';
import { runOutbox } from '../../../src/slack/outbox.ts';
import type { DirectPorts } from '../../../src/slack/outbox-direct.ts';
import { createMemoryArtefactStore } from '../../support/memory/looks.ts';
import { createMemoryOutboxStore, createMemoryRecipientStore } from '../../support/memory/outbox.ts';
import { START_MS } from '../report/samples.ts';
import { FakeChat } from './fake-chat.ts';
import { FakeFiles } from './fake-files.ts';
import { FakeTime } from './fake-time.ts';

const quiet: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

type Ports = Pick<OutboxDeps, 'chat' | 'files' | 'artefacts' | 'store' | 'runs' | 'journal' | 'progress' | 'direct'>;

/** What survives a crash of the publisher: chat, store, runs, journal, and time. */
export class World {
  readonly time: FakeTime;
  readonly chat: FakeChat;
  readonly files: FakeFiles;
  readonly artefacts: ArtefactStore = createMemoryArtefactStore();
  readonly store: OutboxStore;
  readonly runs = new Map<number, { run: Run; plans: readonly UnitPlan[]; entries: readonly JournalEntry[] }>();
  readonly recipients = createMemoryRecipientStore();
  /** Who may approve; without them nobody is told in person. */
  approvers: readonly string[] | undefined;
  /** What the publishers logged as a warning. */
  readonly warnings: object[] = [];
  readonly #listeners = new Set<(runId: number) => void>();
  #owners = 0;

  constructor(turns?: number) {
    this.time = new FakeTime(START_MS + 20_000, turns);
    this.chat = new FakeChat(this.time);
    this.files = new FakeFiles(this.time);
    this.store = createMemoryOutboxStore(this.time);
  }

  /** Puts a run as it is now; whoever listens is told. */
  put(run: Run, plans: readonly UnitPlan[], entries: readonly JournalEntry[]): void {
    this.runs.set(run.id, { run, plans, entries });
    for (const listener of this.#listeners) listener(run.id);
  }

  ports(): Ports {
    const runs: Pick<RunStore, 'get' | 'open' | 'recent' | 'plan'> = {
      get: async (id) => this.runs.get(id)?.run,
      open: async () =>
        [...this.runs.values()].map((one) => one.run).flatMap((run) => (isEnded(run.state) ? [] : [run.id])),
      recent: async (limit) => [...this.runs.values()].map((one) => one.run).slice(0, limit),
      plan: async (runId, unit, hash) =>
        this.runs.get(runId)?.plans.find((plan) => plan.unit === unit && plan.hash === hash),
    };
    const journal: Pick<Journal, 'read'> = {
      read: async (runId, unit, afterId) => {
        const stream = (this.runs.get(runId)?.entries ?? []).filter((entry) => entry.unit === unit);
        return stream.slice(stream.findIndex((entry) => entry.id === afterId) + 1);
      },
    };
    const { chat, files, artefacts, store } = this;
    const direct = { approversOf: async () => this.approvers ?? [], recipients: this.recipients };
    const base = { chat, files, artefacts, store, runs, journal, progress: { get: async () => undefined } };
    return this.approvers === undefined ? base : { ...base, direct };
  }

  /** Starts a publisher; `ports` may be wrapped by a test. Ends when stopped. */
  start(ports: Ports = this.ports(), stop = new AbortController()): { stop(): Promise<void> } {
    this.#owners += 1;
    const deps: OutboxDeps = {
      ...ports,
      notifier: {
        subscribe: async (onChange) => {
          this.#listeners.add(onChange);
          return async () => {
            this.#listeners.delete(onChange);
          };
        },
      },
      clock: this.time,
      wait: this.time.wait,
      log: { ...quiet, warn: (fields, message) => void this.warnings.push({ ...fields, message }) },
      workspace: 'T1',
      owner: `process-${this.#owners}`,
    };
    let ended = false;
    const running = runOutbox(deps, stop.signal)
      .catch(() => undefined)
      .then(() => {
        ended = true;
      });
    return {
      stop: async () => {
        stop.abort();
        await this.time.until(() => ended, 60_000);
        await running;
      },
    };
  }
}

export class Crash extends Error {}

/**
 * The ports of a process that dies at its n-th point: each call is two points, before and after its effect. Afterwards
 * the process reaches nothing any more.
 */
export function dyingPorts(ports: Ports, atPoint: number, onDeath: () => void): Ports {
  let points = 0;
  let dead = false;
  const point = (): void => {
    if (dead) throw new Crash('dead');
    if (points === atPoint) {
      dead = true;
      onDeath();
      throw new Crash(`died at point ${atPoint}`);
    }
    points += 1;
  };
  const dying =
    <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      point();
      const result = await call(...args);
      point();
      return result;
    };
  const { chat, files, artefacts, store, runs, journal, progress, direct } = ports;
  const mortalChat: ChatPort = {
    post: dying(async (...args: Parameters<typeof chat.post>) => chat.post(...args)),
    update: dying(async (...args: Parameters<typeof chat.update>) => chat.update(...args)),
    find: dying(async (...args: Parameters<typeof chat.find>) => chat.find(...args)),
    open: dying(async (...args: Parameters<typeof chat.open>) => chat.open(...args)),
    permalink: dying(async (...args: Parameters<typeof chat.permalink>) => chat.permalink(...args)),
  };
  const mortalFiles: FilePort = {
    reserve: dying(async (...args: Parameters<typeof files.reserve>) => files.reserve(...args)),
    upload: dying(async (...args: Parameters<typeof files.upload>) => files.upload(...args)),
    complete: dying(async (...args: Parameters<typeof files.complete>) => files.complete(...args)),
    info: dying(async (...args: Parameters<typeof files.info>) => files.info(...args)),
  };
  const mortalStore: OutboxStore = {
    holdPublisher: dying(async (...args: Parameters<typeof store.holdPublisher>) => store.holdPublisher(...args)),
    releasePublisher: dying(async (...args: Parameters<typeof store.releasePublisher>) =>
      store.releasePublisher(...args),
    ),
    claim: dying(async (...args: Parameters<typeof store.claim>) => store.claim(...args)),
    again: dying(async (...args: Parameters<typeof store.again>) => store.again(...args)),
    noteFile: dying(async (...args: Parameters<typeof store.noteFile>) => store.noteFile(...args)),
    sent: dying(async (...args: Parameters<typeof store.sent>) => store.sent(...args)),
    all: dying(async (...args: Parameters<typeof store.all>) => store.all(...args)),
  };
  return {
    chat: mortalChat,
    files: mortalFiles,
    artefacts: { get: dying(async (...args: Parameters<typeof artefacts.get>) => artefacts.get(...args)) },
    store: mortalStore,
    runs: {
      get: dying(async (...args: Parameters<typeof runs.get>) => runs.get(...args)),
      open: dying(async (...args: Parameters<typeof runs.open>) => runs.open(...args)),
      recent: dying(async (...args: Parameters<typeof runs.recent>) => runs.recent(...args)),
      plan: dying(async (...args: Parameters<typeof runs.plan>) => runs.plan(...args)),
    },
    journal: { read: dying(async (...args: Parameters<typeof journal.read>) => journal.read(...args)) },
    progress: { get: dying(async (...args: Parameters<typeof progress.get>) => progress.get(...args)) },
    ...(direct !== undefined && { direct: mortalDirect(direct, dying) }),
  };
}

type Dying = <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) => (...args: A) => Promise<R>;

function mortalDirect({ approversOf, recipients }: DirectPorts, dying: Dying): DirectPorts {
  return {
    approversOf: dying(approversOf),
    recipients: {
      get: dying(async (...args: Parameters<typeof recipients.get>) => recipients.get(...args)),
      choose: dying(async (...args: Parameters<typeof recipients.choose>) => recipients.choose(...args)),
    },
  };
}
