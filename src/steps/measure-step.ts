import { repeatsText } from '../bench/rate-text.ts';
import type { Change } from '../domain/outcome.ts';
import type { Diff, ObserveContext, Step } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { pairName, pairOf, readEnds } from './measure-ends.ts';
import { clearRun } from './measure-jobs.ts';
import { longestFrame, MeasureParams, pointGroups, secondsOf } from './measure-points.ts';
import { actionsNow, cleanUpAct } from './measure-keep.ts';
import { measureRun, publishAct } from './measure-run.ts';
import type { MeasureParts, MeasureState } from './measure-wiring.ts';

/**
 * Measure the data path between the two cards of a pair, from host to host, one direction after the other.
 *
 * Why      One figure of one tool on one side is no result: the far end counts, the repeats say how far to trust it, and the
 *          counters of the cards say whether the hardware did it.
 * Units    durationS, warmUpS: seconds of the devices; framesBytes: Ethernet without FCS; mtusBytes: IP packet.
 * Reads    host functions, tool versions, job folders and logs on both hosts; conditions and proof as their leaves say.
 * Changes  job folders `run<N>-measure-*` on both hosts and what runs in them; for sweeps MTU and security associations.
 * Undo     stops and removes all of that, and looks whether it is gone.
 * Errors   bench-impossible, bench-tool-failed, bench-log-too-long, bench-left-behind, host-tool-missing, cancelled.
 * Source   iperf3(1), testpmd user guide, timeout(1); field notes of NVIDIA's ngc_multinode_perf (far end's sum).
 */
export function createMeasure(parts: MeasureParts): Step {
  return defineStep<MeasureParams, MeasureState>({
    name: 'measure',
    title: 'Measure',
    scope: 'pair',
    risk: 'change',
    params: MeasureParams,
    // A sweep may take hours; each repeat has a deadline of its own.
    timeoutMs: 36 * 3_600_000,
    // The MTU only decides which frames fit; how many there are says the person.
    usualMs: (params) => secondsOf(pointGroups(params, 9_000), params) * 1_000,
    needs: ['host-ssh'],
    provides: [],
    aim: (params) => `${params.tool}, ${repeatsText(params.repeats)} of ${params.durationS} s a point`,
    wanted: (params) => params,
    observe: async (context, params) => observe(parts, context, params),
    diff: (state, params) => (parts.kinds.includes(params.kind) ? judgePlan(state, params) : notKnown(state, params)),
    apply: async (context, _changes, params, state) => {
      await measureRun(context, parts, params, state);
      return { kind: 'done' };
    },
    undo: async (context) => {
      const act = { name: cleanUpAct, text: `stop and remove what measures on ${pairName(context)}` };
      await context.act(act, async () => {
        await clearRun(context);
        return { evidence: 'no job folder of this run is left', value: undefined };
      });
      await parts.undoMtu(context);
    },
  });
}

async function observe(parts: MeasureParts, context: ObserveContext, { tool }: MeasureParams): Promise<MeasureState> {
  const { ends } = pairOf(context);
  const facts = await readEnds(context);
  const versions = await Promise.all(ends.map(async ({ host }) => parts.tools[tool].version(host, context.signal)));
  return {
    pair: pairName(context),
    mtuBytes: Math.min(...facts.map(({ link }) => link.mtuBytes)),
    toolVersion: [...new Set(versions)].join(' and '),
    isTold: actionsNow(context.actions).some(({ action, done }) => done && action === publishAct),
  };
}

function judgePlan({ pair, mtuBytes, toolVersion, isTold }: MeasureState, params: MeasureParams): Diff {
  if (isTold) return { kind: 'satisfied', reason: 'this run has measured and told it' };
  const groups = pointGroups(params, mtuBytes);
  const points = groups.flatMap((group) => group.points);
  const tooLong = points.find(({ point }) => (point.frameBytes ?? 0) > longestFrame(point.mtuBytes));
  if (tooLong !== undefined)
    return {
      kind: 'refused',
      failure: errors.benchImpossible({
        pair,
        what: `frames of ${tooLong.point.frameBytes} bytes do not pass an MTU of ${tooLong.point.mtuBytes}`,
        why: `The longest Ethernet frame there has ${longestFrame(tooLong.point.mtuBytes)} bytes without FCS.`,
        next: 'Give a shorter --frame, or a larger --mtu.',
      }).failure,
    };
  const minutes = Math.max(1, Math.round(secondsOf(groups, params) / 60));
  const what = `${points.length} ${points.length === 1 ? 'point' : 'points'}, ${repeatsText(params.repeats)} of ${params.durationS} s each`;
  const change: Change = {
    target: pair,
    from: 'not measured',
    to: what,
    text: `measure ${pair} with ${params.tool} (${toolVersion}): ${what}, about ${minutes} min of full load on the link`,
  };
  return { kind: 'change', changes: [change] };
}

/** A path that nobody has set up would be measured under a name that it does not have. */
function notKnown({ pair }: MeasureState, { kind }: MeasureParams): Diff {
  const what = `${kind} is not measured by this version of dpubot`;
  const why = 'It has no step that sets the path up.';
  return {
    kind: 'refused',
    failure: errors.benchImpossible({ pair, what, why, next: 'Measure `raw`, or update dpubot.' }).failure,
  };
}
