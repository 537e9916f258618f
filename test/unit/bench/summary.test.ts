import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { medianInterval, summarise } from '../../../src/bench/summary.ts';
import { pointOf, repeatOf } from '../../support/bench-results.ts';

describe('the summary of repeats', () => {
  it('gives the median, its spread, and how much of the line that is', () => {
    const summary = summarise([388, 392, 390].map(repeatOf), pointOf(), 400);

    expect(summary).toMatchObject({ repeats: 3, medianGbps: 390, lowGbps: 388, highGbps: 392 });
    expect(summary.spreadPercent).toBeCloseTo(1.03, 2);
    expect(summary.lineRatePercent).toBeCloseTo(97.5, 5);
  });

  it('says what is on the wire where packets were counted: 24 bytes more a frame', () => {
    const mpps = 32.5;
    const repeats = [390, 390, 390].map((rate) => ({ ...repeatOf(rate), receivedMpps: mpps }));

    const summary = summarise(repeats, pointOf({ frameBytes: 1500 }), 400);

    expect(summary.layer1Gbps).toBeCloseTo((mpps * 1524 * 8) / 1000, 6);
    expect(summary.layer2Gbps).toBe(390);
    expect(summary.lineRatePercent).toBeCloseTo(99.06, 2);
  });

  it('tells no percentage of a line whose speed nobody knows, and nothing at all without repeats', () => {
    expect(summarise([repeatOf(1)], pointOf())).not.toHaveProperty('lineRatePercent');
    expect(() => summarise([], pointOf())).toThrow(RangeError);
  });

  it.each([
    [[5], 5, 5, 0],
    [[4, 5, 6], 4, 6, 75],
    [[1, 2, 3, 4, 5], 1, 5, 93.75],
    [[1, 2, 3, 4, 5, 6], 1, 6, 96.875],
    [[1, 2, 3, 4, 5, 6, 7, 8, 9], 2, 8, 96.09375],
  ])('holds the median of %j between %d and %d, as sure as that is', (values, lowGbps, highGbps, confidencePercent) => {
    const interval = medianInterval(values);

    expect(interval).toMatchObject({ lowGbps, highGbps });
    expect(interval.confidencePercent).toBeCloseTo(confidencePercent, 6);
  });

  it('never leaves out so much that less than 95 % are held, once there are six', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 400, noNaN: true }), { minLength: 6, maxLength: 40 }), (values) => {
        const { lowGbps, highGbps, confidencePercent } = medianInterval(values);
        expect(confidencePercent).toBeGreaterThanOrEqual(95);
        expect(lowGbps).toBeLessThanOrEqual(highGbps);
      }),
    );
  });
});
