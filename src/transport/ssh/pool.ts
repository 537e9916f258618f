import type { Duplex } from 'node:stream';
import type { Client } from 'ssh2';
import type { Secret } from '../../domain/secret.ts';
import { errors } from '../../errors.ts';
import { bareAddress } from '../address-guard.ts';
import { type Call, orAbort, reasonOf, type TransportLog } from '../call.ts';
import { type ConnectLimits, connectHop, type Hop, keyLogin } from './client.ts';
import { createSemaphore, type Semaphore } from '../semaphore.ts';

/** A live SSH connection with its limits. */
export interface Connection {
  readonly client: Client;
  /** Places for commands: OpenSSH allows 10 sessions per connection. */
  readonly sessions: Semaphore;
  /** Places for forwarded streams, which OpenSSH does not count as sessions. */
  readonly forwards: Semaphore;
  alive(): boolean;
  /** Calls `listener` once when the connection has ended; returns how to take that back. */
  onClose(listener: () => void): () => void;
  /** No new call gets this connection; it ends when it is idle. */
  retire(): void;
}

export interface PoolOptions extends ConnectLimits {
  readonly key: (ref: string) => Promise<Secret>;
  readonly maxChannels: number;
  readonly maxForwards: number;
  readonly channelOpenTimeoutMs: number;
  /** A connection without a channel for so long is closed. */
  readonly idleMs: number;
  readonly log?: TransportLog | undefined;
}

export interface Pool {
  /** The connection to the last hop of `route`, made hop by hop when there is none. */
  get(route: readonly Hop[], signal: AbortSignal): Promise<Connection>;
  /** A stream to `address:port` as the last hop of `route` sees it. Throws a plain Error when it is refused. */
  forward(route: readonly Hop[], address: string, port: number, call: Call): Promise<Duplex>;
  /** Cuts all connections to this host at once, without a goodbye: it was restarted, or is another machine now. */
  drop(host: string): void;
  close(): Promise<void>;
}

/** The far end refused to connect on to `address:port`. */
class ForwardRefused extends Error {}

/** One connection per route (host, pins, user, key, jump), shared by all calls and made anew when it died. */
export function createPool(options: PoolOptions): Pool {
  const connections = new Map<string, { readonly host: string | undefined; readonly made: Promise<Connection> }>();
  let closed = false;

  function get(route: readonly Hop[], signal: AbortSignal): Promise<Connection> {
    if (closed) return Promise.reject(new Error('the SSH pool is closed'));
    const id = JSON.stringify(route);
    const known = connections.get(id);
    if (known !== undefined) return orAbort(known.made, signal);
    const forget = (): void => {
      if (connections.get(id)?.made === made) connections.delete(id);
    };
    const made = open(route, forget);
    connections.set(id, { host: route.at(-1)?.host, made });
    made.catch(forget);
    return orAbort(made, signal);
  }

  async function open(route: readonly Hop[], onGone: () => void): Promise<Connection> {
    const hop = route.at(-1);
    if (hop === undefined) throw new RangeError('a route needs a host');
    const { host, endpoint } = hop;
    const key = await options.key(endpoint.key);
    const before = route.slice(0, -1);
    const limits = { signal: AbortSignal.timeout(options.readyTimeoutMs), remainingMs: () => options.readyTimeoutMs };
    const jump =
      before.length === 0
        ? undefined
        : () => jumpStream(host, forward(before, endpoint.address, endpoint.port, limits));
    const client = await connectBy(hop, key, options, limits.signal, jump);
    options.log?.debug({ host, hops: route.length }, 'ssh connected');
    return track(client, options, () => {
      onGone();
      options.log?.debug({ host }, 'ssh connection ended');
    });
  }

  async function forward(route: readonly Hop[], address: string, port: number, call: Call): Promise<Duplex> {
    const connection = await get(route, call.signal);
    const release = await connection.forwards.acquire(call.signal);
    try {
      const stream = await openForward(connection, bareAddress(address), port, call.signal);
      stream.once('close', release);
      return stream;
    } catch (error) {
      release();
      if (call.signal.aborted) throw reasonOf(call.signal);
      throw new ForwardRefused(error instanceof Error ? error.message : String(error), { cause: error });
    }
  }

  return {
    get,
    forward,
    drop(host) {
      for (const [id, known] of connections) {
        if (known.host !== host) continue;
        connections.delete(id);
        cut(known.made);
      }
    },
    async close() {
      closed = true;
      const all = await Promise.allSettled([...connections.values()].map(({ made }) => made));
      // Last hops first would be nicer, but the end of a jump host ends what runs through it all the same.
      for (const one of all) if (one.status === 'fulfilled') one.value.client.end();
      connections.clear();
    },
  };
}

/** One that is still being made is cut as soon as it is there. */
function cut(made: Promise<Connection>): void {
  made.then(
    ({ client }) => client.destroy(),
    () => undefined,
  );
}

/** Logs in over whatever carries the hop. */
async function connectBy(
  hop: Hop,
  key: Secret,
  limits: ConnectLimits,
  signal: AbortSignal,
  jump: (() => Promise<Duplex>) | undefined,
): Promise<Client> {
  const { way } = hop;
  if (way === undefined) return connectHop(hop, keyLogin(key), limits, jump);
  try {
    return await connectHop(hop, keyLogin(key), limits, async () => way.open(signal));
  } catch (error) {
    throw await way.explain(error);
  }
}

/** A jump host that cannot reach the next hop means that the next hop is unreachable. */
async function jumpStream(host: string, stream: Promise<Duplex>): Promise<Duplex> {
  try {
    return await stream;
  } catch (error) {
    if (error instanceof ForwardRefused) throw errors.sshUnreachable({ host, address: 'its jump host', cause: error });
    throw error;
  }
}

/** A connection with its limits; `onGone` is called when no new call may get it. */
export function track(
  client: Client,
  options: Pick<PoolOptions, 'maxChannels' | 'maxForwards' | 'idleMs'>,
  onGone: () => void,
): Connection {
  const listeners = new Set<() => void>();
  let alive = true;
  let idle: NodeJS.Timeout | undefined;
  const sessions = createSemaphore(options.maxChannels, watchIdle);
  const forwards = createSemaphore(options.maxForwards, watchIdle);
  let retired = false;

  function gone(): void {
    if (!alive) return;
    alive = false;
    clearTimeout(idle);
    onGone();
    for (const listener of listeners) listener();
    listeners.clear();
  }

  function watchIdle(): void {
    clearTimeout(idle);
    if (!alive || sessions.inUse() + forwards.inUse() > 0) return;
    idle = setTimeout(end, retired ? 0 : options.idleMs).unref();
  }

  function end(): void {
    // Out of the pool before the goodbye is on its way, so that nobody gets a connection that is closing.
    onGone();
    client.end();
  }

  client.once('close', gone);
  watchIdle();
  return {
    client,
    sessions,
    forwards,
    alive: () => alive && !retired,
    onClose(listener) {
      if (!alive) queueMicrotask(listener);
      else listeners.add(listener);
      return () => listeners.delete(listener);
    },
    retire() {
      retired = true;
      onGone();
      watchIdle();
    },
  };
}

function openForward(connection: Connection, address: string, port: number, signal: AbortSignal): Promise<Duplex> {
  const opened = new Promise<Duplex>((resolve, reject) => {
    const off = connection.onClose(() => reject(new Error('the connection ended while a stream was opened')));
    connection.client.forwardOut('127.0.0.1', 0, address, port, (error, stream) => {
      off();
      if (error) return reject(error);
      // A stream that comes too late belongs to nobody.
      if (signal.aborted) stream.destroy();
      resolve(stream);
    });
  });
  return orAbort(opened, signal);
}
