import { setTimeout as pause } from 'node:timers/promises';
import { RUN_STREAM } from '../domain/journal.ts';
import type { RunStore } from '../domain/ports.ts';
import type { Run } from '../domain/run.ts';
import { isEnded } from '../domain/run.ts';
import { errors } from '../errors.ts';
import { artefactKey } from './artefacts.ts';
import { STREAM_MAX_ENTRIES, encodeEvent, journalKey } from './journal.ts';
import { recipientsKey } from './recipients.ts';
import { readRecord } from './record.ts';
import type { RedisSpace } from './redis.ts';
import { lua } from './redis.ts';
import { isPlan, isRun } from './run-shape.ts';

/** A run with the slices of a large fleet is a few hundred KiB; more than this is a bug, not a run. */
const RECORD_MAX_BYTES = 1024 * 1024;
const UPDATE_MAX_TRIES = 500;

const nextNumber = lua(`
local n = redis.call('INCR', KEYS[1])
if n < tonumber(ARGV[1]) then
  n = tonumber(ARGV[1])
  redis.call('SET', KEYS[1], n)
end
return n`);

const insertRun = lua(`
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'json', ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[3])
redis.call('ZADD', KEYS[4], ARGV[3], ARGV[3])
if ARGV[4] == 'open' then redis.call('ZADD', KEYS[3], ARGV[3], ARGV[3]) end
for i = 5, #KEYS do redis.call('XADD', KEYS[i], '*', 'event', ARGV[i]) end
return 1`);

/**
 * KEYS: run, open set, old state, new state, then one journal stream per entry. ARGV: old version, new version, record,
 * number, open mark, longest stream, then the entries. Record, indexes and journal change together, and only when nobody
 * changed the record in between.
 */
const replaceRun = lua(`
local version = redis.call('HGET', KEYS[1], 'version')
if version ~= ARGV[1] then return 0 end
for i = 5, #KEYS do
  if redis.call('XLEN', KEYS[i]) >= tonumber(ARGV[6]) then return -1 end
end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'json', ARGV[3])
if KEYS[3] ~= KEYS[4] then
  redis.call('ZREM', KEYS[3], ARGV[4])
  redis.call('ZADD', KEYS[4], ARGV[4], ARGV[4])
end
if ARGV[5] == 'open' then redis.call('ZADD', KEYS[2], ARGV[4], ARGV[4])
else redis.call('ZREM', KEYS[2], ARGV[4]) end
for i = 5, #KEYS do redis.call('XADD', KEYS[i], '*', 'event', ARGV[i + 2]) end
return 1`);

const removeRun = lua(`
if redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] then return 0 end
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('ZREM', KEYS[3], ARGV[2])
redis.call('DEL', KEYS[1], unpack(KEYS, 4))
return 1`);

/** Runs in Redis, plus what retention needs. */
export interface RedisRunStore extends RunStore {
  /**
   * Removes runs that ended before `endedBeforeMs` with everything kept about them (journal, plans, progress, outbox);
   * at most `limit` in one call. Returns their numbers. Run numbers are never given twice.
   */
  prune(endedBeforeMs: number, limit: number): Promise<readonly number[]>;
}

/**
 * Run records: one hash per run (`version`, `json`), one counter for the numbers, and sorted sets of numbers for "all",
 * "open" and each state. `firstNumber` (default 1) is the first number given on an empty store.
 */
export function createRunStore(space: RedisSpace, options: { readonly firstNumber?: number } = {}): RedisRunStore {
  const runKey = (id: number): string => space.key('run', id);
  const stateKey = (run: Run): string => space.key('runs', 'state', run.state);

  async function get(id: number): Promise<Run | undefined> {
    const [json, version] = await space.call(`read run ${id}`, async (redis) =>
      redis.hmget(runKey(id), 'json', 'version'),
    );
    if (typeof json !== 'string') return undefined;
    const run = readRecord(runKey(id), json, isRun);
    if (run.id !== id || String(run.version) !== version)
      throw errors.storeCorrupt({ key: runKey(id), problem: 'Number or version differ from those it is filed under.' });
    return run;
  }

  async function getMany(ids: readonly string[]): Promise<Run[]> {
    const runs = await Promise.all(ids.map(async (id) => get(Number(id))));
    return runs.filter((run) => run !== undefined);
  }

  return {
    get,
    async create(newRun, events) {
      const id = Number(
        await space.script('number the run', nextNumber, [space.key('run-number')], [options.firstNumber ?? 1]),
      );
      const run: Run = { ...newRun, id, version: 1 };
      const entries = events?.(run) ?? [];
      const keys = [
        runKey(id),
        space.key('runs'),
        space.key('runs', 'open'),
        stateKey(run),
        ...entries.map(({ unit }) => journalKey(space, id, unit)),
      ];
      const args = [run.version, encode(run), id, openMark(run), ...entries.map(({ event }) => encodeEvent(event))];
      const stored = await space.script(`store run ${id}`, insertRun, keys, args);
      if (stored !== 1) throw errors.bug({ detail: `run number ${id} was given twice` });
      return run;
    },
    async update(id, change, events) {
      for (let tries = 0; tries < UPDATE_MAX_TRIES; tries += 1) {
        const before = await get(id);
        if (before === undefined) throw errors.runUnknown({ run: id });
        const changed = change(before);
        if (changed === undefined) return { run: before, changed: false };
        const after: Run = { ...changed, id, version: before.version + 1 };
        const entries = events?.(before, after) ?? [];
        const keys = [
          runKey(id),
          space.key('runs', 'open'),
          stateKey(before),
          stateKey(after),
          ...entries.map(({ unit }) => journalKey(space, id, unit)),
        ];
        const args = [
          before.version,
          after.version,
          encode(after),
          id,
          openMark(after),
          STREAM_MAX_ENTRIES,
          ...entries.map(({ event }) => encodeEvent(event)),
        ];
        const stored = await space.script(`store run ${id}`, replaceRun, keys, args);
        if (stored === 1) return { run: after, changed: true };
        if (stored === -1) throw errors.bug({ detail: `a journal of run ${id} has ${STREAM_MAX_ENTRIES} entries` });
        // Somebody else was first: look again, after a moment that differs per caller.
        await pause(Math.random() * Math.min(2 ** tries, 32));
      }
      throw errors.storeUnavailable({ operation: `change run ${id}`, cause: new Error('too many writers at once') });
    },
    async open() {
      const ids = await space.call('list open runs', async (redis) => redis.zrange(space.key('runs', 'open'), 0, '-1'));
      return ids.map(Number);
    },
    async recent(limit, filter) {
      const keys = filter?.states?.map((state) => space.key('runs', 'state', state)) ?? [space.key('runs')];
      const newest = filter?.before === undefined ? '+inf' : `(${filter.before}`;
      const lists = await space.call('list runs', async (redis) =>
        Promise.all(keys.map(async (key) => redis.zrevrangebyscore(key, newest, '-inf', 'LIMIT', 0, limit))),
      );
      const ids = [...new Set(lists.flat())].toSorted((a, b) => Number(b) - Number(a)).slice(0, limit);
      const runs = await getMany(ids);
      // A run may have moved on between the two reads.
      return runs.filter((run) => filter?.states === undefined || filter.states.includes(run.state));
    },
    async savePlan(plan) {
      const json = encode(plan);
      await space.call(`store a plan of run ${plan.runId}`, async (redis) =>
        redis.hset(space.key('plans', plan.runId), `${plan.unit} ${plan.hash}`, json),
      );
    },
    async plan(runId, unit, hash) {
      const key = space.key('plans', runId);
      const json = await space.call(`read a plan of run ${runId}`, async (redis) => redis.hget(key, `${unit} ${hash}`));
      return json === null ? undefined : readRecord(key, json, isPlan);
    },
    prune: async (endedBeforeMs, limit) => prune(space, getMany, endedBeforeMs, limit),
  };
}

async function prune(
  space: RedisSpace,
  getMany: (ids: readonly string[]) => Promise<Run[]>,
  endedBeforeMs: number,
  limit: number,
): Promise<readonly number[]> {
  const pageSize = 100;
  const removed: number[] = [];
  for (let start = 0; removed.length < limit; start += pageSize) {
    // Pages are taken from the first listing of each round: what was removed shifts the rest to the front.
    const from = start - removed.length;
    const ids = await space.call('list old runs', async (redis) =>
      redis.zrange(space.key('runs'), from, String(from + pageSize - 1)),
    );
    const runs = await getMany(ids);
    const old = runs.filter((run) => isEnded(run.state) && (run.endedAtMs ?? Infinity) < endedBeforeMs);
    for (const run of old.slice(0, limit - removed.length)) if (await remove(space, run)) removed.push(run.id);
    // No run ended before it was made, and numbers rise with time.
    if (ids.length < pageSize || runs.some((run) => run.createdAtMs >= endedBeforeMs)) break;
  }
  return removed;
}

async function remove(space: RedisSpace, run: Run): Promise<boolean> {
  const keys = [
    space.key('run', run.id),
    space.key('runs'),
    space.key('runs', 'state', run.state),
    space.key('plans', run.id),
    space.key('progress', run.id),
    space.key('outbox', run.id),
    recipientsKey(space, run.id),
    artefactKey(space, run.id),
    ...[RUN_STREAM, ...Object.keys(run.units)].map((unit) => journalKey(space, run.id, unit)),
  ];
  return (await space.script(`remove run ${run.id}`, removeRun, keys, [run.version, run.id])) === 1;
}

function openMark(run: Run): string {
  return isEnded(run.state) ? 'ended' : 'open';
}

function encode(record: object): string {
  const json = JSON.stringify(record);
  const bytes = Buffer.byteLength(json);
  if (bytes > RECORD_MAX_BYTES) throw errors.bug({ detail: `a record of ${bytes} bytes was to be stored` });
  return json;
}
