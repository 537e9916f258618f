import { baselineKey } from '../../src/bench/key.ts';
import type { BenchPoint, BenchResult, RateSummary, Repeat, ResultRecord, Series } from '../../src/domain/bench.ts';

/** A point with everything usual. */
export function pointOf(change: Partial<BenchPoint> = {}): BenchPoint {
  return {
    kind: 'raw',
    tool: 'testpmd',
    direction: 'a-to-b',
    frameBytes: 1500,
    mtuBytes: 9000,
    sas: 0,
    streams: 8,
    durationS: 30,
    ...change,
  };
}

export function repeatOf(receivedGbps: number): Repeat {
  const samples = [1, 2, 3].map((atS) => ({ atS, receivedGbps: receivedGbps + atS - 2 }));
  return { samples, receivedGbps, warnings: [] };
}

/** What the store keeps of a point; `rates` are the repeats. */
export function recordOf(run: number, rates: readonly number[], change: Partial<ResultRecord> = {}): ResultRecord {
  const point = change.point ?? pointOf();
  const known = { pair: 'wire1', point, offload: 'offloaded', firmware: '32.43.2566', image: 'bf-2.9.2' } as const;
  const sorted = rates.toSorted((a, b) => a - b);
  return {
    ...known,
    run,
    atMs: run * 1_000,
    key: baselineKey(known),
    repeatsGbps: rates,
    medianGbps: sorted[Math.floor(sorted.length / 2)] ?? 0,
    ...change,
  };
}

export function seriesOf(point: BenchPoint, rates: readonly number[]): Series {
  const median = rates.toSorted((a, b) => a - b)[Math.floor(rates.length / 2)] ?? 0;
  const summary: RateSummary = {
    repeats: rates.length,
    medianGbps: median,
    lowGbps: Math.min(...rates),
    highGbps: Math.max(...rates),
    confidencePercent: 75,
    spreadPercent: 1,
  };
  const verdict = { kind: 'no-baseline', text: 'no baseline yet' } as const;
  return { point, repeats: rates.map(repeatOf), summary, verdict, proof: { verdict: 'offloaded', checks: [] } };
}

export function resultOf(series: readonly Series[], change: Partial<BenchResult> = {}): BenchResult {
  return {
    version: 1,
    run: 12,
    pair: 'wire1',
    cards: ['as7-dpu0', 'as8-dpu0'],
    kind: 'raw',
    tool: 'testpmd',
    toolVersion: 'DPDK 22.11.11',
    startedAtMs: 0,
    endedAtMs: 1,
    conditions: [],
    series,
    warnings: [],
    ...change,
  };
}
