import type { RecipientStore } from '../domain/ports.ts';
import { readRecord } from './record.ts';
import type { RedisSpace } from './redis.ts';

/** Who was told of what in person: one hash per run. */
export function createRecipientStore(space: RedisSpace): RecipientStore {
  async function get(runId: number, key: string): Promise<readonly string[] | undefined> {
    const place = recipientsKey(space, runId);
    const json = await space.call(`read who is told of run ${runId}`, async (redis) => redis.hget(place, key));
    return json === null ? undefined : readRecord(place, json, isPeople);
  }

  return {
    get,
    async choose(runId, key, people) {
      const place = recipientsKey(space, runId);
      await space.call(`note who is told of run ${runId}`, async (redis) =>
        redis.hsetnx(place, key, JSON.stringify(people)),
      );
      return (await get(runId, key)) ?? people;
    },
  };
}

/** Where they stand; removed with the run. */
export function recipientsKey(space: RedisSpace, runId: number): string {
  return space.key('recipients', runId);
}

function isPeople(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((person) => typeof person === 'string');
}
