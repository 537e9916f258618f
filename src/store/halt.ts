import type { Halt, HaltStore } from '../domain/ports.ts';
import { isObject, readRecord } from './record.ts';
import type { RedisSpace } from './redis.ts';

/** The one switch that stops new work everywhere. */
export function createHaltStore(space: RedisSpace): HaltStore {
  const key = space.key('halt');
  return {
    async get() {
      const json = await space.call('read the halt switch', async (redis) => redis.get(key));
      return json === null ? undefined : readRecord(key, json, isHalt);
    },
    async set(halt) {
      await space.call('set the halt switch', async (redis) => redis.set(key, JSON.stringify(halt)));
    },
    async clear() {
      return (await space.call('clear the halt switch', async (redis) => redis.del(key))) === 1;
    },
  };
}

function isHalt(value: unknown): value is Halt {
  return (
    isObject(value) &&
    typeof value['by'] === 'string' &&
    typeof value['reason'] === 'string' &&
    typeof value['sinceMs'] === 'number'
  );
}
