import type { ArtefactRef } from './artefacts.ts';
import type { Measured } from './bench.ts';
import type { LookPiece } from './look.ts';
import type { Failure, Risk, Verdict } from './outcome.ts';
import type { ExpectedTimes } from './step-times.ts';

/** Where an entry stands: the run itself, or one unit of it. */
export const RUN_STREAM = '_run';

/** Evidence of one remote act: what was sent and what came back, redacted, at most 1 KiB. */
export type Evidence = string;

/** A person as the chat reports them. Ids only; names are resolved for display. */
export interface Actor {
  readonly userId: string;
  readonly teamId: string;
  readonly displayName: string;
}

/** Facts of the life of a run, appended in order, never changed. All times are UTC milliseconds. */
export type JournalEvent =
  // run stream
  | { readonly type: 'run-created'; readonly by: Actor; readonly text: string }
  | {
      readonly type: 'approval-requested';
      readonly generation: number;
      readonly risk: Risk;
      readonly expiresAtMs: number;
      /** Whose people may approve. With two roles at least one approval of each is needed. */
      readonly roles: readonly string[];
      /** How many different people have to approve; runs of before this was noted lack it. */
      readonly wanted?: number;
    }
  | {
      readonly type: 'vote';
      readonly by: Actor;
      readonly vote: 'approve' | 'reject';
      readonly reason?: string;
      readonly given: number;
      readonly wanted: number;
      /** What is still missing, as a sentence part; only while something is. */
      readonly missing?: string;
    }
  | { readonly type: 'approved'; readonly generation: number }
  | { readonly type: 'approval-expired' }
  | { readonly type: 'wave-started'; readonly wave: number; readonly of: number; readonly units: readonly string[] }
  | { readonly type: 'paused'; readonly reason: string }
  | { readonly type: 'halted'; readonly by: string; readonly reason: string }
  | { readonly type: 'cancel-requested'; readonly by: Actor; readonly note: string }
  | { readonly type: 'resumed'; readonly by: Actor; readonly generation: number }
  | { readonly type: 'swept'; readonly unit: string; readonly generation: number; readonly reason: string }
  | { readonly type: 'run-ended'; readonly state: RunEndState; readonly summary: string; readonly failure?: Failure }
  // unit streams
  | { readonly type: 'plan-started'; readonly worker: string }
  | {
      readonly type: 'plan-ready';
      readonly hash: string;
      readonly changes: number;
      readonly risk: Risk;
      /** What its steps are expected to take; no part of the hash. Plans of before this was noted lack it. */
      readonly expected?: ExpectedTimes;
    }
  | { readonly type: 'plan-failed'; readonly failure: Failure }
  | { readonly type: 'unit-started'; readonly worker: string; readonly generation: number; readonly fence: number }
  | {
      readonly type: 'step-started';
      readonly step: string;
      readonly target: string;
      readonly title: string;
      readonly limitMs: number;
    }
  | {
      readonly type: 'step-satisfied';
      readonly step: string;
      readonly target: string;
      readonly reason: string;
      readonly warning?: string;
    }
  | {
      readonly type: 'intent';
      readonly step: string;
      readonly target: string;
      readonly action: string;
      readonly text: string;
      readonly before?: unknown;
    }
  | {
      readonly type: 'done';
      readonly step: string;
      readonly target: string;
      readonly action: string;
      readonly evidence: Evidence;
    }
  | {
      readonly type: 'step-applied';
      readonly step: string;
      readonly target: string;
      readonly reason: string;
      readonly verdicts: readonly Verdict[];
      readonly tookMs: number;
      readonly warning?: string;
      /** Of the step; entries of before this was noted lack it. */
      readonly risk?: Risk;
    }
  | {
      readonly type: 'step-waiting';
      readonly step: string;
      readonly target: string;
      readonly reason: string;
      readonly untilMs: number;
    }
  | {
      readonly type: 'step-failed';
      readonly step: string;
      readonly target: string;
      readonly outcome: 'failed' | 'refused' | 'needs-human' | 'cancelled';
      readonly failure: Failure;
    }
  | {
      readonly type: 'snippet';
      readonly step: string;
      readonly target: string;
      readonly title: string;
      readonly text: string;
      /** The whole of it, where `text` is a piece. */
      readonly file?: ArtefactRef;
    }
  /** What a look saw of one target. */
  | ({ readonly type: 'looked' } & LookPiece)
  /** A result of a bench. */
  | ({ readonly type: 'measured'; readonly target: string } & Measured)
  | { readonly type: 'unit-ended'; readonly state: UnitEndState; readonly summary: string; readonly failure?: Failure };

export type JournalEventType = JournalEvent['type'];

export type RunEndState =
  | 'done'
  | 'satisfied'
  | 'planned'
  | 'activation-pending'
  | 'failed'
  | 'refused'
  | 'needs-human'
  | 'cancelled'
  | 'rejected'
  | 'expired';

export type UnitEndState =
  'done' | 'satisfied' | 'activation-pending' | 'failed' | 'refused' | 'needs-human' | 'cancelled' | 'plan-outdated';

/** An event as it was stored. `id` orders entries of a stream (Redis stream id form `ms-n`). */
export interface JournalEntry {
  readonly id: string;
  readonly runId: number;
  /** Unit name, or `_run`. */
  readonly unit: string;
  readonly atMs: number;
  readonly event: JournalEvent;
}

/** At most this many bytes of JSON per entry; the journal cuts evidence and texts to fit. */
export const JOURNAL_ENTRY_MAX_BYTES = 4096;

/** What is overwritten, not appended: the last sign of life of a unit. */
export interface Progress {
  readonly step: string;
  readonly target: string;
  /** Sentence with the reason for waiting: "waiting for the second Arm reboot". */
  readonly text: string;
  /** 0..100 only where it was measured. */
  readonly percent?: number;
  readonly lastLine?: string;
  /** When the current wait began, and its limit on the wall clock. */
  readonly sinceMs: number;
  readonly limitMs?: number;
  readonly stepIndex: number;
  readonly stepCount: number;
  readonly updatedAtMs: number;
}

/**
 * The event with its texts cut so that the entry fits: first to 800 characters each, if that is not enough to 200. The
 * whole text of a long failure stands in the log of the worker.
 */
export function clipEvent(event: JournalEvent): JournalEvent {
  for (const max of [800, 200, 60]) {
    const clipped = clipTexts(event, max);
    if (Buffer.byteLength(JSON.stringify(clipped)) <= JOURNAL_ENTRY_MAX_BYTES) return clipped;
  }
  return clipTexts(event, 20);
}

function clipTexts<T>(value: T, max: number): T {
  if (typeof value === 'string') return (value.length > max ? `${value.slice(0, max - 3)}...` : value) as T & string;
  if (Array.isArray(value)) return value.slice(0, 40).map((entry: unknown) => clipTexts(entry, max)) as T & unknown[];
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, clipTexts(entry, max)])) as T & object;
}
