import { describe, expect, test } from 'vitest';
import { bulletList, header, table } from '../../../src/report/blocks.ts';
import { fitMessage } from '../../../src/report/limits.ts';
import { plainText } from '../../../src/report/plain-text.ts';
import { complaints } from './slack-limits.ts';

describe('all text of a message together', () => {
  test('the table of a run with 99 cards is within the limit and keeps every row', () => {
    const rows = Array.from({ length: 99 }, (_, index) => [`as${index}-dpu0`, `as${index}`, 'done', '3', '2', '2.0 s']);

    const fitted = fitMessage({
      text: 't',
      blocks: [header('Run 418'), table(['Card', 'Host', 'a', 'b', 'c', 'd'], rows)],
    });

    expect(complaints(fitted)).toEqual([]);
    expect(plainText(fitted)).toContain('as98-dpu0');
  });

  test('a table of long cells loses its last rows rather than the whole message', () => {
    const rows = Array.from({ length: 99 }, (_, index) => [`row ${index}`, 'x'.repeat(200), 'y'.repeat(200)]);

    const fitted = fitMessage({ text: 't', blocks: [header('Rows'), table(['a', 'b', 'c'], rows)] });

    expect(complaints(fitted)).toEqual([]);
    expect(plainText(fitted)).toContain('row 20');
    expect(plainText(fitted)).not.toContain('row 30');
    expect(plainText(fitted)).toMatch(/\nand \d+ more$/);
  });

  test('a list that is too long says how many bullets are not there', () => {
    const bullets = Array.from({ length: 20 }, (_, index) => ({ spans: [`${index}: ${'x'.repeat(800)}`] }));

    const fitted = fitMessage({ text: 't', blocks: [bulletList(['Steps'], bullets)] });

    expect(complaints(fitted)).toEqual([]);
    expect(plainText(fitted)).toMatch(/^Steps\n• 0: x+/);
    expect(plainText(fitted)).toMatch(/\nand 9 more$/);
  });
});
