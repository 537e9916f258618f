import * as fc from 'fast-check';
import type { JournalEvent } from '../../../src/domain/journal.ts';
import { foreignText } from './foreign-text.ts';

const number = fc.nat({ max: 1_000_000 });

/** What a look saw, at its worst. */
export function looked(target: fc.Arbitrary<string>): fc.Arbitrary<Looked> {
  const file = fc.record({
    id: fc.constant('f'.repeat(32)),
    name: foreignText,
    mimeType: fc.constant('text/plain'),
    bytes: number,
  });
  const row = fc.record(
    { label: foreignText, value: foreignText, warning: foreignText },
    { requiredKeys: ['label', 'value'] },
  );
  return fc.record(
    {
      type: fc.constant('looked' as const),
      target,
      title: foreignText,
      summary: foreignText,
      rows: fc.array(row, { maxLength: 45 }),
      lines: fc.array(foreignText, { maxLength: 45 }),
      warnings: fc.array(foreignText, { maxLength: 12 }),
      file,
    },
    { requiredKeys: ['type', 'target', 'title', 'summary'] },
  );
}

type Looked = Extract<JournalEvent, { readonly type: 'looked' }>;
type MeasuredEvent = Extract<JournalEvent, { readonly type: 'measured' }>;

/** A result of a bench, at its worst. */
export const measuredEvent: fc.Arbitrary<MeasuredEvent> = fc.record(
  {
    type: fc.constant('measured' as const),
    target: foreignText,
    id: fc.constantFrom('run12-result', 'run13-result'),
    title: foreignText,
    line: foreignText,
    stamp: fc.constantFrom('SIMULATED', 'TESTBED'),
    table: fc.record({
      columns: fc.array(foreignText, { minLength: 1, maxLength: 9 }),
      rows: fc.array(fc.array(foreignText, { minLength: 1, maxLength: 9 }), { maxLength: 40 }),
    }),
    warnings: fc.array(foreignText, { maxLength: 12 }),
    regression: fc.constant(true as const),
    files: fc.array(
      fc.record(
        {
          id: fc.constant('f'.repeat(32)),
          name: foreignText,
          mimeType: fc.constantFrom('image/png', 'application/json', 'text/csv', 'text/plain'),
          bytes: number,
          altText: foreignText,
        },
        { requiredKeys: ['id', 'name', 'mimeType', 'bytes'] },
      ),
      { maxLength: 5 },
    ),
  },
  { requiredKeys: ['type', 'target', 'id', 'title', 'line', 'table', 'warnings', 'files'] },
);
