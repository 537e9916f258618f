import type { PinKind, PinStore } from '../domain/device-ports.ts';
import { isObject, readRecord } from './record.ts';
import type { RedisSpace } from './redis.ts';

/** A pin as it is listed: which run enrolled which fingerprint when. */
export interface PinRecord {
  readonly kind: PinKind;
  readonly target: string;
  readonly sha256: string;
  readonly runId: number;
  readonly atMs: number;
}

/** Pins in Redis, plus the list that `doctor` shows. */
export interface RedisPinStore extends PinStore {
  all(): Promise<readonly PinRecord[]>;
}

type StoredPin = Omit<PinRecord, 'kind' | 'target'>;

const kinds: readonly PinKind[] = ['bmc-certificate', 'ssh-host-key'];

/** Fingerprints of certificates and SSH host keys: one hash per kind, target -> fingerprint. */
export function createPinStore(space: RedisSpace, clock: { nowMs(): number }): RedisPinStore {
  const pinOf = (key: string, json: string): StoredPin => readRecord(key, json, isPin);
  return {
    async get(kind, target) {
      const key = space.key('pins', kind);
      const json = await space.call(`read the pin of ${target}`, async (redis) => redis.hget(key, target));
      return json === null ? undefined : pinOf(`${key} ${target}`, json).sha256;
    },
    async set(kind, target, sha256, runId) {
      const pin: StoredPin = { sha256, runId, atMs: clock.nowMs() };
      await space.call(`store the pin of ${target}`, async (redis) =>
        redis.hset(space.key('pins', kind), target, JSON.stringify(pin)),
      );
    },
    async all() {
      const lists = await Promise.all(
        kinds.map(async (kind) => {
          const key = space.key('pins', kind);
          const pins = await space.call('list pins', async (redis) => redis.hgetall(key));
          return Object.entries(pins).map(([target, json]) => ({
            kind,
            target,
            ...pinOf(`${key} ${target}`, json),
          }));
        }),
      );
      return lists.flat().toSorted((a, b) => `${a.kind} ${a.target}`.localeCompare(`${b.kind} ${b.target}`));
    },
  };
}

function isPin(value: unknown): value is StoredPin {
  return (
    isObject(value) &&
    typeof value['sha256'] === 'string' &&
    typeof value['runId'] === 'number' &&
    typeof value['atMs'] === 'number'
  );
}
