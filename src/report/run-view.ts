import type { Actor, JournalEntry, Progress } from '../domain/journal.ts';
import type { Failure, Risk } from '../domain/outcome.ts';
import type { ExpectedTimes } from '../domain/step-times.ts';
import type { UnitPlan } from '../domain/plan.ts';
import type { Run, RunState, UnitRecord, UnitState } from '../domain/run.ts';
import { isEnded, isUnitEnded } from '../domain/run.ts';
import { unitName } from '../domain/unit-name.ts';
import type { RunAction } from './blocks.ts';
import type { FoldedApproval, FoldedPiece, FoldedUnit, JournalFold } from './journal-fold.ts';
import { emptyFold, foldMore } from './journal-fold.ts';
import { cardAtWork, legalButtons } from './legal-buttons.ts';
import type { StepView, TargetView } from './target-views.ts';
import { stepViews, targetViews } from './target-views.ts';

/** What is being done right now. Times in ms of the wall clock. */
export interface CurrentView {
  readonly title: string;
  readonly target: string;
  /** 1-based position among the steps of the unit's plan; missing when the plan does not have it. */
  readonly index?: number;
  readonly count: number;
  readonly text: string;
  readonly percent?: number;
  readonly lastLine?: string;
  readonly sinceMs: number;
  readonly limitMs?: number;
}

export interface UnitView {
  readonly unit: string;
  /** As people call it: a pair by its name, with both hosts. */
  readonly name: string;
  readonly site: string;
  readonly state: UnitState;
  readonly plan?: { readonly hash: string; readonly risk: Risk; readonly changes: number };
  readonly targets: readonly TargetView[];
  /** What a look has seen. */
  readonly pieces: readonly FoldedPiece[];
  readonly current?: CurrentView;
  readonly summary?: string;
  readonly failure?: Failure;
  /** Without `untilMs` nobody knows when it ends, or the reason says it. */
  readonly waiting?: { readonly reason: string; readonly untilMs?: number };
  readonly startedAtMs?: number;
  readonly endedAtMs?: number;
  /** What the steps that have work to do were expected to take when the plan was made. */
  readonly expected?: ExpectedTimes;
}

/** All that card, thread, App Home and JSON show of a run. */
export interface RunView {
  readonly id: number;
  readonly generation: number;
  readonly recipe: string;
  readonly text: string;
  readonly requester: Actor;
  readonly state: RunState;
  readonly planOnly: boolean;
  readonly simulated: boolean;
  /** No unit starts before this, as the requester asked. */
  readonly startAtMs?: number;
  /** Its work does not wait for the maintenance windows. */
  readonly outsideWindow?: true;
  readonly createdAtMs: number;
  readonly endedAtMs?: number;
  /** 1-based; `of` is 0 before the plans are known. */
  readonly wave: { readonly index: number; readonly of: number };
  /** Units of each wave; empty before the plans are known. */
  readonly waves: readonly (readonly string[])[];
  readonly units: readonly UnitView[];
  readonly approval?: FoldedApproval;
  readonly cancel?: { readonly by: Actor; readonly atMs: number };
  readonly pausedReason?: string;
  readonly summary?: string;
  readonly failure?: Failure;
  /** The buttons that are legal now. */
  readonly buttons: readonly RunAction[];
}

/** Progress by unit name. */
export type ProgressByUnit = ReadonlyMap<string, Progress>;

/**
 * The view of a run from its record, its plans (the newest of each unit counts), its folded journal and the last signs
 * of life. Pure; the same input gives the same view.
 */
export function runView(
  run: Run,
  plans: readonly UnitPlan[],
  fold: JournalFold,
  progress: ProgressByUnit = new Map(),
): RunView {
  const planOf = (unit: UnitRecord): UnitPlan | undefined => {
    const hash = unit.planHash ?? fold.units[unit.unit]?.planHash;
    return plans.find((plan) => plan.unit === unit.unit && plan.hash === hash);
  };
  const failure = run.failure ?? fold.ended?.failure;
  const summary = run.summary ?? fold.ended?.summary;
  const endedAtMs = isEnded(run.state) ? (run.endedAtMs ?? fold.ended?.atMs) : undefined;
  const cancel = run.cancel ?? fold.cancel;
  const pausedReason = run.state === 'paused' ? (run.pausedReason ?? fold.pausedReason) : undefined;
  return {
    id: run.id,
    generation: runGeneration(run),
    recipe: run.recipe,
    text: run.text,
    requester: run.requester,
    state: run.state,
    planOnly: run.planOnly,
    simulated: run.simulated,
    ...(run.startAtMs === undefined ? {} : { startAtMs: run.startAtMs }),
    ...(run.outsideWindow && { outsideWindow: true as const }),
    createdAtMs: run.createdAtMs,
    ...(endedAtMs === undefined ? {} : { endedAtMs }),
    waves: run.waves,
    wave: fold.wave ?? { index: run.waves.length === 0 ? 0 : run.waveIndex + 1, of: run.waves.length },
    units: Object.values(run.units).map((unit) => ({
      name: unitName(run, unit.unit),
      ...unitView(unit, fold.units[unit.unit] ?? { steps: {} }, planOf(unit), progress.get(unit.unit)),
    })),
    ...(fold.approval === undefined ? {} : { approval: approvalNow(run, fold.approval) }),
    ...(cancel === undefined ? {} : { cancel: { by: cancel.by, atMs: cancel.atMs } }),
    ...(pausedReason === undefined ? {} : { pausedReason }),
    ...(summary === undefined || !isEnded(run.state) ? {} : { summary }),
    ...(failure === undefined || !isEnded(run.state) ? {} : { failure }),
    buttons: legalButtons(run, cardAtWork(run, progress)),
  };
}

/** As `runView`, from all journal entries (each stream in order). */
export function foldJournal(
  run: Run,
  plans: readonly UnitPlan[],
  entries: readonly JournalEntry[],
  progress: ProgressByUnit = new Map(),
): RunView {
  return runView(run, plans, foldMore(emptyFold(), entries), progress);
}

/** Generation that the run's buttons carry: a press on an older card is told so instead of meaning something else. */
function runGeneration(run: Run): number {
  const units = Object.values(run.units).map((unit) => unit.generation);
  return run.approval?.generation ?? Math.max(0, ...units);
}

/** The record decides whether the request is still open: the journal entry of a decision may come a moment later. */
function approvalNow(run: Run, folded: FoldedApproval): FoldedApproval {
  const record = run.approval;
  if (record !== undefined && record.generation === folded.generation) return { ...folded, state: record.state };
  return folded;
}

function unitView(
  record: UnitRecord,
  fold: FoldedUnit,
  plan: UnitPlan | undefined,
  progress: Progress | undefined,
): Omit<UnitView, 'name'> {
  const steps = stepViews(fold, plan);
  const current = isUnitEnded(record.state) ? undefined : currentView(record, steps, fold, progress);
  const failure = record.failure ?? fold.ended?.failure ?? (record.state === 'planning' ? undefined : fold.planFailure);
  const ended = isUnitEnded(record.state) ? fold.ended : undefined;
  const startedAtMs = record.startedAtMs ?? fold.startedAtMs;
  const endedAtMs = isUnitEnded(record.state) ? (record.endedAtMs ?? ended?.atMs) : undefined;
  const waiting =
    record.waitingReason === undefined || isUnitEnded(record.state)
      ? undefined
      : {
          reason: record.waitingReason,
          ...(record.waitingUntilMs === undefined || record.looksAgain ? {} : { untilMs: record.waitingUntilMs }),
        };
  return {
    unit: record.unit,
    site: record.site,
    state: record.state,
    ...planFigures(record, plan),
    targets: targetViews(record, steps),
    pieces: fold.pieces ?? [],
    ...(current === undefined ? {} : { current }),
    ...(ended === undefined ? {} : { summary: ended.summary }),
    ...(failure === undefined ? {} : { failure }),
    ...(waiting === undefined ? {} : { waiting }),
    ...(startedAtMs === undefined ? {} : { startedAtMs }),
    ...(endedAtMs === undefined ? {} : { endedAtMs }),
    ...(fold.expected && { expected: fold.expected }),
  };
}

function planFigures(record: UnitRecord, plan: UnitPlan | undefined): Pick<UnitView, 'plan'> {
  const hash = record.planHash ?? plan?.hash;
  if (hash === undefined) return {};
  const changes = plan?.steps.filter((step) => step.state === 'change' || step.state === 'deferred').length ?? 0;
  return { plan: { hash, risk: record.planRisk ?? plan?.risk ?? 'read', changes: record.planChanges ?? changes } };
}

function currentView(
  record: UnitRecord,
  steps: readonly StepView[],
  fold: FoldedUnit,
  progress: Progress | undefined,
): CurrentView | undefined {
  const active = steps.find((step) => step.state === 'running') ?? steps.find((step) => step.state === 'waiting');
  // A sign of life may be left over from an earlier step or an earlier attempt.
  const sign =
    progress !== undefined &&
    (active === undefined || (progress.step === active.step && progress.target === active.target))
      ? progress
      : undefined;
  if (active === undefined) {
    if (sign === undefined || record.state !== 'planning') return undefined;
    const { target, text, sinceMs, lastLine, limitMs, stepIndex } = sign;
    return {
      title: 'Looking',
      target,
      ...(stepIndex > 0 && { index: stepIndex }),
      count: sign.stepCount,
      text,
      ...(lastLine !== undefined && { lastLine }),
      sinceMs,
      ...(limitMs !== undefined && { limitMs }),
    };
  }
  const position = steps.findIndex((step) => step.step === active.step && step.target === active.target);
  const limitMs = sign?.limitMs ?? active.limitMs;
  return {
    title: active.title,
    target: active.target,
    index: position + 1,
    count: steps.length,
    text: sign?.text ?? (active.reason !== '' ? active.reason : (fold.action ?? '')),
    ...(sign?.percent === undefined ? {} : { percent: sign.percent }),
    ...(sign?.lastLine === undefined ? {} : { lastLine: sign.lastLine }),
    sinceMs: sign?.sinceMs ?? active.startedAtMs ?? record.startedAtMs ?? 0,
    ...(limitMs === undefined ? {} : { limitMs }),
  };
}
