import type { UnitPlan } from '../domain/plan.ts';
import type { Run } from '../domain/run.ts';
import type { FoldedPiece, JournalFold } from './journal-fold.ts';
import { runView } from './run-view.ts';
import type { UnitView } from './run-view.ts';
import type { StepView, TargetView } from './target-views.ts';

/** Version of the JSON form; raised when a field changes its meaning or goes away. */
export const RUN_JSON_VERSION = 1;

/** A run as stable JSON for scripts: times are UTC ISO 8601, durations milliseconds, no key ever depends on a locale. */
export function runJson(run: Run, plans: readonly UnitPlan[], fold: JournalFold): Readonly<Record<string, unknown>> {
  const view = runView(run, plans, fold);
  return {
    version: RUN_JSON_VERSION,
    run: view.id,
    recipe: view.recipe,
    recipeVersion: run.recipeVersion,
    text: view.text,
    requester: view.requester.userId,
    channel: run.channel,
    state: view.state,
    simulated: view.simulated,
    planOnly: view.planOnly,
    startAt: view.startAtMs === undefined ? null : iso(view.startAtMs),
    outsideWindow: view.outsideWindow ?? false,
    createdAt: iso(view.createdAtMs),
    endedAt: view.endedAtMs === undefined ? null : iso(view.endedAtMs),
    tookMs: view.endedAtMs === undefined ? null : view.endedAtMs - view.createdAtMs,
    summary: view.summary ?? null,
    failure: view.failure ?? null,
    approval: approvalJson(run),
    units: view.units.map(unitJson),
  };
}

function approvalJson(run: Run): unknown {
  if (run.approval === undefined) return null;
  const { state, risk, votes, hashes } = run.approval;
  return {
    state,
    risk,
    hashes,
    votes: votes.map((vote) => ({
      by: vote.by.userId,
      vote: vote.vote,
      reason: vote.reason ?? null,
      at: iso(vote.atMs),
    })),
  };
}

function unitJson(unit: UnitView): unknown {
  return {
    unit: unit.unit,
    site: unit.site,
    state: unit.state,
    planHash: unit.plan?.hash ?? null,
    risk: unit.plan?.risk ?? null,
    changes: unit.plan?.changes ?? null,
    startedAt: unit.startedAtMs === undefined ? null : iso(unit.startedAtMs),
    endedAt: unit.endedAtMs === undefined ? null : iso(unit.endedAtMs),
    summary: unit.summary ?? null,
    failure: unit.failure ?? null,
    targets: unit.targets.map(targetJson),
    steps: unit.targets.flatMap((target) => target.steps).map(stepJson),
    pieces: unit.pieces.map(pieceJson),
  };
}

/** `outcome` is null until the unit has ended; `state` says how far the card is. */
function targetJson(target: TargetView): unknown {
  return {
    target: target.target,
    state: target.state,
    outcome: target.note?.outcome ?? null,
    warnings: target.warnings,
    failure: target.note?.failure ?? null,
  };
}

/** What a look saw of one target. */
function pieceJson({ target, title, summary, rows = [], warnings = [], file }: FoldedPiece): unknown {
  return {
    target,
    title,
    summary,
    rows: rows.map(({ label, value, warning }) => ({ label, value, warning: warning ?? null })),
    warnings,
    file: file ?? null,
  };
}

function stepJson(step: StepView): unknown {
  return {
    step: step.step,
    target: step.target,
    state: step.state,
    reason: step.reason,
    tookMs: step.tookMs ?? null,
    warning: step.warning ?? null,
    failure: step.failure ?? null,
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
