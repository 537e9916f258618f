import type { JournalEntry } from '../domain/journal.ts';
import type { Run, UnitRecord } from '../domain/run.ts';
import { hostsOf } from '../domain/run.ts';
import { planTime } from '../domain/time-text.ts';
import type { ClosedWindow } from '../domain/window-of-host.ts';
import { closedWindow } from '../domain/window-of-host.ts';
import type { EngineDeps } from './deps.ts';
import type { UnitResult } from './unit-outcome.ts';

/** How soon a lock is looked at again (wall). */
const lockAgainMs = 5_000;
/** A window is looked at again this soon, because the inventory may have changed; the start that was asked for does not. */
const windowAgainMs = 60_000;

/**
 * Why the unit may not be started yet though it is its turn: its start was asked for later, a person has locked one of its
 * hosts, or its window is closed. Asked before its first change: what has begun is brought to its end, and so is what takes
 * away what the run had added.
 */
export async function notYet(
  deps: EngineDeps,
  run: Run,
  record: UnitRecord,
  past: readonly JournalEntry[],
): Promise<Extract<UnitResult, { kind: 'waiting' }> | undefined> {
  if (run.cancel || record.cleaning || hasBegun(past)) return undefined;
  const nowMs = deps.clock.nowMs();
  const { startAtMs } = run;
  if (startAtMs !== undefined && nowMs < startAtMs)
    return waiting(`for its start at ${planTime(startAtMs)}, as asked`, startAtMs);
  for (const host of hostsOf(record)) {
    const lock = await deps.locks.get(host);
    if (lock === undefined) continue;
    const reason = `for the lock of ${lock.by.displayName} on ${host}: ${lock.reason}, since ${planTime(lock.sinceMs)}. \`/dpu unlock ${host}\` takes it off`;
    return waiting(reason, nowMs + lockAgainMs);
  }
  const closed = run.outsideWindow ? undefined : closedWindow(deps.inventory(), hostsOf(record), nowMs);
  if (closed === undefined) return undefined;
  const againMs = nowMs + windowAgainMs;
  return waiting(windowText(run.id, closed), Math.min(closed.opensAtMs ?? againMs, againMs));
}

function windowText(runId: number, { owners, opensAtMs }: ClosedWindow): string {
  const isOne = owners.length === 1;
  const whose = `for the ${isOne ? 'window' : 'windows'} of ${owners.join(' and ')}, which`;
  if (opensAtMs !== undefined) return `${whose} ${isOne ? 'opens' : 'are both open from'} ${planTime(opensAtMs)}`;
  const never = isOne ? 'does not open within two weeks' : 'are at no time of the next two weeks open at once';
  return `${whose} ${never}. \`/dpu cancel ${runId}\`, then the same command with \`--outside-window\`, does not wait for that`;
}

function waiting(reason: string, untilMs: number): Extract<UnitResult, { kind: 'waiting' }> {
  return { kind: 'waiting', reason, untilMs, looksAgain: true };
}

/** This run has written to the unit since its newest plan: a person who resumes it has it planned, and held back, anew. */
function hasBegun(past: readonly JournalEntry[]): boolean {
  const planned = past.findLastIndex(({ event }) => event.type === 'plan-ready');
  return past.slice(planned + 1).some(({ event }) => event.type === 'intent');
}
