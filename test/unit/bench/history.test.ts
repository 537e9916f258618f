import { describe, expect, it } from 'vitest';
import { historyRows, historyTrends, sparkline } from '../../../src/bench/history.ts';
import { baselineKey } from '../../../src/bench/key.ts';
import type { ResultRecord } from '../../../src/domain/bench.ts';
import { recordOf } from '../../support/bench-results.ts';

function keyed(run: number, rates: readonly number[], change: Partial<ResultRecord> = {}): ResultRecord {
  const record = recordOf(run, rates, change);
  return { ...record, key: baselineKey(record) };
}

describe('the history of a pair', () => {
  const other = keyed(14, [100, 100, 100], { firmware: '32.42.1000' });
  const records = [keyed(15, [396, 396, 396]), other, keyed(12, [390, 390, 390])];
  const [newest, , oldest] = records;

  it('tells each figure with its change to the one before under equal conditions, and to its baseline', () => {
    const rows = historyRows(records, new Map(oldest && [[oldest.key, oldest]]));

    expect(rows.map(({ run, rate, change, baseline }) => [run, rate, change, baseline])).toEqual([
      [15, '396.0 Gb/s (3 repeats)', '+1.5 % to run 12', '+1.5 % to run 12'],
      [14, '100.0 Gb/s (3 repeats)', '-', 'none'],
      [12, '390.0 Gb/s (3 repeats)', '-', 'this is it'],
    ]);
    expect(rows[0]?.setting).toBe('raw, testpmd, a to b, frames of 1500 bytes, MTU 9000, 8 streams');
  });

  it('says what a figure may not be taken for, and leaves out what is not known', () => {
    const odd = keyed(16, [4], { stamp: 'TESTBED', offload: 'not-offloaded', firmware: 'unknown' });

    const remarks = historyRows([odd, ...records.slice(0, 1)], new Map()).map((row) => row.remarks);

    expect(remarks).toEqual(['TESTBED, NOT OFFLOADED, bf-2.9.2', 'offloaded, firmware 32.43.2566, bf-2.9.2']);
  });

  it('draws how the figures of one key went, oldest first', () => {
    expect(historyTrends(records)).toEqual([
      '██ raw, testpmd, a to b, frames of 1500 bytes, MTU 9000, 8 streams: 390.0 Gb/s to 396.0 Gb/s, runs 12 to 15',
    ]);
    expect(historyTrends(newest ? [newest, other] : [])).toEqual([]);
  });

  it('draws from zero: one percent less looks like it, half looks like half', () => {
    expect(sparkline([100, 99, 50, 1, 0])).toBe('██▄▁▁');
    expect(sparkline([0, 0])).toBe('▁▁');
  });
});
