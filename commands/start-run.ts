import type { Inventory } from '../src/domain/inventory.ts';
import { pairOf, sliceHash, sliceOf } from '../src/domain/inventory.ts';
import { RUN_STREAM } from '../src/domain/journal.ts';
import { isLookName } from '../src/domain/look.ts';
import type { NewRun } from '../src/domain/ports.ts';
import type { Run, UnitRecord } from '../src/domain/run.ts';
import { hostsOf } from '../src/domain/run.ts';
import type { Selection } from '../src/domain/target-expression.ts';
import type { TargetUnit } from '../src/domain/targets.ts';
import { nearest } from '../src/domain/targets.ts';
import { errors } from '../src/errors.ts';
import type { CommandRequest } from './define.ts';
import { freeHeldHosts } from './held-hosts.ts';
import type { Later } from './later.ts';
import { laterOfRun, refuseLocked } from './later.ts';
import { unitsSelected } from './selection.ts';

/** What a command wants done: a recipe on the rack, host or DPU that a word names, or on a pair. */
export interface RunWish extends Later, Selection {
  readonly recipe: string;
  readonly recipeVersion: number;
  readonly params: Readonly<Record<string, unknown>>;
  /** What it works on; the name of a pair where `onPair` says so. */
  readonly target: string;
  readonly onPair?: true;
  readonly planOnly: boolean;
  /** Image of the inventory in place of those of the profiles. */
  readonly image?: string;
  /** Host of the target that goes first and alone. */
  readonly canary?: string | undefined;
  /** Units that may fail before no further wave starts. */
  readonly maxFailures: number;
  /** Set by commands that take `--cancel RUN`: the stopped run that is given up for this one, if one was named. */
  readonly giveUp?: { readonly run: number | undefined };
}

/**
 * Creates a run in `planning` and asks a worker to look at it. Everything that the run needs of the inventory is frozen
 * into it. Errors, each before anything is stored: halted (not for looks), command-invalid (channel, canary),
 * not-in-channel, target-unknown, host-locked, host-held (by runs that have stopped).
 */
export async function startRun(request: CommandRequest, wish: RunWish): Promise<Run> {
  const { context, invocation, actor } = request;
  const inventory = context.inventory();
  checkChannel(inventory, request);
  // A look only reads, and people want to see what the reason of a halt has done.
  if (!isLookName(wish.recipe)) await refuseWhenHalted(request);
  const units = await unitsOf(request, inventory, wish);
  const later = laterOfRun(request, wish, wish.planOnly, units.flatMap(hostsOf));
  await refuseLocked(request, units.flatMap(hostsOf), wish, { offersExcept: wish.onPair !== true });
  if (!(await context.directory.canPost(invocation.channel)))
    throw errors.notInChannel({ channel: channelShown(request) });
  if (!wish.planOnly && !isLookName(wish.recipe))
    await freeHeldHosts(request, units.flatMap(hostsOf), {
      giveUp: wish.giveUp?.run,
      offersGiveUp: wish.giveUp !== undefined,
    });

  const run = await context.runs.create({ ...newRun(request, inventory, wish, units), ...later }, () => [
    { unit: RUN_STREAM, event: { type: 'run-created', by: actor, text: request.line } },
  ]);
  await context.audit.append({
    atMs: run.createdAtMs,
    actor,
    action: wish.planOnly ? `${wish.recipe} --plan` : wish.recipe,
    runId: run.id,
    targets: units.flatMap((unit) => unit.targets),
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

/** What the run works on. Errors: target-unknown, command-invalid. */
async function unitsOf(request: CommandRequest, inventory: Inventory, wish: RunWish): Promise<readonly UnitRecord[]> {
  if (wish.onPair) return [pairUnit(inventory, wish.target)];
  return canaryFirst(await unitsSelected(request, wish), wish).map((unit) => newUnit(inventory, unit));
}

/** The units in the order in which they are started. Errors: command-invalid when the canary is none of them. */
function canaryFirst(units: readonly TargetUnit[], wish: RunWish): readonly TargetUnit[] {
  if (wish.canary === undefined) return units;
  const word = wish.canary.toLowerCase();
  const canary = units.find((unit) => unit.host === word);
  if (canary) return [canary, ...units.filter((unit) => unit !== canary)];
  const hosts = units.map((unit) => unit.host);
  const owner = units.find((unit) => unit.dpus.includes(word))?.host;
  const meant = owner ?? nearest(word, hosts);
  const shown = hosts.length > 8 ? `${hosts.slice(0, 8).join(', ')} and ${hosts.length - 8} more` : hosts.join(', ');
  throw errors.commandInvalid({
    what: `"${wish.canary}" is no host of ${wish.target}.`,
    why: meant === undefined ? `Its hosts: ${shown}.` : `Did you mean "${meant}"?`,
    next: 'Name one host of the target after `--canary`. Nothing was started.',
  });
}

/** The canary is a wave of its own; the waves of the policy follow for the others. */
function wavesOf(policy: Inventory['policy'], wish: RunWish): Run['waveSpec'] {
  if (wish.canary === undefined) return policy.waves;
  return ['1', ...(policy.waves === 'all' ? ['rest'] : policy.waves)];
}

function newRun(request: CommandRequest, inventory: Inventory, wish: RunWish, units: readonly UnitRecord[]): NewRun {
  const asked = { imageAsked: wish.image, pairAsked: wish.onPair && wish.target };
  const slices = units.flatMap(hostsOf).map((host) => sliceOf(inventory, host, asked));
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
    ...(slices.some((slice) => slice.testbed) && { testbed: true as const }),
    slices: Object.fromEntries(slices.map((slice) => [slice.name, slice])),
    sliceHashes: Object.fromEntries(slices.map((slice) => [slice.name, sliceHash(slice)])),
    units: Object.fromEntries(units.map((unit) => [unit.unit, unit])),
    waves: [],
    waveIndex: 0,
    maxFailures: wish.maxFailures,
    approvalMinutes: policy.approvalMinutes,
    startByMinutes: policy.startByMinutes,
    waveSpec: wavesOf(policy, wish),
  };
}

function newUnit(inventory: Inventory, unit: TargetUnit): UnitRecord {
  const site = inventory.hosts[unit.host]?.site ?? '';
  return { unit: unit.host, site, targets: unit.dpus, state: 'planning', generation: 0 };
}

function pairUnit(inventory: Inventory, name: string): UnitRecord {
  const [a, b] = pairOf(inventory, name).ends;
  const site = inventory.hosts[a.host]?.site ?? '';
  const unit = `${a.host}+${b.host}`;
  return { unit, hosts: [a.host, b.host], site, targets: [a.card, b.card], state: 'planning', generation: 0 };
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
