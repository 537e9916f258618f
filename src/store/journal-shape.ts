import type { JournalEvent, JournalEventType } from '../domain/journal.ts';
import { isObject } from './record.ts';

type FieldsOf<T extends JournalEventType> = Exclude<keyof Extract<JournalEvent, { readonly type: T }>, 'type'>;

/** The fields that must be there per type of event. The compiler keeps the list complete in its types and names. */
const required: { readonly [T in JournalEventType]: readonly FieldsOf<T>[] } = {
  'run-created': ['by', 'text'],
  'approval-requested': ['generation', 'risk', 'expiresAtMs', 'roles'],
  vote: ['by', 'vote', 'given', 'wanted'],
  approved: ['generation'],
  'approval-expired': [],
  'wave-started': ['wave', 'of', 'units'],
  paused: ['reason'],
  halted: ['by', 'reason'],
  'cancel-requested': ['by', 'note'],
  resumed: ['by', 'generation'],
  swept: ['unit', 'generation', 'reason'],
  'run-ended': ['state', 'summary'],
  'plan-started': ['worker'],
  'plan-ready': ['hash', 'changes', 'risk'],
  'plan-failed': ['failure'],
  'unit-started': ['worker', 'generation', 'fence'],
  'step-started': ['step', 'target', 'title', 'limitMs'],
  'step-satisfied': ['step', 'target', 'reason'],
  intent: ['step', 'target', 'action', 'text'],
  done: ['step', 'target', 'action', 'evidence'],
  'step-applied': ['step', 'target', 'reason', 'verdicts', 'tookMs'],
  'step-waiting': ['step', 'target', 'reason', 'untilMs'],
  'step-failed': ['step', 'target', 'outcome', 'failure'],
  snippet: ['step', 'target', 'title', 'text'],
  looked: ['target', 'title', 'summary'],
  measured: ['target', 'id', 'title', 'line', 'table', 'warnings', 'files'],
  'unit-ended': ['state', 'summary'],
};

/** True when a value read back is an event of a known type with all its fields. */
export function isJournalEvent(value: unknown): value is JournalEvent {
  if (!isObject(value) || typeof value['type'] !== 'string' || !Object.hasOwn(required, value['type'])) return false;
  const fields: readonly string[] = required[value['type'] as JournalEventType];
  return fields.every((field) => value[field] !== undefined);
}
