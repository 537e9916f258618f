import { z } from 'zod';
import type { CardRecord, CardRecords } from '../domain/device-ports.ts';
import { readRecord } from './record.ts';
import type { RedisSpace } from './redis.ts';

/** The fields that code relies on; others pass through untouched, so that a newer process may add some. */
const RecordShape = z.looseObject({
  origin: z.enum(['factory', 'flashed', 'adopted', 'unknown']),
  image: z.looseObject({ name: z.string(), sha256: z.string(), checked: z.literal('release').optional() }).optional(),
  bmcAddress: z.string().min(1).optional(),
  armWrongTriesAtMs: z.array(z.number().nonnegative()).optional(),
  runId: z.int().positive(),
  atMs: z.number().nonnegative(),
});

/** What dpubot remembers about cards: one hash, serial -> record. Written by workers; a bot may read it. */
export function createCardRecords(space: RedisSpace): CardRecords {
  const key = space.key('card-records');
  return {
    async get(serial) {
      const json = await space.call(`read what is known about card ${serial}`, async (redis) =>
        redis.hget(key, serial),
      );
      return json === null ? undefined : readRecord(`${key} ${serial}`, json, isCardRecord);
    },
    async put(serial, record) {
      await space.call(`store what is known about card ${serial}`, async (redis) =>
        redis.hset(key, serial, JSON.stringify(record)),
      );
    },
  };
}

function isCardRecord(value: unknown): value is CardRecord {
  return RecordShape.safeParse(value).success;
}
