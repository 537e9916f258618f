import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SearchLimits, SearchStep, Try } from '../../../src/bench/zero-loss.ts';
import { searchStep } from '../../../src/bench/zero-loss.ts';

const limits: SearchLimits = {
  highestGbps: 400,
  lowestGbps: 1,
  resolutionGbps: 1,
  tolerancePercent: 0,
  mostTries: 20,
};

/** Searches a link that loses nothing up to a rate. */
function search(within: SearchLimits, lossAt: (gbps: number) => number): { step: SearchStep; tries: readonly Try[] } {
  const tries: Try[] = [];
  for (;;) {
    const step = searchStep(within, tries);
    if (step.kind !== 'try') return { step, tries };
    tries.push({ askedGbps: step.askedGbps, sentGbps: step.askedGbps, lossPercent: lossAt(step.askedGbps) });
  }
}

describe('the search for the highest rate without loss', () => {
  it('tries the highest rate first and is done when that loses nothing', () => {
    expect(search(limits, () => 0)).toEqual({
      step: { kind: 'found', gbps: 400, tries: 1, isExact: true },
      tries: [{ askedGbps: 400, sentGbps: 400, lossPercent: 0 }],
    });
  });

  it('comes as near as the resolution, in as many tries as halving takes', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 400, noNaN: true }), (edge) => {
        const { step, tries } = search(limits, (gbps) => (gbps > edge ? 3 : 0));

        if (step.kind === 'none') expect(edge).toBeLessThan(2.01);
        else {
          expect(step).toMatchObject({ kind: 'found', isExact: true });
          const { gbps } = step as Extract<SearchStep, { kind: 'found' }>;
          expect(gbps).toBeLessThanOrEqual(edge);
          expect(gbps).toBeGreaterThan(edge - 1 - 1e-9);
        }
        expect(tries.length).toBeLessThanOrEqual(11);
      }),
    );
  });

  it('ends on every link, also on one whose loss comes and goes', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.constantFrom(0, 0, 1)), (losses) => {
        const { step, tries } = search(limits, () => losses.next().value ?? 0);

        expect(['found', 'none']).toContain(step.kind);
        expect(tries.length).toBeLessThanOrEqual(limits.mostTries);
        if (step.kind === 'found')
          expect(tries.some(({ sentGbps, lossPercent }) => sentGbps === step.gbps && lossPercent === 0)).toBe(true);
      }),
    );
  });

  it('lets a loss pass that is tolerated', () => {
    const { step } = search({ ...limits, tolerancePercent: 0.01 }, (gbps) => (gbps > 100 ? 1 : 0.01));

    expect(step).toMatchObject({ kind: 'found', gbps: expect.closeTo(100, -0.1) });
  });

  it('says that it is not exact when the tries were too few', () => {
    expect(search({ ...limits, mostTries: 3 }, (gbps) => (gbps > 250 ? 1 : 0)).step).toEqual({
      kind: 'found',
      gbps: 200.5,
      tries: 3,
      isExact: false,
    });
    expect(search({ ...limits, mostTries: 3 }, () => 1).step).toMatchObject({ kind: 'none', tries: 3 });
  });

  it('has no figure where every rate loses', () => {
    expect(search(limits, () => 0.5).step).toMatchObject({
      kind: 'none',
      text: expect.stringMatching(/loss even at 1\.00 Gb\/s/),
    });
  });

  it('counts what was sent, where a sender is too slow for the rate', () => {
    const slow = [{ askedGbps: 400, sentGbps: 180, lossPercent: 0 }];

    expect(searchStep(limits, slow)).toEqual({ kind: 'found', gbps: 180, tries: 1, isExact: true });
  });

  it('has no figure where the sender keeps no rate', () => {
    const tries = [
      { askedGbps: 400, sentGbps: 380, lossPercent: 4 },
      { askedGbps: 200.5, sentGbps: 379, lossPercent: 4 },
    ];

    expect(searchStep(limits, tries)).toMatchObject({
      kind: 'none',
      text: expect.stringMatching(/does not keep a rate: 200\.50 Gb\/s were asked for, 379\.00 sent/),
    });
  });

  it.each([
    { highestGbps: 1 },
    { lowestGbps: -1 },
    { resolutionGbps: 0 },
    { mostTries: 0 },
    { highestGbps: Number.NaN },
  ])('refuses limits that leave nothing to search: %j', (wrong) => {
    expect(() => searchStep({ ...limits, ...wrong }, [])).toThrow(RangeError);
  });
});
