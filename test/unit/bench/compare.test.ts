import { describe, expect, it } from 'vitest';
import { changedConditions, compareRuns } from '../../../src/bench/compare.ts';
import { baselineKey } from '../../../src/bench/key.ts';
import type { Condition, ResultRecord } from '../../../src/domain/bench.ts';
import { pointOf, recordOf } from '../../support/bench-results.ts';

const slow = [300, 301, 302, 299, 300];
const fast = [390, 391, 389, 390, 392];

/** A record whose key is that of all it stands on. */
function keyed(run: number, rates: readonly number[], change: Partial<ResultRecord> = {}): ResultRecord {
  const record = recordOf(run, rates, change);
  return { ...record, key: baselineKey(record) };
}

describe('two runs held against each other', () => {
  it('get a verdict with its test for each setting that both have measured, the same one each time', () => {
    const [before, after] = [[keyed(12, slow)], [keyed(15, fast)]];

    const first = compareRuns(before, after);

    expect(first.settings).toEqual([
      {
        setting: 'raw, testpmd, a to b, frames of 1500 bytes, MTU 9000, 8 streams',
        before: '300.0 Gb/s',
        after: '390.0 Gb/s',
        change: '+30.0 %',
        verdict: expect.stringMatching(
          /^better than run 12 \(\+30\.0 %, permutation test, 5 against 5 repeats, p (<|=) 0\.0\d+\)$/,
        ),
      },
    ]);
    expect(first.alone).toEqual([]);
    expect(compareRuns(before, after)).toEqual(first);
  });

  it('get none with too few repeats', () => {
    const { settings } = compareRuns([keyed(12, slow.slice(0, 3))], [keyed(15, fast.slice(0, 3))]);

    expect(settings[0]?.verdict).toContain('too few repeats');
  });

  it('get none where the same setting was measured on something else: that is named, with the difference', () => {
    const before = keyed(12, slow, { firmware: '32.42.1000', offload: 'not-offloaded' });

    const { settings } = compareRuns([before], [keyed(15, fast)]);

    expect(settings[0]).toMatchObject({
      change: '+30.0 %',
      verdict: 'no verdict: offload not offloaded, then offloaded, firmware 32.42.1000, then 32.43.2566',
    });
  });

  it('have no difference where one is simulated and the other real', () => {
    const { settings } = compareRuns([keyed(12, slow, { stamp: 'SIMULATED' })], [keyed(15, fast)]);

    expect(settings[0]).toMatchObject({ change: '-', verdict: 'no verdict: stamp SIMULATED, then real hardware' });
  });

  it('say what only one of them has measured', () => {
    const small = pointOf({ frameBytes: 64 });

    const { settings, alone } = compareRuns([keyed(12, slow)], [keyed(15, fast), keyed(15, fast, { point: small })]);

    expect(settings).toHaveLength(1);
    expect(alone).toEqual([{ run: 15, setting: 'raw, testpmd, a to b, frames of 64 bytes, MTU 9000, 8 streams' }]);
  });
});

describe('conditions', () => {
  const condition = (name: string, value: string, end: Condition['end'] = 'a'): Condition => ({
    end,
    name,
    label: `The ${name}`,
    value,
  });

  it('are told where they differ or were read in one run only, with their end', () => {
    const before = [condition('kernel', '5.15'), condition('image', 'bf-2.9.1'), condition('tool', 'DPDK 22', 'pair')];
    const after = [condition('kernel', '5.15'), condition('image', 'bf-2.9.2'), condition('iommu', 'pt', 'b')];

    expect(changedConditions(before, after)).toEqual([
      'The image (a): bf-2.9.1, then bf-2.9.2',
      'The tool: DPDK 22, then not read',
      'The iommu (b): not read, then pt',
    ]);
    expect(changedConditions(before, before)).toEqual([]);
  });
});
