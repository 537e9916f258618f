import { z } from 'zod';
import type { Actor } from '../src/domain/journal.ts';
import { RUN_STREAM } from '../src/domain/journal.ts';
import type { StreamEvent } from '../src/domain/ports.ts';
import { requestCancel } from '../src/domain/policy.ts';
import type { Run } from '../src/domain/run.ts';
import { isEnded } from '../src/domain/run.ts';
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
  return await told(request, run, openNote(run));
}

/** Nothing of it is running any more: it gives back its hosts. Said again after a crash in between, it finishes that. */
async function cancelStopped(request: CommandRequest, before: Run): Promise<Answer> {
  const { context, actor } = request;
  await refuseWhileLeased(request, before);
  const nowMs = context.clock.nowMs();
  const { run, changed } = await context.runs.update(
    before.id,
    (current) => (isEnded(current.state) ? requestCancel(current, actor, nowMs) : undefined),
    () => [requested(actor, 'it had stopped already')],
  );
  if (!isEnded(run.state)) throw nothingToCancel(run);
  const freed: string[] = [];
  for (const unit of Object.keys(run.units)) if (await context.holds.clear(unit, run.id)) freed.push(unit);
  if (!changed && freed.length === 0) throw nothingToCancel(run);
  const gaveBack = freed.length === 0 ? '' : `; it gave back ${freed.join(', ')}`;
  return await told(request, run, `it had stopped already${gaveBack}`);
}

async function told(request: CommandRequest, run: Run, note: string): Promise<Answer> {
  const { context, actor } = request;
  const atMs = context.clock.nowMs();
  const targets = targetsOfRun(run);
  await context.audit.append({ atMs, actor, action: 'cancel', runId: run.id, targets, detail: note });
  await context.notifier.changed(run.id);
  await context.queue.addAdvance({ runId: run.id });
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

async function refuseWhileLeased(request: CommandRequest, run: Run): Promise<void> {
  for (const unit of Object.keys(run.units)) {
    const holder = await request.context.leases.holder(unit);
    if (holder?.runId === run.id) throw errors.unitBusy({ unit, worker: holder.workerId, run: run.id });
  }
}

function nothingToCancel(run: Run): Error {
  const next = `\`/dpu run ${run.id}\` shows it. Nothing was changed.`;
  const state = run.cancel && !isEnded(run.state) ? 'being cancelled already' : run.state;
  return errors.runNotInState({ run: run.id, action: 'cancelled', state, next });
}
