import { Redis } from 'ioredis';
import { startRedis } from '../../../scripts/lib/redis-server.mjs';
import { ensureRedis } from '../../../scripts/setup.mjs';

/** Redis's own default; the private server of `npm test` has more. */
const databases = 16;
const claim = 'dpubot-test-claim';
const claimSeconds = 1800;

export interface RedisDatabase {
  readonly url: string;
  /** Empties a database that was claimed; a private server ends with the other children. */
  release(): Promise<void>;
}

/**
 * A Redis that nobody else uses: an empty database of the server that `npm test` has started, or a private server, which
 * is one of the children of this process.
 *
 * @param folder For configuration and log of a private server.
 */
export async function takeRedis(folder: string): Promise<RedisDatabase> {
  const given = process.env['DPUBOT_TEST_REDIS_URL'] ?? '';
  if (given !== '') return claimDatabase(given);
  const found = await ensureRedis();
  if ('url' in found) return claimDatabase(found.url);
  return { url: await startRedis(found.program, folder), release: async () => undefined };
}

async function claimDatabase(server: string): Promise<RedisDatabase> {
  for (let number = databases - 1; number > 0; number -= 1) {
    const url = new URL(server);
    url.pathname = `/${number}`;
    const client = new Redis(url.href, { maxRetriesPerRequest: 1 });
    client.on('error', () => undefined);
    try {
      // The claim comes first: of two who find the same database empty, one gets it. Data of others is never touched.
      const claimed = (await client.set(claim, process.pid, 'EX', claimSeconds, 'NX')) === 'OK';
      if (claimed && (await client.dbsize()) === 1)
        return { url: url.href, release: async () => emptyDatabase(url.href) };
      if (claimed) await client.del(claim);
    } finally {
      client.disconnect();
    }
  }
  throw new Error(`no database of the test's Redis is empty (looked at 1 to ${databases - 1})`);
}

async function emptyDatabase(url: string): Promise<void> {
  const client = new Redis(url, { maxRetriesPerRequest: 1 });
  client.on('error', () => undefined);
  try {
    await client.flushdb();
  } finally {
    client.disconnect();
  }
}
