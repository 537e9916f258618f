import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { joinWords, splitWords } from '../../../commands/words.ts';
import { OpsError } from '../../../src/errors.ts';

describe('splitWords', () => {
  test.each([
    ['curly quotes of a phone', 'halt --reason “fan swap”', ['halt', '--reason', 'fan swap']],
    ['curly single quotes', 'halt --reason ‘fan swap’', ['halt', '--reason', 'fan swap']],
    ['low opening quotes', 'halt --reason „fan swap“', ['halt', '--reason', 'fan swap']],
    ['an em dash before a flag', 'provision rack1 —plan', ['provision', 'rack1', '--plan']],
    ['an en dash before a flag', 'provision rack1 –plan', ['provision', 'rack1', '--plan']],
    ['two long dashes before a flag', 'provision rack1 ——plan', ['provision', 'rack1', '--plan']],
    ['a flag with a joined text', 'halt —reason="fan swap"', ['halt', '--reason=fan swap']],
    ['a dash inside a word', 'run a—b', ['run', 'a—b']],
    ['a blank that does not break', 'provision\u00a0rack1', ['provision', 'rack1']],
    ['an invisible character', 'provision\u200b rack1', ['provision', 'rack1']],
    ['a line break', 'provision\nrack1', ['provision', 'rack1']],
    ['a run number with a hash', 'run #418', ['run', '#418']],
    ['an apostrophe of a phone', 'halt --reason ana’s', ['halt', '--reason', 'ana’s']],
    ['an apostrophe in double quotes', `halt --reason "ana's card"`, ['halt', '--reason', "ana's card"]],
    ['special characters in single quotes', `halt --reason 'why? $5; *'`, ['halt', '--reason', 'why? $5; *']],
    [
      'patterns as they stand',
      'provision rack*,as[7-9] --except as?',
      ['provision', 'rack*,as[7-9]', '--except', 'as?'],
    ],
    ['nothing', '   ', []],
  ])('reads %s', (_what, text, expected) => {
    expect(splitWords(text)).toEqual(expected);
  });

  test.each([
    ['a pipe', 'runs | less', 'An operator is in the line: |'],
    ['a second command', 'runs; halt', 'An operator is in the line: ;'],
    ['an ampersand', 'runs && runs', 'An operator is in the line: &&'],
    ['a redirection', 'runs > file', 'An operator is in the line: >'],
    ['a variable', 'provision $HOME', 'A variable is in the line: $HOME'],
    ['a variable in double quotes', 'halt --reason "cost $5"', 'A variable is in the line: $5'],
    ['a broken variable', 'halt ${', 'A variable is in the line: ${'],
    ['an open quote', 'halt --reason "fan', 'A quote is opened and not closed: "'],
    ['an apostrophe outside quotes', "halt --reason ana's", "A quote is opened and not closed: '"],
    ['3,000 characters', 'x'.repeat(3000), 'The line has 3000 characters.'],
  ])('refuses %s and says so', (_what, text, expected) => {
    expect(() => splitWords(text)).toThrow(expected);
  });

  test('takes a list with blanks behind its commas for one word, but not what is quoted, and no flag', () => {
    expect(splitWords('provision rack1, as9,  as10 --plan')).toEqual(['provision', 'rack1,as9,as10', '--plan']);
    expect(splitWords('lock as9, --reason "cable, then fan"')).toEqual(['lock', 'as9,', '--reason', 'cable, then fan']);
    expect(splitWords(joinWords(['a,', 'b']))).toEqual(['a,', 'b']);
  });

  test('throws nothing but OpsError on 5,000 random lines', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), awkward), (text) => {
        try {
          expect(splitWords(text).every((word) => typeof word === 'string')).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(OpsError);
        }
      }),
      { numRuns: 5000 },
    );
  });
});

const awkward = fc
  .array(
    fc.constantFrom(
      '"',
      "'",
      '\\',
      '$',
      '${',
      '{',
      '}',
      '#',
      ' ',
      '—',
      '-',
      '--',
      '“',
      '’',
      'a',
      '`',
      '*',
      '(',
      '<',
      '&',
      '\n',
      '\0',
    ),
  )
  .map((parts) => parts.join(''));

test('joinWords writes a line that splits into the same words', () => {
  const word = fc.string({ unit: fc.constantFrom(...`ab1 "'$\\#*;&<>()|\`{}[]~=-,.:/@%+?!`.split('')) });
  fc.assert(
    fc.property(fc.array(word.filter((text) => text === text.trim() && !/ {2}/.test(text))), (parts) => {
      expect(splitWords(joinWords(parts))).toEqual(parts);
    }),
    { numRuns: 3000 },
  );
});
