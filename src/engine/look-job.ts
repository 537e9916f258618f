import type { UnitEndState } from '../domain/journal.ts';
import { limitText } from '../domain/limit-text.ts';
import type { Look, LookContext } from '../domain/look.ts';
import type { Failure } from '../domain/outcome.ts';
import type { Run, TargetNote, UnitRecord } from '../domain/run.ts';
import { errors, failureOf } from '../errors.ts';
import type { EngineDeps } from './deps.ts';
import { endsQuietly } from './ends-quietly.ts';
import type { ReportedPiece } from './look-piece.ts';
import { cutText, fileOf, fitPiece } from './look-piece.ts';
import { LookWatch } from './look-watch.ts';
import type { ReadingInput } from './look-context.ts';
import { readingContext } from './look-context.ts';
import { settleUnit } from './settle-unit.ts';
import type { UnitResult } from './unit-outcome.ts';
import { stateOfRefusal } from './unit-outcome.ts';
import { checkInventory, lookOf } from './walk.ts';

/**
 * Carries out the look of a run at one unit and ends the unit with what came of it. Reads only: no lease on the unit, no
 * hold. Ends without a word when another job has the unit or the store does not answer, and throws when its worker stops:
 * the sweeper has the unit looked at again then.
 */
export async function lookAtUnit(deps: EngineDeps, run: Run, record: UnitRecord, signal: AbortSignal): Promise<void> {
  const watch = new LookWatch(deps, run, record);
  try {
    await settleUnit(deps, run, record, await resultOfLook(deps, run, record, watch, signal));
  } finally {
    watch.end();
  }
}

async function resultOfLook(
  deps: EngineDeps,
  run: Run,
  record: UnitRecord,
  watch: LookWatch,
  jobSignal: AbortSignal,
): Promise<UnitResult> {
  const warnings = new Map<string, string[]>();
  let limit: { readonly text: string; readonly look: Look; readonly signal: AbortSignal } | undefined;
  const ended = (state: Exclude<UnitEndState, 'plan-outdated'>, summary: string, failure?: Failure): UnitResult => ({
    kind: 'ended',
    state,
    summary,
    ...(failure && { failure }),
    notes: record.targets.map((target): TargetNote => ({
      target,
      outcome: state,
      warnings: warnings.get(target) ?? [],
    })),
  });
  try {
    await watch.check();
    const look = lookOf(deps, run.recipe, run.recipeVersion);
    const slice = run.slices[record.unit];
    if (slice === undefined) throw errors.bug({ detail: `run ${run.id} has no slice for ${record.unit}` });
    checkInventory(deps, slice);
    const limitMs = deps.devices.clockOf(slice).deadlineMs(look.timeoutMs);
    limit = { look, text: limitText(limitMs), signal: AbortSignal.timeout(Math.ceil(limitMs)) };
    const signal = AbortSignal.any([jobSignal, watch.signal, limit.signal]);
    signal.throwIfAborted();
    return ended('done', await look.run(await contextOf(deps, { run, record, slice, watch, signal, warnings })));
  } catch (error) {
    jobSignal.throwIfAborted();
    if (watch.isSuperseded) return { kind: 'superseded' };
    if (watch.cancelled) return ended('cancelled', watch.cancelled.what, watch.cancelled);
    if (endsQuietly(error)) return { kind: 'superseded' };
    const failure =
      limit?.signal.aborted === true
        ? errors.lookTimeout({ step: limit.look.title, target: record.unit, limit: limit.text, run: run.id }).failure
        : failureOf(error);
    return ended(stateOfRefusal(failure), failure.what, failure);
  }
}

interface LookInput extends ReadingInput {
  readonly watch: LookWatch;
  /** By target; filled by what is reported. */
  readonly warnings: Map<string, string[]>;
}

async function contextOf(deps: EngineDeps, input: LookInput): Promise<LookContext> {
  const { run, record, watch } = input;
  let sign = { text: '', sinceMs: deps.clock.nowMs() };
  return {
    ...(await readingContext(deps, input)),
    progress: async ({ text, ...more }) => {
      await watch.check();
      const updatedAtMs = deps.clock.nowMs();
      if (text !== sign.text) sign = { text, sinceMs: updatedAtMs };
      const place = { step: 'look', target: record.unit, stepIndex: 0, stepCount: 0, updatedAtMs };
      await deps.progress.set(run.id, record.unit, { ...place, ...sign, ...more });
      await deps.notifier.changed(run.id);
    },
    report: async (piece) => {
      await watch.check();
      noteWarnings(input.warnings, piece);
      await journalPiece(deps, run, record, piece);
    },
  };
}

async function journalPiece(deps: EngineDeps, run: Run, record: UnitRecord, piece: ReportedPiece): Promise<void> {
  let fitted = fitPiece(piece);
  if (!fitted.hasAllValues || !fitted.hasAllLines) {
    const file = await deps.artefacts.put(run.id, fileOf(piece, fitted.hasAllValues));
    fitted = fitPiece(piece, file);
  }
  await deps.journal.append(run.id, record.unit, fitted.event);
  await deps.notifier.changed(run.id);
}

const notedWarnings = 5;
const notedCharacters = 300;

/** The record of the run keeps a few of them; all stand in the thread. */
function noteWarnings(noted: Map<string, string[]>, { target, rows = [], warnings = [] }: ReportedPiece): void {
  const known = noted.get(target) ?? [];
  const ofRows = rows.flatMap(({ label, warning }) => (warning === undefined ? [] : [`${label}: ${warning}`]));
  const all = [...known, ...[...ofRows, ...warnings].map((warning) => cutText(warning, notedCharacters))];
  noted.set(target, [...new Set(all)].slice(0, notedWarnings));
}
