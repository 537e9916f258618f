import type { Failure } from '../domain/outcome.ts';
import type { RecipeStep } from '../domain/step.ts';
import { errors, failureOf } from '../errors.ts';
import { endsQuietly } from './ends-quietly.ts';
import { applyContext, stepContext } from './step-context.ts';
import type { UnitSession } from './unit-session.ts';
import type { CardState } from './walk.ts';
import { placesOf, recipeTarget } from './walk.ts';

/**
 * Takes away what this run has added to the unit, the last first. One step that cannot be undone does not keep the others
 * from it; then the failure names what is left. Done again, it finds nothing to do. Throws only what ends the unit without a
 * word.
 */
export async function cleanUp(unit: UnitSession, cards: readonly CardState[]): Promise<Failure | undefined> {
  const left: { readonly what: string; readonly failure: Failure }[] = [];
  for (const entry of unit.recipe.steps.toReversed()) {
    if (entry.step.undo === undefined) continue;
    for (const { target, card } of placesOf(entry.step.scope, unit.record, cards).toReversed()) {
      if (unit.actionsOf(entry.step.name, target).length === 0) continue;
      const failure = await undo(unit, entry, target, card, cards);
      if (failure) left.push({ what: `${entry.step.title} (${target})`, failure });
    }
  }
  const [first] = left;
  if (first === undefined) return undefined;
  const what = left.map((one) => one.what).join(', ');
  const { failure } = first;
  const why = `${failure.what} ${failure.why}`;
  return errors.cleanUpFailed({ unit: unit.record.unit, left: what, why, run: unit.run.id }).failure;
}

async function undo(
  unit: UnitSession,
  entry: RecipeStep,
  target: string,
  card: CardState,
  cards: readonly CardState[],
): Promise<Failure | undefined> {
  const { step } = entry;
  const clock = unit.deps.devices.clockOf(card.slice);
  const limitMs = clock.deadlineMs(step.timeoutMs);
  const name = `undo-${step.name}`;
  const startMs = unit.deps.clock.nowMs();
  await unit.append({ type: 'step-started', step: name, target, title: `Clear away: ${step.title}`, limitMs });
  try {
    const signal = AbortSignal.any([unit.signal, AbortSignal.timeout(Math.ceil(limitMs))]);
    const context = stepContext(unit, step, target, card, cards, signal);
    const params = step.params.parse(entry.params(recipeTarget(context, unit.run.params)));
    await step.undo?.(applyContext(unit, step.name, target, context, cards), params);
  } catch (error) {
    unit.signal.throwIfAborted();
    if (endsQuietly(error)) throw error;
    const failure = failureOf(error);
    await unit.append({ type: 'step-failed', step: name, target, outcome: 'needs-human', failure });
    return failure;
  }
  const tookMs = unit.deps.clock.nowMs() - startMs;
  await unit.append({ type: 'step-applied', step: name, target, reason: 'cleared away', verdicts: [], tookMs });
  return undefined;
}
