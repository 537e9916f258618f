import type { Clock } from '../../../src/domain/device-ports.ts';
import type { JournalEntry, JournalEvent, Progress } from '../../../src/domain/journal.ts';
import type { Journal, ProgressStore } from '../../../src/domain/ports.ts';
import { encodeEvent } from '../../../src/store/journal.ts';
import { breathe, copy } from './copy.ts';

/** A journal whose entries can also be written within another atomic call, as Lua does in Redis. */
export interface MemoryJournal extends Journal {
  appendNow(runId: number, unit: string, event: JournalEvent): JournalEntry;
}

/** The journal in memory, with ids in the form of Redis streams. */
export function createMemoryJournal(clock: Clock): MemoryJournal {
  const streams = new Map<string, JournalEntry[]>();
  let lastMs = 0;
  let sequence = 0;
  function appendNow(runId: number, unit: string, event: JournalEvent): JournalEntry {
    encodeEvent(event);
    const atMs = Math.max(lastMs, Math.floor(clock.nowMs()));
    sequence = atMs === lastMs ? sequence + 1 : 0;
    lastMs = atMs;
    const entry: JournalEntry = { id: `${atMs}-${sequence}`, runId, unit, atMs, event: copy(event) };
    const key = `${runId} ${unit}`;
    streams.set(key, [...(streams.get(key) ?? []), entry]);
    return copy(entry);
  }
  return {
    appendNow,
    async append(runId, unit, event) {
      await breathe();
      return appendNow(runId, unit, event);
    },
    async read(runId, unit, afterId) {
      await breathe();
      const entries = streams.get(`${runId} ${unit}`) ?? [];
      return entries.filter((entry) => afterId === undefined || isAfter(entry.id, afterId)).map(copy);
    },
  };
}

function isAfter(id: string, other: string): boolean {
  const [ms = 0, n = 0] = id.split('-').map(Number);
  const [otherMs = 0, otherN = 0] = other.split('-').map(Number);
  return ms > otherMs || (ms === otherMs && n > otherN);
}

/** The last sign of life per unit in memory. */
export function createMemoryProgressStore(): ProgressStore {
  const signs = new Map<string, Progress>();
  return {
    async set(runId, unit, progress) {
      await breathe();
      signs.set(`${runId} ${unit}`, copy(progress));
    },
    async get(runId, unit) {
      await breathe();
      const sign = signs.get(`${runId} ${unit}`);
      return sign && copy(sign);
    },
  };
}
