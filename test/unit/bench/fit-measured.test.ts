import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitMeasured, rowsInThread } from '../../../src/bench/fit-measured.ts';
import { resultLine, resultTitle } from '../../../src/bench/result-line.ts';
import { resultTable } from '../../../src/bench/result-table.ts';
import type { Measured } from '../../../src/domain/bench.ts';
import { clipEvent } from '../../../src/domain/journal.ts';
import { pointOf, resultOf, seriesOf } from '../../support/bench-results.ts';

const picture = { id: 'a'.repeat(32), name: 'run418-samples.png', mimeType: 'image/png', bytes: 123_456 };
const files = [
  { ...picture, altText: 'SIMULATED: a to b: 390.2 Gb/s; '.repeat(60) },
  { ...picture, name: 'run418-sweep.png', altText: 'SIMULATED: a to b: 390.2 Gb/s; '.repeat(60) },
  { ...picture, name: 'run418-history.png', altText: 'SIMULATED: a to b: 390.2 Gb/s; '.repeat(60) },
  { ...picture, name: 'run418-table.csv', mimeType: 'text/csv' },
  { ...picture, name: 'run418-result.json', mimeType: 'application/json' },
  { ...picture, name: 'run418-tool-logs.txt', mimeType: 'text/plain' },
];

/** A sweep of so many settings in both directions, as it is told. */
function sweepOf(settings: number, warnings: readonly string[] = []): Measured {
  const series = Array.from({ length: settings }, (_one, index) =>
    (['a-to-b', 'b-to-a'] as const).map((direction) =>
      seriesOf(pointOf({ kind: 'ipsec', sas: index + 1, direction }), [190 + index, 191, 192]),
    ),
  ).flat();
  const result = resultOf(series, { kind: 'ipsec', stamp: 'SIMULATED' });
  return {
    id: 'run418-result',
    title: resultTitle(result),
    line: resultLine(result),
    stamp: 'SIMULATED',
    table: resultTable(result),
    warnings,
    files,
  };
}

const asEvent = (measured: Measured) =>
  ({ type: 'measured', target: 'a-host-with-a-long-name-01+a-host-with-a-long-name-02', ...measured }) as const;

describe('a result that is told in the thread', () => {
  it('comes through the journal as it is, also of a large sweep: nothing is cut in the middle', () => {
    const told = asEvent(fitMeasured(sweepOf(60)));

    expect(clipEvent(told)).toEqual(told);
    expect(told.line).toBe(sweepOf(60).line);
    expect(told.table.rows.length).toBeGreaterThan(3);
    expect(told.table.rows.at(-1)?.[0]).toBe(`and ${120 - told.table.rows.length + 1} more, in the files`);
    expect(told.files.map(({ name }) => name)).toEqual(files.map(({ name }) => name));
  });

  it('of one setting is told whole', () => {
    const measured = { ...sweepOf(1, ['The slot is slow.']), files: files.slice(3) };

    expect(fitMeasured(measured)).toEqual(measured);
  });

  it('has so many rows at most, and keeps the first warnings whole', () => {
    const warnings = [
      'NOT OFFLOADED: hw-offload is off.',
      ...Array.from({ length: 40 }, (_one, i) => `${i} is odd. `.repeat(9)),
    ];

    const told = fitMeasured({ ...sweepOf(12, warnings), files: [] });

    expect(told.table.rows.length).toBeLessThanOrEqual(rowsInThread + 1);
    expect(told.warnings[0]).toBe(warnings[0]);
    expect(told.warnings.at(-1)).toMatch(/^\d+ more warnings stand in the JSON file\.$/);
  });

  it('fits into an entry of the journal whatever it says', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 1_500 });
    const row = fc.array(fc.string({ maxLength: 80 }), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(text, fc.array(text, { maxLength: 30 }), fc.array(row, { maxLength: 60 }), (line, warnings, rows) => {
        const measured = { ...sweepOf(1), line, warnings, table: { columns: Array<string>(8).fill('x'), rows }, files };

        const told = fitMeasured(measured);

        expect(told.line.length).toBeLessThanOrEqual(800);
        expect(told.table.rows.length).toBeLessThanOrEqual(rowsInThread + 1);
      }),
      { numRuns: 100 },
    );
  });
});
