import type { Change, Failure, StepOutcome, Verdict } from '../domain/outcome.ts';
import { outsideEnvelope } from '../domain/plan.ts';
import type { ApplyContext, ApplyResult, ObserveContext, RecipeStep, Unmet } from '../domain/step.ts';
import { errors, failureOf } from '../errors.ts';
import { endsQuietly } from './ends-quietly.ts';
import type { UnitSession } from './unit-session.ts';
import type { CardState } from './walk.ts';
import { observeContext, unmetNeed } from './walk.ts';

/** Evidence in the journal is cut to this many characters; the redacted rest stands in the logs. */
const evidenceMax = 900;

/**
 * Carries out one step on one target in the house order: needs, observe, diff, compare with the approval, intent, apply,
 * wait, verify, done. All control flow is here; steps have none. Throws only what ends the unit without a word: an
 * aborted signal, a lost lease, a Redis that does not answer.
 */
export async function runStep(
  unit: UnitSession,
  entry: RecipeStep,
  target: string,
  card: CardState,
): Promise<StepOutcome> {
  const { step } = entry;
  const clock = unit.deps.devices.clockOf(unit.slice);
  const limitMs = clock.deadlineMs(step.timeoutMs);
  const limit = AbortSignal.timeout(Math.ceil(limitMs));
  const context = observeContext(unit.deps, {
    runId: unit.run.id,
    slice: unit.slice,
    card,
    host: unit.host,
    signal: AbortSignal.any([unit.signal, limit]),
    actions: unit.actionsOf(step.name, target),
  });
  const skip = entry.skip?.(context);
  if (skip !== undefined) return { kind: 'satisfied', reason: skip };
  await unit.append({ type: 'step-started', step: step.name, target, title: step.title, limitMs });
  await unit.progress({ step: step.name, target, text: step.title, sinceMs: unit.deps.clock.nowMs(), limitMs });
  const startMs = unit.deps.clock.nowMs();
  let outcome: StepOutcome;
  try {
    outcome = await lookAndAct(unit, entry, target, card, context);
  } catch (error) {
    unit.signal.throwIfAborted();
    if (endsQuietly(error)) throw error;
    const thrown = limit.aborted ? timedOut(unit, step.name, target, limitMs) : failureOf(error);
    const failure = withActs(thrown, unit, step.name, target);
    outcome = { kind: failure.kind === 'needs-human' ? 'needs-human' : 'failed', failure };
  }
  await journalOutcome(unit, step.name, target, outcome, unit.deps.clock.nowMs() - startMs);
  return outcome;
}

async function lookAndAct(
  unit: UnitSession,
  entry: RecipeStep,
  target: string,
  card: CardState,
  context: ObserveContext,
): Promise<StepOutcome> {
  const { step } = entry;
  const params = step.params.parse(entry.params(context));
  const unmet = await unmetNeed(unit.recipe, step, context);
  if (unmet) return whenUnmet(unmet);
  const observed = await step.observe(context, params);
  const serial = step.serial?.(observed, context.dpu);
  if (serial !== undefined) card.serial = serial;
  const diff = step.diff(observed, params, context.dpu);
  switch (diff.kind) {
    case 'satisfied':
      return { kind: 'satisfied', reason: diff.reason };
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
  const result: ApplyResult = await step.apply(
    applyContext(unit, step.name, target, context),
    diff.changes,
    params,
    observed,
  );
  if (result.kind === 'waiting') return result;
  const verdicts = (await step.verify?.(context, params)) ?? [];
  const wrong = verdicts.find((verdict) => !verdict.pass);
  if (wrong) return { kind: 'needs-human', failure: mismatch(unit, step.name, target, wrong) };
  return { kind: 'applied', reason: textOf(diff.changes), verdicts };
}

function applyContext(unit: UnitSession, step: string, target: string, context: ObserveContext): ApplyContext {
  const { deps } = unit;
  return {
    ...context,
    host: unit.host,
    bmc: deps.devices.bmc,
    pins: deps.devices.pins,
    credentials: deps.devices.credentials,
    escrow: deps.devices.escrow,
    random: deps.devices.random,
    act: async ({ name, text, before }, fn) => {
      await unit.beforeWrite();
      await unit.append({
        type: 'intent',
        step,
        target,
        action: name,
        text,
        ...(before === undefined ? {} : { before }),
      });
      const { evidence, value } = await fn();
      await unit.append({ type: 'done', step, target, action: name, evidence: evidence.slice(0, evidenceMax) });
      return value;
    },
    progress: async ({ sinceMs, ...sign }) =>
      unit.progress({ step, target, ...sign, sinceMs: sinceMs ?? deps.clock.nowMs() }),
  };
}

async function journalOutcome(
  unit: UnitSession,
  step: string,
  target: string,
  outcome: StepOutcome,
  tookMs: number,
): Promise<void> {
  switch (outcome.kind) {
    case 'satisfied':
      return unit.append({ type: 'step-satisfied', step, target, reason: outcome.reason });
    case 'applied':
      return unit.append({
        type: 'step-applied',
        step,
        target,
        reason: outcome.reason,
        verdicts: outcome.verdicts,
        tookMs,
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
  return errors.stepTimeout({ step, target, limit: `${Math.round(limitMs / 1000)} s`, run: unit.run.id }).failure;
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
