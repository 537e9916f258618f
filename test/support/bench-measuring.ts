import type { ApplyContext, Step } from '../../src/domain/step.ts';
import type { MeasureParams } from '../../src/steps/measure-points.ts';
import { createMeasure } from '../../src/steps/measure-step.ts';
import type { MeasureParts } from '../../src/steps/measure-wiring.ts';
import type { BenchMemory, BenchSetting } from './bench-context.ts';
import { benchContext } from './bench-context.ts';
import { fakeParts } from './bench-parts.ts';
import type { BenchWorld } from './bench-world.ts';
import { foldersOf } from './bench-world.ts';

/** One point each way, 10 s, twice. */
export const shortBench: MeasureParams = {
  kind: 'raw',
  tool: 'testpmd',
  durationS: 10,
  warmUpS: 2,
  repeats: 2,
  streams: [4],
  sas: [1],
  zeroLoss: false,
};

/** Looks and, where there is something to do, does it: one life of the step, as the engine leads it. */
export async function liveOnce(
  world: BenchWorld,
  memory: BenchMemory,
  params: MeasureParams,
  options: { readonly parts?: MeasureParts; readonly setting?: BenchSetting } = {},
): Promise<'satisfied' | 'applied'> {
  const step = stepWith(options.parts);
  const context = benchContext(world, memory, options.setting);
  const observed = await step.observe(context, params);
  const diff = step.diff(observed, params, context.dpu);
  if (diff.kind === 'satisfied') return 'satisfied';
  if (diff.kind !== 'change' || step.apply === undefined) throw new Error(`it ${diff.kind}`);
  await step.apply(context, diff.changes, params, observed);
  return 'applied';
}

export async function cleanUp(world: BenchWorld, memory: BenchMemory, parts?: MeasureParts): Promise<void> {
  const context: ApplyContext = benchContext(world, memory);
  await stepWith(parts).undo?.(context, shortBench);
}

function stepWith(parts: MeasureParts = fakeParts()): Step {
  return createMeasure(parts);
}

/** Job folders of this run that are left on the hosts. */
export function leftOn(world: BenchWorld): readonly string[] {
  return world.hosts.flatMap(foldersOf);
}
