import type { CardRecord, CardRecords, Clock, PinStore } from '../../../src/domain/device-ports.ts';
import type {
  AuditRecord,
  AuditStore,
  Dedupe,
  Halt,
  HaltStore,
  IncarnationStore,
  Notifier,
} from '../../../src/domain/ports.ts';
import { breathe, copy } from './copy.ts';

export function createMemoryHaltStore(): HaltStore {
  let halt: Halt | undefined;
  return {
    async get() {
      await breathe();
      return halt && copy(halt);
    },
    async set(value) {
      await breathe();
      halt = copy(value);
    },
    async clear() {
      await breathe();
      const was = halt !== undefined;
      halt = undefined;
      return was;
    },
  };
}

export function createMemoryAuditStore(): AuditStore {
  const records: AuditRecord[] = [];
  return {
    async append(record) {
      await breathe();
      records.push(copy(record));
    },
    async list(limit) {
      await breathe();
      return records.toReversed().slice(0, limit).map(copy);
    },
  };
}

export function createMemoryPinStore(): PinStore {
  const pins = new Map<string, string>();
  return {
    async get(kind, target) {
      await breathe();
      return pins.get(`${kind} ${target}`);
    },
    async set(kind, target, sha256) {
      await breathe();
      pins.set(`${kind} ${target}`, sha256);
    },
  };
}

export function createMemoryCardRecords(): CardRecords {
  const records = new Map<string, CardRecord>();
  return {
    async get(serial) {
      await breathe();
      const record = records.get(serial);
      return record && copy(record);
    },
    async put(serial, record) {
      await breathe();
      records.set(serial, copy(record));
    },
  };
}

export function createMemoryIncarnationStore(): IncarnationStore {
  const counts = new Map<string, number>();
  return {
    async next(workerId) {
      await breathe();
      const count = (counts.get(workerId) ?? 0) + 1;
      counts.set(workerId, count);
      return count;
    },
  };
}

export function createMemoryDedupe(clock: Clock): Dedupe {
  const seenUntilMs = new Map<string, number>();
  return {
    async firstTime(id, ttlMs) {
      await breathe();
      if ((seenUntilMs.get(id) ?? 0) > clock.nowMs()) return false;
      seenUntilMs.set(id, clock.nowMs() + ttlMs);
      return true;
    },
    async forget(id) {
      await breathe();
      seenUntilMs.delete(id);
    },
  };
}

export function createMemoryNotifier(): Notifier {
  const listeners = new Set<(runId: number) => void>();
  return {
    async changed(runId) {
      await breathe();
      for (const listener of listeners) listener(runId);
    },
    async subscribe(onChange) {
      await breathe();
      const listener = (runId: number): void => onChange(runId);
      listeners.add(listener);
      return async () => {
        await breathe();
        listeners.delete(listener);
      };
    },
  };
}
