/**
 * A listening socket on loopback whose connections end when the machine behind it restarts.
 */
import type { Server, Socket } from 'node:net';

export interface Endpoint {
  address: string;
  port: number;
  close(): Promise<void>;
}

/** Wall time between looks at whether the machine restarted. */
const watchEveryMs = 50;

/**
 * Listen on a free port of 127.0.0.1.
 *
 * `incarnation` changes when the machine restarts; connections of an older one, or of a machine that is down, are cut.
 */
export async function listenOnLoopback(
  server: Server,
  incarnation: () => string,
  isUp: () => boolean,
): Promise<Endpoint> {
  const sockets = new Map<Socket, string>();
  server.prependListener('connection', (socket: Socket) => {
    sockets.set(socket, incarnation());
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  });
  const watch = setInterval(() => {
    if (sockets.size === 0) return;
    const up = isUp();
    const current = incarnation();
    for (const [socket, at] of sockets) if (!up || at !== current) socket.destroy();
  }, watchEveryMs);
  watch.unref();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve());
  });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('The server has no port.');
  return {
    address: bound.address,
    port: bound.port,
    close: () => {
      clearInterval(watch);
      for (const socket of sockets.keys()) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
