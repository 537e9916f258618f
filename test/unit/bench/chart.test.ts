import { describe, expect, it } from 'vitest';
import { historyChart, samplesChart, sweepChart } from '../../../src/bench/chart.ts';
import { pointOf, recordOf, resultOf, seriesOf } from '../../support/bench-results.ts';

/** Width and height as the header of a PNG has them. Source: PNG specification, IHDR. */
function sizeOf(png: Uint8Array): readonly [number, number] {
  const bytes = Buffer.from(png);
  expect(bytes.subarray(0, 8)).toEqual(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]));
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
}

describe('charts', () => {
  it('show the rate over time as a picture, and say it in words for people who cannot see it', () => {
    const series = [seriesOf(pointOf(), [389, 390]), seriesOf(pointOf({ direction: 'b-to-a' }), [380, 381])];

    const { png, altText } = samplesChart(resultOf(series, { stamp: 'SIMULATED' }));

    expect(sizeOf(png)).toEqual([1440, 810]);
    expect(altText).toMatch(/^SIMULATED: Raw throughput of wire1, testpmd, run 12: rate over time\./);
    expect(altText).toContain('as7-dpu0 to as8-dpu0, frames of 1500 bytes, MTU 9000, 8 streams: median 390.0 Gb/s');
    expect(altText).toContain('as8-dpu0 to as7-dpu0');
  });

  it('show a sweep of two settings as a map, and one of one setting as a line', () => {
    const two = [1500, 9000].flatMap((mtuBytes) =>
      [1, 8].map((streams) => seriesOf(pointOf({ mtuBytes, streams }), [mtuBytes / 100 + streams])),
    );
    const one = [1, 8, 16].map((streams) => seriesOf(pointOf({ streams }), [streams]));

    const map = sweepChart(resultOf(two));
    const line = sweepChart(resultOf(one));

    expect(map?.altText).toContain('a to b, frames of 1500 bytes, MTU 9000, 8 streams: 98.0 Gb/s');
    expect(line && sizeOf(line.png)).toEqual([1440, 810]);
    expect(map && Buffer.from(map.png).equals(Buffer.from(line?.png ?? []))).toBe(false);
    expect(sweepChart(resultOf([seriesOf(pointOf(), [390])]))).toBeUndefined();
  });

  it('show the history of a point from its second run on, the oldest first', () => {
    const records = [recordOf(9, [391]), recordOf(5, [385])];

    expect(historyChart(records, records[1])?.altText).toContain('run 5: 385.0 Gb/s; run 9: 391.0 Gb/s');
    expect(historyChart(records.slice(0, 1), undefined)).toBeUndefined();
  });

  it('keep what they say within what Slack takes, however much was measured', () => {
    const series = Array.from({ length: 60 }, (_one, index) => seriesOf(pointOf({ streams: index + 1 }), [index]));

    expect(samplesChart(resultOf(series)).altText.length).toBeLessThanOrEqual(2_000);
  });
});
