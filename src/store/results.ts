import { z } from 'zod';
import type { BaselineKey, ResultRecord, ResultStore } from '../domain/bench.ts';
import { benchKinds, benchTools, directions } from '../domain/bench.ts';
import { canonicalHash } from '../domain/canonical.ts';
import { readRecord } from './record.ts';
import type { RedisSpace } from './redis.ts';

const Shape = z.looseObject({
  run: z.int(),
  pair: z.string(),
  atMs: z.number(),
  key: z.string(),
  point: z.looseObject({
    kind: z.enum(benchKinds),
    tool: z.enum(benchTools),
    direction: z.enum(directions),
    mtuBytes: z.int(),
    sas: z.int(),
    streams: z.int(),
    durationS: z.number(),
  }),
  repeatsGbps: z.array(z.number()),
  medianGbps: z.number(),
  offload: z.string(),
  firmware: z.string(),
  image: z.string(),
});

/**
 * Results of benches: one hash per run (point -> record), the runs of each pair and kind in order, and one hash of baselines.
 * No expiry: figures are compared with those of last year.
 */
export function createResultStore(space: RedisSpace): ResultStore {
  const runKey = (run: number): string => space.key('results', run);
  const orderKey = (pair: string, kind: string): string => space.key('results-of', `${pair}/${kind}`);
  const baselines = space.key('baselines');
  const ofRun = async (run: number): Promise<readonly ResultRecord[]> => {
    const found = await space.call(`read the results of run ${run}`, async (redis) => redis.hvals(runKey(run)));
    return found.map((json) => readRecord(runKey(run), json, isResult));
  };
  return {
    ofRun,
    async add(records) {
      for (const record of records) {
        const { run, pair, point } = record;
        await space.call(`store a result of run ${run}`, async (redis) =>
          redis
            .multi()
            .hset(runKey(run), canonicalHash(point), JSON.stringify(record))
            .zadd(orderKey(pair, point.kind), run, String(run))
            .exec(),
        );
      }
    },
    async history(pair, kind, limit) {
      const runs = await space.call(`read the history of ${pair}`, async (redis) =>
        redis.zrevrange(orderKey(pair, kind), 0, limit - 1),
      );
      const found = await Promise.all(runs.map(async (run) => ofRun(Number(run))));
      return found.flat().filter((record) => record.point.kind === kind);
    },
    async setBaseline(run) {
      const records = await ofRun(run);
      const fields = records.flatMap((record) => [record.key, JSON.stringify(record)]);
      if (fields.length > 0)
        await space.call(`make run ${run} the baseline`, async (redis) => redis.hset(baselines, ...fields));
      return records;
    },
    async baseline(key: BaselineKey) {
      const json = await space.call('read a baseline', async (redis) => redis.hget(baselines, key));
      return json === null ? undefined : readRecord(`${baselines} ${key}`, json, isResult);
    },
  };
}

function isResult(value: unknown): value is ResultRecord {
  return Shape.safeParse(value).success;
}
