import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { duration } from '../../../src/domain/duration.ts';
import {
  codeBlock,
  count,
  cutMrkdwn,
  escapeMrkdwn,
  inlineCode,
  mention,
  nameList,
  oneLine,
  prose,
  readable,
  slackDate,
  stopwatch,
} from '../../../src/report/text.ts';
import { foreignText } from './foreign-text.ts';

describe('foreign text that cannot be read as it is', () => {
  test.each([
    ['colours of a terminal', '\u001B[1;31mERROR\u001B[0m: lost', 'ERROR: lost'],
    ['the title of a terminal', '\u001B]0;root@bf\u0007login:', 'login:'],
    ['line ends of every kind', 'a\r\nb\rc\u2028d', 'a\nb\nc\nd'],
    ['control characters', 'a\u0000\u0008\u007F\u009Bb\tc', 'ab\tc'],
    ['marks that turn the direction', 'rm \u202Ecod.txt\u202C', 'rm cod.txt'],
    ['half a character', 'disk \uD83D full', 'disk \uFFFD full'],
  ])('is shown without %s', (_what, text, shown) => {
    expect(readable(text)).toBe(shown);
  });

  test('is a blank where nothing of it is left, because Slack refuses empty texts', () => {
    expect(readable('\u0000')).toBe(' ');
    expect(readable('')).toBe('');
  });

  test('opens no fence with back-ticks that stood apart before', () => {
    expect(escapeMrkdwn('``\u0000`')).toBe("'''");
  });
});

describe('escaping of foreign text', () => {
  test('a broadcast and a mention in device output become letters', () => {
    expect(escapeMrkdwn('<!channel> & <@U1>')).toBe('&lt;!channel&gt; &amp; &lt;@U1&gt;');
  });

  test('a code fence in device output becomes quotes, a command in single back-ticks stays', () => {
    expect(escapeMrkdwn('```rm``` then `/dpu resume 1`')).toBe("'''rm''' then `/dpu resume 1`");
  });

  test('whatever the text, no angle bracket and no fence is left, and cutting never opens one', () => {
    fc.assert(
      fc.property(foreignText, fc.integer({ min: 10, max: 500 }), (text, max) => {
        for (const safe of [escapeMrkdwn(text), oneLine(text, max), cutMrkdwn(escapeMrkdwn(text), max)]) {
          expect(safe).not.toMatch(/[<>]|```/);
          expect(safe.replaceAll(/&(amp|lt|gt);/g, '')).not.toMatch(/&/);
        }
        expect(oneLine(text, max).length).toBeLessThanOrEqual(max);
      }),
    );
  });

  test('whatever the text, a code block has exactly one fence before and one after it', () => {
    fc.assert(
      fc.property(foreignText, (text) => {
        const block = codeBlock(text, 300);

        expect(block.length).toBeLessThanOrEqual(300);
        expect(block.split('```')).toHaveLength(3);
        expect(block.startsWith('```\n') && block.endsWith('\n```')).toBe(true);
        expect(block).not.toMatch(/[<>]/);
      }),
    );
  });

  test('whatever the text, inline code is closed where it ends', () => {
    fc.assert(fc.property(foreignText, (text) => /^(`[^`<>]+`)?$/.test(inlineCode(text))));
  });

  test('an id that is not one of Slack pings nobody', () => {
    expect(mention('U0ANA')).toBe('<@U0ANA>');
    expect(mention('!channel')).toBe('!channel');
    expect(mention('U1> <!here')).toBe('U1&gt; &lt;!here');
  });
});

describe('cutting', () => {
  test('a cut inside a fence closes the fence, so the rest of the message stays readable', () => {
    const cut = cutMrkdwn(`before \`\`\`\n${'x'.repeat(100)}\n\`\`\` after`, 50);

    expect(cut.length).toBeLessThanOrEqual(50);
    expect(cut.split('```')).toHaveLength(3);
  });

  test('a date or mention of ours is left out as a whole rather than cut in half', () => {
    expect(cutMrkdwn(`by <@U0ANA> and ${'y'.repeat(50)}`, 14)).toBe('by …');
  });
});

describe('durations, dates and lists', () => {
  test.each([
    [0, '0.0 s'],
    [-5, '0.0 s'],
    [20, 'under 0.1 s'],
    [9940, '9.9 s'],
    [9960, '10 s'],
    [59_600, '1 min 00 s'],
    [245_000, '4 min 05 s'],
    [3_599_700, '1 h 00 min'],
    [7_800_000, '2 h 10 min'],
  ])('%i ms is said as %s', (ms, text) => expect(duration(ms)).toBe(text));

  test.each([
    [0, '0:00'],
    [80_000, '1:20'],
    [3_900_000, '1:05:00'],
  ])('%i ms is %s on a stop watch', (ms, text) => expect(stopwatch(ms)).toBe(text));

  test('a date carries UTC for readers whose client cannot place it in their zone', () => {
    expect(slackDate(Date.UTC(2026, 10, 22, 14, 5))).toBe('<!date^1795356300^{time}|2026-11-22 14:05 UTC>');
  });

  test('a point in time in a sentence becomes a date in the zone of the reader, but not inside inline code', () => {
    expect(prose('held since 2026-11-22T14:05:00.000Z, see `log 2026-11-22T14:05:00Z` <!here>')).toBe(
      'held since <!date^1795356300^{time}|2026-11-22 14:05 UTC>, see `log 2026-11-22T14:05:00Z` &lt;!here&gt;',
    );
    expect(prose('at 2026-99-99T14:05:00Z')).toBe('at 2026-99-99T14:05:00Z');
  });

  test('a long list names the first and counts the rest', () => {
    expect(nameList(['a'])).toBe('a');
    expect(nameList(['a', 'b', '<c>'])).toBe('a, b and &lt;c&gt;');
    expect(nameList(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more');
    expect([count(1, 'step'), count(0, 'step')]).toEqual(['1 step', '0 steps']);
  });
});
