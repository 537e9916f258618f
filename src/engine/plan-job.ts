import type { UnitEndState } from '../domain/journal.ts';
import { clipEvent } from '../domain/journal.ts';
import { isLookName } from '../domain/look.ts';
import type { UnitPlan } from '../domain/plan.ts';
import { plannedChanges } from '../domain/plan.ts';
import type { StreamEvent } from '../domain/ports.ts';
import type { ExpectedTimes } from '../domain/step-times.ts';
import type { Run, TargetNote, UnitRecord } from '../domain/run.ts';
import { failureOf, OpsError } from '../errors.ts';
import { leftBehind, withLeft } from './clean-up.ts';
import type { EngineDeps } from './deps.ts';
import { endsQuietly } from './ends-quietly.ts';
import { heldByOther } from './held-by.ts';
import { planLiveness } from './liveness.ts';
import { lookAtUnit } from './look-job.ts';
import { planUnit } from './plan-unit.ts';
import { expectedOf } from './step-times.ts';
import { notesOfPlan, stateOfRefusal, worseUnitState } from './unit-outcome.ts';

/**
 * Job handler: observes a unit and stores its plan, or carries out the look of a run that only looks. Read only: takes
 * neither the unit's lease nor its hold.
 */
export async function runPlanJob(
  deps: EngineDeps,
  job: { runId: number; unit: string; generation: number },
  signal: AbortSignal,
): Promise<void> {
  const run = await deps.runs.get(job.runId);
  const record = run?.units[job.unit];
  if (run === undefined || record === undefined) return;
  if (record.state !== 'planning' || record.generation !== job.generation) return;
  await planLiveness(deps, run.id, record.unit, async () => {
    await deps.journal.append(run.id, record.unit, { type: 'plan-started', worker: deps.worker.id });
    await deps.notifier.changed(run.id);
    if (isLookName(run.recipe)) return lookAtUnit(deps, run, record, signal);
    let plan: UnitPlan | undefined;
    let failure: UnitRecord['failure'];
    try {
      await refuseHeld(deps, run, record);
      plan = await planUnit(deps, run, record, signal);
      await deps.runs.savePlan(plan);
    } catch (error) {
      signal.throwIfAborted();
      if (endsQuietly(error)) throw error;
      failure = failureOf(error);
    }
    const past = await deps.journal.read(run.id, record.unit);
    const left = leftBehind(deps.recipes[run.recipe], record, past);
    const told = failure && withLeft(failure, record.unit, left, run.id);
    const news = eventsOf(record.unit, plan, plan && (await expectedOf(deps, run, record, plan)), told);
    await store(deps, run, record, { plan, failure: told, isLeft: left.length > 0, news });
  });
  await deps.notifier.changed(run.id);
  await deps.queue.addAdvance({ runId: run.id });
}

/**
 * A host on which an earlier run has stopped is left out now: after the approval it would be waited for without end, and with
 * it the rest of the rollout. Who only looks is not stopped by it. Errors: host-held.
 */
async function refuseHeld(deps: EngineDeps, run: Run, record: UnitRecord): Promise<void> {
  const held = run.planOnly ? undefined : await heldByOther(deps, run, record);
  if (held?.hasStopped) throw new OpsError(held.failure);
}

/** What came of the look. `isLeft`: an earlier life of the run has left something there. */
interface Seen {
  readonly plan: UnitPlan | undefined;
  readonly failure: UnitRecord['failure'];
  readonly isLeft: boolean;
  readonly news: readonly StreamEvent[];
}

async function store(deps: EngineDeps, run: Run, record: UnitRecord, seen: Seen): Promise<void> {
  const { unit } = record;
  await deps.runs.update(
    run.id,
    (current) => {
      const now = current.units[unit];
      if (now?.state !== 'planning' || now.generation !== record.generation) return undefined;
      const next = planned(now, seen, deps.clock.nowMs());
      return { ...current, units: { ...current.units, [unit]: next } };
    },
    () => seen.news.map((entry) => ({ ...entry, event: clipEvent(entry.event) })),
  );
}

/**
 * A unit whose cards are all refused is refused; one that could not be looked at has failed. Where something was left, it is
 * taken up all the same, which takes that away.
 */
function planned(now: UnitRecord, { plan, failure, isLeft }: Seen, nowMs: number): UnitRecord {
  if (plan === undefined) {
    const state = failure?.kind === 'needs-human' ? 'needs-human' : 'failed';
    // The reason stands with the unit; each card has its line.
    const targetNotes = now.targets.map((target): TargetNote => ({ target, outcome: state, warnings: [] }));
    return { ...now, state, endedAtMs: nowMs, targetNotes, ...(failure && { failure }) };
  }
  const known = {
    ...now,
    planHash: plan.hash,
    planRisk: plan.risk,
    planChanges: plannedChanges(plan),
    targetNotes: notesOfPlan(plan, now.targets),
  };
  const allRefused = now.targets.every((target) => plan.refused.some((entry) => entry.target === target));
  if (!allRefused || isLeft) return { ...known, state: 'planned' };
  const failures = plan.refused.map((entry) => entry.failure);
  const state = failures.map(stateOfRefusal).reduce<UnitEndState>(worseUnitState, 'refused');
  const worst = failures.find((one) => stateOfRefusal(one) === state);
  const targetNotes = known.targetNotes.map((note) =>
    note.failure === undefined ? note : { ...note, outcome: stateOfRefusal(note.failure) },
  );
  return { ...known, targetNotes, state, endedAtMs: nowMs, ...(worst && { failure: worst }) };
}

function eventsOf(
  unit: string,
  plan: UnitPlan | undefined,
  expected: ExpectedTimes | undefined,
  failure: UnitRecord['failure'],
): readonly StreamEvent[] {
  if (plan) {
    const { hash, risk } = plan;
    const times = expected === undefined || Object.keys(expected).length === 0 ? {} : { expected };
    return [{ unit, event: { type: 'plan-ready', hash, changes: plannedChanges(plan), risk, ...times } }];
  }
  return failure ? [{ unit, event: { type: 'plan-failed', failure } }] : [];
}
