import type { RunEndState } from '../domain/journal.ts';
import type { Failure, Risk } from '../domain/outcome.ts';
import { worseRisk } from '../domain/outcome.ts';
import type { UnitPlan } from '../domain/plan.ts';
import { approvalRisk, coversPlan, plannedChanges, planNeedsApproval } from '../domain/plan.ts';
import type { Halt, StreamEvent } from '../domain/ports.ts';
import type { Approval, Run, UnitRecord } from '../domain/run.ts';
import { isEnded, isUnitEnded } from '../domain/run.ts';
import { RUN_STREAM } from '../domain/journal.ts';
import { runEnd } from './run-end.ts';
import { endedEarly } from './unit-outcome.ts';
import { splitWaves } from './waves.ts';

/** Resume inside the envelope goes on without asking for this long after the approval. */
const approvalHoldsMs = 24 * 3_600_000;

/** What `decide` may look at besides the run itself. Plans by unit: the newest one, and the approved one. */
export interface Situation {
  readonly nowMs: number;
  readonly halt: Halt | undefined;
  readonly plans: Readonly<Record<string, UnitPlan | undefined>>;
  readonly approvedPlans: Readonly<Record<string, UnitPlan | undefined>>;
  /** Who may approve work of a risk by today's policy: shown with the request. */
  readonly approverRoles: (risk: Risk) => readonly string[];
  /** How many different people have to approve it: shown as well. */
  readonly approvalsWanted: (risk: Risk) => number;
  /** Units to which this run has written. */
  readonly begun: ReadonlySet<string>;
  /** Units at which a worker is looking, of a run that only looks: they end by themselves when it is cancelled. */
  readonly looking: ReadonlySet<string>;
  /** The recipe takes away what it has added: a unit that has begun is not cancelled without that. */
  readonly cleansUp: boolean;
}

export type DueJob =
  | { readonly kind: 'plan'; readonly unit: string; readonly site: string; readonly generation: number }
  | {
      readonly kind: 'unit';
      readonly unit: string;
      readonly site: string;
      readonly generation: number;
      readonly delayMs: number;
    };

export interface Decision {
  readonly run: Run;
  readonly events: readonly StreamEvent[];
  readonly jobs: readonly DueJob[];
}

/**
 * The one place where a run changes state: a pure function from what is known to what follows. Asked again with its own
 * result it changes nothing more and names the same jobs (their ids make adding them again harmless).
 */
export function decide(run: Run, situation: Situation): Decision {
  const events: StreamEvent[] = [];
  let current = run;
  for (;;) {
    const next = isEnded(current.state) ? undefined : step(current, situation);
    if (next === undefined) return { run: current, events, jobs: jobsOf(current, situation) };
    events.push(...next.events);
    current = next.run;
  }
}

interface Move {
  readonly run: Run;
  readonly events: readonly StreamEvent[];
}

function step(run: Run, situation: Situation): Move | undefined {
  if (run.cancel) return cancel(run, situation);
  if (run.state === 'planning') return afterPlanning(run, situation);
  if (run.state === 'awaiting-approval') return afterVotes(run, situation);
  return run.state === 'running' ? nextWave(run, situation) : undefined;
}

/**
 * Units that have not started are cancelled at once; a running one ends its step and sees the flag. One at which something is
 * left of the run is taken up once more, to take that away.
 */
function cancel(run: Run, situation: Situation): Move | undefined {
  const left = unitsOf(run).filter((unit) => !isUnitEnded(unit.state) && mustClean(unit, situation));
  const toQueue = left.filter(({ state }) => state === 'planning' || state === 'planned').map(({ unit }) => unit);
  if (toQueue.length > 0) return { run: withQueued(run, toQueue, situation.nowMs), events: [] };
  const isBusy = (unit: UnitRecord): boolean =>
    unit.state === 'running' || left.includes(unit) || (unit.state === 'planning' && situation.looking.has(unit.unit));
  const idle = unitsOf(run).filter((unit) => !isUnitEnded(unit.state) && !isBusy(unit));
  if (idle.length > 0) {
    const names = idle.map((unit) => unit.unit);
    return { run: withStates(run, names, 'cancelled', situation.nowMs), events: [] };
  }
  return unitsOf(run).every((unit) => isUnitEnded(unit.state)) ? end(run, situation.nowMs) : undefined;
}

/** This run has begun to add things here, and has not taken them away again. */
function mustClean({ unit, cleanedUp }: UnitRecord, { cleansUp, begun }: Situation): boolean {
  return cleansUp && begun.has(unit) && cleanedUp !== true;
}

function afterPlanning(run: Run, situation: Situation): Move | undefined {
  const units = unitsOf(run);
  if (units.some((unit) => unit.state === 'planning')) return undefined;
  const planned = units.filter((unit) => unit.state === 'planned');
  if (planned.length === 0) return end(run, situation.nowMs);
  if (run.planOnly) return end(run, situation.nowMs);
  const plans = planned.flatMap((unit) => situation.plans[unit.unit] ?? []);
  if (plans.length !== planned.length) return undefined;
  const dirty = new Set(planned.filter((unit) => mustClean(unit, situation)).map(({ unit }) => unit));
  const settled = plans.filter((plan) => plannedChanges(plan) === 0 && !dirty.has(plan.unit));
  if (settled.length > 0)
    return { run: settled.reduce((next, plan) => nothingLeft(next, plan, situation), run), events: [] };
  const risky = plans.filter((plan) => planNeedsApproval(plan));
  if (risky.every((plan) => isCovered(run, plan, situation))) return start(run, planned);
  return askForApproval(run, plans, situation);
}

/** A unit on which nothing is to do: found so, or, after a resume, done by this run. A card that was left out still counts. */
function nothingLeft(run: Run, plan: UnitPlan, { begun, nowMs }: Situation): Run {
  const failure = plan.refused[0]?.failure;
  if (failure === undefined) {
    const done = begun.has(plan.unit) ? 'done' : 'satisfied';
    const isPending = plan.steps.some((step) => step.pending);
    return withStates(run, [plan.unit], isPending ? 'activation-pending' : done, nowMs);
  }
  return withStates(run, [plan.unit], 'refused', nowMs, failure);
}

/** An earlier approval of this run still holds for a new plan of a unit (resume). */
function isCovered(run: Run, plan: UnitPlan, situation: Situation): boolean {
  const { approval } = run;
  const approved = situation.approvedPlans[plan.unit];
  if (approval?.state !== 'approved' || approval.approvedAtMs === undefined || approved === undefined) return false;
  const ageMs = situation.nowMs - Math.max(approval.approvedAtMs, Math.min(run.startAtMs ?? 0, situation.nowMs));
  if (situation.begun.has(plan.unit)) return ageMs < approvalHoldsMs && coversPlan(approved, plan);
  return ageMs < run.startByMinutes * 60_000 && approved.hash === plan.hash;
}

function askForApproval(run: Run, plans: readonly UnitPlan[], situation: Situation): Move {
  const { nowMs, approverRoles, approvalsWanted } = situation;
  const risk = plans.reduce<Risk>((worst, plan) => worseRisk(worst, approvalRisk(plan)), 'read');
  const approval: Approval = {
    generation: (run.approval?.generation ?? 0) + 1,
    state: 'open',
    hashes: Object.fromEntries(plans.map((plan) => [plan.unit, plan.hash])),
    risk,
    requestedAtMs: nowMs,
    expiresAtMs: nowMs + run.approvalMinutes * 60_000,
    votes: [],
    askers: [run.requester, ...(run.resumedBy ? [run.resumedBy] : [])],
  };
  const { generation, expiresAtMs } = approval;
  const [roles, wanted] = [approverRoles(risk), approvalsWanted(risk)];
  return {
    run: { ...run, state: 'awaiting-approval', approval },
    events: [runEvent({ type: 'approval-requested', generation, risk, expiresAtMs, roles, wanted })],
  };
}

function afterVotes(run: Run, { nowMs }: Situation): Move | undefined {
  const { approval } = run;
  if (approval === undefined) return undefined;
  switch (approval.state) {
    case 'approved':
      return start(
        run,
        unitsOf(run).filter((unit) => unit.state === 'planned'),
      );
    case 'rejected':
      return end(run, nowMs, 'rejected');
    case 'expired':
      return end(run, nowMs, 'expired');
    case 'open':
      if (nowMs < approval.expiresAtMs) return undefined;
      return {
        run: { ...run, approval: { ...approval, state: 'expired' } },
        events: [runEvent({ type: 'approval-expired' })],
      };
  }
}

function start(run: Run, planned: readonly UnitRecord[]): Move {
  const waves = splitWaves(
    run.waveSpec,
    planned.map((unit) => unit.unit),
  );
  return { run: { ...run, state: 'running', waves, waveIndex: -1 }, events: [] };
}

/** Starts the next wave when the present one has ended well enough; stops the rollout otherwise. */
function nextWave(run: Run, situation: Situation): Move | undefined {
  const { nowMs, halt } = situation;
  const current = run.waves[run.waveIndex] ?? [];
  if (!current.every((unit) => isUnitEnded(run.units[unit]?.state ?? 'planned'))) return undefined;
  // A unit that was left out when the plans were made is in no wave and no failure of the rollout.
  const failures = run.waves.flat().filter((unit) => isFailure(run.units[unit], planOf(unit, situation))).length;
  const next = run.waves[run.waveIndex + 1];
  if (next === undefined || failures > run.maxFailures) return end(run, nowMs);
  if (halt) return undefined;
  const wave = run.waveIndex + 2;
  return {
    run: { ...withQueued(run, next, nowMs), waveIndex: run.waveIndex + 1 },
    events: [runEvent({ type: 'wave-started', wave, of: run.waves.length, units: next })],
  };
}

/** A card that the plan left out is no failure of the rollout; one that was refused while its host was worked on is. */
function isFailure(unit: UnitRecord | undefined, plan: UnitPlan | undefined): boolean {
  if (unit?.state !== 'refused')
    return unit?.state === 'failed' || unit?.state === 'needs-human' || unit?.state === 'plan-outdated';
  const leftOut = plan?.refused.map((entry) => entry.target) ?? [];
  return unit.targetNotes?.some((note) => note.outcome === 'refused' && !leftOut.includes(note.target)) ?? false;
}

function planOf(unit: string, { plans, approvedPlans }: Situation): UnitPlan | undefined {
  return approvedPlans[unit] ?? plans[unit];
}

function withQueued(run: Run, names: readonly string[], nowMs: number): Run {
  const units = { ...run.units };
  for (const name of names) {
    const unit = units[name];
    if (unit) units[name] = { ...unit, state: 'queued', queuedAtMs: nowMs };
  }
  return { ...run, units };
}

function end(run: Run, nowMs: number, forced?: RunEndState): Move {
  const { state, summary, failure } = runEnd(run, nowMs, forced);
  return {
    run: { ...run, state, endedAtMs: nowMs, summary, ...(failure && { failure }) },
    events: [runEvent({ type: 'run-ended', state, summary, ...(failure && { failure }) })],
  };
}

function jobsOf(run: Run, { nowMs }: Situation): DueJob[] {
  if (isEnded(run.state)) return [];
  return unitsOf(run).flatMap((unit): DueJob[] => {
    const { site, generation } = unit;
    if (unit.state === 'planning') return [{ kind: 'plan', unit: unit.unit, site, generation }];
    if (unit.state === 'queued') return [{ kind: 'unit', unit: unit.unit, site, generation, delayMs: 0 }];
    if (unit.state !== 'waiting') return [];
    const delayMs = Math.max(0, (unit.waitingUntilMs ?? nowMs) - nowMs);
    return [{ kind: 'unit', unit: unit.unit, site, generation, delayMs }];
  });
}

function unitsOf(run: Run): readonly UnitRecord[] {
  return Object.values(run.units);
}

function withStates(
  run: Run,
  units: readonly string[],
  state: 'satisfied' | 'done' | 'activation-pending' | 'refused' | 'cancelled',
  nowMs: number,
  failure?: Failure,
): Run {
  const changed = units.flatMap((name) => {
    const unit = run.units[name];
    if (unit === undefined) return [];
    const notes = state === 'cancelled' && unit.targetNotes ? { targetNotes: endedEarly(unit.targetNotes, state) } : {};
    return [[name, { ...unit, ...notes, state, endedAtMs: nowMs, ...(failure && { failure }) }] as const];
  });
  return { ...run, units: { ...run.units, ...Object.fromEntries(changed) } };
}

function runEvent(event: StreamEvent['event']): StreamEvent {
  return { unit: RUN_STREAM, event };
}
