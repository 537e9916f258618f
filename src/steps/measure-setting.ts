import type { HostSession } from '../domain/device-ports.ts';
import { Tools } from '../domain/profile.ts';
import type { ApplyContext, End } from '../domain/step.ts';
import { hostAddresses, isRouted, nextMacs } from './bench-topology.ts';
import { pairOf, readCpus, readEnds } from './measure-ends.ts';
import type { MeasureParams, PlannedPoint } from './measure-points.ts';
import type { ToolEnd, ToolSetting } from './measure-tool.ts';

/** Read for each point: a driver may give a link another name or MAC, and a sweep gives the hosts more addresses. */
export async function settingOf(
  context: ApplyContext,
  { warmUpS }: MeasureParams,
  { id, point }: PlannedPoint,
): Promise<ToolSetting> {
  const { ends } = pairOf(context);
  const facts = await readEnds(context);
  const routed = isRouted(point.kind, ends[0].profile);
  const toolEnd = async (index: 0 | 1): Promise<ToolEnd> => {
    const end: End<HostSession> = ends[index];
    return {
      facts: facts[index],
      cpus: await readCpus(end, facts[index], context.signal),
      tools: end.profile.tools ?? Tools.parse({}),
      addresses: hostAddresses(end.entry, routed ? { sas: Math.max(1, point.sas) } : undefined),
    };
  };
  const [a, b] = [await toolEnd(0), await toolEnd(1)];
  const [from, to] = point.direction === 'a-to-b' ? ([0, 1] as const) : ([1, 0] as const);
  const macs = await nextMacs(context, facts, routed);
  const of = [a, b] as const;
  return {
    label: `${context.runId}-${id}`,
    point,
    warmUpS,
    from: of[from],
    to: of[to],
    isRouted: routed,
    nextMac: macs[from],
  };
}
