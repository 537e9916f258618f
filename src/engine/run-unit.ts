import type { HostSlice } from '../domain/inventory.ts';
import type { JournalEntry } from '../domain/journal.ts';
import type { Failure } from '../domain/outcome.ts';
import type { UnitPlan } from '../domain/plan.ts';
import { coversPlan, planDifferences, planNeedsApproval } from '../domain/plan.ts';
import type { Lease } from '../domain/ports.ts';
import type { Run, UnitRecord } from '../domain/run.ts';
import { isEnded, isUnitEnded } from '../domain/run.ts';
import { errors, failureOf } from '../errors.ts';
import { approvalFailure } from './approval.ts';
import type { EngineDeps } from './deps.ts';
import { endsQuietly } from './ends-quietly.ts';
import { withLease } from './lease.ts';
import { planUnit } from './plan-unit.ts';
import { runStep } from './run-step.ts';
import { settleUnit } from './settle-unit.ts';
import type { Tally, UnitResult } from './unit-outcome.ts';
import { count, newTally, summaryOf } from './unit-outcome.ts';
import { UnitSession } from './unit-session.ts';
import type { CardState } from './walk.ts';
import { cardsOf, checkInventory, recipeOf, segmentsOf } from './walk.ts';

/** How soon a unit that is held by somebody else, or halted, is looked at again (wall). */
const lookAgainMs = 3_000;

/**
 * Job handler: carries out the recipe on one unit. A unit that has to wait answers when it wants to be looked at again and
 * gives its worker back until then. Ends silently when the job is outdated. Everything it does is in the
 * journal first; whatever ends this process, another worker goes on from there.
 */
export async function runUnit(
  deps: EngineDeps,
  job: { runId: number; unit: string; generation: number },
  signal: AbortSignal,
): Promise<{ readonly againInMs: number } | undefined> {
  const run = await deps.runs.get(job.runId);
  const record = run?.units[job.unit];
  const slice = run?.slices[job.unit];
  if (run === undefined || record === undefined || slice === undefined) return undefined;
  if (isEnded(run.state) || record.generation !== job.generation) return undefined;
  if (!['queued', 'running', 'waiting'].includes(record.state)) return undefined;
  const outcome = await withLease(deps, run, record, signal, (lease, leased) =>
    underLease(deps, run, record, slice, lease, leased),
  );
  const result: UnitResult = outcome.ok ? outcome.value : laterBecauseHeld(deps, record.unit, outcome.heldBy);
  return settleUnit(deps, run, record, result);
}

function laterBecauseHeld(deps: EngineDeps, unit: string, heldBy: { runId: number; workerId: string }): UnitResult {
  const reason = `${unit} is in the hands of run ${heldBy.runId} (worker ${heldBy.workerId})`;
  return { kind: 'waiting', reason, untilMs: deps.clock.nowMs() + lookAgainMs };
}

async function underLease(
  deps: EngineDeps,
  run: Run,
  record: UnitRecord,
  slice: HostSlice,
  lease: Lease,
  signal: AbortSignal,
): Promise<UnitResult> {
  try {
    return await openAndWalk(deps, run, record, slice, lease, signal);
  } catch (error) {
    if (signal.aborted || endsQuietly(error)) return { kind: 'superseded' };
    return endedBy(failureOf(error));
  }
}

/** Why the unit may not be touched yet: another run owns its state, or everything is halted. */
async function reasonToWait(deps: EngineDeps, run: Run, unit: string): Promise<UnitResult | undefined> {
  const hold = await deps.holds.get(unit);
  if (hold && hold.runId !== run.id) {
    const since = new Date(hold.sinceMs).toISOString();
    const { failure } = errors.hostHeld({ host: unit, run: hold.runId, by: hold.by, since });
    return { kind: 'waiting', reason: failure.what, untilMs: deps.clock.nowMs() + lookAgainMs };
  }
  const halt = await deps.halt.get();
  return halt && waitForUnhalt(deps, halt);
}

function waitForUnhalt(deps: EngineDeps, halt: { readonly by: string; readonly reason: string }): UnitResult {
  const reason = `all work is halted by ${halt.by}: ${halt.reason}`;
  return { kind: 'waiting', reason, untilMs: deps.clock.nowMs() + lookAgainMs };
}

async function openAndWalk(
  deps: EngineDeps,
  run: Run,
  record: UnitRecord,
  slice: HostSlice,
  lease: Lease,
  signal: AbortSignal,
): Promise<UnitResult> {
  checkInventory(deps, slice);
  const plan = await bindingPlan(deps, run, record);
  const past = await deps.journal.read(run.id, record.unit);
  const begun = past.some((entry) => entry.event.type === 'intent');
  const refusal = approvalFailure(run, record, plan, deps.inventory(), begun, deps.clock.nowMs());
  if (refusal) return endedBy(refusal);
  const wait = await reasonToWait(deps, run, record.unit);
  if (wait) return wait;
  const host = await deps.devices.hosts.open(slice);
  const recipe = recipeOf(deps, run.recipe, run.recipeVersion);
  if (!(await markRunning(deps, run, record, lease))) return { kind: 'superseded' };
  const unit = new UnitSession({ deps, run, record, slice, recipe, host, lease, signal, plan, past });
  if (!unit.hasWritten) {
    const now = await planUnit(deps, run, record, signal);
    const isInside = now.hash === plan.hash || (wasCompared(past) && coversPlan(plan, now));
    if (!isInside) return endedBy(notSeen(plan, now) ?? outdated(run, record, plan, now));
  }
  return walk(unit);
}

/**
 * Steps began after the newest plan was made, so that plan was compared in full before. What is different after a wait (a
 * lock-out that is over) has to lie inside the envelope.
 */
function wasCompared(past: readonly JournalEntry[]): boolean {
  const planned = past.findLastIndex((entry) => entry.event.type === 'plan-ready');
  return past.slice(planned + 1).some((entry) => entry.event.type === 'step-started');
}

/** False when a newer job has this unit, or it was cancelled. Record and journal are written in one atomic call. */
async function markRunning(deps: EngineDeps, run: Run, record: UnitRecord, lease: Lease): Promise<boolean> {
  const nowMs = deps.clock.nowMs();
  const { unit, generation } = record;
  const { changed } = await deps.runs.update(
    run.id,
    (current) => {
      const now = current.units[unit];
      if (now === undefined || now.generation !== generation) return undefined;
      if (isEnded(current.state) || isUnitEnded(now.state)) return undefined;
      const { waitingReason: _reason, waitingUntilMs: _until, ...rest } = now;
      const running: UnitRecord = { ...rest, state: 'running', startedAtMs: now.startedAtMs ?? nowMs };
      return { ...current, units: { ...current.units, [unit]: running } };
    },
    () => [{ unit, event: { type: 'unit-started', worker: deps.worker.id, generation, fence: lease.fence } }],
  );
  await deps.notifier.changed(run.id);
  return changed;
}

/** Card by card up to the next host step; a card that fails drops out, the others go on; the worst outcome counts. */
async function walk(unit: UnitSession): Promise<UnitResult> {
  const refused = new Set(unit.plan.refused.map((entry) => entry.target));
  const cards = cardsOf(unit.slice, unit.record.targets).filter((card) => !refused.has(card.dpu.name));
  const tally = newTally();
  const dropped = new Set<string>();
  for (const segment of segmentsOf(unit.recipe)) {
    const left = cards.filter((card) => !dropped.has(card.dpu.name));
    for (const card of segment.scope === 'host' ? left.slice(0, 1) : left) {
      const target = segment.scope === 'host' ? unit.slice.name : card.dpu.name;
      const stop = await walkTarget(unit, segment.steps, target, card, tally, dropped);
      if (stop) return stop;
    }
  }
  for (const { failure } of unit.plan.refused) count(tally, { kind: 'refused', failure });
  return {
    kind: 'ended',
    state: tally.state,
    summary: summaryOf(tally),
    ...(tally.failure && { failure: tally.failure }),
  };
}

/** Returns a result only when the whole unit stops here. */
async function walkTarget(
  unit: UnitSession,
  steps: UnitSession['recipe']['steps'],
  target: string,
  card: CardState,
  tally: Tally,
  dropped: Set<string>,
): Promise<UnitResult | undefined> {
  const all = unit.recipe.steps;
  for (const entry of steps) {
    const checkpoint = await unit.checkpoint();
    switch (checkpoint.kind) {
      case 'superseded':
        return { kind: 'superseded' };
      case 'halted':
        return waitForUnhalt(unit.deps, checkpoint);
      case 'cancelled': {
        const state = unit.hasWritten ? 'changed' : 'unchanged';
        const { failure } = errors.cancelled({ run: unit.run.id, by: checkpoint.by, target, state });
        return { kind: 'ended', state: 'cancelled', summary: failure.what, failure };
      }
      case 'go':
        break;
    }
    unit.countSteps(all.indexOf(entry) + 1, all.length);
    const outcome = await runStep(unit, entry, target, card);
    if (outcome.kind === 'waiting') return outcome;
    // A step that this run had begun before its worker died, and that now shows what was wanted, was applied by it.
    const ours = unit.actionsOf(entry.step.name, target).length > 0;
    if (!count(tally, outcome, ours)) continue;
    // A host step that fails takes all cards along; outside the plan nothing more may be written at all.
    if (target === unit.slice.name || tally.state === 'plan-outdated')
      return {
        kind: 'ended',
        state: tally.state,
        summary: summaryOf(tally),
        ...(tally.failure && { failure: tally.failure }),
      };
    dropped.add(target);
    return undefined;
  }
  return undefined;
}

/** The plan that binds: the approved one, or the newest where that needs nobody's approval. */
async function bindingPlan(deps: EngineDeps, run: Run, record: UnitRecord): Promise<UnitPlan> {
  const stored = async (hash: string | undefined): Promise<UnitPlan> => {
    const plan = hash === undefined ? undefined : await deps.runs.plan(run.id, record.unit, hash);
    if (plan === undefined) throw errors.bug({ detail: `no stored plan for ${record.unit} of run ${run.id}` });
    return plan;
  };
  const newest = await stored(record.planHash);
  const approved = run.approval?.hashes[record.unit];
  return approved === undefined || !planNeedsApproval(newest) ? newest : await stored(approved);
}

/** A card that could not be looked at this time has not moved: that failure is the reason, not the approved plan. */
function notSeen(approved: UnitPlan, now: UnitPlan): Failure | undefined {
  const refusedBefore = new Set(approved.refused.map((entry) => entry.target));
  return now.refused.find(({ target, failure }) => !refusedBefore.has(target) && failure.kind === 'transient')?.failure;
}

function outdated(run: Run, record: UnitRecord, approved: UnitPlan, now: UnitPlan): Failure {
  const differences = planDifferences(approved, now);
  return errors.planOutdated({ unit: record.unit, differences, command: `/dpu ${run.text}` }).failure;
}

function endedBy(failure: Failure): UnitResult {
  const state =
    failure.code === 'plan-outdated' ? 'plan-outdated' : failure.kind === 'needs-human' ? 'needs-human' : 'failed';
  return { kind: 'ended', state, summary: failure.what, failure };
}
