import { spawnSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoteArgv, quoteWord } from '../../../src/transport/ssh/quote.ts';

/** What a real shell hands to a program for that command line. */
function argvSeenBy(line: string): readonly string[] {
  const { stdout, status } = spawnSync('/bin/sh', ['-c', line], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`exit ${status}`);
  return stdout.split('\0').slice(0, -1);
}

const nasty = fc.constantFrom(
  '',
  ' ',
  "'",
  '"',
  '\\',
  '\n',
  '$HOME',
  '`id`',
  '$(id)',
  '*',
  '~',
  '-n',
  '%s',
  '!',
  '#',
  'é✓𝄞',
);
const word = fc.oneof(
  fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
  fc.array(nasty, { maxLength: 6 }).map((parts) => parts.join('')),
);

describe('quoteArgv', () => {
  it('gives a real shell exactly the arguments, whatever is in them', () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), (words) => {
        expect(argvSeenBy(quoteArgv(['printf', '%s\\0', ...words]))).toEqual(words);
      }),
      { numRuns: 60 },
    );
  });

  it('leaves plain words readable', () => {
    expect(quoteArgv(['lspci', '-vmm', '-s', '0000:3b:00.0'])).toBe('lspci -vmm -s 0000:3b:00.0');
  });

  it('quotes a program named like a word of the shell, so that it is looked up and not parsed', () => {
    const { status, stderr } = spawnSync('/bin/sh', ['-c', quoteArgv(['if', 'x'])], { encoding: 'utf8' });
    expect(status).toBe(127);
    expect(stderr).toContain('not found');
  });

  it('refuses a NUL byte and an empty command', () => {
    expect(() => quoteWord('a\0b')).toThrow(RangeError);
    expect(() => quoteArgv([])).toThrow(RangeError);
    expect(() => quoteArgv([''])).toThrow(RangeError);
  });
});
