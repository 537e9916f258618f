import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchesPattern, parsePattern } from '../../../src/domain/target-pattern.ts';

function fits(text: string, name: string): boolean {
  const pattern = parsePattern(text);
  if (typeof pattern === 'string') throw new Error(pattern);
  return matchesPattern(pattern, name);
}

/** The same by a regular expression, of short patterns only. */
function slowly(pieces: readonly string[], name: string): boolean {
  const source = pieces.map((piece) => {
    if (piece === '*') return '.*';
    if (piece === '?') return '.';
    const [, from, to] = /^\[(\d+)-(\d+)\]$/.exec(piece) ?? [];
    if (from === undefined || to === undefined) return piece;
    const width = from.startsWith('0') ? from.length : 0;
    const numbers = Array.from({ length: Number(to) - Number(from) + 1 }, (_, index) => Number(from) + index);
    return `(?:${numbers.map((number) => String(number).padStart(width, '0')).join('|')})`;
  });
  return new RegExp(`^${source.join('')}$`).test(name);
}

describe('a pattern', () => {
  test.each([
    ['as[7-9]', 'as8', true],
    ['as[7-9]', 'as10', false],
    ['as[7-12]', 'as11', true],
    ['as[07-12]', 'as7', false],
    ['as[07-12]', 'as07', true],
    ['as[007-120]', 'as099', true],
    ['as[1-20]x', 'as1x', true],
    ['as[1-20][1-20]', 'as111', true],
    ['as[0-9]', 'as00', false],
    ['*', '', true],
    ['?', '', false],
    ['r*k[1,3]', 'rack3', true],
  ])('%s for %s: %s', (pattern, name, expected) => {
    expect(fits(pattern, name)).toBe(expected);
  });

  test('fits what a regular expression of the same meaning fits', () => {
    const piece = fc.constantFrom('*', '?', 'a', 'b1', '1', '[1-3]', '[08-12]', '[0-20]');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 5 }), fc.stringMatching(/^[ab012389]{0,8}$/), (pieces, name) => {
        expect(fits(pieces.join(''), name)).toBe(slowly(pieces, name));
      }),
      { numRuns: 2000 },
    );
  });

  test('of the worst kind is done with, where a regular expression would go on for hours', () => {
    const stars = 'a*'.repeat(200);
    const numbers = '[1-999999]'.repeat(40);

    expect(fits(`${stars}b`, 'a'.repeat(60))).toBe(false);
    expect(fits(`*${numbers}*x`, '1'.repeat(60))).toBe(false);
  });
});
