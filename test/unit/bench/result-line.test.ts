import { describe, expect, it } from 'vitest';
import { resultLine, resultTitle } from '../../../src/bench/result-line.ts';
import { csvOf, resultTable } from '../../../src/bench/result-table.ts';
import type { Proof, Series } from '../../../src/domain/bench.ts';
import { pointOf, resultOf, seriesOf } from '../../support/bench-results.ts';

const back = pointOf({ direction: 'b-to-a' });
const proof: Proof = { verdict: 'offloaded', checks: [] };
const both: readonly Series[] = [
  { ...seriesOf(pointOf(), [390.2, 390.4, 390.1]), proof },
  { ...seriesOf(back, [388, 388.1, 387.9]), proof },
];

describe('the line of a result', () => {
  it('tells both rates, the offload, the missing baseline once, and on hardware the ratio to the known figure', () => {
    const result = resultOf(both);

    expect(resultTitle(result)).toBe('Raw throughput of wire1, testpmd: frames of 1500 bytes, MTU 9000, 8 streams');
    expect(resultLine(result)).toBe(
      '390.2 Gb/s as7-dpu0 to as8-dpu0, 388.0 Gb/s as8-dpu0 to as7-dpu0; offloaded; no baseline yet: `/dpu bench baseline 12` makes this one it; 0.99 of the 390 Gb/s that two B3240 have reached',
    );
  });

  it.each(['SIMULATED', 'TESTBED'] as const)('never holds a figure that is %s against a real one', (stamp) => {
    expect(resultLine(resultOf(both, { stamp }))).not.toContain('B3240');
  });

  it('says the percentage of the line rate, the verdict of each direction, and NOT OFFLOADED', () => {
    const series = both.map((one, index): Series => {
      const verdict =
        index === 0 ? { kind: 'worse', text: 'worse than run 12' } : { kind: 'same', text: 'the same as run 12' };
      const summary = { ...one.summary, lineRatePercent: 97.56 };
      return {
        ...one,
        summary,
        verdict: verdict as Series['verdict'],
        proof: { verdict: 'not-offloaded', checks: [] },
      };
    });

    const line = resultLine(resultOf(series, { stamp: 'SIMULATED' }));

    expect(line).toContain('390.2 Gb/s as7-dpu0 to as8-dpu0 (97.6 % of line rate)');
    expect(line).toContain('; NOT OFFLOADED; as7-dpu0 to as8-dpu0 worse than run 12; as8-dpu0 to as7-dpu0 the same as');
  });

  it('names the best setting of a sweep by its slower direction, and how far it is ahead', () => {
    const narrow = pointOf({ mtuBytes: 1500 });
    const series = [
      seriesOf(narrow, [300]),
      seriesOf({ ...narrow, direction: 'b-to-a' }, [100]),
      seriesOf(pointOf(), [200]),
      seriesOf(back, [150]),
    ];

    const line = resultLine(resultOf(series, { stamp: 'SIMULATED' }));

    expect(line).toMatch(
      /^200\.0 Gb\/s .*, 150\.0 Gb\/s .*; best of 2 settings: .*MTU 9000.*, 50\.0 % ahead of .*MTU 1500/,
    );
  });

  it('of many settings says how far the worst one is behind as well', () => {
    const series = [1, 4, 16].map((streams) => seriesOf(pointOf({ streams }), [100 * streams]));

    const line = resultLine(resultOf(series, { stamp: 'SIMULATED' }));

    expect(line).toContain('best of 3 settings: frames of 1500 bytes, MTU 9000, 16 streams, 4.0 times as fast as');
    expect(line).toContain('4 streams and 16.0 times as fast as the worst (frames of 1500 bytes, MTU 9000, 1 stream)');
  });

  it('says small rates in Mb/s, and that software was wanted', () => {
    const series = both.map((one): Series => {
      const notWanted = { verdict: 'not-wanted', checks: [] } as const;
      return { ...one, proof: notWanted, summary: { ...one.summary, medianGbps: 0.0384 } };
    });

    const line = resultLine(resultOf(series, { stamp: 'TESTBED' }));

    expect(line).toMatch(/^38\.4 Mb\/s as7-dpu0 to as8-dpu0, .*; in software, as the profile wants it;/);
  });

  it('says rates without loss', () => {
    const [first] = both;
    const series = first === undefined ? [] : [{ ...first, zeroLoss: { gbps: 250.5, mpps: 20.9, tries: 8 } }];

    expect(resultLine(resultOf(series))).toContain('390.2 Gb/s as7-dpu0 to as8-dpu0, 250.5 Gb/s without loss');
  });
});

describe('the table of a result', () => {
  it('has one row a series with interval, spread and verdict, and columns of frames where they were counted', () => {
    const { columns, rows } = resultTable(resultOf(both));

    expect(columns).not.toContain('Mpps');
    expect(rows).toHaveLength(2);
    expect(rows.every((row) => row.length === columns.length)).toBe(true);
    expect(columns.slice(0, 3)).toEqual(['Direction', 'Median Gb/s', 'Line rate']);
    expect(rows.map(([direction]) => direction)).toEqual(['as7-dpu0 to as8-dpu0', 'as8-dpu0 to as7-dpu0']);
    expect(rows[0]?.slice(1, 5)).toEqual(['390.2', '-', '390.1 to 390.4 (75 %)', '1.0 %']);
    const framed = both.map((one): Series => ({ ...one, summary: { ...one.summary, mpps: 32.5, layer1Gbps: 396.2 } }));
    const wide = resultTable(resultOf(framed));
    expect(wide.columns).toContain('Mpps');
    expect(wide.rows[0]?.slice(5, 7)).toEqual(['396.2', '32.5']);
    expect(wide.rows.every((row) => row.length === wide.columns.length)).toBe(true);
  });

  it('has one unit in a column, and says of a single repeat that there is no interval', () => {
    const single = seriesOf(pointOf(), [0.04]);
    const series = [{ ...single, summary: { ...single.summary, confidencePercent: 0 } }];

    const { columns, rows } = resultTable(resultOf(series));

    expect(columns[1]).toBe('Median Mb/s');
    expect([rows[0]?.[1], rows[0]?.[3]]).toEqual(['40.0', '40.0 to 40.0 (one repeat)']);
  });

  it('names the best setting of a sweep first, and can be read by a spreadsheet', () => {
    const series = [1, 4].map((streams) => seriesOf(pointOf({ streams }), [100 * streams]));

    const table = resultTable(resultOf(series));

    expect(table.rows.map(([setting]) => setting?.slice(-9))).toEqual(['4 streams', ' 1 stream']);
    expect(csvOf({ columns: ['a', 'b'], rows: [['1, 2', 'say "x"']] })).toBe('a,b\r\n"1, 2","say ""x"""\r\n');
  });
});
