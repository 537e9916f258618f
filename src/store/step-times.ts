import { z } from 'zod';
import type { StepTimeStore } from '../domain/step-times.ts';
import { keptTimes } from '../domain/step-times.ts';
import { readRecord } from './record.ts';
import type { RedisSpace } from './redis.ts';
import { lua } from './redis.ts';

const Times = z.array(z.number().nonnegative());

/** KEYS: times of a place. ARGV: name of the step, ms, how many are kept. Two workers may note the same step. */
const noteTime = lua(`
local times = cjson.decode(redis.call('HGET', KEYS[1], ARGV[1]) or '[]')
table.insert(times, 1, tonumber(ARGV[2]))
while #times > tonumber(ARGV[3]) do table.remove(times) end
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(times))
return 1`);

/** How long steps took: one hash per place, name of the step -> JSON list of ms, the newest first. Bounded by the number of steps. */
export function createStepTimeStore(space: RedisSpace): StepTimeStore {
  const keyOf = (place: string): string => space.key('step-times', place);
  return {
    async note(place, name, tookMs) {
      const args = [name, String(Math.max(0, Math.round(tookMs))), String(keptTimes)];
      await space.script(`note how long ${name} took`, noteTime, [keyOf(place)], args);
    },
    async of(place) {
      const key = keyOf(place);
      const rows = await space.call(`read how long steps took at ${place}`, async (redis) => redis.hgetall(key));
      return Object.fromEntries(
        Object.entries(rows).map(([name, json]) => [name, readRecord(`${key} ${name}`, json, isTimes)]),
      );
    },
  };
}

function isTimes(value: unknown): value is readonly number[] {
  return Times.safeParse(value).success;
}
