import { limitText } from '../domain/limit-text.ts';
import type { Change, Failure, StepOutcome, Verdict } from '../domain/outcome.ts';
import { needsApproval } from '../domain/outcome.ts';
import { outsideEnvelope } from '../domain/plan.ts';
import type { ApplyResult, ObserveContext, RecipeStep, Step, Unmet } from '../domain/step.ts';
import { errors, failureOf } from '../errors.ts';
import { undoStep } from './clean-up.ts';
import { endsQuietly } from './ends-quietly.ts';
import { drainOnce } from './hooks.ts';
import type { UnitSession } from './unit-session.ts';
import { applyContext, stepContext } from './step-context.ts';
import { noteTime } from './step-times.ts';
import type { CardState, Place } from './walk.ts';
import { recipeTarget, unmetNeed } from './walk.ts';

/** The time that a step may take; it can be stopped and begun anew. */
class StepLimit {
  readonly #limitMs: number;
  readonly #over = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(limitMs: number) {
    this.#limitMs = Math.ceil(limitMs);
  }

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  start(): void {
    const reason = new DOMException('the limit of the step is over', 'TimeoutError');
    this.#timer = setTimeout(() => this.#over.abort(reason), this.#limitMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/**
 * Carries out one step on one target in the house order: needs, observe, diff, compare with the approval, intent, apply,
 * wait, verify, done. Undefined: the recipe leaves the step out for this target. All control flow is here; steps have none.
 * Throws only what ends the unit without a word: an aborted signal, a lost lease, a Redis that does not answer.
 */
export async function runStep(
  unit: UnitSession,
  entry: RecipeStep,
  target: string,
  card: CardState,
  cards: readonly CardState[],
): Promise<StepOutcome | undefined> {
  const { step } = entry;
  const clock = unit.deps.devices.clockOf(card.slice);
  const limitMs = clock.stepLimitMs(step.timeoutMs);
  const limit = new StepLimit(limitMs);
  const signal = AbortSignal.any([unit.signal, limit.signal]);
  const context = stepContext(unit, step, target, card, cards, signal);
  const skip = entry.skip?.(recipeTarget(context, unit.run.params));
  if (skip !== undefined) return undefined;
  await unit.append({ type: 'step-started', step: step.name, target, title: step.title, limitMs });
  await unit.progress({ step: step.name, target, text: step.title, sinceMs: unit.deps.clock.nowMs(), limitMs });
  const startMs = unit.deps.clock.nowMs();
  let outcome: StepOutcome;
  let isHalted = false;
  // Who takes over from somebody else sees a part of it only.
  const isFirst = unit.actionsOf(step.name, target).length === 0;
  limit.start();
  try {
    outcome = await lookAndAct(unit, entry, { target, card, cards }, context, limit);
  } catch (error) {
    unit.signal.throwIfAborted();
    if (endsQuietly(error)) throw error;
    const thrown = limit.signal.aborted ? timedOut(unit, step.name, target, limitMs) : failureOf(error);
    const failure = withActs(thrown, unit, step.name, target);
    isHalted = failure.code === 'halted';
    outcome = brokenOff(unit, failure) ?? { kind: failure.kind === 'needs-human' ? 'needs-human' : 'failed', failure };
  } finally {
    limit.stop();
  }
  const tookMs = unit.deps.clock.nowMs() - startMs;
  await journalOutcome(unit, step, target, outcome, tookMs);
  if (isFirst) await noteTime(unit, { step: step.name, target }, outcome.kind, tookMs);
  // Nothing of a measurement runs on while all is halted; what could not be stopped is tried again at the end.
  if (isHalted && step.undo && unit.recipe.onFailure === 'cleanup')
    await undoStep(unit, entry, { target, card, cards });
  return outcome;
}

/** A long act that a person has cancelled or halted: what comes of the unit is told by the next look between steps. */
function brokenOff(unit: UnitSession, { code, what }: Failure): StepOutcome | undefined {
  if (code === 'cancelled') return { kind: 'cancelled', reason: what };
  if (code === 'halted') return { kind: 'waiting', reason: what, untilMs: unit.deps.clock.nowMs() };
  return undefined;
}

async function lookAndAct(
  unit: UnitSession,
  entry: RecipeStep,
  { target, card, cards }: Place,
  context: ObserveContext,
  limit: StepLimit,
): Promise<StepOutcome> {
  const { step } = entry;
  const params = step.params.parse(entry.params(recipeTarget(context, unit.run.params)));
  const unmet = await unmetNeed(unit.recipe, step, context);
  if (unmet) return whenUnmet(unmet);
  const observed = await step.observe(context, params);
  const serial = step.serial?.(observed, context.dpu);
  if (serial !== undefined) card.serial = serial;
  const learnt = step.learns?.(observed, params, context.dpu);
  if (learnt) card.learnt = { ...card.learnt, ...learnt };
  const diff = step.diff(observed, params, context.dpu);
  switch (diff.kind) {
    case 'satisfied':
      return {
        kind: 'satisfied',
        reason: diff.reason,
        ...(diff.warning !== undefined && { warning: diff.warning }),
        ...(diff.pending && { pending: true }),
      };
    case 'waiting':
      return { kind: 'waiting', reason: diff.reason, untilMs: diff.untilMs };
    case 'refused':
      return stopped(diff.failure);
    case 'deferred':
      return stopped(
        errors.needMissing({ step: step.name, target, need: diff.awaits, remedy: 'Make a new plan.' }).failure,
      );
    case 'change':
      break;
  }
  if (step.apply === undefined) throw errors.bug({ detail: `${step.name} plans a change and cannot apply it` });
  const why = outsideEnvelope(unit.plan, { ...diff, step: step.name, target, serial: card.serial });
  if (why !== undefined) return stopped(outside(unit, `${why} (${textOf(diff.changes)})`));
  if (needsApproval(step.risk)) {
    // The hook has a limit of its own.
    limit.stop();
    await drainOnce(unit);
    limit.start();
  }
  const result: ApplyResult = await step.apply(
    applyContext(unit, step.name, target, context, cards),
    diff.changes,
    params,
    observed,
  );
  if (result.kind === 'waiting') return result;
  const verdicts = (await step.verify?.(context, params)) ?? [];
  const wrong = verdicts.find((verdict) => !verdict.pass);
  if (wrong) return { kind: 'needs-human', failure: mismatch(unit, step.name, target, wrong) };
  return {
    kind: 'applied',
    reason: textOf(diff.changes),
    verdicts,
    ...(diff.warning !== undefined && { warning: diff.warning }),
  };
}

async function journalOutcome(
  unit: UnitSession,
  { name: step, risk }: Pick<Step, 'name' | 'risk'>,
  target: string,
  outcome: StepOutcome,
  tookMs: number,
): Promise<void> {
  switch (outcome.kind) {
    case 'satisfied':
      return unit.append({
        type: 'step-satisfied',
        step,
        target,
        reason: outcome.reason,
        ...(outcome.warning !== undefined && { warning: outcome.warning }),
      });
    case 'applied':
      return unit.append({
        type: 'step-applied',
        step,
        target,
        reason: outcome.reason,
        verdicts: outcome.verdicts,
        tookMs,
        risk,
        ...(outcome.warning !== undefined && { warning: outcome.warning }),
      });
    case 'waiting':
      return unit.append({ type: 'step-waiting', step, target, reason: outcome.reason, untilMs: outcome.untilMs });
    case 'cancelled':
      return;
    case 'refused':
    case 'failed':
    case 'needs-human':
      return unit.append({ type: 'step-failed', step, target, outcome: outcome.kind, failure: outcome.failure });
  }
}

function whenUnmet({ failure, untilMs }: Unmet): StepOutcome {
  return untilMs === undefined ? stopped(failure) : { kind: 'waiting', reason: failure.what, untilMs };
}

/** A call that did not get through has changed nothing; what the step did before it has. */
function withActs(failure: Failure, unit: UnitSession, step: string, target: string): Failure {
  const acts = unit.actionsOf(step, target);
  if (failure.deviceState !== 'unchanged' || acts.length === 0) return failure;
  return { ...failure, deviceState: acts.every((act) => act.done) ? 'changed' : 'unknown' };
}

function textOf(changes: readonly Change[]): string {
  return changes.map((change) => change.text).join('; ');
}

/** A refusal that only a person can lift counts as needs-human; the others as refused. */
function stopped(failure: Failure): StepOutcome {
  return { kind: failure.kind === 'needs-human' ? 'needs-human' : 'refused', failure };
}

function timedOut(unit: UnitSession, step: string, target: string, limitMs: number): Failure {
  return errors.stepTimeout({ step, target, limit: limitText(limitMs), run: unit.run.id }).failure;
}

function mismatch(unit: UnitSession, step: string, target: string, verdict: Verdict): Failure {
  const { check, expected, actual } = verdict;
  return errors.verifyMismatch({ step, target, check, expected, actual, run: unit.run.id }).failure;
}

function outside(unit: UnitSession, difference: string): Failure {
  return errors.planOutdated({
    unit: unit.record.unit,
    differences: [difference],
    command: `/dpu ${unit.run.text}`,
    resume: unit.hasWritten ? unit.run.id : undefined,
  }).failure;
}
