import type { IncarnationStore } from '../domain/ports.ts';
import type { RedisSpace } from './redis.ts';

/** Counts the starts of each worker id, from 1. */
export function createIncarnationStore(space: RedisSpace): IncarnationStore {
  return {
    next: async (workerId) =>
      space.call(`register worker ${workerId}`, async (redis) => redis.hincrby(space.key('incarnations'), workerId, 1)),
  };
}
