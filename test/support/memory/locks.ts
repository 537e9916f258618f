import type { Lock, LockStore } from '../../../src/domain/ports.ts';
import { breathe, copy } from './copy.ts';

export function createMemoryLockStore(): LockStore {
  const locks = new Map<string, Lock>();
  return {
    async set(hosts, lock) {
      await breathe();
      for (const host of hosts) {
        const held = locks.get(host);
        if (held && (held.by.userId !== lock.by.userId || held.by.teamId !== lock.by.teamId))
          return { ok: false, lock: copy(held) };
      }
      for (const host of hosts)
        locks.set(host, copy({ host, ...lock, sinceMs: locks.get(host)?.sinceMs ?? lock.sinceMs }));
      return { ok: true };
    },
    async get(host) {
      await breathe();
      const lock = locks.get(host);
      return lock && copy(lock);
    },
    async all() {
      await breathe();
      return [...locks.values()].toSorted((a, b) => a.host.localeCompare(b.host)).map(copy);
    },
    async clear(host) {
      await breathe();
      const lock = locks.get(host);
      locks.delete(host);
      return lock;
    },
  };
}
