import { PassThrough } from 'node:stream';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/domain/secret.ts';
import { OpsError } from '../../../src/errors.ts';
import { createTextCleaner } from '../../../src/transport/console/clean.ts';
import { createDialogue } from '../../../src/transport/console/dialogue.ts';
import { createMatcher } from '../../../src/transport/console/match.ts';
import { createRedactor } from '../../../src/transport/redact.ts';

const clean = (...pieces: readonly (string | Uint8Array)[]): string => {
  const cleaner = createTextCleaner();
  return pieces.map((piece) => cleaner.push(typeof piece === 'string' ? Buffer.from(piece) : piece)).join('');
};

/** Bytes cut at any places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

/** What consoles say: words, prompts, control sequences, controls, other scripts. */
const saying = fc
  .array(
    fc.oneof(
      fc.constantFrom('login: ', 'Password: ', '\r\n', '\n', 'ubuntu@localhost:~$ ', 'New password: ', 'Größe ✓ 你好'),
      fc.constantFrom(
        '\u001b[?2004h',
        '\u001b[1;31m',
        '\u001b[0m',
        '\u001b]0;title\u0007',
        '\u001b(B',
        '\u001b7',
        '\b',
        '\0',
      ),
      fc.string({ maxLength: 8 }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''));
const places = fc.array(fc.nat(), { maxLength: 12 });

describe('cleaning what a console says', () => {
  it.each([
    ['colours', '\u001b[1;31mFAILED\u001b[0m to start', 'FAILED to start'],
    ['bracketed paste before a prompt', '\u001b[?2004hubuntu@localhost:~$ ', 'ubuntu@localhost:~$ '],
    ['a window title', '\u001b]0;ubuntu@localhost: ~\u0007$ ', '$ '],
    ['a window title that ends with ST', '\u001b]0;x\u001b\\$ ', '$ '],
    ['the choice of a character set', '\u001b(Btext\u001b)0', 'text'],
    ['saving the cursor', '\u001b7a\u001b8b', 'ab'],
    ['carriage returns', 'one\r\ntwo\rthree', 'one\ntwothree'],
    ['NUL, bell, backspace, delete', 'a\0b\u0007c\bd\u007fe', 'abcde'],
    ['C1 controls', 'a\u0085b\u009bc', 'abc'],
    ['a sequence that a new one breaks off', '\u001b[12\u001b[0mtext', 'text'],
    ['a sequence that is cancelled', '\u001b[12\u0018text', 'text'],
    ['a title without an end, up to the line feed', '\u001b]0;lost\nlogin: ', 'login: '],
    ['tabs and other scripts, which stay', '\tGröße ✓ 你好', '\tGröße ✓ 你好'],
  ])('%s', (_name, raw, text) => {
    expect(clean(raw)).toBe(text);
  });

  it('gives the same text however the bytes are cut', () => {
    fc.assert(
      fc.property(saying, places, (text, at) => {
        const bytes = Buffer.from(text);
        expect(clean(...cut(bytes, at))).toBe(clean(bytes));
      }),
    );
  });

  it('lets no control character through but line feed and tab', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(clean(bytes).replaceAll(/[\n\t]/g, '')).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});

describe('finding a pattern in what a console says', () => {
  const patterns = [/login: ?$/, /password: ?$/i, /(?:^|\n)[^\n]*[$#] $/, /o+/, /\n\n/];

  it('finds the same one at the same place however the text is cut', () => {
    fc.assert(
      fc.property(saying, places, (text, at) => {
        const whole = createMatcher();
        whole.push(text);
        const pieces = createMatcher();
        const found: unknown[] = [];
        const ends = [...at.map((place) => place % (text.length + 1)), text.length].toSorted((a, b) => a - b);
        for (const [index, end] of ends.entries()) {
          pieces.push(text.slice(ends[index - 1] ?? 0, end));
          for (let one = pieces.find(patterns); one !== undefined; one = pieces.find(patterns)) found.push(one);
        }
        const expected: unknown[] = [];
        for (let one = whole.find(patterns); one !== undefined; one = whole.find(patterns)) expected.push(one);
        expect(found).toEqual(expected);
        expect(pieces.pending()).toBe(whole.pending());
      }),
    );
  });

  it('takes the first of several patterns that match at the same place', () => {
    const matcher = createMatcher();
    matcher.push('New password: ');
    expect(matcher.find([/new password:$/i, /password:$/i])).toEqual({ index: 0, text: 'New password:' });
  });

  it('looks again from the start of what is pending when other patterns are asked for', () => {
    const matcher = createMatcher();
    matcher.push('one two');
    expect(matcher.find([/three/])).toBeUndefined();
    expect(matcher.find([/one/])).toEqual({ index: 0, text: 'one' });
    expect(matcher.pending()).toBe(' two');
  });

  it('keeps the last 64 KiB of a long boot log, and finds the prompt behind it in time', () => {
    const matcher = createMatcher();
    const prompts = [/login: ?$/, /password: ?$/i];
    const line = `[   12.345678] mlx5_core 0000:03:00.0: ${'x'.repeat(60)}\n`;
    const startMs = performance.now();
    for (let at = 0; at < 5_000; at += 1) {
      matcher.push(line);
      expect(matcher.find(prompts)).toBeUndefined();
    }
    matcher.push('localhost login: ');
    const found = matcher.find(prompts);
    expect(found?.index).toBe(0);
    expect(found?.text.length).toBeLessThanOrEqual(64 * 1024);
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });
});

describe('a dialogue over a stream', () => {
  function talk() {
    const far = new PassThrough();
    const redactor = createRedactor();
    const dialogue = createDialogue({
      stream: far,
      redactor,
      onSilent: (said) => new Error(`silent: ${said}`),
      onEnd: (said) => new Error(`ended: ${said}`),
      close: () => Promise.resolve(),
      pace: { bytes: 4, gapMs: 0 },
    });
    return { far, dialogue, redactor };
  }

  it('ends each line with a carriage return and keeps the order of lines that are sent at once', async () => {
    const { far, dialogue } = talk();
    const heard: string[] = [];
    far.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
    await Promise.all([dialogue.send('first line'), dialogue.send(new Secret('second-secret'))]);
    expect(heard.join('')).toBe('first line\rsecond-secret\r');
    expect(Math.max(...heard.map((piece) => piece.length))).toBe(4);
  });

  it('gives text up to the match, and the rest to the next one', async () => {
    const { far, dialogue } = talk();
    far.write('localhost login: ubuntu\r\nPassword: ');
    const first = await dialogue.expect([/login: $/], 1_000);
    const second = await dialogue.expect([/never/, /Password: $/], 1_000);
    expect(first).toEqual({ index: 0, text: 'localhost login: ' });
    expect(second).toEqual({ index: 1, text: 'ubuntu\nPassword: ' });
  });

  it('tells what was said instead, without secrets, when nothing matches in time', async () => {
    const { far, dialogue } = talk();
    await dialogue.send(new Secret('Zx9!kkQw-secret7'));
    far.write('\u001b[1mShell> ');
    await expect(dialogue.expect([/login: $/], 30)).rejects.toThrow('silent: [redacted]Shell>');
  });

  it('still finds what was said before the end', async () => {
    const { far, dialogue } = talk();
    far.end('bye\n');
    await expect(dialogue.expect([/bye\n/], 1_000)).resolves.toEqual({ index: 0, text: 'bye\n' });
    await expect(dialogue.expect([/more/], 1_000)).rejects.toThrow('ended: ');
  });

  it('lets one part of dpubot read at a time', async () => {
    const { far, dialogue } = talk();
    const waiting = dialogue.expect([/x/], 1_000);
    await expect(dialogue.expect([/y/], 1_000)).rejects.toThrow(OpsError);
    far.write('x');
    await expect(waiting).resolves.toEqual({ index: 0, text: 'x' });
  });
});
