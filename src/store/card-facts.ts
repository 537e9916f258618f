import { z } from 'zod';
import type { CardFacts, CardFactsStore } from '../domain/card-facts.ts';
import { mergeCardFacts } from '../domain/card-facts.ts';
import { readRecord } from './record.ts';
import type { RedisSpace } from './redis.ts';
import { lua } from './redis.ts';

const Shape = z.looseObject({
  facts: z.record(z.string(), z.looseObject({ value: z.string(), atMs: z.number() })),
  unread: z.record(z.string(), z.looseObject({ reason: z.string(), atMs: z.number() })),
  runId: z.number(),
  atMs: z.number(),
});

/** Stores ARGV[3] where the record still is what was read (ARGV[2], empty for none). */
const replace = lua(`
if (redis.call('HGET', KEYS[1], ARGV[1]) or '') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1`);

/** What is known about cards: one hash, name of the DPU -> facts. Two workers may look at the same card. */
export function createCardFactsStore(space: RedisSpace): CardFactsStore {
  const key = space.key('card-facts');
  const read = async (dpu: string): Promise<string | undefined> =>
    (await space.call(`read what is known about ${dpu}`, async (redis) => redis.hget(key, dpu))) ?? undefined;
  return {
    async get(dpu) {
      const json = await read(dpu);
      return json === undefined ? undefined : readRecord(`${key} ${dpu}`, json, isCardFacts);
    },
    async merge(dpu, news) {
      for (;;) {
        const json = await read(dpu);
        const known = json === undefined ? undefined : readRecord(`${key} ${dpu}`, json, isCardFacts);
        const args = [dpu, json ?? '', JSON.stringify(mergeCardFacts(known, news))];
        if ((await space.script(`store what is known about ${dpu}`, replace, [key], args)) === 1) return;
      }
    },
  };
}

function isCardFacts(value: unknown): value is CardFacts {
  return Shape.safeParse(value).success;
}
