import { randomUUID } from 'node:crypto';
import type { LoginBudget } from '../domain/device-ports.ts';
import { texts } from './record.ts';
import type { RedisSpace } from './redis.ts';
import { lua } from './redis.ts';

/** Wrong tries within any lock-out window. BMCs lock at 3 or more; nobody's typing mistake may be the last straw. */
export const LOGIN_BUDGET_TRIES = 2;

/** Redis's own clock, so that workers with clocks apart share one window. */
const NOW = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)`;

/** KEYS: tries (sorted by time), lock set by the device. The window slides: at most two tries in any stretch of it. */
const takeTry = lua(`${NOW}
local lock = tonumber(redis.call('GET', KEYS[2]) or '0')
if lock > now then return {'no', tostring(lock)} end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[1])
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  local first = redis.call('ZRANGE', KEYS[1], -ARGV[2], -ARGV[2], 'WITHSCORES')
  return {'no', tostring(first[2] + ARGV[1])}
end
redis.call('ZADD', KEYS[1], now, ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return {'ok'}`);

const exhaustBudget = lua(`${NOW}
local untilMs = math.max(now + ARGV[1], tonumber(redis.call('GET', KEYS[1]) or '0'))
redis.call('SET', KEYS[1], string.format('%.0f', untilMs), 'PX', math.max(untilMs - now, 1))
return string.format('%.0f', untilMs)`);

/** Wrong login tries per BMC, shared by all workers. Windows are wall milliseconds. */
export function createLoginBudget(space: RedisSpace): LoginBudget {
  const triesKey = (key: string): string => space.key('login-tries', key);
  const lockKey = (key: string): string => space.key('login-lock', key);
  return {
    async take(key, windowMs) {
      const what = 'reserve a login try';
      const args = [Math.ceil(windowMs), LOGIN_BUDGET_TRIES, randomUUID()];
      const reply = texts(what, await space.script(what, takeTry, [triesKey(key), lockKey(key)], args));
      return reply[0] === 'ok' ? { ok: true } : { ok: false, untilMs: Number(reply[1]) };
    },
    async giveBack(key) {
      await space.call('give back a login try', async (redis) => redis.zpopmax(triesKey(key)));
    },
    async exhaust(key, windowMs) {
      const reply = await space.script('note a locked account', exhaustBudget, [lockKey(key)], [Math.ceil(windowMs)]);
      return Number(reply);
    },
  };
}
