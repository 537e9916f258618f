import type { Lease, LeaseOwner, LeaseStore } from '../domain/ports.ts';
import { errors } from '../errors.ts';
import { texts } from './record.ts';
import type { RedisSpace } from './redis.ts';
import { lua } from './redis.ts';

/**
 * KEYS: n lease keys, then n fence keys. Nothing is written before every unit was found free. A lease is free when it
 * has expired or belongs to an older incarnation of the same worker, which cannot be alive any more.
 */
const acquireLeases = lua(`
local n = #KEYS / 2
for i = 1, n do
  local held = redis.call('HMGET', KEYS[i], 'workerId', 'incarnation', 'runId')
  if held[1] and not (held[1] == ARGV[1] and tonumber(held[2]) < tonumber(ARGV[2])) then
    return {'held', tostring(i), held[1], held[2], held[3]}
  end
end
local fence = 0
for i = 1, n do fence = math.max(fence, tonumber(redis.call('GET', KEYS[n + i]) or '0')) end
fence = fence + 1
for i = 1, n do
  redis.call('SET', KEYS[n + i], fence)
  redis.call('DEL', KEYS[i])
  redis.call('HSET', KEYS[i], 'workerId', ARGV[1], 'incarnation', ARGV[2], 'runId', ARGV[3], 'fence', fence)
  redis.call('PEXPIRE', KEYS[i], ARGV[4])
end
return {'ok', tostring(fence)}`);

const OURS = `
local function ours(key)
  local held = redis.call('HMGET', key, 'workerId', 'incarnation', 'runId', 'fence')
  return held[1] == ARGV[1] and held[2] == ARGV[2] and held[3] == ARGV[3] and held[4] == ARGV[4]
end`;

const renewLeases = lua(`${OURS}
for i = 1, #KEYS do if not ours(KEYS[i]) then return 0 end end
for i = 1, #KEYS do redis.call('PEXPIRE', KEYS[i], ARGV[5]) end
return 1`);

const releaseLeases = lua(`${OURS}
for i = 1, #KEYS do if ours(KEYS[i]) then redis.call('DEL', KEYS[i]) end end
return 1`);

/** Leases on units: one hash per unit that expires by itself, and one counter per unit for the fencing number. */
export function createLeaseStore(space: RedisSpace): LeaseStore {
  const leaseKeys = (units: readonly string[]): string[] => units.map((unit) => space.key('lease', unit));
  const proof = (lease: Lease): (string | number)[] => [
    lease.owner.workerId,
    lease.owner.incarnation,
    lease.owner.runId,
    lease.fence,
  ];
  return {
    async acquire(units, owner, ttlMs) {
      const what = `take the lease on ${units.join(', ')}`;
      const keys = [...leaseKeys(units), ...units.map((unit) => space.key('fence', unit))];
      const args = [owner.workerId, owner.incarnation, owner.runId, ttlMs];
      const reply = texts(what, await space.script(what, acquireLeases, keys, args));
      if (reply[0] === 'ok') return { ok: true, lease: { units, owner, fence: Number(reply[1]) } };
      const [, index, workerId, incarnation, runId] = reply;
      const unit = units[Number(index) - 1];
      const heldBy = ownerOf(workerId, incarnation, runId);
      if (unit === undefined || heldBy === undefined)
        throw errors.storeCorrupt({ key: what, problem: reply.join(' ') });
      return { ok: false, unit, heldBy };
    },
    async renew(lease, ttlMs) {
      const what = `renew the lease on ${lease.units.join(', ')}`;
      return (await space.script(what, renewLeases, leaseKeys(lease.units), [...proof(lease), ttlMs])) === 1;
    },
    async release(lease) {
      const what = `release the lease on ${lease.units.join(', ')}`;
      await space.script(what, releaseLeases, leaseKeys(lease.units), proof(lease));
    },
    async holder(unit) {
      const key = space.key('lease', unit);
      const [workerId, incarnation, runId] = await space.call(`read the lease on ${unit}`, async (redis) =>
        redis.hmget(key, 'workerId', 'incarnation', 'runId'),
      );
      return ownerOf(workerId, incarnation, runId);
    },
  };
}

function ownerOf(
  workerId: string | null | undefined,
  incarnation: string | null | undefined,
  runId: string | null | undefined,
): LeaseOwner | undefined {
  if (typeof workerId !== 'string' || typeof incarnation !== 'string' || typeof runId !== 'string') return undefined;
  return { workerId, incarnation: Number(incarnation), runId: Number(runId) };
}
