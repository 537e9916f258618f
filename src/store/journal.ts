import type { JournalEntry, JournalEvent } from '../domain/journal.ts';
import { JOURNAL_ENTRY_MAX_BYTES } from '../domain/journal.ts';
import type { Journal } from '../domain/ports.ts';
import { errors } from '../errors.ts';
import { isJournalEvent } from './journal-shape.ts';
import { readRecord } from './record.ts';
import type { RedisSpace } from './redis.ts';
import { lua } from './redis.ts';

/** About 8 entries a step: a stream this long is a loop, not a run. */
export const STREAM_MAX_ENTRIES = 20_000;
const PAGE_ENTRIES = 500;

const appendEntry = lua(`
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then return false end
return redis.call('XADD', KEYS[1], '*', 'event', ARGV[2])`);

/**
 * The journal: one Redis stream per run and unit. The time of an entry is the one in its id, so Redis's clock alone
 * orders and dates what several workers wrote.
 */
export function createJournal(space: RedisSpace): Journal {
  return {
    async append(runId, unit, event) {
      const json = encodeEvent(event);
      const key = journalKey(space, runId, unit);
      const id = await space.script(
        `append to the journal of run ${runId}`,
        appendEntry,
        [key],
        [STREAM_MAX_ENTRIES, json],
      );
      if (typeof id !== 'string')
        throw errors.bug({ detail: `the journal of run ${runId}, ${unit} has ${STREAM_MAX_ENTRIES} entries` });
      return { id, runId, unit, atMs: timeOf(id), event };
    },
    async read(runId, unit, afterId) {
      const key = journalKey(space, runId, unit);
      const entries: JournalEntry[] = [];
      for (let after = afterId; ; after = entries.at(-1)?.id) {
        const start = after === undefined ? '-' : `(${after}`;
        const page = await space.call(`read the journal of run ${runId}`, async (redis) =>
          redis.xrange(key, start, '+', 'COUNT', PAGE_ENTRIES),
        );
        entries.push(...page.map(([id, fields]) => entryOf(key, runId, unit, id, fields)));
        if (page.length < PAGE_ENTRIES) return entries;
      }
    },
  };
}

/** Where the stream of a unit (or `_run`) is. */
export function journalKey(space: RedisSpace, runId: number, unit: string): string {
  return space.key('journal', runId, unit);
}

/** The JSON of an event; one over the limit is a bug of the writer and is never cut here. */
export function encodeEvent(event: JournalEvent): string {
  const json = JSON.stringify(event);
  const bytes = Buffer.byteLength(json);
  if (bytes > JOURNAL_ENTRY_MAX_BYTES)
    throw errors.bug({
      detail: `a journal entry "${event.type}" of ${bytes} bytes (limit ${JOURNAL_ENTRY_MAX_BYTES})`,
    });
  return json;
}

function entryOf(key: string, runId: number, unit: string, id: string, fields: readonly string[]): JournalEntry {
  const json = fields[0] === 'event' ? fields[1] : undefined;
  if (json === undefined) throw errors.storeCorrupt({ key, problem: `Entry ${id} has no event.` });
  return { id, runId, unit, atMs: timeOf(id), event: readRecord(`${key} ${id}`, json, isJournalEvent) };
}

function timeOf(id: string): number {
  return Number(id.split('-')[0]);
}
