import type { JournalEntry } from '../domain/journal.ts';
import type { Failure } from '../domain/outcome.ts';
import type { UnitRecord } from '../domain/run.ts';
import { hostsOf } from '../domain/run.ts';
import type { Recipe, RecipeStep, Step } from '../domain/step.ts';
import { errors, failureOf } from '../errors.ts';
import { ActionLog, undoName } from './action-log.ts';
import { endsQuietly } from './ends-quietly.ts';
import { applyContext, stepContext } from './step-context.ts';
import type { Tally } from './unit-outcome.ts';
import { walkEndOf } from './unit-outcome.ts';
import type { UnitSession } from './unit-session.ts';
import type { CardState, Place } from './walk.ts';
import { placesOf, recipeTarget } from './walk.ts';

/** What a run that cleans up has added to a unit and not taken away: titles of steps with their targets. `past`: its journal. */
export function leftBehind(
  recipe: Recipe | undefined,
  record: UnitRecord,
  past: readonly JournalEntry[],
): readonly string[] {
  if (recipe?.onFailure !== 'cleanup') return [];
  const actions = new ActionLog(past);
  return recipe.steps.flatMap(({ step }) =>
    step.undo === undefined
      ? []
      : targetsOf(step, record)
          .filter((target) => actions.of(step.name, target).length > 0)
          .map((target) => leftText(step, target)),
  );
}

/** How a unit ends that cannot even be opened: with that, or, where something of the run is left there, with what is left. */
export function withLeft(failure: Failure, unit: string, left: readonly string[], run: number): Failure {
  if (left.length === 0) return failure;
  return errors.cleanUpFailed({ unit, left: left.join(', '), why: `${failure.what} ${failure.why}`, run }).failure;
}

function targetsOf({ scope }: Step, record: UnitRecord): readonly string[] {
  switch (scope) {
    case 'host':
      return hostsOf(record);
    case 'dpu':
      return record.targets;
    case 'pair':
      return [record.unit];
  }
}

/**
 * Takes away what this run has added to the unit, the last first; how the walk has ended is written down before. One step that
 * cannot be undone does not keep the others from it; then the failure names what is left. Done again, it finds nothing to
 * do. Throws only what ends the unit without a word.
 */
export async function cleanUp(
  unit: UnitSession,
  cards: readonly CardState[],
  tally: Tally,
): Promise<Failure | undefined> {
  const due = unit.recipe.steps.toReversed().flatMap((entry) =>
    placesOf(entry.step.scope, unit.record, cards)
      .toReversed()
      .filter(({ target }) => entry.step.undo && unit.actionsOf(entry.step.name, target).length > 0)
      .map((place) => ({ entry, place })),
  );
  if (due.length === 0) return undefined;
  await unit.noteEnd(walkEndOf(tally));
  for (const card of cards) learnSerial(unit, card);
  const left: { readonly what: string; readonly failure: Failure }[] = [];
  for (const { entry, place } of due) {
    const failure = await undoStep(unit, entry, place);
    if (failure) left.push({ what: leftText(entry.step, place.target), failure });
  }
  const [first] = left;
  if (first === undefined) return undefined;
  return withLeft(
    first.failure,
    unit.record.unit,
    left.map((one) => one.what),
    unit.run.id,
  );
}

/** A walk that ended early has not looked who the cards are; its plan has. */
function learnSerial(unit: UnitSession, card: CardState): void {
  const { name, serial: listed } = card.dpu;
  const planned = unit.plan.steps.find((step) => step.target === name && step.serial !== undefined)?.serial;
  const serial = card.serial ?? planned ?? listed;
  if (serial !== undefined) card.serial = serial;
}

/** Undoes what one step has done at one place. Returns why it could not. */
export async function undoStep(
  unit: UnitSession,
  entry: RecipeStep,
  { target, card, cards }: Place,
): Promise<Failure | undefined> {
  const { step } = entry;
  const clock = unit.deps.devices.clockOf(card.slice);
  const limitMs = clock.stepLimitMs(step.timeoutMs);
  const name = undoName(step.name);
  const startMs = unit.deps.clock.nowMs();
  const title = `Clear away: ${step.title}`;
  await unit.append({ type: 'step-started', step: name, target, title, limitMs });
  await unit.progress({ step: name, target, text: title, sinceMs: startMs, limitMs });
  try {
    const signal = AbortSignal.any([unit.signal, AbortSignal.timeout(Math.ceil(limitMs))]);
    const context = stepContext(unit, step, target, card, cards, signal);
    const params = step.params.parse(entry.params(recipeTarget(context, unit.run.params)));
    // It is not broken off: that a person has cancelled is why it is done.
    const checkpoint = async (): Promise<void> => Promise.resolve(unit.signal.throwIfAborted());
    await step.undo?.({ ...applyContext(unit, step.name, target, context, cards), checkpoint }, params);
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

function leftText({ title }: Step, target: string): string {
  return `${title} (${target})`;
}
