import type { ResultStore } from '../../../src/domain/bench.ts';
import type { CardFacts } from '../../../src/domain/card-facts.ts';
import { Inventory } from '../../../src/domain/inventory.ts';
import type { JournalEvent } from '../../../src/domain/journal.ts';
import type { AuditRecord, Halt, Hold, Invocation, LeaseOwner, LockStore, Person } from '../../../src/domain/ports.ts';
import type { Run } from '../../../src/domain/run.ts';
import { isEnded } from '../../../src/domain/run.ts';
import type { CommandContext } from '../../../commands/define.ts';
import type { Dispatch } from '../../../commands/dispatch.ts';
import { createDispatch } from '../../../commands/dispatch.ts';
import { failureOf } from '../../../src/errors.ts';
import type { Reply } from '../../../src/report/message.ts';
import { createMemoryLockStore } from '../../support/memory/locks.ts';
import { createMemoryResultStore } from '../../support/memory/results.ts';
import { sampleInventory } from './sample-inventory.ts';

/** Everything a command did, to be looked at. */
export interface World {
  inventory: Inventory;
  nowMs: number;
  readonly runs: Map<number, Run>;
  readonly events: { readonly runId: number; readonly event: JournalEvent }[];
  readonly audit: AuditRecord[];
  readonly advanced: number[];
  readonly notified: number[];
  readonly holds: Map<string, Hold>;
  readonly locks: LockStore;
  readonly facts: Map<string, CardFacts>;
  readonly results: ResultStore;
  /** Files of runs by id. */
  readonly artefacts: Map<string, Uint8Array>;
  readonly leases: Map<string, LeaseOwner>;
  halt: Halt | undefined;
  readonly people: Map<string, Partial<Person>>;
  readonly lookups: { readonly userId: string; readonly fresh: boolean }[];
  readonly channels: Set<string>;
  /** Codes of the failures that people were told of. */
  readonly failures: string[];
  readonly context: CommandContext;
  readonly dispatch: Dispatch;
  /** Says a line as a person in the fleet's channel. */
  say(userId: string, text: string, extra?: Partial<Invocation>): Promise<Reply>;
}

/** A bot without Redis and Slack: ports over plain maps. */
export function createWorld(inventory: Inventory = Inventory.parse(sampleInventory())): World {
  const world = {
    inventory,
    nowMs: 1_000_000,
    runs: new Map(),
    events: [],
    audit: [],
    advanced: [],
    notified: [],
    holds: new Map(),
    locks: createMemoryLockStore(),
    facts: new Map(),
    results: createMemoryResultStore(),
    artefacts: new Map(),
    leases: new Map(),
    halt: undefined,
    people: new Map(),
    lookups: [],
    channels: new Set(['C0FLEET1', 'C0OTHER']),
    failures: [],
  } as unknown as World;
  const context = contextOf(world);
  const dispatch = createDispatch(context, (error) => void world.failures.push(failureOf(error).code));
  return Object.assign(world, {
    context,
    dispatch,
    say: async (userId: string, text: string, extra: Partial<Invocation> = {}) =>
      dispatch(userId, { text, channel: 'C0FLEET1', source: 'slash', ...extra }),
  });
}

function contextOf(world: World): CommandContext {
  return {
    inventory: () => world.inventory,
    runs: runsOf(world),
    journal: {
      append: async (runId, unit, event) => {
        world.events.push({ runId, event });
        return { id: `${world.events.length}-0`, runId, unit, atMs: world.nowMs, event };
      },
      read: async (runId, unit) =>
        world.events
          .filter((entry) => entry.runId === runId)
          .map(({ event }, index) => ({ id: `${index}-0`, runId, unit, atMs: world.nowMs, event })),
    },
    progress: { set: async () => {}, get: async () => undefined },
    leases: {
      acquire: async () => Promise.reject(new Error('commands take no lease')),
      renew: async () => false,
      release: async () => {},
      holder: async (unit) => world.leases.get(unit),
    },
    results: world.results,
    artefacts: { get: async (_run, id) => world.artefacts.get(id) },
    facts: { get: async (dpu) => world.facts.get(dpu), merge: async (dpu, news) => void world.facts.set(dpu, news) },
    holds: {
      take: async () => Promise.reject(new Error('commands take no hold')),
      get: async (unit) => world.holds.get(unit),
      all: async () => [...world.holds.values()],
      clear: async (unit, runId) =>
        (runId === undefined || world.holds.get(unit)?.runId === runId) && world.holds.delete(unit),
    },
    locks: world.locks,
    halt: {
      get: async () => world.halt,
      set: async (halt) => void (world.halt = halt),
      clear: async () => {
        const was = world.halt;
        world.halt = undefined;
        return was !== undefined;
      },
    },
    audit: { append: async (record) => void world.audit.push(record), list: async () => world.audit },
    queue: {
      addPlan: async () => Promise.reject(new Error('the bot only adds advance jobs')),
      addUnit: async () => Promise.reject(new Error('the bot only adds advance jobs')),
      addAdvance: async ({ runId }) => void world.advanced.push(runId),
    },
    notifier: { changed: async (runId) => void world.notified.push(runId), subscribe: async () => async () => {} },
    directory: {
      person: async (userId, { fresh }) => {
        world.lookups.push({ userId, fresh });
        return personOf(userId, world.people.get(userId));
      },
      canPost: async (channel) => world.channels.has(channel),
    },
    clock: { nowMs: () => world.nowMs },
    teamId: 'T1',
  };
}

function runsOf(world: World): CommandContext['runs'] {
  return {
    create: async (run, events) => {
      const stored = { ...run, id: 418 + world.runs.size, version: 1 };
      world.runs.set(stored.id, stored);
      for (const { event } of events?.(stored) ?? []) world.events.push({ runId: stored.id, event });
      return stored;
    },
    get: async (id) => world.runs.get(id),
    update: async (id, change, events) => {
      const run = world.runs.get(id);
      if (!run) throw new Error(`no run ${id}`);
      // The change is computed twice, as after a lost compare-and-set: it has to be pure.
      change(run);
      const next = change(run);
      if (next) {
        const after = { ...next, version: run.version + 1 };
        world.runs.set(id, after);
        for (const { event } of events?.(run, after) ?? []) world.events.push({ runId: id, event });
      }
      return { run: world.runs.get(id) ?? run, changed: next !== undefined };
    },
    open: async () => [...world.runs.values()].filter((run) => !isEnded(run.state)).map((run) => run.id),
    recent: async (limit, { before = Infinity } = {}) =>
      [...world.runs.values()]
        .filter(({ id }) => id < before)
        .reverse()
        .slice(0, limit),
    savePlan: async () => {},
    plan: async () => undefined,
  };
}

function personOf(userId: string, extra: Partial<Person> = {}): Person {
  const displayName = userId.slice(1).toLowerCase();
  const base = { userId, teamId: 'T1', displayName, active: true, guest: false, external: false };
  return { ...base, userGroups: [], timeZone: 'UTC', ...extra };
}

/** The words of an answer, all blocks together. */
export function words(answer: Reply): string {
  if (!answer) return '';
  if ('form' in answer) return JSON.stringify(answer.form);
  const text = `${answer.text}\n${JSON.stringify(answer.blocks)}`;
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
