import type { JournalEvent, JournalEventType } from '../domain/journal.ts';

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
