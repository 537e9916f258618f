import type { CardRef } from '../../domain/device-ports.ts';
import { errors } from '../../errors.ts';
import type { Connection, Pool } from './pool.ts';

/** Connections that a password has opened: each is used until it ends, and never made anew by itself. */
export interface PasswordConnections {
  /** A pool that gives this connection as long as it lives. */
  keep(card: CardRef, connection: Connection): Pool;
  drop(card: CardRef): void;
  close(): void;
}

/** The connections of all cards. */
export function createPasswordConnections(): PasswordConnections {
  const live = new Map<string, Set<Connection>>();

  function end(connections: Iterable<Connection>): void {
    for (const { client } of connections) client.destroy();
  }

  return {
    keep({ dpu }, connection) {
      const ofCard = live.get(dpu.name) ?? new Set();
      live.set(dpu.name, ofCard.add(connection));
      connection.onClose(() => ofCard.delete(connection));
      return poolOf(dpu.name, connection);
    },
    drop: ({ dpu }) => end([...(live.get(dpu.name) ?? [])]),
    close: () => end([...live.values()].flatMap((ofCard) => [...ofCard])),
  };
}

function poolOf(host: string, connection: Connection): Pool {
  return {
    get: () =>
      connection.alive()
        ? Promise.resolve(connection)
        : Promise.reject(errors.sshLost({ host, command: 'the session that a password had opened' })),
    forward: () => Promise.reject(errors.bug({ detail: 'nothing is forwarded by a card' })),
    drop: () => connection.client.destroy(),
    close: () => Promise.resolve(connection.client.destroy()).then(() => undefined),
  };
}
