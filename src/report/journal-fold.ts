import type { Actor, JournalEntry, RunEndState, UnitEndState } from '../domain/journal.ts';
import { stepKey } from '../domain/plan.ts';
import type { LookPiece } from '../domain/look.ts';
import type { Failure, Risk } from '../domain/outcome.ts';
import type { ExpectedTimes } from '../domain/step-times.ts';
import type { RunEvent, UnitEvent } from './journal-events.ts';
import { isRunEvent } from './journal-events.ts';

/** Where a step stands in the journal. */
export type FoldedStepState =
  'running' | 'satisfied' | 'applied' | 'waiting' | 'failed' | 'refused' | 'needs-human' | 'cancelled';

/** The newest that the journal says of one step on one target. */
export interface FoldedStep {
  readonly step: string;
  readonly target: string;
  readonly title?: string;
  readonly state: FoldedStepState;
  /** Sentence: why nothing was to do, what was done, what it waits for, what went wrong. */
  readonly reason: string;
  readonly startedAtMs?: number;
  readonly endedAtMs?: number;
  readonly tookMs?: number;
  readonly limitMs?: number;
  readonly untilMs?: number;
  readonly failure?: Failure;
  /** Right or done, but worth a person's eye. */
  readonly warning?: string;
}

export interface FoldedUnit {
  readonly planHash?: string;
  readonly planFailure?: Failure;
  readonly worker?: string;
  readonly startedAtMs?: number;
  readonly ended?: {
    readonly state: UnitEndState;
    readonly summary: string;
    readonly failure?: Failure;
    readonly atMs: number;
  };
  /** In the order in which they first started; key `step target`. */
  readonly steps: Readonly<Record<string, FoldedStep>>;
  /** What a look has seen since it began; without the lines, which stand in the thread. */
  readonly pieces?: readonly FoldedPiece[];
  /** What the steps of the newest plan are expected to take; see `estimate.ts`. */
  readonly expected?: ExpectedTimes;
  /** The last remote act announced and not yet followed by the end of its step. */
  readonly action?: string;
}

export type FoldedPiece = Omit<LookPiece, 'lines'>;

export interface FoldedVote {
  readonly by: Actor;
  readonly vote: 'approve' | 'reject';
  readonly reason?: string;
  readonly given: number;
  readonly wanted: number;
  readonly atMs: number;
}

export interface FoldedApproval {
  readonly generation: number;
  readonly risk: Risk;
  readonly roles: readonly string[];
  readonly requestedAtMs: number;
  readonly expiresAtMs: number;
  readonly state: 'open' | 'approved' | 'rejected' | 'expired';
  readonly votes: readonly FoldedVote[];
}

/**
 * What a run's journal amounts to; plain JSON, so it may be stored as a snapshot. Entries of one stream must be given in
 * order; how the streams are interleaved, and in how many portions they come, makes no difference.
 */
export interface JournalFold {
  readonly units: Readonly<Record<string, FoldedUnit>>;
  readonly approval?: FoldedApproval;
  readonly wave?: { readonly index: number; readonly of: number };
  readonly pausedReason?: string;
  readonly cancel?: { readonly by: Actor; readonly atMs: number; readonly note: string };
  readonly ended?: {
    readonly state: RunEndState;
    readonly summary: string;
    readonly failure?: Failure;
    readonly atMs: number;
  };
}

/** The fold of an empty journal. */
export function emptyFold(): JournalFold {
  return { units: {} };
}

/** Adds entries to a fold; the fold given is not changed. */
export function foldMore(fold: JournalFold, entries: readonly JournalEntry[]): JournalFold {
  return entries.reduce<JournalFold>((sum, entry) => {
    const { event, atMs } = entry;
    if (isRunEvent(event)) return foldRunEvent(sum, event, atMs);
    const unit = foldUnitEvent(sum.units[entry.unit] ?? { steps: {} }, event, atMs);
    return { ...sum, units: { ...sum.units, [entry.unit]: unit } };
  }, fold);
}

function foldRunEvent(fold: JournalFold, event: RunEvent, atMs: number): JournalFold {
  switch (event.type) {
    case 'approval-requested': {
      const { generation, risk, roles, expiresAtMs } = event;
      const approval = { generation, risk, roles, expiresAtMs, requestedAtMs: atMs, state: 'open' as const, votes: [] };
      return { ...fold, approval };
    }
    case 'vote':
      return withApproval(fold, (approval) => {
        const { by, vote, reason, given, wanted } = event;
        const cast: FoldedVote = { by, vote, given, wanted, atMs, ...(reason === undefined ? {} : { reason }) };
        const state = vote === 'reject' ? 'rejected' : given >= wanted ? 'approved' : approval.state;
        return { ...approval, state, votes: [...approval.votes, cast] };
      });
    case 'approved':
      return withApproval(fold, (approval) => ({ ...approval, state: 'approved' }));
    case 'approval-expired':
      return withApproval(fold, (approval) => ({ ...approval, state: 'expired' }));
    case 'wave-started':
      return { ...without(fold, 'pausedReason'), wave: { index: event.wave, of: event.of } };
    case 'paused':
      return { ...fold, pausedReason: event.reason };
    case 'halted':
      return { ...fold, pausedReason: `halted by ${event.by}: ${event.reason}` };
    case 'cancel-requested':
      return { ...fold, cancel: { by: event.by, atMs, note: event.note } };
    case 'resumed':
      return without(fold, 'pausedReason', 'cancel', 'ended');
    case 'run-ended': {
      const { state, summary, failure } = event;
      return { ...fold, ended: { state, summary, atMs, ...(failure === undefined ? {} : { failure }) } };
    }
    case 'run-created':
    case 'swept':
      return fold;
  }
}

function withApproval(fold: JournalFold, change: (approval: FoldedApproval) => FoldedApproval): JournalFold {
  return fold.approval === undefined ? fold : { ...fold, approval: change(fold.approval) };
}

function foldUnitEvent(unit: FoldedUnit, event: UnitEvent, atMs: number): FoldedUnit {
  switch (event.type) {
    case 'plan-started':
      return { ...without(unit, 'planFailure', 'ended', 'pieces'), worker: event.worker };
    case 'plan-ready':
      // A new plan has looked at everything again: what earlier attempts did is part of what it saw.
      return {
        ...without(unit, 'planFailure', 'ended', 'action', 'expected'),
        planHash: event.hash,
        steps: {},
        ...(event.expected && { expected: event.expected }),
      };
    case 'plan-failed':
      return { ...unit, planFailure: event.failure };
    case 'unit-started':
      return { ...without(unit, 'ended', 'action'), worker: event.worker, startedAtMs: unit.startedAtMs ?? atMs };
    case 'unit-ended': {
      const { state, summary, failure } = event;
      const ended = { state, summary, atMs, ...(failure === undefined ? {} : { failure }) };
      return { ...without(unit, 'action'), ended };
    }
    case 'intent':
      return { ...unit, action: event.text };
    case 'step-started':
    case 'step-satisfied':
    case 'step-applied':
    case 'step-waiting':
    case 'step-failed':
      return isUnitWait(event) ? unit : foldStepEvent(unit, event, atMs);
    case 'looked': {
      const { type: _type, lines: _lines, ...piece } = event;
      return { ...unit, pieces: [...(unit.pieces ?? []), piece] };
    }
    case 'done':
    case 'measured':
    case 'snippet':
      return unit;
  }
}

type StepEvent = Extract<
  UnitEvent,
  { readonly type: 'step-started' | 'step-satisfied' | 'step-applied' | 'step-waiting' | 'step-failed' }
>;

function foldStepEvent(unit: FoldedUnit, event: StepEvent, atMs: number): FoldedUnit {
  const key = stepKey(event.step, event.target);
  const known = unit.steps[key];
  const base = { step: event.step, target: event.target };
  const kept = {
    ...(known?.title === undefined ? {} : { title: known.title }),
    ...(known?.startedAtMs === undefined ? {} : { startedAtMs: known.startedAtMs }),
  };
  const put = (step: FoldedStep): FoldedUnit => ({
    ...without(unit, 'action'),
    steps: { ...unit.steps, [key]: step },
  });
  switch (event.type) {
    case 'step-started': {
      const { title, limitMs } = event;
      return put({ ...base, title, limitMs, startedAtMs: atMs, state: 'running', reason: '' });
    }
    case 'step-satisfied':
      return put({ ...base, ...kept, ...ended(event, atMs), state: 'satisfied' });
    case 'step-applied':
      return put({ ...base, ...kept, ...ended(event, atMs), state: 'applied', tookMs: event.tookMs });
    case 'step-waiting':
      return put({ ...base, ...kept, state: 'waiting', reason: event.reason, untilMs: event.untilMs });
    case 'step-failed': {
      const { outcome, failure } = event;
      return put({ ...base, ...kept, state: outcome, reason: failure.what, failure, endedAtMs: atMs });
    }
  }
}

function ended(
  event: { readonly reason: string; readonly warning?: string },
  atMs: number,
): Pick<FoldedStep, 'reason' | 'endedAtMs' | 'warning'> {
  const { reason, warning } = event;
  return { reason, endedAtMs: atMs, ...(warning === undefined ? {} : { warning }) };
}

/** Before its first step a unit may wait as a whole: another run holds it. That is no step, and the unit's record has the reason. */
export function isUnitWait(event: { readonly type: string; readonly step: string }): boolean {
  return event.type === 'step-waiting' && event.step === 'unit';
}

function without<T extends object, K extends keyof T>(value: T, ...keys: readonly K[]): Omit<T, K> {
  const copy = { ...value };
  for (const key of keys) delete copy[key];
  return copy;
}
