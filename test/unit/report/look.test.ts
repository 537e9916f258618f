import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JournalEntry, JournalEvent } from '../../../src/domain/journal.ts';
import { RUN_STREAM } from '../../../src/domain/journal.ts';
import type { Run } from '../../../src/domain/run.ts';
import { emptyFold, foldMore } from '../../../src/report/journal-fold.ts';
import { runJson } from '../../../src/report/json.ts';
import { lookMessage } from '../../../src/report/look-message.ts';
import { fitMessage } from '../../../src/report/limits.ts';
import type { ChatMessage } from '../../../src/report/message.ts';
import { plainText } from '../../../src/report/plain-text.ts';
import { postsOf } from '../../../src/report/posts.ts';
import { runCard } from '../../../src/report/run-card.ts';
import { foldJournal } from '../../../src/report/run-view.ts';
import { looked } from './seen-arbitraries.ts';
import { failure, journal, run, START_MS, unit } from './samples.ts';
import { activeMarks, complaints } from './slack-limits.ts';

const file = { id: 'a'.repeat(32), name: 'as7-dpu0-links.txt', mimeType: 'text/plain', bytes: 12_345 };
const seen = {
  type: 'looked',
  target: 'as7-dpu0',
  title: 'links of as7-dpu0',
  summary: 'One port is down.',
  rows: [
    { label: 'p0', value: '400 Gbit/s' },
    { label: 'p1', value: 'down', warning: 'No cable is seen.' },
  ],
  warnings: ['FEC differs from the switch.'],
  lines: ['Link detected: no <!channel>'],
  file,
} as const satisfies JournalEvent;

function lookRun(extra: Partial<Run> = {}): Run {
  const as7 = unit('as7', { state: 'done', targets: ['as7-dpu0'] });
  return run({ recipe: 'diag', text: 'diag as7 links', state: 'done', units: { as7 }, ...extra });
}

const ended = [
  ['as7', { type: 'unit-ended', state: 'done', summary: 'One port is down.' }],
  [RUN_STREAM, { type: 'run-ended', state: 'done', summary: '1 host: 1 looked at; 3 s in all' }],
] as const;

const plain = (message: ChatMessage | undefined): string => plainText(message ?? { text: '', blocks: [] }, () => 'ana');
const card = (of: Run, entries: readonly JournalEntry[]): string =>
  plain(runCard(foldJournal(of, [], entries), START_MS + 60_000));

describe('the thread of a look', () => {
  test('has a message for each piece, with values, warnings in words and lines, the file beside it, and ends with one line', () => {
    const posts = postsOf(
      lookRun(),
      [],
      journal(['as7', { type: 'plan-started', worker: 'w1' }], ['as7', seen], ...ended),
    );

    expect(posts.map((post) => post.kind)).toEqual(['look', 'run-end']);
    expect(plain(posts[0]?.message)).toBe(
      [
        'links of as7-dpu0 (SIMULATED)',
        'One port is down.',
        'Warning: FEC differs from the switch.',
        'What  Value       Looks wrong',
        'p0    400 Gbit/s',
        'p1    down        Warning: No cable is seen.',
        'Link detected: no <!channel>',
      ].join('\n'),
    );
    expect(posts[0]?.file).toEqual(file);
    expect(plain(posts[1]?.message)).toBe('@ana Run 418 (SIMULATED): Done. One port is down.');
  });

  test('names the target where the title does not, and has no column for warnings where there are none', () => {
    const rows = [{ label: 'p0', value: '400 Gbit/s' }];

    const text = plain(
      lookMessage({ type: 'looked', target: 'as7-dpu0', title: 'links', summary: 'Up.', rows }, false),
    );

    expect(text).toBe('links of as7-dpu0\nUp.\nWhat  Value\np0    400 Gbit/s');
  });

  test('says why a look failed, once, and what was seen before stays', () => {
    const as7 = unit('as7', { state: 'failed', targets: ['as7-dpu0'], failure });
    const entries = journal(
      ['as7', seen],
      ['as7', { type: 'unit-ended', state: 'failed', summary: failure.what, failure }],
      [RUN_STREAM, { type: 'run-ended', state: 'failed', summary: '1 host: 1 failed', failure }],
    );

    const posts = postsOf(lookRun({ state: 'failed', units: { as7 } }), [], entries);

    expect(posts.map((post) => post.kind)).toEqual(['look', 'unit-end', 'run-end']);
    expect(plain(posts[1]?.message)).toContain('Why: Its boot progress stands at OsBootStarted.');
    expect(plain(posts[2]?.message)).toBe('@ana Run 418 (SIMULATED): Failed. as7-dpu0 did not come back.');
  });

  test('counts the hosts in its last line when there are several', () => {
    const units = { as7: unit('as7', { state: 'done' }), as8: unit('as8', { state: 'done' }) };
    const end = { type: 'run-ended', state: 'done', summary: '2 hosts: 2 looked at; 3 s in all' } as const;

    const posts = postsOf(lookRun({ units, simulated: false }), [], journal(['as7', seen], [RUN_STREAM, end]));

    expect(plain(posts.at(-1)?.message)).toBe('@ana Run 418: Done. 2 hosts: 2 looked at; 3 s in all');
  });

  test('whatever a device says, each message is within the limits of Slack and nothing in it is active', () => {
    fc.assert(
      fc.property(looked(fc.constantFrom('as7-dpu0', '<!here>')), fc.boolean(), (event, isSimulated) => {
        const message = fitMessage(lookMessage(event, isSimulated));

        expect(complaints(message)).toEqual([]);
        expect(activeMarks(message)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});

describe('the card of a look', () => {
  test('says of each card what was seen and counts its warnings; there is nothing to approve or resume', () => {
    const text = card(lookRun(), journal(['as7', seen], ...ended));

    expect(text).toContain('as7: done\n• as7-dpu0: One port is down.\n    • 2 warnings, shown in the thread');
    expect(text).toContain('[Details]');
    expect(text).not.toMatch(/approv|plan|resume|step/i);
  });

  test('shows while it is under way what is read right now, and what was seen so far', () => {
    const as7 = unit('as7', { targets: ['as7-dpu0', 'as7-dpu1'] });
    const sign = {
      step: 'look',
      target: 'as7',
      text: 'reading the console of as7-dpu1',
      lastLine: 'login: <!here>',
      sinceMs: START_MS,
      limitMs: 120_000,
      stepIndex: 0,
      stepCount: 0,
      updatedAtMs: START_MS,
    };
    const view = foldJournal(
      lookRun({ state: 'planning', units: { as7 } }),
      [],
      journal(['as7', seen]),
      new Map([['as7', sign]]),
    );

    const text = plain(runCard(view, START_MS + 60_000));

    expect(text).toContain('Looking (nothing is changed)');
    expect(text).toContain(
      'as7: looking\n• Looking on as7: reading the console of as7-dpu1, 1:00 of at most 2:00\n• Last output: `login: <!here>`\n• as7-dpu0: One port is down.',
    );
    expect(text).toContain('[Cancel] [Details]');
  });

  test('of many cards only counts, and names those with warnings', () => {
    const names = Array.from({ length: 20 }, (_, index) => `as${index}`);
    const units = Object.fromEntries(
      names.map((name) => [name, unit(name, { state: 'done', targets: [`${name}-dpu0`] })]),
    );
    const good = { type: 'looked', title: 'links', summary: 'Up.' } as const;
    const pieces = names.map((name, index) => {
      const target = `${name}-dpu0`;
      return [name, index < 3 ? { ...seen, target } : { ...good, target }] as const;
    });

    const text = card(lookRun({ units }), journal(...pieces));

    expect(text).toContain('20 cards on 20 hosts: 20 looked at, 3 with warnings');
    expect(text).toContain('• as2-dpu0: One port is down.');
    expect(text).not.toContain('as3-dpu0');
  });

  test('a look that is taken up again begins with nothing seen', () => {
    const entries = journal(
      ['as7', { type: 'plan-started', worker: 'w1' }],
      ['as7', seen],
      [RUN_STREAM, { type: 'swept', unit: 'as7', generation: 1, reason: 'its worker is gone' }],
      ['as7', { type: 'plan-started', worker: 'w2' }],
      ['as7', { ...seen, summary: 'Both ports are up.', rows: [], warnings: [] }],
    );

    const text = card(lookRun(), entries);

    expect(text).toContain('• as7-dpu0: Both ports are up.');
    expect(text).not.toContain('One port is down.');
  });
});

describe('a look as JSON', () => {
  test('has each piece with its values, warnings and file, and no lines', () => {
    const json = runJson(lookRun(), [], foldMore(emptyFold(), journal(['as7', seen], ...ended)));

    expect(json).toMatchObject({
      recipe: 'diag',
      state: 'done',
      units: [
        {
          summary: 'One port is down.',
          pieces: [
            {
              target: 'as7-dpu0',
              title: 'links of as7-dpu0',
              summary: 'One port is down.',
              rows: [
                { label: 'p0', value: '400 Gbit/s', warning: null },
                { label: 'p1', value: 'down', warning: 'No cable is seen.' },
              ],
              warnings: ['FEC differs from the switch.'],
              file,
            },
          ],
        },
      ],
    });
    expect(JSON.stringify(json)).not.toContain('Link detected');
    expect(JSON.parse(JSON.stringify(json))).toEqual(json);
  });
});
