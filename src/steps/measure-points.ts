import { z } from 'zod';
import type { BenchPoint } from '../domain/bench.ts';
import { benchKinds, benchTools, directions } from '../domain/bench.ts';

/** What is measured; `jobs/bench.ts` makes it of what the person asked for. */
export const MeasureParams = z.strictObject({
  kind: z.enum(benchKinds),
  tool: z.enum(benchTools),
  durationS: z.int().min(1),
  warmUpS: z.int().min(0),
  repeats: z.int().min(1),
  /** Only testpmd: Ethernet frames without FCS. */
  framesBytes: z.array(z.int()).min(1).optional(),
  /** Absent: as it is. */
  mtusBytes: z.array(z.int()).min(1).optional(),
  streams: z.array(z.int()).min(1),
  sas: z.array(z.int()).min(1),
  zeroLoss: z.boolean(),
});
export type MeasureParams = z.infer<typeof MeasureParams>;

/** A point with its place in the run: a worker that takes over finds the same ones. */
export interface PlannedPoint {
  /** `p1`, `p2` ... */
  readonly id: string;
  readonly point: BenchPoint;
}

/**
 * Points that share what has to be set on the machines before they are measured: the MTU. Associations are set up once for
 * the largest number; a point uses as many of them as it has addresses.
 */
export interface PointGroup {
  readonly mtuBytes: number;
  readonly sas: number;
  readonly points: readonly PlannedPoint[];
}

/** Ethernet header without VLAN tag. */
const headerBytes = 14;
/** Of testpmd, where the person names no frame: one that goes everywhere. */
const usualFrameBytes = 1500;

/** All points in the order in which they are measured. `mtuBytes`: what the hosts have now. */
export function pointGroups(params: MeasureParams, mtuBytes: number): readonly PointGroup[] {
  const { kind, tool, durationS } = params;
  const settings = (params.mtusBytes ?? [mtuBytes]).flatMap((mtu) =>
    (kind === 'raw' ? [0] : params.sas).map((sas) => ({ mtuBytes: mtu, sas })),
  );
  let count = 0;
  return settings.map((setting) => {
    const points = params.streams.flatMap((streams) =>
      framesOf(params, setting.mtuBytes).flatMap((frame) =>
        directions.map((direction) => ({
          id: `p${(count += 1)}`,
          point: { kind, tool, direction, ...frame, ...setting, streams, durationS },
        })),
      ),
    );
    return { ...setting, points };
  });
}

function framesOf({ tool, framesBytes }: MeasureParams, mtuBytes: number): readonly { readonly frameBytes?: number }[] {
  if (tool === 'iperf3') return [{}];
  return (framesBytes ?? [Math.min(usualFrameBytes, longestFrame(mtuBytes))]).map((frameBytes) => ({ frameBytes }));
}

/** Longest Ethernet frame, without FCS, that passes links of such an MTU. */
export function longestFrame(mtuBytes: number): number {
  return mtuBytes + headerBytes;
}

/** Device seconds that it takes at least. */
export function secondsOf(groups: readonly PointGroup[], { durationS, warmUpS, repeats }: MeasureParams): number {
  return groups.flatMap(({ points }) => points).length * repeats * (durationS + warmUpS);
}
