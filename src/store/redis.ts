import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';
import { limitText } from '../domain/limit-text.ts';
import { OpsError, errors } from '../errors.ts';

/** All keys carry this one hash tag, so that every Lua script finds its keys on one node of a cluster. */
export const HASH_TAG = '{dpu}';

/**
 * How patient a connection is: `bot` answers people within 3 s, so its commands fail at once while Redis is away;
 * `worker` waits out a short fail-over; `queue` is for BullMQ workers, which wait without limit by design.
 */
export type RedisRole = 'bot' | 'worker' | 'queue';

/** What the store logs with; pino fits. The message is constant, what varies is in the fields. */
export interface StoreLogger {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** A Lua script and the SHA-1 under which Redis caches it. */
export interface LuaScript {
  readonly source: string;
  readonly sha1: string;
}

/** A Redis connection with the one key prefix. All stores go through `call` or `script`. */
export interface RedisSpace {
  readonly client: Redis;
  /** The hash tag, which is also BullMQ's prefix. */
  readonly tag: string;
  /** `key('run', 418)` is `{dpu}:run:418`. */
  key(...parts: readonly (string | number)[]): string;
  /** Runs `fn`; a connection that is down or too slow becomes `store-unavailable`. `operation` completes "trying to ...". */
  call<T>(operation: string, fn: (client: Redis) => Promise<T>): Promise<T>;
  /** Runs a Lua script; errors as `call`. Nothing is sent twice by itself: an outcome that is unknown is an error. */
  script(
    operation: string,
    script: LuaScript,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown>;
  /** Another connection to the same server with the patience of another role; the caller closes it. */
  open(role: RedisRole): Promise<RedisSpace>;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 5_000;
const COMMAND_TIMEOUT_MS = { bot: 2_000, worker: 10_000 } as const;
const RETRY_MAX_MS = 1_000;
/** How long a worker's command waits for a connection that is away before it is sent. */
const WORKER_PATIENCE_MS = 10_000;

/** Reply errors that say "not now" or "not with this user", as opposed to "you asked for something wrong". */
const UNUSABLE_REPLY =
  /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|OOM|NOREPLICAS|MISCONF|NOPERM|NOAUTH|WRONGPASS)\b/;

/** Replies in the shapes of Redis's older protocol, whichever one is spoken. */
type ConnectionOptions = RedisOptions & { readonly replyMapping: 'legacy' };

/** Keeps a script with its digest. */
export function lua(source: string): LuaScript {
  return { source, sha1: createHash('sha1').update(source).digest('hex') };
}

/**
 * Connects and waits until Redis answers.
 * `url` is `redis://`, `rediss://` or the path of a Unix socket. Fails with `store-unavailable` after `startTimeoutMs`
 * (default 10 s); later the connection comes back by itself.
 */
export async function connect(
  url: string,
  role: RedisRole,
  options: { readonly logger: StoreLogger; readonly tag?: string; readonly startTimeoutMs?: number },
): Promise<RedisSpace> {
  const client = new Redis(url, connectionOptions(role));
  let lastError: unknown;
  let reported: string | undefined;
  client.on('error', (error: unknown) => {
    lastError = error;
    const problem = messageOf(error);
    // Every attempt to reconnect fails with the same words; once per outage is enough.
    if (problem !== reported) options.logger.warn({ role, problem }, 'redis connection error');
    reported = problem;
  });
  client.on('ready', () => {
    reported = undefined;
  });
  try {
    await waitUntilReady(client, options.startTimeoutMs ?? 10_000);
  } catch (error) {
    client.disconnect();
    throw errors.storeUnavailable({ operation: 'connect', cause: lastError ?? error });
  }
  return spaceOf(client, {
    tag: options.tag ?? HASH_TAG,
    patienceMs: role === 'worker' ? WORKER_PATIENCE_MS : 0,
    open: async (other) => connect(url, other, options),
  });
}

function connectionOptions(role: RedisRole): ConnectionOptions {
  const common: ConnectionOptions = {
    replyMapping: 'legacy',
    connectTimeout: CONNECT_TIMEOUT_MS,
    keepAlive: 10_000,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 6), RETRY_MAX_MS),
  };
  if (role === 'queue') return { ...common, maxRetriesPerRequest: null };
  return {
    ...common,
    commandTimeout: COMMAND_TIMEOUT_MS[role],
    // A command whose reply was lost may have been carried out: sending it again would append or count twice. So what
    // was sent fails at once when the connection goes; a worker waits before it sends, see `call`.
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
  };
}

async function waitUntilReady(client: Redis, timeoutMs: number): Promise<void> {
  if (client.status === 'ready') return;
  await new Promise<void>((resolve, reject) => {
    const ready = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      client.off('ready', ready);
      reject(new Error(`no answer within ${limitText(timeoutMs)}`));
    }, timeoutMs);
    client.once('ready', ready);
  });
}

function spaceOf(
  client: Redis,
  options: Pick<RedisSpace, 'tag' | 'open'> & { readonly patienceMs: number },
): RedisSpace {
  const { tag, open, patienceMs } = options;
  /** Shared by all commands that wait for the connection to come back. */
  let returning: Promise<void> | undefined;
  async function waitForReturn(): Promise<void> {
    returning ??= waitUntilReady(client, patienceMs).finally(() => {
      returning = undefined;
    });
    await returning;
  }
  async function call<T>(operation: string, fn: (client: Redis) => Promise<T>): Promise<T> {
    try {
      if (patienceMs > 0 && client.status !== 'ready' && client.status !== 'end') await waitForReturn();
      return await fn(client);
    } catch (error) {
      if (error instanceof OpsError || (isReply(error) && !UNUSABLE_REPLY.test(error.message))) throw error;
      throw errors.storeUnavailable({ operation, cause: error });
    }
  }
  return {
    client,
    tag,
    key: (...parts) => [tag, ...parts].join(':'),
    call,
    script: async (operation, script, keys, args) =>
      call(operation, async () => {
        try {
          return await client.evalsha(script.sha1, keys.length, ...keys, ...args);
        } catch (error) {
          if (!isReply(error) || !error.message.startsWith('NOSCRIPT')) throw error;
          return client.eval(script.source, keys.length, ...keys, ...args);
        }
      }),
    open,
    // quit would wait for a server that is away; there is nothing left to send.
    close: async () => client.disconnect(),
  };
}

/** An error that Redis itself answered, as opposed to one of the connection. */
function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
