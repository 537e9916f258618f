import type { Hold, HoldStore } from '../domain/ports.ts';
import { isObject, readRecord } from './record.ts';
import type { RedisSpace } from './redis.ts';
import { lua } from './redis.ts';

/** ARGV: run number, record without its unit, units. All are taken or none; what the run has already stays as it is. */
const takeHolds = lua(`
for i = 3, #ARGV do
  local held = redis.call('HGET', KEYS[1], ARGV[i])
  if held and tostring(cjson.decode(held).runId) ~= ARGV[1] then return {ARGV[i], held} end
end
for i = 3, #ARGV do redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[2]) end
return {}`);

const clearHold = lua(`
local held = redis.call('HGET', KEYS[1], ARGV[1])
if not held then return 0 end
if ARGV[2] ~= '' and tostring(cjson.decode(held).runId) ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])`);

type HoldRecord = Omit<Hold, 'unit'>;

/** Holds: one hash, unit -> who owns its state since when. No expiry. */
export function createHoldStore(space: RedisSpace): HoldStore {
  const key = space.key('holds');
  const holdOf = (unit: string, json: string): Hold => ({ unit, ...readRecord(`${key} ${unit}`, json, isHold) });
  return {
    async take(units, runId, by, nowMs) {
      const record: HoldRecord = { runId, sinceMs: nowMs, by };
      const args = [runId, JSON.stringify(record), ...units];
      const reply = await space.script(`take the hold on ${units.join(', ')}`, takeHolds, [key], args);
      const [unit, json]: unknown[] = Array.isArray(reply) ? reply : [];
      if (typeof unit !== 'string' || typeof json !== 'string') return { ok: true };
      return { ok: false, hold: holdOf(unit, json) };
    },
    async get(unit) {
      const json = await space.call(`read the hold on ${unit}`, async (redis) => redis.hget(key, unit));
      return json === null ? undefined : holdOf(unit, json);
    },
    async all() {
      const records = await space.call('list holds', async (redis) => redis.hgetall(key));
      return Object.entries(records)
        .map(([unit, json]) => holdOf(unit, json))
        .toSorted((a, b) => a.unit.localeCompare(b.unit));
    },
    async clear(unit, runId) {
      return (await space.script(`clear the hold on ${unit}`, clearHold, [key], [unit, runId ?? ''])) === 1;
    },
  };
}

function isHold(value: unknown): value is HoldRecord {
  return (
    isObject(value) &&
    typeof value['runId'] === 'number' &&
    typeof value['sinceMs'] === 'number' &&
    typeof value['by'] === 'string'
  );
}
