import type { Progress } from '../domain/journal.ts';
import type { ProgressStore } from '../domain/ports.ts';
import { isObject, readRecord } from './record.ts';
import type { RedisSpace } from './redis.ts';
import { lua } from './redis.ts';

/** A sign of life of an abandoned run goes away by itself; the journal says what is true. */
const KEEP_MS = 8 * 24 * 3_600_000;

const setProgress = lua(`
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`);

/** The last sign of life per unit, overwritten: one hash per run. */
export function createProgressStore(space: RedisSpace): ProgressStore {
  return {
    async set(runId, unit, progress) {
      const args = [unit, JSON.stringify(progress), KEEP_MS];
      await space.script(`store progress of run ${runId}`, setProgress, [space.key('progress', runId)], args);
    },
    async get(runId, unit) {
      const key = space.key('progress', runId);
      const json = await space.call(`read progress of run ${runId}`, async (redis) => redis.hget(key, unit));
      return json === null ? undefined : readRecord(key, json, isProgress);
    },
  };
}

function isProgress(value: unknown): value is Progress {
  return (
    isObject(value) &&
    ['step', 'target', 'text'].every((field) => typeof value[field] === 'string') &&
    ['sinceMs', 'stepIndex', 'stepCount', 'updatedAtMs'].every((field) => typeof value[field] === 'number')
  );
}
