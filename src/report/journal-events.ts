import type { JournalEntry, JournalEvent, JournalEventType } from '../domain/journal.ts';

/** Events of the run itself; all others belong to one of its units. */
const runEventTypes = [
  'run-created',
  'approval-requested',
  'vote',
  'approved',
  'approval-expired',
  'wave-started',
  'paused',
  'halted',
  'cancel-requested',
  'resumed',
  'swept',
  'run-ended',
] as const satisfies readonly JournalEventType[];

export type RunEvent = Extract<JournalEvent, { readonly type: (typeof runEventTypes)[number] }>;
export type UnitEvent = Exclude<JournalEvent, RunEvent>;

/** Tells the events of the run stream from those of the unit streams. */
export function isRunEvent(event: JournalEvent): event is RunEvent {
  return (runEventTypes as readonly string[]).includes(event.type);
}

/** In the order in which they were written; what came at once is ordered by its unit. */
export function byId(a: JournalEntry, b: JournalEntry): number {
  const [aMs = 0, aSeq = 0] = a.id.split('-').map(Number);
  const [bMs = 0, bSeq = 0] = b.id.split('-').map(Number);
  return aMs - bMs || aSeq - bSeq || (a.unit < b.unit ? -1 : Number(a.unit > b.unit));
}
