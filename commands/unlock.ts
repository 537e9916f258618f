import { z } from 'zod';
import { may } from '../src/domain/policy.ts';
import type { Selection } from '../src/domain/target-expression.ts';
import { resolveTargets } from '../src/domain/targets.ts';
import type { Hold, Lock } from '../src/domain/ports.ts';
import { hostsOf, unitOfHost } from '../src/domain/run.ts';
import type { Run } from '../src/domain/run.ts';
import { errors } from '../src/errors.ts';
import { textAnswer } from '../src/report/answers.ts';
import { plainList } from '../src/report/text.ts';
import { unlockedAnswer } from '../src/report/lock-answers.ts';
import type { Answer } from '../src/report/message.ts';
import { Switch } from './arguments.ts';
import { Target, selectionFlags, selectionShape } from './selection.ts';
import type { CommandRequest } from './define.ts';
import { defineCommand } from './define.ts';
import { hostsNamed } from './hosts-named.ts';
import { refuseWithout } from './rights.ts';

/**
 * Takes a lock off, whoever has set it: who may work on the fleet may say that the reason is over, and the record says who
 * did. With `--force` it takes a host from the run that holds it: the way out when that run will never be finished.
 */
export const unlock = defineCommand({
  name: 'unlock',
  summary: 'take a lock off, or take a host from a run that will not be finished',
  positionals: [{ name: 'target', about: 'a rack, host or DPU, or several as for provision; with --force one host' }],
  flags: [
    { name: 'force', kind: 'switch', about: 'take it from the run that holds it; its cards may be half changed' },
    ...selectionFlags,
  ],
  examples: ['/dpu unlock host-07', '/dpu unlock host-07 --force'],
  arguments: z.object({ target: Target, force: Switch, ...selectionShape }),
  who: 'anyone',
  whoText: 'who may operate or administer; `--force` needs the right to administer',
  changes: true,
  fresh: true,
  async run(request, args) {
    const isAdministrator = may(request.context.inventory(), request.roles, 'administer');
    if (args.force) refuseWithout(request, 'administer', 'use `/dpu unlock --force`');
    else if (!isAdministrator) refuseWithout(request, 'operate', 'use `/dpu unlock`');
    if (!args.force) return await takeLocksOff(request, args);
    refuseSlice(args);
    return await takeFromRun(request, args.target);
  },
});

function refuseSlice({ only, except }: Selection): void {
  if (only === undefined && except === undefined) return;
  throw errors.commandInvalid({
    what: '`--force` takes one host, without `--only` and `--except`.',
    why: 'Its cards may be half changed, so each host is taken from its run by name.',
    next: 'Name the one host. Nothing was changed.',
  });
}

/** Of two people who do so at once, each is told of the locks that they took off themselves. */
async function takeLocksOff(request: CommandRequest, selection: Selection): Promise<Answer> {
  const { context, actor } = request;
  const hosts = await hostsNamed(request, selection);
  const locks: Lock[] = [];
  for (const host of hosts) {
    const taken = await context.locks.clear(host);
    if (taken === undefined) continue;
    locks.push(taken);
    const { by, reason, sinceMs } = taken;
    await context.audit.append({
      atMs: context.clock.nowMs(),
      actor,
      action: 'unlock',
      targets: [host],
      detail: `locked by ${by.displayName} (${by.userId}) since ${new Date(sinceMs).toISOString()}: ${reason}`,
    });
  }
  const holds = (await context.holds.all()).filter(({ unit }) => hosts.includes(unit));
  if (locks.length === 0) throw await nothingLocked(request, wordOf(selection, hosts), hosts, holds);
  return unlockedAnswer(locks, holds, actor.userId);
}

/** A slice is told by its hosts: of the others of its target nothing is said. */
function wordOf({ target, only, except }: Selection, hosts: readonly string[]): string {
  return only === undefined && except === undefined ? target : `what is left of ${target} (${plainList(hosts)})`;
}

/** Says what keeps others off these hosts instead of a lock. */
async function nothingLocked(
  request: CommandRequest,
  word: string,
  hosts: readonly string[],
  holds: readonly Hold[],
): Promise<Error> {
  const { context } = request;
  const [hold, ...others] = holds;
  if (hold !== undefined) {
    const run = await context.runs.get(hold.runId);
    const more = hosts.length === 1 ? await othersHeld(request, run, hold) : others.map(({ unit }) => unit);
    return forceNeeded(hold, more);
  }
  for (const host of hosts) {
    const holder = await context.leases.holder(host);
    if (holder) return errors.unitBusy({ unit: host, worker: holder.workerId, run: holder.runId });
  }
  return notHeld(hosts.length === 1 ? (hosts[0] ?? word) : word);
}

async function takeFromRun(request: CommandRequest, word: string): Promise<Answer> {
  const { context, actor } = request;
  const unit = unitOf(request, word);
  const hold = await context.holds.get(unit);
  if (!hold) throw notHeld(unit, await context.locks.get(unit));
  const run = await context.runs.get(hold.runId);
  const others = await othersHeld(request, run, hold);
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
  const text = `${unit} is free again; run ${hold.runId} no longer holds it. Its cards may be half changed.`;
  const more = others.length === 0 ? '' : ` The other end, ${others.join(', ')}, is still held by that run.`;
  const lock = await context.locks.get(unit);
  const locked = lock === undefined ? '' : ` It is still locked by ${lock.by.displayName}: ${lock.reason}`;
  return textAnswer(`${text}${more}${locked}`);
}

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

/** Of a pair, the run may hold the other host too. */
async function othersHeld(request: CommandRequest, run: Run | undefined, hold: Hold): Promise<readonly string[]> {
  const unit = run && unitOfHost(run, hold.unit);
  const others: string[] = [];
  for (const host of unit ? hostsOf(unit) : [])
    if (host !== hold.unit && (await request.context.holds.get(host))?.runId === hold.runId) others.push(host);
  return others;
}

async function raiseGeneration(request: CommandRequest, hold: Hold): Promise<void> {
  const run = await request.context.runs.get(hold.runId);
  if (!run) return;
  await request.context.runs.update(hold.runId, (current) => {
    const unit = unitOfHost(current, hold.unit);
    if (!unit) return undefined;
    return { ...current, units: { ...current.units, [unit.unit]: { ...unit, generation: unit.generation + 1 } } };
  });
}

function notHeld(hosts: string, lock?: Lock): Error {
  if (lock)
    return errors.commandInvalid({
      what: `${hosts} is not held by a run; ${lock.by.displayName} has locked it: ${lock.reason}`,
      why: '--force is for hosts that a run has begun to change and has not finished.',
      next: `\`/dpu unlock ${hosts}\` takes the lock off. Nothing was changed.`,
    });
  return errors.commandInvalid({
    what: `${hosts} is not held, and not locked either.`,
    why: 'No run has begun to change it without finishing, and nobody has locked it.',
    next: 'Nothing to do. Nothing was changed.',
  });
}

function forceNeeded(hold: Hold, others: readonly string[]): Error {
  const more = others.length === 0 ? '' : ` It holds ${others.join(', ')} as well.`;
  return errors.commandInvalid({
    what: `${hold.unit} is held by run ${hold.runId} (${hold.by}, since ${new Date(hold.sinceMs).toISOString()}).`,
    why: `That run has begun to change it and has not finished, so its cards may be half changed.${more}`,
    next: `Better: \`/dpu resume ${hold.runId}\` or \`/dpu cancel ${hold.runId}\`. To take it anyway: \`/dpu unlock ${hold.unit} --force\`.`,
  });
}
