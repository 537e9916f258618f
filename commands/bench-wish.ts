import { BenchParams, recipeVersions } from '../jobs/payloads.ts';
import type { BenchTool } from '../src/domain/bench.ts';
import { directions } from '../src/domain/bench.ts';
import type { Inventory, Profile } from '../src/domain/inventory.ts';
import { pairOf, sliceOf } from '../src/domain/inventory.ts';
import { errors } from '../src/errors.ts';
import type { BenchWords } from './bench-arguments.ts';
import { choosePair } from './choose-pair.ts';
import type { CommandRequest } from './define.ts';
import { laterOf } from './later.ts';
import { startRun } from './start-run.ts';

/** Processes of iperf3: each fills one core. */
const iperf3Streams = 4;
const usualQueues = 8;
/** The work of a measuring step is limited to a day and a half, with all that is around the measuring. */
const longestHours = 24;

/** What both forms may say besides what is measured. */
export interface BenchSwitches {
  readonly plan: boolean;
  readonly 'via-card': boolean;
  readonly cancel?: number | undefined;
  readonly at?: string | undefined;
  readonly 'outside-window': boolean;
}

/** Starts the run of a bench or a sweep. Errors: those of choosePair and startRun; command-invalid where it takes too long. */
export async function startBench(request: CommandRequest, args: BenchWords & BenchSwitches): Promise<void> {
  const pair = choosePair(request, args.pair);
  const params = paramsOf(request.context.inventory(), pair, args);
  refuseEndless(params);
  await startRun(request, {
    recipe: 'bench',
    recipeVersion: recipeVersions.bench,
    params,
    target: pair,
    onPair: true,
    planOnly: args.plan,
    ...laterOf(args),
    maxFailures: 0,
    giveUp: { run: args.cancel },
  });
}

/** The whole of what is measured: what was said, and the defaults of the pair. */
function paramsOf(inventory: Inventory, pair: string, args: BenchWords & BenchSwitches): BenchParams {
  const profiles = profilesOf(inventory, pair);
  const wantsFrames = args.frame !== undefined || args['zero-loss'] === true;
  const tool = args.tool ?? (wantsFrames ? 'testpmd' : usualTool(profiles));
  return BenchParams.parse({
    kind: args.kind,
    tool,
    durationS: args.duration,
    repeats: args.repeat,
    framesBytes: args.frame,
    mtusBytes: args.mtu,
    streams: args.streams ?? [usualStreams(tool, profiles)],
    sas: args.sas,
    zeroLoss: args['zero-loss'],
    viaCard: args['via-card'],
  });
}

function profilesOf(inventory: Inventory, pair: string): readonly Profile[] {
  return pairOf(inventory, pair).ends.flatMap(({ host, card }) => sliceOf(inventory, host).profiles[card] ?? []);
}

/** testpmd takes hugepages, which somebody has to have given it; iperf3 runs everywhere. */
function usualTool(profiles: readonly Profile[]): BenchTool {
  const isSetUp = profiles.every(({ tools, dataPath }) => tools !== undefined || dataPath?.hugepages !== undefined);
  return isSetUp ? 'testpmd' : 'iperf3';
}

/** Flows of testpmd are spread over its queues: with fewer than those, some cores would have nothing to do. */
function usualStreams(tool: BenchTool, profiles: readonly Profile[]): number {
  if (tool === 'iperf3') return iperf3Streams;
  return Math.min(...profiles.map(({ tools }) => tools?.testpmd.queues ?? usualQueues));
}

/** Errors: command-invalid. */
function refuseEndless({ mtusBytes, framesBytes, streams, sas, kind, ...params }: BenchParams): void {
  const settings =
    (mtusBytes?.length ?? 1) * (framesBytes?.length ?? 1) * streams.length * (kind === 'raw' ? 1 : sas.length);
  const hours = (settings * directions.length * params.repeats * (params.durationS + params.warmUpS)) / secondsOfHour;
  if (hours <= longestHours) return;
  throw errors.commandInvalid({
    what: `That would measure for about ${Math.ceil(hours)} h, and ${longestHours} h are the most.`,
    why: `It is ${settings} ${settings === 1 ? 'setting' : 'settings'} in two directions, ${params.repeats} times ${params.durationS} s each, and both hosts are kept from others all the time.`,
    next: 'Name fewer values, fewer repeats or a shorter `--duration`. Nothing was started.',
  });
}

const secondsOfHour = 3_600;
