import { z } from 'zod';
import type { Condition, Series } from '../domain/bench.ts';
import type { ApplyContext } from '../domain/step.ts';
import { pairName, pairOf, readLineRateGbps } from './measure-ends.ts';
import { clearRun, hasJobs } from './measure-jobs.ts';
import { keep, kept } from './measure-keep.ts';
import type { KeptLog, MeasuredPoint, RunFrame } from './measure-frame.ts';
import { measurePoint } from './measure-point.ts';
import type { MeasureParams } from './measure-points.ts';
import { pointGroups } from './measure-points.ts';
import { ofBoth, publish, resultOf, stampOf } from './measure-result.ts';
import { settingOf } from './measure-setting.ts';
import type { MeasureParts, MeasureState } from './measure-wiring.ts';

/** The act with which the result is told. */
export const publishAct = 'publish';
const startName = 'conditions';

/** What was put aside is of this very step; only its outline is checked. */
const Start = z.object({ startedAtMs: z.number(), conditions: z.custom<readonly Condition[]>(Array.isArray) });
const Point = z.object({
  series: z.custom<Series>((value) => typeof value === 'object' && value !== null && 'repeats' in value),
  toolVersion: z.string().optional(),
  notes: z.array(z.string()),
  logs: z.custom<readonly KeptLog[]>(Array.isArray),
});

/**
 * Measures all points that are not measured yet and tells the result. A worker that takes over stops what the dead one left
 * running, keeps what is complete, and measures the point anew in which it died.
 */
export async function measureRun(
  context: ApplyContext,
  parts: MeasureParts,
  params: MeasureParams,
  state: MeasureState,
): Promise<void> {
  const pair = pairOf(context);
  await clearLeftovers(context);
  const start = await readStart(context, parts);
  const frame: RunFrame = {
    parts,
    params,
    tool: parts.tools[params.tool],
    pair: pairName(context),
    hosts: [pair.ends[0].host, pair.ends[1].host],
    lineRateGbps: await readLineRateGbps(context),
    firmware: ofBoth(start.conditions, 'nic-firmware'),
    image: ofBoth(start.conditions, 'image'),
    stamp: stampOf(pair.ends[0].slice),
  };
  const points = await measureGroups(context, frame, state.mtuBytes);
  const { toolVersion } = state;
  const tool: Condition = { end: 'pair', name: 'tool', label: 'Tool', value: toolVersion };
  const figures = {
    cards: [pair.ends[0].card.dpu.name, pair.ends[1].card.dpu.name] as const,
    toolVersion: points.find((point) => point.toolVersion !== undefined)?.toolVersion ?? toolVersion,
    ...start,
    conditions: [...start.conditions, tool],
    endedAtMs: context.clock.nowMs(),
    series: points.map(({ series }) => series),
  };
  const notes = points.flatMap((point) => point.notes);
  const result = resultOf(context, frame, figures, notes);
  await context.act({ name: publishAct, text: 'file and tell the result' }, async () => {
    await publish(
      context,
      frame,
      result,
      points.flatMap(({ logs }) => logs),
    );
    return { evidence: `${result.series.length} series`, value: undefined };
  });
}

/** What a worker that died has left behind would run beside the new measurement. */
async function clearLeftovers(context: ApplyContext): Promise<void> {
  if (!(await hasJobs(context))) return;
  await context.act({ name: 'stop-leftovers', text: 'stop what was measuring before' }, async () => {
    await clearRun(context);
    return { evidence: 'no job folder of this run is left', value: undefined };
  });
}

/** Conditions are those before the first measurement, also for a worker that comes later. */
async function readStart(
  context: ApplyContext,
  parts: MeasureParts,
): Promise<{ readonly startedAtMs: number; readonly conditions: readonly Condition[] }> {
  const before = Start.safeParse(await kept(context, startName));
  if (before.success) return before.data;
  await context.progress({ text: 'reading the conditions' });
  const start = { startedAtMs: context.clock.nowMs(), conditions: await parts.readConditions(context) };
  await keep(context, startName, 'the conditions', start);
  return start;
}

async function measureGroups(
  context: ApplyContext,
  frame: RunFrame,
  mtuBytes: number,
): Promise<readonly MeasuredPoint[]> {
  const { params, parts } = frame;
  const groups = pointGroups(params, mtuBytes);
  const count = groups.flatMap(({ points }) => points).length;
  const measured: MeasuredPoint[] = [];
  let setBytes: number | undefined;
  for (const group of groups) {
    for (const planned of group.points) {
      const before = Point.safeParse(await kept(context, planned.id));
      if (before.success) {
        measured.push({ ...before.data, toolVersion: before.data.toolVersion });
        continue;
      }
      await context.checkpoint();
      // Where no MTU was asked for, it stays as it is.
      if (params.mtusBytes !== undefined && setBytes !== group.mtuBytes)
        await parts.setMtu(context, group.mtuBytes, params.kind);
      setBytes = group.mtuBytes;
      const setting = await settingOf(context, params, planned);
      const point = await measurePoint(context, frame, { ...planned, setting, index: measured.length, count });
      await keep(context, planned.id, `what ${planned.id} has measured`, point);
      measured.push(point);
    }
  }
  return measured;
}
