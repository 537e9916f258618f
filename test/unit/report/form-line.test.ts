import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitWords } from '../../../commands/words.ts';
import type { FormWord } from '../../../src/report/form-line.ts';
import { formLine } from '../../../src/report/form-line.ts';

const reason = (value: string): FormWord => ({ kind: 'flag', name: 'reason', value });

describe('the line of a form', () => {
  test.each<[string, readonly FormWord[], string]>([
    ['a name', [{ kind: 'word', text: 'rack1' }], 'lock rack1'],
    ['a pattern', [{ kind: 'word', text: 'rack[1-4],host-*' }], "lock 'rack[1-4],host-*'"],
    ['a switch', [{ kind: 'flag', name: 'plan' }], 'lock --plan'],
    ['a text', [reason('fan swap')], "lock --reason 'fan swap'"],
    ['an apostrophe of a phone', [reason('the hosts’ fans')], `lock --reason 'the hosts'"'"' fans'`],
    ['a text that looks like a flag', [reason('--force it')], "lock '--reason=--force it'"],
    ['a text with a long dash', [reason('—urgent')], "lock '--reason=—urgent'"],
    ['several lines', [reason('one\n two')], "lock --reason 'one two'"],
  ])('writes %s', (_what, words, line) => {
    expect(formLine('lock', words)).toBe(line);
  });

  test('is split by the validator into what was given, whatever that was', () => {
    const texts = fc.oneof(
      fc.string({ minLength: 1, unit: 'grapheme' }),
      fc
        .array(fc.constantFrom('“', '”', '‘', '’', "'", '"', '$', '`', '\\', ';', '*', '#', ' ', 'a', '-', '—', '='), {
          minLength: 1,
          maxLength: 12,
        })
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const [start, ...words] = splitWords(formLine('lock', [reason(text)]));
        const value = words.length === 1 ? words[0]?.replace(/^--reason=/, '') : words[1];

        expect(start).toBe('lock');
        expect(words.length).toBeLessThanOrEqual(2);
        expect(words[0]).toMatch(/^--reason(=|$)/);
        expect(letters(value ?? '')).toBe(letters(text));
      }),
      { numRuns: 1000 },
    );
  });
});

/** Without what the validator changes in every line: quotes of one kind, invisible characters, blanks. */
function letters(text: string): string {
  return text
    .replaceAll(/[\u201C-\u201F\u2033\uFF02"\u2018-\u201B']/g, '')
    .replaceAll(/[\s\u00AD\u200B-\u200F\u202A-\u202E\u2060\uFEFF\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]/g, '');
}
