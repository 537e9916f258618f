import { binomialDistribution, max, median, min } from 'simple-statistics';
import type { BenchPoint, RateSummary, Repeat } from '../domain/bench.ts';
import { layer1Gbps } from './rates.ts';

/**
 * What the repeats of one point come to: median, range, and the confidence interval of the median by order statistics, which
 * assumes nothing about how rates are spread. Three repeats cannot give 95 %: what they give is said.
 *
 * Errors: RangeError without repeats.
 * Source: David, Nagaraja, Order Statistics, 7.1 (the number of values below the median is binomial with p = 1/2).
 */
export function summarise(repeats: readonly Repeat[], point: BenchPoint, lineRateGbps?: number): RateSummary {
  if (repeats.length === 0) throw new RangeError('a summary needs at least one repeat');
  const rates = repeats.map((repeat) => repeat.receivedGbps);
  const medianGbps = median(rates);
  const mpps = medianOf(repeats.map((repeat) => repeat.receivedMpps));
  const { frameBytes } = point;
  const wire = mpps === undefined || frameBytes === undefined ? undefined : layer1Gbps(mpps * 1e6, frameBytes);
  const onWireGbps = wire ?? medianGbps;
  return {
    repeats: repeats.length,
    medianGbps,
    ...medianInterval(rates),
    spreadPercent: medianGbps === 0 ? 0 : ((max(rates) - min(rates)) / medianGbps) * 100,
    ...(wire !== undefined && { layer1Gbps: wire, layer2Gbps: medianGbps }),
    ...(mpps !== undefined && { mpps }),
    ...(lineRateGbps !== undefined && { lineRatePercent: (onWireGbps / lineRateGbps) * 100 }),
  };
}

/**
 * The narrowest interval of order statistics that holds the median with at least 95 %; with fewer than six values the whole
 * range, with what it holds.
 */
export function medianInterval(values: readonly number[]): {
  readonly lowGbps: number;
  readonly highGbps: number;
  readonly confidencePercent: number;
} {
  const sorted = values.toSorted((a, b) => a - b);
  const count = sorted.length;
  const below = binomialDistribution(count, 0.5) ?? [];
  let cut = 0;
  let tail = below[0] ?? 0;
  // One more value may be left out at each end while both tails together stay within 5 %.
  while (tail + (below[cut + 1] ?? 1) <= 0.025) {
    cut += 1;
    tail += below[cut] ?? 0;
  }
  const lowGbps = sorted[cut] ?? 0;
  const highGbps = sorted[count - 1 - cut] ?? 0;
  return { lowGbps, highGbps, confidencePercent: count < 2 ? 0 : (1 - 2 * tail) * 100 };
}

function medianOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 || known.length < values.length ? undefined : median(known);
}
