import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limitsOf } from '../../../src/bench/limits.ts';
import { summarise } from '../../../src/bench/summary.ts';
import type { BenchPoint, Condition, Proof, Series } from '../../../src/domain/bench.ts';
import { pointOf, repeatOf, seriesOf } from '../../support/bench-results.ts';

const cards = ['as7-dpu0', 'as8-dpu0'] as const;
const good: readonly Condition[] = [
  { end: 'a', name: 'part-number', label: 'Part number', value: '900-9D3B6-00CN-AB0' },
  { end: 'a', name: 'pcie-link', label: 'PCIe link', value: '32 GT/s x16' },
  { end: 'a', name: 'tool-cpus', label: 'CPU set of the tool', value: '0-15' },
];

/** One series with frames counted, as testpmd gives it; of iperf3 without. */
function measured(gbps: number, change: Partial<BenchPoint> = {}, verdict: Proof['verdict'] = 'offloaded'): Series {
  const point = pointOf(change);
  const { frameBytes } = point;
  const mpps = frameBytes === undefined ? undefined : (gbps * 1e3) / (frameBytes * 8);
  const repeats = [1, 2, 3].map(() => ({ ...repeatOf(gbps), ...(mpps !== undefined && { receivedMpps: mpps }) }));
  return {
    ...seriesOf(point, [gbps]),
    repeats,
    summary: summarise(repeats, point, 400),
    proof: { verdict, checks: [] },
  };
}

const iperf3 = { tool: 'iperf3', frameBytes: undefined, streams: 16 } as unknown as Partial<BenchPoint>;

function textsOf(
  series: Series,
  conditions: readonly Condition[] = good,
  lineRateGbps: number | undefined = 400,
): readonly string[] {
  return limitsOf({ cards, conditions, series: [series], lineRateGbps }).map(({ text }) => text);
}

describe('a rate that the line lets through', () => {
  it.each([
    ['testpmd with frames of 1500 bytes', measured(390)],
    ['iperf3 with jumbo frames', measured(370, iperf3)],
    ['iperf3 with an MTU of 1500', measured(362, { ...iperf3, mtuBytes: 1500 })],
  ])('has no limit to be named: %s', (_title, series) => {
    expect(textsOf(series)).toEqual([]);
  });

  it('has none either where the rate of the line is not known', () => {
    expect(limitsOf({ cards, conditions: good, series: [measured(4)], lineRateGbps: undefined })).toEqual([]);
    expect(limitsOf({ cards, conditions: good, series: [], lineRateGbps: 400 })).toEqual([]);
  });
});

describe('a single mis-setting', () => {
  const slot: Condition = { end: 'b', name: 'pcie-link', label: 'PCIe link', value: '16 GT/s x16', warning: 'slow' };
  const far: Condition = {
    end: 'a',
    name: 'tool-cpus',
    label: 'CPU set of the tool',
    value: '16-31',
    warning: 'it is on another NUMA node than the card: far',
  };
  const controller: Condition = { end: 'a', name: 'part-number', label: 'Part number', value: '900-9D3C6-00CV-DA0' };
  const cases: readonly (readonly [string, Series, readonly Condition[], RegExp])[] = [
    ['no offload', measured(6, {}, 'not-offloaded'), good, /^Without offload each packet goes through the Arm cores/],
    ['software that is wanted', measured(6, {}, 'not-wanted'), good, /^Without offload/],
    [
      'a slot of an older generation',
      measured(213),
      [slot],
      /^The PCIe link of as8-dpu0 is 16 GT\/s x16: about 214 Gb\/s get through it, and 400/,
    ],
    [
      'one stream of TCP',
      measured(38, { ...iperf3, streams: 1 }),
      good,
      /^It was one stream: one TCP connection.*--streams 10/,
    ],
    [
      'few streams of TCP',
      measured(120, { ...iperf3, streams: 4 }),
      good,
      /^There were 4 streams.*\(30\.0 Gb\/s\); try `--streams 10`/,
    ],
    ['one queue', measured(90, { streams: 1 }), good, /^It was one stream: one queue with one core; try `--streams 4`/],
    [
      'an MTU of 1500 with TCP',
      measured(200, { ...iperf3, mtuBytes: 1500 }),
      good,
      /^With an MTU of 1500 bytes it takes 6 times as many packets.*--mtu 9000/,
    ],
    [
      'an MTU of 1500 with frames',
      measured(300, { mtuBytes: 1500 }),
      good,
      /^Frames of 1500 bytes \(the MTU is 1500\).*32\.8 million a second, and there were 25\.0; .*--mtu 9000/,
    ],
    [
      'small frames',
      measured(60, { frameBytes: 64, streams: 64 }),
      good,
      /^Frames of 64 bytes would have to be 568\.2 million a second/,
    ],
    ['CPUs on the other node', measured(250), [far], /^CPU set of the tool \(a\) is 16-31: it is on another NUMA node/],
    ['a controller', measured(98), [controller], /^as7-dpu0 is a self-hosted controller/],
  ];

  it.each(cases)('is named, and nothing else is: %s', (_title, series, conditions, text) => {
    const texts = textsOf(series, conditions);
    expect(texts).toEqual([expect.stringMatching(text)]);
  });

  it('that a condition warns of already is told once', () => {
    const [limit] = limitsOf({ cards, conditions: [slot], series: [measured(200)], lineRateGbps: 400 });
    expect(limit?.about).toBe('pcie-link');
  });
});

describe('several reasons', () => {
  it('are all named as long as none of them alone explains the rate, those of the machine first', () => {
    const slow: Condition = { end: 'a', name: 'pcie-link', label: 'PCIe link', value: '16 GT/s x16' };
    const texts = textsOf(measured(30, { ...iperf3, streams: 1, mtuBytes: 1500 }), [slow]);
    expect(texts.map((text) => text.split(' ').slice(0, 3).join(' '))).toEqual([
      'The PCIe link',
      'It was one',
      'With an MTU',
    ]);
  });

  it('are not made up: where nothing explains it, that is said', () => {
    expect(textsOf(measured(300))).toEqual([
      expect.stringMatching(/^The rate as7-dpu0 to as8-dpu0 is below .* nothing that was looked at explains it/),
    ]);
  });
});

describe('the engines of the card', () => {
  const ipsec = { kind: 'ipsec', sas: 8, mtuBytes: 9000, streams: 8 } as const;

  it('are no fault: IPsec that is as fast as they are', () => {
    expect(textsOf(measured(190, ipsec))).toEqual([expect.stringMatching(/193 Gb\/s\): this is no fault$/)]);
  });

  it('are not the reason where a software path or another setting is', () => {
    expect(textsOf(measured(5, ipsec, 'not-offloaded'))).toEqual([expect.stringMatching(/^Without offload/)]);
    expect(textsOf(measured(90, { ...ipsec, mtuBytes: 1500 }))).toEqual([expect.stringMatching(/the MTU is 1500/)]);
    expect(textsOf(measured(190, ipsec), good, 200)).toEqual([]);
  });
});

describe('a sweep', () => {
  it('is explained by its best setting', () => {
    const series = [measured(38, { ...iperf3, streams: 1 }), measured(370, iperf3)];
    expect(limitsOf({ cards, conditions: good, series, lineRateGbps: 400 })).toEqual([]);
  });
});

describe('whatever was measured', () => {
  it('is explained by whole sentences without numbers that mean nothing', () => {
    const points = fc.record({
      tool: fc.constantFrom('testpmd' as const, 'iperf3' as const),
      kind: fc.constantFrom('raw' as const, 'ipsec' as const),
      mtuBytes: fc.integer({ min: 1280, max: 9978 }),
      streams: fc.integer({ min: 1, max: 64 }),
      frameBytes: fc.integer({ min: 64, max: 9000 }),
    });
    const verdicts = fc.constantFrom(
      'offloaded' as const,
      'not-offloaded' as const,
      'not-wanted' as const,
      'unknown' as const,
    );
    const rates = fc.double({ min: 0.001, max: 500, noNaN: true });
    fc.assert(
      fc.property(points, rates, verdicts, (point, gbps, verdict) => {
        const { frameBytes, ...rest } = point;
        const change =
          point.tool === 'testpmd'
            ? { ...rest, frameBytes }
            : ({ ...rest, frameBytes: undefined } as unknown as Partial<BenchPoint>);
        for (const text of textsOf(measured(gbps, change, verdict))) {
          expect(text).toMatch(/^[A-Z]/);
          expect(text).not.toMatch(/NaN|Infinity|undefined|-\d/);
        }
      }),
    );
  });
});
