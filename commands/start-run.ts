import type { Inventory } from '../src/domain/inventory.ts';
import { sliceHash, sliceOf } from '../src/domain/inventory.ts';
import { RUN_STREAM } from '../src/domain/journal.ts';
import type { NewRun } from '../src/domain/ports.ts';
import type { Run, UnitRecord } from '../src/domain/run.ts';
import type { TargetUnit } from '../src/domain/targets.ts';
import { resolveTargets } from '../src/domain/targets.ts';
import { errors } from '../src/errors.ts';
import type { CommandRequest } from './define.ts';

/** What a command wants done: a recipe on the rack, host or DPU that a word names. */
export interface RunWish {
  readonly recipe: string;
  readonly recipeVersion: number;
  readonly params: Readonly<Record<string, unknown>>;
  readonly target: string;
  readonly planOnly: boolean;
}

/**
 * Creates a run in `planning` and asks a worker to look at it. Everything that the run needs of the inventory is frozen
 * into it. Errors, each before anything is stored: halted, command-invalid (channel), not-in-channel, target-unknown,
 * bmc-address-auto.
 */
export async function startRun(request: CommandRequest, wish: RunWish): Promise<Run> {
  const { context, invocation, actor } = request;
  const inventory = context.inventory();
  checkChannel(inventory, request);
  await refuseWhenHalted(request);
  const units = targetsOf(inventory, wish.target);
  refuseAutoBmc(inventory, units);
  if (!(await context.directory.canPost(invocation.channel)))
    throw errors.notInChannel({ channel: channelShown(request) });

  const run = await context.runs.create(newRun(request, inventory, wish, units), () => [
    { unit: RUN_STREAM, event: { type: 'run-created', by: actor, text: request.line } },
  ]);
  await context.audit.append({
    atMs: run.createdAtMs,
    actor,
    action: wish.planOnly ? `${wish.recipe} --plan` : wish.recipe,
    runId: run.id,
    targets: units.flatMap((unit) => unit.dpus),
    detail: request.line,
  });
  await context.notifier.changed(run.id);
  // A lost add is repeated by the sweeper: the run is stored in `planning`, and adding is idempotent.
  await context.queue.addAdvance({ runId: run.id });
  return run;
}

/** Errors: halted. */
export async function refuseWhenHalted(request: CommandRequest): Promise<void> {
  const halt = await request.context.halt.get();
  if (halt) throw errors.halted({ by: halt.by, reason: halt.reason });
}

/** Units that a word names. Errors: target-unknown, command-invalid when it names nothing. */
function targetsOf(inventory: Inventory, word: string): readonly TargetUnit[] {
  const result = resolveTargets(inventory, word);
  if (result.ok && result.units.some((unit) => unit.dpus.length > 0)) return result.units;
  if (!result.ok && result.reason === 'unknown')
    throw errors.targetUnknown({ target: word, suggestion: result.suggestion });
  throw errors.commandInvalid({
    what: `"${word}" names no card.`,
    why: 'An empty selection is never taken for "all".',
    next: 'Give the name of a rack, host or DPU. Nothing was started.',
  });
}

function newRun(request: CommandRequest, inventory: Inventory, wish: RunWish, units: readonly TargetUnit[]): NewRun {
  const slices = units.map((unit) => sliceOf(inventory, unit.host));
  const { policy } = inventory;
  return {
    recipe: wish.recipe,
    recipeVersion: wish.recipeVersion,
    params: wish.params,
    text: request.line,
    requester: request.actor,
    channel: request.invocation.channel,
    createdAtMs: request.context.clock.nowMs(),
    state: 'planning',
    planOnly: wish.planOnly,
    simulated: slices.some((slice) => slice.simulated),
    slices: Object.fromEntries(slices.map((slice) => [slice.name, slice])),
    sliceHashes: Object.fromEntries(slices.map((slice) => [slice.name, sliceHash(slice)])),
    units: Object.fromEntries(units.map((unit) => [unit.host, newUnit(inventory, unit)])),
    waves: [],
    waveIndex: 0,
    maxFailures: 0,
    approvalMinutes: policy.approvalMinutes,
    startByMinutes: policy.startByMinutes,
    waveSpec: policy.waves,
  };
}

function newUnit(inventory: Inventory, unit: TargetUnit): UnitRecord {
  const site = inventory.hosts[unit.host]?.site ?? '';
  return { unit: unit.host, site, targets: unit.dpus, state: 'planning', generation: 0 };
}

/** Fixed for now: the short recipe has no login on the card with which `auto` could be found. */
function refuseAutoBmc(inventory: Inventory, units: readonly TargetUnit[]): void {
  for (const unit of units)
    for (const dpu of inventory.hosts[unit.host]?.dpus ?? [])
      if (unit.dpus.includes(dpu.name) && dpu.bmc.address === 'auto') throw errors.bmcAddressAuto({ target: dpu.name });
}

function checkChannel(inventory: Inventory, { invocation }: CommandRequest): void {
  const { channels } = inventory;
  const name = invocation.channelName === undefined ? undefined : `#${invocation.channelName}`;
  const allowed = channels.length === 0 || channels.some((entry) => entry === invocation.channel || entry === name);
  if (allowed) return;
  throw errors.commandInvalid({
    what: 'Runs are not started from this channel.',
    why: `The inventory names the channels for it: ${channels.join(', ')}.`,
    next: 'Give the command there. Nothing was started.',
  });
}

function channelShown({ invocation }: CommandRequest): string {
  return invocation.channelName === undefined ? invocation.channel : `#${invocation.channelName}`;
}
