import type { Run, UnitRecord } from '../domain/run.ts';
import type { EngineDeps } from './deps.ts';
import { planLeaseName } from './liveness.ts';

/** A unit that was queued or begun this recently is left alone: its worker may just not have taken the lease yet. */
const graceMs = 3_000;
/** How long a job may wait in its queue before a second one is added. */
const queuePatienceMs = 30_000;

/**
 * Job handler, every two seconds on any worker: repeats lost adds, lets approvals expire, and notices dead workers by
 * leases that have run out (or that an older life of this same worker still holds). The unit gets a new generation and
 * goes on from the journal.
 */
export async function sweep(deps: EngineDeps): Promise<void> {
  for (const id of await deps.runs.open()) {
    const run = await deps.runs.get(id);
    if (run === undefined) continue;
    for (const unit of Object.values(run.units)) await reviveUnit(deps, run, unit);
    await deps.queue.addAdvance({ runId: id });
  }
}

async function reviveUnit(deps: EngineDeps, run: Run, unit: UnitRecord): Promise<void> {
  const nowMs = deps.clock.nowMs();
  const name = unit.state === 'planning' ? planLeaseName(run.id, unit.unit) : unit.unit;
  const holder = await deps.leases.holder(name);
  const { id, incarnation } = deps.worker;
  const olderLife = holder?.workerId === id && holder.incarnation < incarnation;
  if (holder?.runId === run.id && !olderLife) return;
  const reason = olderLife ? `worker ${id} was restarted` : 'its worker is gone';
  const aliveSinceMs = nowMs - (await lastSignMs(deps, run, unit));
  const begun = unit.state === 'running' || (unit.state === 'planning' && (await planWasBegun(deps, run, unit)));
  if (begun && (olderLife || aliveSinceMs > graceMs)) return raise(deps, run, unit, reason, nowMs);
  // Not begun: the job waits in its queue, or died with the worker that had just taken it. A second job does no harm,
  // because the one with the older generation ends without a word.
  const inQueue = ['planning', 'queued', 'waiting'].includes(unit.state);
  if (inQueue && aliveSinceMs > queuePatienceMs) await raise(deps, run, unit, 'its job did not start', nowMs);
}

/** When the unit last gave a sign: queued, begun, planned to wait until, or journaled something. */
async function lastSignMs(deps: EngineDeps, run: Run, unit: UnitRecord): Promise<number> {
  const entries = await deps.journal.read(run.id, unit.unit);
  const journalMs = entries.at(-1)?.atMs ?? 0;
  return Math.max(run.createdAtMs, unit.queuedAtMs ?? 0, unit.waitingUntilMs ?? 0, journalMs);
}

async function planWasBegun(deps: EngineDeps, run: Run, unit: UnitRecord): Promise<boolean> {
  const entries = await deps.journal.read(run.id, unit.unit);
  return entries.at(-1)?.event.type === 'plan-started';
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
