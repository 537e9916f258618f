import { errors } from '../errors.ts';
import type { RedisSpace } from './redis.ts';

/** What `doctor` shows about Redis. `undefined` where Redis did not say (an ACL may forbid it). */
export interface RedisHealth {
  readonly version: string;
  readonly maxmemoryPolicy: string;
  readonly appendOnly: boolean | undefined;
  readonly appendFsync: string | undefined;
}

const MINIMUM = [6, 2] as const;

/**
 * Reads version, eviction policy and persistence, and refuses (`redis-unfit`) a Redis that is too old or that may throw
 * keys away. Called at start by bot and worker, and by doctor. Works where the ACL forbids CONFIG: INFO has the same.
 */
export async function checkRedis(space: RedisSpace): Promise<RedisHealth> {
  const info = parseInfo(await space.call('read its settings (INFO)', async (client) => client.info()));
  const version = info.get('redis_version');
  if (version === undefined) throw errors.redisUnfit({ problem: 'INFO does not name a version.' });
  if (!isRecent(version)) throw errors.redisUnfit({ problem: `Its version is ${version}, older than 6.2.` });
  const maxmemoryPolicy = info.get('maxmemory_policy') ?? (await configValue(space, 'maxmemory-policy'));
  if (maxmemoryPolicy === undefined)
    throw errors.redisUnfit({ problem: 'Neither INFO nor CONFIG GET tells its maxmemory-policy.' });
  if (maxmemoryPolicy !== 'noeviction')
    throw errors.redisUnfit({ problem: `Its maxmemory-policy is ${maxmemoryPolicy}, so it may drop runs.` });
  const aof = info.get('aof_enabled');
  return {
    version,
    maxmemoryPolicy,
    appendOnly: aof === undefined ? undefined : aof === '1',
    appendFsync: await configValue(space, 'appendfsync'),
  };
}

/** Parses the reply of INFO: `name:value` lines with section headings. */
export function parseInfo(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return fields;
}

function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1]);
}

/** One setting, or undefined where CONFIG is forbidden or renamed away. */
async function configValue(space: RedisSpace, name: string): Promise<string | undefined> {
  const reply: unknown = await space.call('read its settings', async (client) =>
    client.config('GET', name).catch((error: unknown) => {
      if (error instanceof Error && error.name === 'ReplyError') return [];
      throw error;
    }),
  );
  const value: unknown = Array.isArray(reply) ? reply[1] : undefined;
  return typeof value === 'string' ? value : undefined;
}
