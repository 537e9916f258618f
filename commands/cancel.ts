import { z } from 'zod';
import { recipesThatCleanUp } from '../jobs/payloads.ts';
import type { Actor } from '../src/domain/journal.ts';
import { RUN_STREAM } from '../src/domain/journal.ts';
import type { StreamEvent } from '../src/domain/ports.ts';
import { requestCancel, requestCleanUp } from '../src/domain/policy.ts';
import type { Run } from '../src/domain/run.ts';
import { hostsOf, isEnded, isUnitEnded } from '../src/domain/run.ts';
import { errors } from '../src/errors.ts';
import type { Answer } from '../src/report/message.ts';
import { textAnswer } from '../src/report/answers.ts';
import {
  Generation,
  RunNumber,
  generationFlag,
  refuseOldButton,
  runOf,
  runPositional,
  targetsOfRun,
} from './arguments.ts';
import type { CommandRequest } from './define.ts';
import { defineCommand } from './define.ts';

/**
 * Stops a run between two steps, a measurement at once. A run that had stopped by itself is ended for good and gives its hosts
 * back, as soon as nothing of it is left there.
 */
export const cancel = defineCommand({
  name: 'cancel',
  summary: 'stop a run between two steps, or give back the hosts of a run that has stopped',
  positionals: [runPositional],
  flags: [generationFlag],
  examples: ['/dpu cancel 418'],
  arguments: z.object({ run: RunNumber, generation: Generation.optional() }),
  who: 'operate',
  changes: true,
  async run(request, args) {
    const before = await runOf(request.context, args.run);
    refuseOldButton(before, 'cancelled', args.generation);
    return isEnded(before.state) ? await cancelStopped(request, before) : await cancelOpen(request, before);
  },
});

/** The engine sees the flag between two steps. */
async function cancelOpen(request: CommandRequest, before: Run): Promise<Answer> {
  const { context, actor } = request;
  const nowMs = context.clock.nowMs();
  const { run, changed } = await context.runs.update(
    before.id,
    // A run that ends in between is looked at again by the person, not silently treated as a stopped one.
    (current) => (isEnded(current.state) ? undefined : requestCancel(current, actor, nowMs)),
    (_before, after) => [requested(actor, openNote(after))],
  );
  if (!changed) throw nothingToCancel(run);
  const note = openNote(run);
  await record(request, run, note);
  return answerOf(request, run, note);
}

async function cancelStopped(request: CommandRequest, before: Run): Promise<Answer> {
  const { run, note } = await endStopped(request, before);
  return answerOf(request, run, note);
}

/**
 * Ends a run for good that has stopped: nothing of it is running any more, and it gives back its hosts; one that cleans up
 * does that first, and keeps them until then. Said again after a crash in between, it finishes that. Errors: unit-busy,
 * run-not-in-state.
 */
export async function endStopped(
  request: CommandRequest,
  before: Run,
): Promise<{ readonly run: Run; readonly note: string }> {
  const { context, actor } = request;
  await refuseWhileLeased(request, before);
  const held = await heldBy(request, before);
  if (recipesThatCleanUp.has(before.recipe) && held.length > 0) return cleanUpStopped(request, before, held);
  const holds = held.length > 0;
  const nowMs = context.clock.nowMs();
  const { run, changed } = await context.runs.update(
    before.id,
    (current) =>
      isEnded(current.state) ? (requestCancel(current, actor, nowMs) ?? givenUp(current, holds)) : undefined,
    (was, after) => (was.state === after.state ? [] : [requested(actor, 'it had stopped already')]),
  );
  if (!isEnded(run.state)) throw nothingToCancel(run);
  const freed: string[] = [];
  for (const host of Object.values(run.units).flatMap(hostsOf))
    if (await context.holds.clear(host, run.id)) freed.push(host);
  if (!changed && freed.length === 0) throw nothingToCancel(run);
  const gaveBack = freed.length === 0 ? '' : `; it gave back ${freed.join(', ')}`;
  const note = `it had stopped already${gaveBack}`;
  await record(request, run, note);
  return { run, note };
}

/** What a cancel leaves behind, whichever kind it was. */
async function record(request: CommandRequest, run: Run, note: string): Promise<void> {
  const { context, actor } = request;
  const atMs = context.clock.nowMs();
  const targets = targetsOfRun(run);
  await context.audit.append({ atMs, actor, action: 'cancel', runId: run.id, targets, detail: note });
  await context.notifier.changed(run.id);
  await context.queue.addAdvance({ runId: run.id });
}

function answerOf(request: CommandRequest, run: Run, note: string): Answer {
  return request.invocation.source === 'button' ? undefined : textAnswer(`Run ${run.id}: ${note}.`);
}

function requested(by: Actor, note: string): StreamEvent {
  return { unit: RUN_STREAM, event: { type: 'cancel-requested', by, note } };
}

function openNote(run: Run): string {
  const busy = Object.values(run.units).filter((unit) => unit.state === 'running');
  const units = Object.values(run.units).filter((unit) => unit.startedAtMs !== undefined && !isUnitEnded(unit.state));
  if (recipesThatCleanUp.has(run.recipe) && units.length > 0)
    return `the work on ${units.map(({ unit }) => unit).join(', ')} is broken off, and what it has added is taken away`;
  return busy.length === 0
    ? 'nothing is running, it stops at once'
    : `the running step on ${busy.map((unit) => unit.unit).join(', ')} ends first, then it stops`;
}

/** A run that was cancelled while it was at work keeps its hosts, and gives them up only now. */
function givenUp(run: Run, holds: boolean): Run | undefined {
  return run.state === 'cancelled' && holds && !run.givenUp ? { ...run, givenUp: true } : undefined;
}

/** A worker takes away what is left on the units that still have a host of theirs; the engine then gives them back. */
async function cleanUpStopped(
  request: CommandRequest,
  before: Run,
  held: readonly string[],
): Promise<{ readonly run: Run; readonly note: string }> {
  const { context, actor } = request;
  const left = Object.values(before.units).filter((unit) => hostsOf(unit).some((host) => held.includes(host)));
  const names = left.map(({ unit }) => unit);
  const note = `it had stopped already; what it had added to ${names.join(', ')} is taken away, then it gives back ${held.join(', ')}`;
  const nowMs = context.clock.nowMs();
  const { run, changed } = await context.runs.update(
    before.id,
    (current) => (isEnded(current.state) ? requestCleanUp(current, names, actor, nowMs) : undefined),
    () => [requested(actor, note)],
  );
  if (!changed) throw nothingToCancel(run);
  await record(request, run, note);
  return { run, note };
}

/** Hosts that the run has not given back. */
async function heldBy({ context }: CommandRequest, run: Run): Promise<readonly string[]> {
  const held: string[] = [];
  for (const host of Object.values(run.units).flatMap(hostsOf))
    if ((await context.holds.get(host))?.runId === run.id) held.push(host);
  return held;
}

async function refuseWhileLeased(request: CommandRequest, run: Run): Promise<void> {
  for (const unit of Object.values(run.units).flatMap(hostsOf)) {
    const holder = await request.context.leases.holder(unit);
    if (holder?.runId === run.id) throw errors.unitBusy({ unit, worker: holder.workerId, run: run.id });
  }
}

function nothingToCancel(run: Run): Error {
  const next = `\`/dpu run ${run.id}\` shows it. Nothing was changed.`;
  const state = run.cancel && !isEnded(run.state) ? 'being cancelled already' : run.state;
  return errors.runNotInState({ run: run.id, action: 'cancelled', state, next });
}
