import type { JournalEntry } from './journal.ts';
import type { Run } from './run.ts';

/** What a person has to know of a run that stopped and still holds a host, in parts of sentences. */
export interface StoppedRun {
  readonly run: number;
  /** As it was typed, without `/dpu`. */
  readonly text: string;
  readonly by: string;
  /** "failed", "needs a person", "was cancelled". */
  readonly state: string;
  /** Where it stopped and on what. */
  readonly where: string;
}

const words: Readonly<Partial<Record<Run['state'], string>>> = {
  'needs-human': 'needs a person',
  cancelled: 'was cancelled',
  failed: 'failed',
  refused: 'was refused',
  rejected: 'was rejected',
  expired: 'was not approved in time',
};

/** `past`: the journal of the unit in that run. */
export function stoppedRun(run: Run, unit: string, past: readonly JournalEntry[]): StoppedRun {
  const state = words[run.state] ?? `is ${run.state}`;
  return { run: run.id, text: run.text, by: run.requester.displayName, state, where: stoppedAt(run, unit, past) };
}

function stoppedAt(run: Run, unit: string, past: readonly JournalEntry[]): string {
  const last = past.findLast(({ event }) => stepEnds.has(event.type))?.event;
  const failure = last?.type === 'step-failed' ? last.failure : run.units[unit]?.failure;
  const why = failure === undefined || failure.code === 'cancelled' ? '' : `: ${failure.what.replace(/\.$/, '')}`;
  if (last === undefined || !('step' in last)) return `It stopped on ${unit}${why}.`;
  const verb = last.type === 'step-failed' || last.type === 'step-started' ? 'in' : 'after';
  return `It stopped ${verb} "${titleOf(past, last.step)}" on ${last.target}${why}.`;
}

const stepEnds: ReadonlySet<string> = new Set(['step-started', 'step-applied', 'step-satisfied', 'step-failed']);

function titleOf(past: readonly JournalEntry[], step: string): string {
  for (const { event } of past) if (event.type === 'step-started' && event.step === step) return event.title;
  return step;
}
