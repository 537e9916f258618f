import { z } from 'zod';
import { resolveTargets } from '../src/domain/targets.ts';
import type { Hold } from '../src/domain/ports.ts';
import { errors } from '../src/errors.ts';
import { textAnswer } from '../src/report/answers.ts';
import { Switch, Target } from './arguments.ts';
import type { CommandRequest } from './define.ts';
import { defineCommand } from './define.ts';

/** Takes a host from the run that holds it. The way out when that run will never be finished. */
export const unlock = defineCommand({
  name: 'unlock',
  summary: 'take a host from the run that holds it, when that run will not be finished',
  positionals: [{ name: 'host', about: 'the name of a host' }],
  flags: [{ name: 'force', kind: 'switch', required: true, about: 'the cards may be half changed' }],
  examples: ['/dpu unlock host-07 --force'],
  arguments: z.object({ host: Target, force: Switch }),
  who: 'administer',
  changes: true,
  fresh: true,
  async run(request, args) {
    const { context, actor } = request;
    const unit = unitOf(request, args.host);
    const hold = await context.holds.get(unit);
    if (!hold) throw notHeld(unit);
    if (!args.force) throw forceNeeded(hold);
    const holder = await context.leases.holder(unit);
    if (holder) throw errors.unitBusy({ unit, worker: holder.workerId, run: holder.runId });
    // Generation first: a job of the old one that wakes up in between ends silently instead of taking the hold again.
    await raiseGeneration(request, hold);
    await context.holds.clear(unit, hold.runId);
    await context.audit.append({
      atMs: context.clock.nowMs(),
      actor,
      action: 'unlock --force',
      runId: hold.runId,
      targets: [unit],
      detail: `held by run ${hold.runId} (${hold.by}) since ${new Date(hold.sinceMs).toISOString()}`,
    });
    await context.notifier.changed(hold.runId);
    await context.queue.addAdvance({ runId: hold.runId });
    return textAnswer(`${unit} is free again; run ${hold.runId} no longer holds it. Its cards may be half changed.`);
  },
});

/** Only hosts are held; a rack or a card is told whose host is meant. */
function unitOf(request: CommandRequest, word: string): string {
  const found = resolveTargets(request.context.inventory(), word);
  if (!found.ok) {
    const suggestion = found.reason === 'unknown' ? found.suggestion : undefined;
    throw errors.targetUnknown({ target: word, suggestion });
  }
  if (found.what === 'host') return found.name;
  const belongs = `${found.what === 'rack' ? 'Its hosts' : 'Its host'}: ${found.units.map((unit) => unit.host).join(', ')}`;
  throw errors.commandInvalid({
    what: `"${word}" is a ${found.what === 'rack' ? 'rack' : 'DPU'}, not a host.`,
    why: `Only hosts are held. ${belongs}.`,
    next: 'Name the one host. Nothing was changed.',
  });
}

async function raiseGeneration(request: CommandRequest, hold: Hold): Promise<void> {
  const run = await request.context.runs.get(hold.runId);
  if (!run) return;
  await request.context.runs.update(hold.runId, (current) => {
    const unit = current.units[hold.unit];
    if (!unit) return undefined;
    return { ...current, units: { ...current.units, [hold.unit]: { ...unit, generation: unit.generation + 1 } } };
  });
}

function notHeld(unit: string): Error {
  return errors.commandInvalid({
    what: `${unit} is not held.`,
    why: 'No run has begun to change it without finishing.',
    next: 'Nothing to do. Nothing was changed.',
  });
}

function forceNeeded(hold: Hold): Error {
  return errors.commandInvalid({
    what: `${hold.unit} is held by run ${hold.runId} (${hold.by}, since ${new Date(hold.sinceMs).toISOString()}).`,
    why: 'That run has begun to change it and has not finished, so its cards may be half changed.',
    next: `Better: \`/dpu resume ${hold.runId}\` or \`/dpu cancel ${hold.runId}\`. To take it anyway: \`/dpu unlock ${hold.unit} --force\`.`,
  });
}
