import type { HostSlice } from '../domain/inventory.ts';
import type { JournalEntry } from '../domain/journal.ts';
import type { Failure } from '../domain/outcome.ts';
import type { UnitPlan } from '../domain/plan.ts';
import { coversPlan, planDifferences, planNeedsApproval } from '../domain/plan.ts';
import type { Lease } from '../domain/ports.ts';
import type { Run, UnitRecord } from '../domain/run.ts';
import type { HostSession } from '../domain/device-ports.ts';
import type { RescueContext } from '../domain/step.ts';
import { hostsOf, isEnded, isUnitEnded } from '../domain/run.ts';
import { errors, failureOf, OpsError } from '../errors.ts';
import { approvalFailure } from './approval.ts';
import type { EngineDeps } from './deps.ts';
import { actOn } from './act.ts';
import { endsQuietly } from './ends-quietly.ts';
import { leftBehind, withLeft } from './clean-up.ts';
import { heldByOther } from './held-by.ts';
import { withLease } from './lease.ts';
import { notYet } from './not-yet.ts';
import { planUnit } from './plan-unit.ts';
import { settleUnit } from './settle-unit.ts';
import type { UnitResult } from './unit-outcome.ts';
import { endedEarly } from './unit-outcome.ts';
import { UnitSession } from './unit-session.ts';
import { lookAgainMs, waitForUnhalt, walkUnit } from './walk-unit.ts';
import { checkInventory, recipeOf, slicesOf } from './walk.ts';

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
  if (run === undefined || record === undefined) return undefined;
  if (isEnded(run.state) || record.generation !== job.generation) return undefined;
  if (!['queued', 'running', 'waiting'].includes(record.state)) return undefined;
  // Before the lease: a host that is not touched yet is nobody's, and what others do there is no news.
  const early = await notYet(deps, run, record, await deps.journal.read(run.id, record.unit));
  if (early) return settleUnit(deps, run, record, early);
  const outcome = await withLease(deps, run.id, hostsOf(record), signal, (lease, leased) =>
    underLease(deps, run, record, lease, leased),
  );
  const result: UnitResult = outcome.ok ? outcome.value : laterBecauseHeld(deps, record.unit, outcome.heldBy);
  return settleUnit(deps, run, record, result);
}

function laterBecauseHeld(deps: EngineDeps, unit: string, heldBy: { runId: number; workerId: string }): UnitResult {
  const reason = `${unit} is in the hands of run ${heldBy.runId} (worker ${heldBy.workerId})`;
  return { kind: 'waiting', reason, untilMs: deps.clock.nowMs() + lookAgainMs, looksAgain: true };
}

async function underLease(
  deps: EngineDeps,
  run: Run,
  record: UnitRecord,
  lease: Lease,
  signal: AbortSignal,
): Promise<UnitResult> {
  try {
    return await openAndWalk(deps, run, record, lease, signal);
  } catch (error) {
    if (signal.aborted || endsQuietly(error)) return { kind: 'superseded' };
    const left = leftBehind(deps.recipes[run.recipe], record, await deps.journal.read(run.id, record.unit));
    return endedBy(record, withLeft(failureOf(error), record.unit, left, run.id));
  }
}

/** Why the unit may not be touched yet: another run owns its state, or everything is halted. */
async function reasonToWait(deps: EngineDeps, run: Run, record: UnitRecord): Promise<UnitResult | undefined> {
  const held = await heldByOther(deps, run, record);
  if (held) {
    const { what, why, next } = held.failure;
    const reason = held.hasStopped ? `${what} ${why} ${next}` : what;
    return { kind: 'waiting', reason, untilMs: deps.clock.nowMs() + lookAgainMs, looksAgain: true };
  }
  const halt = await deps.halt.get();
  return halt && waitForUnhalt(deps, halt);
}

async function openAndWalk(
  deps: EngineDeps,
  run: Run,
  record: UnitRecord,
  lease: Lease,
  signal: AbortSignal,
): Promise<UnitResult> {
  const slices = slicesOf(run, record);
  for (const slice of slices) checkInventory(deps, slice);
  const plan = await bindingPlan(deps, run, record);
  const past = await deps.journal.read(run.id, record.unit);
  const begun = past.some((entry) => entry.event.type === 'intent');
  const refusal = approvalFailure(run, record, plan, deps.inventory(), begun, deps.clock.nowMs());
  const recipe = recipeOf(deps, run.recipe, run.recipeVersion);
  if (refusal && leftBehind(recipe, record, past).length === 0) return endedBy(record, refusal);
  const wait = await reasonToWait(deps, run, record);
  if (wait) return wait;
  const unit = new UnitSession({ deps, run, record, slices, recipe, lease, signal, plan, past });
  for (const slice of slices) unit.attach(slice.name, await openHost(unit, slice, past));
  if (!(await markRunning(deps, run, record, lease))) return { kind: 'superseded' };
  if (!unit.hasWritten) {
    const now = await planUnit(deps, run, record, signal);
    const isInside = now.hash === plan.hash || (wasCompared(past) && coversPlan(plan, now));
    if (!isInside) return endedBy(record, notSeen(plan, now) ?? outdated(run, record, plan, now));
    // Looking takes a while, in which a window may have closed or a person come.
    const late = await notYet(deps, run, record, past);
    if (late) return late;
  }
  return walkUnit(unit, past, refusal);
}

/**
 * Opens the host; one in whose power cycle a worker of this run died is brought up first. What fails there says nothing
 * about that host, which may be without power.
 */
async function openHost(unit: UnitSession, slice: HostSlice, past: readonly JournalEntry[]): Promise<HostSession> {
  const { deps, recipe } = unit;
  const open = async (): Promise<HostSession> => deps.devices.hosts.open(slice);
  const { rescue } = recipe;
  const step = rescue?.steps.find(
    (name) => isUnfinished(past, name, slice.name) && rescue.isDue(unit.actionsOf(name, slice.name)),
  );
  if (rescue === undefined || step === undefined) return open();
  const where = { step, target: slice.name };
  const context = {
    hostBmc: deps.devices.hostBmc,
    slice,
    signal: unit.signal,
    clock: deps.devices.clockOf(slice),
    runId: unit.run.id,
    actions: unit.actionsOf(step, slice.name),
    act: async <T>(action: Act, fn: () => Promise<{ readonly evidence: string; readonly value: T }>): Promise<T> =>
      actOn(unit, where, action, fn),
    progress: async ({ sinceMs, ...sign }: Sign): Promise<void> =>
      unit.progress({ ...where, ...sign, sinceMs: sinceMs ?? deps.clock.nowMs() }),
  };
  try {
    return await rescue.open(context, open);
  } catch (error) {
    unit.signal.throwIfAborted();
    if (endsQuietly(error)) throw error;
    const failure = failureOf(error);
    if (failure.deviceState !== 'unchanged') throw error;
    const why = `${failure.why} This run was switching ${slice.name} off and on: it may be without power.`;
    throw new OpsError({ ...failure, why, deviceState: 'unknown' });
  }
}

/** A step that has begun and of which no end was journaled: its worker died in it. */
function isUnfinished(past: readonly JournalEntry[], step: string, target: string): boolean {
  const own = past.filter(({ event }) => 'step' in event && event.step === step && event.target === target);
  return own.findLast(({ event }) => stepMarks.has(event.type))?.event.type === 'step-started';
}

const stepMarks: ReadonlySet<string> = new Set([
  'step-started',
  'step-satisfied',
  'step-applied',
  'step-waiting',
  'step-failed',
]);

type Act = Parameters<RescueContext['act']>[0];
type Sign = Parameters<RescueContext['progress']>[0];

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
      const { waitingReason: _reason, waitingUntilMs: _until, looksAgain: _again, cleanedUp: _clean, ...rest } = now;
      const running: UnitRecord = { ...rest, state: 'running', startedAtMs: now.startedAtMs ?? nowMs };
      return { ...current, units: { ...current.units, [unit]: running } };
    },
    () => [{ unit, event: { type: 'unit-started', worker: deps.worker.id, generation, fence: lease.fence } }],
  );
  await deps.notifier.changed(run.id);
  return changed;
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

function endedBy({ targetNotes }: UnitRecord, failure: Failure): UnitResult {
  const state =
    failure.code === 'plan-outdated' ? 'plan-outdated' : failure.kind === 'needs-human' ? 'needs-human' : 'failed';
  return { kind: 'ended', state, summary: failure.what, failure, notes: endedEarly(targetNotes ?? [], state) };
}
