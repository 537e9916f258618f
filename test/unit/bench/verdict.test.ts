import { describe, expect, it } from 'vitest';
import { baselineKey } from '../../../src/bench/key.ts';
import { judgeAgainst } from '../../../src/bench/verdict.ts';
import { pointOf, recordOf } from '../../support/bench-results.ts';

/** Always the same numbers: a verdict must not depend on luck. */
function sameRandom(): () => number {
  let state = 42;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

const baseline = recordOf(7, [390, 391, 389, 390, 392]);

describe('the verdict against a baseline', () => {
  it.each([
    ['worse', [380, 381, 379, 380, 382]],
    ['better', [398, 399, 397, 398, 396]],
    ['same', [391, 390, 389, 391, 392]],
    // Clearly apart, and nobody would decide anything by it.
    ['same', [387, 388, 386, 387, 388]],
  ] as const)('is %s for %j', (kind, rates) => {
    const verdict = judgeAgainst(baseline, rates, sameRandom());

    expect(verdict).toMatchObject({ kind, baselineRun: 7 });
    expect(verdict.text).toMatch(/run 7.*permutation test, 5 against 5 repeats, p [=<]/);
  });

  it('does not call a difference real that one odd repeat makes', () => {
    expect(judgeAgainst(baseline, [390, 391, 389, 390, 300], sameRandom()).kind).toBe('same');
  });

  it.each([
    [
      [380, 380, 380],
      [390, 391, 389, 390, 392],
    ],
    [
      [380, 381, 379, 380, 382],
      [390, 391, 389],
    ],
  ])('asks for more repeats when a side has fewer than five', (rates, before) => {
    const verdict = judgeAgainst(recordOf(7, before), rates, sameRandom());

    expect(verdict.kind).toBe('too-few-repeats');
    expect(verdict.text).toMatch(/5 a side are needed.*run 7/);
  });

  it('says how to get a baseline where there is none', () => {
    expect(judgeAgainst(undefined, [1, 2, 3, 4, 5], sameRandom())).toMatchObject({
      kind: 'no-baseline',
      text: expect.stringContaining('/dpu bench baseline'),
    });
  });
});

describe('the key of a baseline', () => {
  const base = { pair: 'wire1', point: pointOf(), offload: 'offloaded', firmware: '32', image: 'bf' } as const;

  it('is the same for the same settings, in whatever order they are written', () => {
    expect(baselineKey({ ...base, point: pointOf() })).toBe(baselineKey(base));
  });

  it.each([
    { pair: 'wire2' },
    { point: pointOf({ direction: 'b-to-a' }) },
    { point: pointOf({ tool: 'iperf3' }) },
    { point: pointOf({ frameBytes: 64 }) },
    { point: pointOf({ mtuBytes: 1500 }) },
    { point: pointOf({ kind: 'ipsec', sas: 1 }) },
    { point: pointOf({ streams: 1 }) },
    { point: pointOf({ durationS: 10 }) },
    { offload: 'not-offloaded' },
    { firmware: '33' },
    { image: 'other' },
    { stamp: 'SIMULATED' },
  ] as const)('is another one with %j', (change) => {
    expect(baselineKey({ ...base, ...change })).not.toBe(baselineKey(base));
  });
});
