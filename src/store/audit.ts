import type { AuditRecord, AuditStore } from '../domain/ports.ts';
import { errors } from '../errors.ts';
import { isObject, readRecord } from './record.ts';
import type { RedisSpace } from './redis.ts';

const RECORD_MAX_BYTES = 16 * 1024;

/** The audit list in Redis, plus the one way it ever gets shorter. */
export interface RedisAuditStore extends AuditStore {
  /**
   * Removes records stored before `beforeMs` and says so in the list itself, with the number and the worker's name, so
   * that a gap is never silent. Returns how many were removed. Nothing else ever removes a record.
   */
  prune(beforeMs: number, worker: string, nowMs: number): Promise<number>;
}

/** The audit list: one stream that is only appended to. Kept until `prune` is called with an age. */
export function createAuditStore(space: RedisSpace): RedisAuditStore {
  const key = space.key('audit');

  async function append(record: AuditRecord): Promise<void> {
    const json = JSON.stringify(record);
    if (Buffer.byteLength(json) > RECORD_MAX_BYTES)
      throw errors.bug({ detail: `an audit record "${record.action}" of ${Buffer.byteLength(json)} bytes` });
    await space.call('write the audit list', async (redis) => redis.xadd(key, '*', 'record', json));
  }

  return {
    append,
    async list(limit) {
      const rows = await space.call('read the audit list', async (redis) =>
        redis.xrevrange(key, '+', '-', 'COUNT', limit),
      );
      return rows.map(([id, fields]) => readRecord(`${key} ${id}`, fields[1] ?? '', isAuditRecord));
    },
    async prune(beforeMs, worker, nowMs) {
      const removed = await space.call('shorten the audit list', async (redis) => redis.xtrim(key, 'MINID', beforeMs));
      if (removed > 0)
        await append({ atMs: nowMs, actor: { worker }, action: 'audit-pruned', detail: `${removed} old records` });
      return removed;
    },
  };
}

function isAuditRecord(value: unknown): value is AuditRecord {
  return (
    isObject(value) &&
    typeof value['atMs'] === 'number' &&
    typeof value['action'] === 'string' &&
    isObject(value['actor'])
  );
}
