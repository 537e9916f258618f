import type { BaselineKey, BenchPoint, Proof, Stamp } from '../domain/bench.ts';
import { canonicalHash } from '../domain/canonical.ts';

/** What has to be equal for two figures to be compared. */
export interface Comparable {
  readonly pair: string;
  readonly point: BenchPoint;
  readonly offload: Proof['verdict'];
  /** Of both cards. */
  readonly firmware: string;
  readonly image: string;
  readonly stamp?: Stamp | undefined;
}

/** The key under which a baseline is kept. */
export function baselineKey({ pair, point, offload, firmware, image, stamp }: Comparable): BaselineKey {
  const { kind, tool, direction, frameBytes, mtuBytes, sas, streams, durationS } = point;
  const settings = { kind, tool, direction, frameBytes: frameBytes ?? null, mtuBytes, sas, streams, durationS };
  const hash = canonicalHash({ pair, ...settings, offload, firmware, image, stamp: stamp ?? null });
  return hash.slice(0, 32) as BaselineKey;
}
