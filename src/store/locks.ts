import type { Lock, LockStore } from '../domain/ports.ts';
import { errors } from '../errors.ts';
import { isObject, readRecord } from './record.ts';
import type { RedisSpace } from './redis.ts';
import { lua } from './redis.ts';

/** ARGV: person, time, record with a new time, hosts. All are locked or none; what a person has locked keeps its time. */
const setLocks = lua(`
for i = 4, #ARGV do
  local held = redis.call('HGET', KEYS[1], ARGV[i])
  if held then
    local by = cjson.decode(held).by
    if by.teamId .. '/' .. by.userId ~= ARGV[1] then return {ARGV[i], held} end
  end
end
for i = 4, #ARGV do
  local held = redis.call('HGET', KEYS[1], ARGV[i])
  local record = cjson.decode(ARGV[3])
  record.sinceMs = held and cjson.decode(held).sinceMs or tonumber(ARGV[2])
  redis.call('HSET', KEYS[1], ARGV[i], cjson.encode(record))
end
return {}`);

const clearLock = lua(`
local held = redis.call('HGET', KEYS[1], ARGV[1])
if held then redis.call('HDEL', KEYS[1], ARGV[1]) end
return held`);

type LockRecord = Omit<Lock, 'host'>;

/** Locks of people on hosts: one hash, host -> who, why, since when. No expiry. */
export function createLockStore(space: RedisSpace): LockStore {
  const key = space.key('locks');
  const lockOf = (host: string, json: string): Lock => ({ host, ...readRecord(`${key} ${host}`, json, isLock) });
  return {
    async set(hosts, { by, reason, sinceMs }) {
      const record: LockRecord = { by, reason, sinceMs };
      const args = [`${by.teamId}/${by.userId}`, sinceMs, JSON.stringify(record), ...hosts];
      const reply = await space.script(`lock ${hosts.join(', ')}`, setLocks, [key], args);
      const [host, json]: unknown[] = Array.isArray(reply) ? reply : [];
      if (typeof host !== 'string' || typeof json !== 'string') return { ok: true };
      return { ok: false, lock: lockOf(host, json) };
    },
    async get(host) {
      const json = await space.call(`read the lock on ${host}`, async (redis) => redis.hget(key, host));
      return json === null ? undefined : lockOf(host, json);
    },
    async all() {
      const records = await space.call('list locks', async (redis) => redis.hgetall(key));
      return Object.entries(records)
        .map(([host, json]) => lockOf(host, json))
        .toSorted((a, b) => a.host.localeCompare(b.host));
    },
    async clear(host) {
      const json = await space.script(`unlock ${host}`, clearLock, [key], [host]);
      if (json === null || json === undefined) return undefined;
      if (typeof json !== 'string')
        throw errors.storeCorrupt({ key, problem: 'Redis answered with another type than expected.' });
      return lockOf(host, json);
    },
  };
}

function isLock(value: unknown): value is LockRecord {
  if (!isObject(value) || !isObject(value['by'])) return false;
  const { userId, teamId, displayName } = value['by'];
  return (
    [userId, teamId, displayName, value['reason']].every((part) => typeof part === 'string') &&
    typeof value['sinceMs'] === 'number'
  );
}
