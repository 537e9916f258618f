import type { JournalEntry } from '../domain/journal.ts';
import { limitText } from '../domain/limit-text.ts';
import type { Run, UnitRecord } from '../domain/run.ts';
import { hostsOf } from '../domain/run.ts';
import { errors, failureOf } from '../errors.ts';
import type { EngineDeps } from './deps.ts';
import { planLeaseName } from './liveness.ts';

/** A unit that was queued or begun this recently is left alone: its worker may just not have taken the lease yet. */
const graceMs = 3_000;
/** How long a job may wait in its queue before a second one is added; twice as long each time, up to 256 times. */
const queuePatienceMs = 5_000;
const patienceDoublings = 8;
/** A unit that nobody takes up for so long, or for as long as an approval lasts, is given up. */
const giveUpMs = 3_600_000;

/**
 * Job handler, every two seconds on any worker: repeats lost adds, lets approvals expire, and notices dead workers by
 * leases that have run out (or that an older life of this same worker still holds). The unit gets a new generation and
 * goes on from the journal. A run that cannot be looked at does not keep the others from being swept; the
 * job fails with it at the end.
 */
export async function sweep(deps: EngineDeps): Promise<void> {
  const problems: unknown[] = [];
  for (const id of await deps.runs.open()) {
    try {
      await sweepRun(deps, id);
    } catch (error) {
      const { code, why } = failureOf(error);
      deps.log.error({ run: id, code, why }, 'run could not be swept');
      problems.push(error);
    }
  }
  if (problems.length > 0) throw problems[0];
}

async function sweepRun(deps: EngineDeps, id: number): Promise<void> {
  const run = await deps.runs.get(id);
  if (run === undefined) return;
  for (const unit of Object.values(run.units)) await reviveUnit(deps, run, unit);
  await deps.queue.addAdvance({ runId: id });
}

async function reviveUnit(deps: EngineDeps, run: Run, unit: UnitRecord): Promise<void> {
  if (!['planning', 'queued', 'running', 'waiting'].includes(unit.state)) return;
  const nowMs = deps.clock.nowMs();
  const names = unit.state === 'planning' ? [planLeaseName(run.id, unit.unit)] : hostsOf(unit);
  const holders = await Promise.all(names.map(async (name) => deps.leases.holder(name)));
  const { id, incarnation } = deps.worker;
  const olderLife = holders.some((holder) => holder?.workerId === id && holder.incarnation < incarnation);
  if (holders.every((holder) => holder?.runId === run.id) && !olderLife) return;
  const reason = olderLife ? `worker ${id} was restarted` : 'its worker is gone';
  const entries = await deps.journal.read(run.id, unit.unit);
  const silentMs = nowMs - lastSignMs(run, unit, entries);
  const last = entries.at(-1)?.event.type;
  const begun =
    unit.state === 'running' || (unit.state === 'planning' && (last === 'plan-started' || last === 'looked'));
  if (begun) {
    if (olderLife || silentMs > graceMs) await raise(deps, run, unit, reason, nowMs);
    return;
  }
  // Not begun: the job waits in its queue, or died with the worker that had just taken it. A second job does no harm,
  // because the one with the older generation ends without a word.
  const swept = entries.slice(entries.findLastIndex((entry) => entry.event.type !== 'swept') + 1);
  const patienceMs = queuePatienceMs * 2 ** Math.min(swept.length, patienceDoublings);
  if (silentMs <= patienceMs) return;
  const limitMs = Math.max(giveUpMs, run.startByMinutes * 60_000);
  if (nowMs - (swept[0]?.atMs ?? nowMs) > limitMs) await giveUp(deps, run, unit, limitMs, nowMs);
  else await raise(deps, run, unit, 'its job did not start', nowMs);
}

/** When the unit last gave a sign: queued, begun, planned to wait until, or journaled something. */
function lastSignMs(run: Run, unit: UnitRecord, entries: readonly JournalEntry[]): number {
  const journalMs = entries.at(-1)?.atMs ?? 0;
  return Math.max(run.createdAtMs, unit.queuedAtMs ?? 0, unit.waitingUntilMs ?? 0, journalMs);
}

/** Nobody serves the site, or its workers have been busy all the time: the run ends with that instead of never. */
async function giveUp(deps: EngineDeps, run: Run, unit: UnitRecord, limitMs: number, nowMs: number): Promise<void> {
  const { unit: name, site } = unit;
  const begun = unit.startedAtMs !== undefined;
  const limit = limitText(limitMs);
  const { failure } = errors.noWorker({ unit: name, site, limit, run: run.id, ...(begun && { state: 'unknown' }) });
  await deps.runs.update(
    run.id,
    (current) => {
      const now = current.units[name];
      if (now === undefined || now.generation !== unit.generation || now.state !== unit.state) return undefined;
      // A job that comes through after all is of an old generation then.
      const given: UnitRecord = { ...now, state: 'failed', generation: now.generation + 1, endedAtMs: nowMs, failure };
      return { ...current, units: { ...current.units, [name]: given } };
    },
    () => [{ unit: name, event: { type: 'unit-ended', state: 'failed', summary: failure.what, failure } }],
  );
}

async function raise(deps: EngineDeps, run: Run, unit: UnitRecord, reason: string, nowMs: number): Promise<void> {
  const generation = unit.generation + 1;
  const { changed } = await deps.runs.update(
    run.id,
    (current) => {
      const now = current.units[unit.unit];
      if (now === undefined || now.generation !== unit.generation || now.state !== unit.state) return undefined;
      const state = unit.state === 'running' ? 'queued' : unit.state;
      return { ...current, units: { ...current.units, [unit.unit]: { ...now, state, generation, queuedAtMs: nowMs } } };
    },
    () => [{ unit: unit.unit, event: { type: 'swept', unit: unit.unit, generation, reason } }],
  );
  if (changed) deps.log.warn({ run: run.id, unit: unit.unit, generation, reason }, 'unit is taken up again');
}
