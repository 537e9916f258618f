import { once } from 'node:events';
import { createServer, connect as connectSocket } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { TestRedis } from './redis.ts';

/** A way to Redis that can be cut. */
export interface Wire {
  readonly url: string;
  /** From now on replies are swallowed; as soon as one comes, the connection is cut. */
  loseNextReply(): void;
  /** Cuts all connections and refuses new ones. */
  cut(): void;
  mend(): void;
  stop(): Promise<void>;
}

/** Puts a TCP wire in front of a Redis. */
export async function openWire(redis: TestRedis): Promise<Wire> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let mode: 'whole' | 'lose' | 'cut' = 'whole';
  const cutAll = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
    pairs.clear();
  };
  const server = createServer((near) => {
    if (mode === 'cut') {
      near.destroy();
      return;
    }
    const far = openFar(redis.url);
    pairs.add([near, far]);
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    near.pipe(far);
    far.on('data', (bytes) => {
      if (mode === 'whole') near.write(bytes);
      else {
        mode = 'whole';
        cutAll();
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://${loginOf(redis.url)}127.0.0.1:${(server.address() as AddressInfo).port}`,
    loseNextReply: () => {
      mode = 'lose';
    },
    cut: () => {
      mode = 'cut';
      cutAll();
    },
    mend: () => {
      mode = 'whole';
    },
    stop: async () => {
      cutAll();
      server.close();
      await once(server, 'close');
    },
  };
}

function openFar(url: string): Socket {
  if (url.startsWith('/')) return connectSocket(url);
  const { hostname, port } = new URL(url);
  return connectSocket(port === '' ? 6379 : Number(port), hostname);
}

/** User and password of a Redis URL with the `@`; empty for a socket path or a server without a password. */
function loginOf(url: string): string {
  if (!URL.canParse(url)) return '';
  const { username, password } = new URL(url);
  return username === '' && password === '' ? '' : `${username}:${password}@`;
}
