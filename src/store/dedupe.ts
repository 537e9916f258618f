import type { Dedupe } from '../domain/ports.ts';
import type { RedisSpace } from './redis.ts';

/** Remembers ids of requests for a while. */
export function createDedupe(space: RedisSpace): Dedupe {
  return {
    firstTime: async (id, ttlMs) =>
      space.call('recognise a repeated request', async (redis) => {
        const reply = await redis.set(space.key('seen', id), '1', 'PX', ttlMs, 'NX');
        return reply === 'OK';
      }),
    async forget(id) {
      await space.call('forget a request', async (redis) => redis.del(space.key('seen', id)));
    },
  };
}
