import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';

/** A Redis for one test file. */
export interface TestRedis {
  /** `redis://...`, or the path of a Unix socket; both are accepted by `connect`. */
  readonly url: string;
  /** A hash tag nobody else uses, for tests that share one server: `connect(url, role, { tag })`. */
  newTag(): string;
  /** Another client, for looking behind the scenes; closed by `stop`. */
  readonly client: Redis;
  stop(): Promise<void>;
}

/**
 * Ends when its standard input ends, so also when the test process is killed: then Redis is stopped and its directory
 * removed.
 */
const WATCHED = `
dir="$1"; shift
"$@" >/dev/null 2>&1 &
server=$!
cat >/dev/null
kill "$server" 2>/dev/null
wait "$server" 2>/dev/null
rm -rf "$dir"`;

/**
 * Starts a private Redis or Valkey on a Unix socket, without persistence. With DPUBOT_TEST_REDIS_URL or REDIS_URL set
 * that server is used instead; nothing of it is flushed, tests keep to their own hash tags. `alone`: a private one all the
 * same, where there is a program for it, because the tests pause the server or end the connections of all its clients.
 */
export async function startRedis({ alone = false } = {}): Promise<TestRedis> {
  const program = findServer();
  const given = process.env['DPUBOT_TEST_REDIS_URL'] ?? process.env['REDIS_URL'] ?? '';
  if (given !== '' && !(alone && program !== undefined)) return testRedis(given, async () => Promise.resolve());
  if (program === undefined)
    throw new Error('tests need redis-server or valkey-server on the PATH, or DPUBOT_TEST_REDIS_URL');
  const directory = await mkdtemp(join(tmpdir(), 'dpubot-redis-'));
  const socket = join(directory, 'redis.sock');
  const settings = ['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction', '--dir', directory];
  const server = [program, '--port', '0', '--unixsocket', socket, ...settings];
  const watcher = spawn('/bin/sh', ['-c', WATCHED, 'sh', directory, ...server], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = new Promise<void>((resolve) => watcher.once('close', () => resolve()));
  return testRedis(socket, async () => {
    watcher.stdin.end();
    await ended;
    await rm(directory, { recursive: true, force: true });
  });
}

async function testRedis(url: string, end: () => Promise<void>): Promise<TestRedis> {
  const client = new Redis(url, { maxRetriesPerRequest: 0, retryStrategy: () => 10, replyMapping: 'legacy' });
  client.on('error', () => undefined);
  try {
    await waitForPong(client);
  } catch (error) {
    client.disconnect();
    await end();
    throw error;
  }
  return {
    url,
    client,
    newTag: () => `{dpu-test-${randomUUID()}}`,
    stop: async () => {
      client.disconnect();
      await end();
    },
  };
}

async function waitForPong(client: Redis): Promise<void> {
  const deadlineMs = Date.now() + 10_000;
  for (;;) {
    try {
      await client.ping();
      return;
    } catch (error) {
      if (Date.now() > deadlineMs) throw new Error('the test Redis does not answer', { cause: error });
      await pause(10);
    }
  }
}

function findServer(): string | undefined {
  for (const name of ['redis-server', 'valkey-server'])
    for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
      const path = join(directory, name);
      if (isExecutable(path)) return path;
    }
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
