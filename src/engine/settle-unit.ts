import { clipEvent } from '../domain/journal.ts';
import type { Run, UnitRecord } from '../domain/run.ts';
import { isEnded, isUnitEnded } from '../domain/run.ts';
import type { StreamEvent } from '../domain/ports.ts';
import type { EngineDeps } from './deps.ts';
import type { UnitResult } from './unit-outcome.ts';

/**
 * Writes down how a unit's job ended, record and journal in one atomic call, and has the run looked at. A unit that waits
 * keeps its job: the answer says when the queue gives it back to a worker.
 */
export async function settleUnit(
  deps: EngineDeps,
  run: Run,
  record: UnitRecord,
  result: UnitResult,
): Promise<{ readonly againInMs: number } | undefined> {
  if (result.kind === 'superseded') return undefined;
  const nowMs = deps.clock.nowMs();
  const { unit } = record;
  let isNews = true;
  const { changed } = await deps.runs.update(
    run.id,
    (current) => {
      const now = current.units[unit];
      if (now === undefined || now.generation !== record.generation) return undefined;
      // Cancelled while its job was waking up: what has ended stays ended.
      if (isEnded(current.state) || isUnitEnded(now.state)) return undefined;
      return { ...current, units: { ...current.units, [unit]: settled(now, result, nowMs) } };
    },
    (before) => {
      const events = eventsOf(before.units[unit], unit, result);
      const isOld = result.kind === 'waiting' && result.looksAgain === true && before.units[unit]?.state === 'waiting';
      isNews = events.length > 0 || !isOld;
      return events.map((entry) => ({ ...entry, event: clipEvent(entry.event) }));
    },
  );
  if (!changed) return undefined;
  if (result.kind === 'ended') {
    await deps.audit.append({
      atMs: nowMs,
      actor: { worker: deps.worker.id },
      action: `unit ${result.state}`,
      runId: run.id,
      targets: record.targets,
      ...(record.planHash === undefined ? {} : { planHash: record.planHash }),
      detail: result.summary,
    });
  }
  // Of a wait that goes on there is nothing new to show, for hours perhaps.
  if (isNews) await deps.notifier.changed(run.id);
  if (result.kind === 'waiting') return { againInMs: Math.max(0, result.untilMs - nowMs) };
  await deps.queue.addAdvance({ runId: run.id });
  return undefined;
}

function settled(now: UnitRecord, result: Exclude<UnitResult, { kind: 'superseded' }>, nowMs: number): UnitRecord {
  const { waitingReason: _reason, waitingUntilMs: _until, looksAgain: _again, failure: _failure, ...before } = now;
  const { cleanedUp: _clean, cleaning: _end, ...rest } = before;
  if (result.kind === 'waiting')
    return {
      ...before,
      state: 'waiting',
      waitingReason: result.reason,
      waitingUntilMs: result.untilMs,
      ...(result.looksAgain && { looksAgain: true as const }),
    };
  return {
    ...rest,
    state: result.state,
    endedAtMs: nowMs,
    ...(result.failure === undefined ? {} : { failure: result.failure }),
    ...(result.notes === undefined ? {} : { targetNotes: result.notes }),
    ...(result.cleanedUp && { cleanedUp: true as const }),
  };
}

/** A wait for the same reason is said once, however often the unit is looked at. */
function eventsOf(before: UnitRecord | undefined, unit: string, result: UnitResult): readonly StreamEvent[] {
  if (result.kind === 'ended') {
    const { state, summary, failure } = result;
    return [{ unit, event: { type: 'unit-ended', state, summary, ...(failure && { failure }) } }];
  }
  if (result.kind === 'superseded' || before?.waitingReason === result.reason) return [];
  const { reason, untilMs } = result;
  return [{ unit, event: { type: 'step-waiting', step: 'unit', target: unit, reason, untilMs } }];
}
