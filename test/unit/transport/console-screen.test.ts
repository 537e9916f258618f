import { PassThrough } from 'node:stream';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/domain/secret.ts';
import { createDialogue } from '../../../src/transport/console/dialogue.ts';
import { createScreen } from '../../../src/transport/console/screen.ts';
import { createRedactor } from '../../../src/transport/redact.ts';

async function shown(...pieces: readonly (string | Uint8Array)[]): Promise<readonly string[]> {
  const screen = createScreen();
  for (const piece of pieces) screen.push(typeof piece === 'string' ? Buffer.from(piece) : piece);
  const lines = await screen.lines();
  screen.dispose();
  return lines;
}

describe('what a console shows', () => {
  it.each([
    ['colours go', '\u001b[1;31mFAILED\u001b[0m to start', ['FAILED to start']],
    ['a progress line is overwritten by the next one', ' 10 %\r 55 %\r100 %\r\ndone', ['100 %', 'done']],
    ['what was typed wrong and erased is gone', 'rebot\b \b\b \boot', ['reboot']],
    ['the cursor moves', '\u001b[2;5Hmenu\u001b[1;1Htop', ['top', '    menu']],
    ['a line is erased to its end', 'loading everything\r\u001b[Kloaded', ['loaded']],
    [
      'what firmware clears away stays above',
      'BL31 runtime\r\n\u001b[2J\u001b[1;1HUEFI menu',
      ['BL31 runtime', 'UEFI menu'],
    ],
    ['other scripts stay', 'Größe ✓ 你好', ['Größe ✓ 你好']],
    ['a window title is no text', '\u001b]0;evil\u0007$ ', ['$']],
    ['marks that turn the reading direction go', 'exe.\u202egnp', ['exe.gnp']],
    ['nothing is nothing', '', []],
  ])('%s', async (_name, raw, lines) => {
    expect(await shown(raw)).toEqual(lines);
  });

  it('joins what the terminal broke, so that a secret is found whole', async () => {
    const long = 'x'.repeat(250);
    expect(await shown(`${long}\r\nnext`)).toEqual([long, 'next']);
  });

  it('takes up where the last look ended, in the middle of a sequence or of a character', async () => {
    const screen = createScreen();
    const bytes = Buffer.from('\u001b[31mGröße');
    for (const byte of bytes) {
      screen.push(Buffer.from([byte]));
      await screen.lines();
    }
    expect(await screen.lines()).toEqual(['Größe']);
    expect(screen.receivedBytes()).toBe(bytes.length);
  });

  it('keeps the newest 2,000 lines', async () => {
    const screen = createScreen();
    for (let from = 0; from < 5_000; from += 500) {
      screen.push(Buffer.from(Array.from({ length: 500 }, (_, at) => `line ${from + at}\r\n`).join('')));
      await screen.lines();
    }
    const lines = await screen.lines();
    expect(lines.length).toBeGreaterThan(1_990);
    expect(lines.length).toBeLessThanOrEqual(2_000);
    expect(lines.at(-1)).toBe('line 4999');
  });

  it('drops the start of what comes faster than anybody looks', async () => {
    const screen = createScreen();
    for (let at = 0; at < 40; at += 1) screen.push(Buffer.from(`${at} ${'y'.repeat(20_000)}\r\n`));
    const lines = await screen.lines();
    expect(lines.join('\n').length).toBeLessThanOrEqual(256 * 1024);
    expect(lines.at(-1)?.slice(0, 4)).toBe('39 y');
  });
});

/** Sequences made to hurt: huge counts, endless strings, questions, modes, raw bytes. */
const hostile = fc
  .array(
    fc.oneof(
      fc
        .tuple(
          fc.constantFrom('\u001b[', '\u009b'),
          fc.constantFrom('', '?', '>', '='),
          fc.nat(2 ** 31 - 1),
          fc.constantFrom(...'@ABCDEFGHIJKLMPSTXZ`abcdefghlmnpqrstu'.split('')),
        )
        .map((parts) => parts.join('')),
      fc
        .tuple(fc.nat(120), fc.nat(60), fc.constantFrom('H', 'r', 'f', 'm', 't'))
        .map(([a, b, end]) => `\u001b[${a};${b}${end}`),
      fc.constantFrom(
        '\u001b[6n',
        '\u001b[c',
        '\u001b[>c',
        '\u001b]52;c;?\u0007',
        '\u001b]4;1;?\u0007',
        '\u001bP$qm\u001b\\',
        '\u001b[18t',
        '\u001b[?3h',
        '\u001b[?1049h',
        '\u001b[?1049l',
        '\u001bc',
        '\u001b#8',
        '\u001b[!p',
        '\u001b[2 @',
        "\u001b[3'}",
        '\u001bM',
        '\u001bD',
        '\u0085',
        '\u001b(0',
        '\u001bn',
        '\u000e',
      ),
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.constantFrom('login: ', 'a\u0300\u0301', '你', '👩‍👩‍👧', '\t', '\r\n', '\b', '\u001b]0;'),
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''));

describe('a console that means no good', () => {
  it('never makes the screen throw, and gets no control character, and no more lines than are kept, through it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            hostile.map((text) => Buffer.from(text)),
            fc.uint8Array({ maxLength: 200 }),
          ),
        ),
        async (pieces) => {
          const lines = await shown(...pieces);
          expect(lines.length).toBeLessThanOrEqual(2_000);
          expect(lines.filter((line) => /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u.test(line))).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each(['b', 'L', 'M', 'S', 'T', '@', 'P', 'X', 'I', 'Z'])(
    'is not obeyed when it asks for two thousand million times %s',
    async (final) => {
      const startMs = performance.now();
      expect(await shown(`keep\r\n\u001b[2147483647${final}this`)).toEqual(['keep', 'this']);
      expect(performance.now() - startMs).toBeLessThan(1_000);
    },
  );

  it('gets no answer: nothing is written to it', async () => {
    const stream = new PassThrough();
    const written: Buffer[] = [];
    const duplex = Object.assign(stream, { write: (chunk: Buffer) => written.push(chunk) > 0 });
    const dialogue = createDialogue({
      stream: duplex,
      redactor: createRedactor(),
      onSilent: () => new Error('silent'),
      onEnd: () => new Error('gone'),
      close: () => Promise.resolve(),
    });
    stream.emit('data', Buffer.from('\u001b[6n\u001b[c\u001b]52;c;?\u0007\u001b[18tlogin: '));
    const { lines } = await dialogue.screen();
    expect(lines).toEqual(['login:']);
    expect(written).toEqual([]);
  });
});

describe('the screen of a dialogue', () => {
  function open(secret?: string) {
    const redactor = createRedactor();
    if (secret !== undefined) redactor.add(new Secret(secret));
    const stream = new PassThrough();
    const dialogue = createDialogue({
      stream,
      redactor,
      onSilent: () => new Error('silent'),
      onEnd: () => new Error('gone'),
      close: () => Promise.resolve(),
    });
    return { stream, dialogue };
  }

  it('hides a known secret also where the terminal breaks the line in it', async () => {
    const { stream, dialogue } = open('Zx9!kkQw-secret7');
    stream.emit('data', Buffer.from(`${'.'.repeat(92)}Zx9!kkQw-secret7 end\r\n`));
    expect((await dialogue.screen()).lines).toEqual([`${'.'.repeat(92)}[redacted] end`]);
  });

  it('hides what looks like a secret, and takes no line after a prompt for its answer', async () => {
    const { stream, dialogue } = open();
    stream.emit(
      'data',
      Buffer.from('password=hunter22\r\nPassword: \r\nLogin incorrect\r\n$6$abcdefgh$0123456789abcdef'),
    );
    expect((await dialogue.screen()).lines).toEqual([
      'password=[redacted]',
      'Password:',
      'Login incorrect',
      '[redacted]',
    ]);
  });

  it('hides a whole private key', async () => {
    const { stream, dialogue } = open();
    stream.emit(
      'data',
      Buffer.from('-----BEGIN OPENSSH PRIVATE KEY-----\r\nabcdef\r\nghi\r\n-----END OPENSSH PRIVATE KEY-----\r\n$'),
    );
    expect((await dialogue.screen()).lines).toEqual(['[redacted]', '$']);
  });

  it('shows everything since it was opened, whatever was waited for, and why nothing more comes', async () => {
    const { stream, dialogue } = open();
    stream.emit('data', Buffer.from('one\r\nlogin: '));
    await dialogue.expect([/login: $/], 1_000);
    const before = await dialogue.screen();
    stream.emit('data', Buffer.from('two'));
    stream.emit('end');
    const after = await dialogue.screen();
    expect(before).toEqual({ lines: ['one', 'login:'], receivedBytes: 12 });
    expect(after).toEqual({ lines: ['one', 'login: two'], receivedBytes: 15, ended: new Error('gone') });
  });
});
