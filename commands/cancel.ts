import { z } from 'zod';
import type { Actor } from '../src/domain/journal.ts';
import { RUN_STREAM } from '../src/domain/journal.ts';
import type { StreamEvent } from '../src/domain/ports.ts';
import { requestCancel } from '../src/domain/policy.ts';
import type { Run } from '../src/domain/run.ts';
import { hostsOf, isEnded } from '../src/domain/run.ts';
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

/** Stops a run between two steps. A run that had stopped by itself is ended for good and gives its hosts back. */
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
 * Ends a run for good that has stopped: nothing of it is running any more, and it gives back its hosts. Said again after a
 * crash in between, it finishes that. Errors: unit-busy, run-not-in-state.
 */
export async function endStopped(
  request: CommandRequest,
  before: Run,
): Promise<{ readonly run: Run; readonly note: string }> {
  const { context, actor } = request;
  await refuseWhileLeased(request, before);
  const holds = await holdsAny(request, before);
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
  return busy.length === 0
    ? 'nothing is running, it stops at once'
    : `the running step on ${busy.map((unit) => unit.unit).join(', ')} ends first, then it stops`;
}

/** A run that was cancelled while it was at work keeps its hosts, and gives them up only now. */
function givenUp(run: Run, holds: boolean): Run | undefined {
  return run.state === 'cancelled' && holds && !run.givenUp ? { ...run, givenUp: true } : undefined;
}

async function holdsAny({ context }: CommandRequest, run: Run): Promise<boolean> {
  for (const host of Object.values(run.units).flatMap(hostsOf))
    if ((await context.holds.get(host))?.runId === run.id) return true;
  return false;
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
