import * as fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { homeMessage } from '../../../src/report/home.ts';
import type { ChatMessage } from '../../../src/report/message.ts';
import { postsOf } from '../../../src/report/posts.ts';
import { runCard } from '../../../src/report/run-card.ts';
import { foldJournal } from '../../../src/report/run-view.ts';
import { runStateText } from '../../../src/report/words.ts';
import type { Situation } from './arbitraries.ts';
import { situation } from './arbitraries.ts';
import { homeModel } from './home-arbitraries.ts';
import { START_MS, wholeRun } from './samples.ts';

const reportFolder = join(import.meta.dirname, '../../../src/report');
const sources = readdirSync(reportFolder).map((name) => ({
  name,
  text: readFileSync(join(reportFolder, name), 'utf8'),
}));

/** Every node of a message, whatever it is. */
function nodesOf(value: unknown): object[] {
  if (Array.isArray(value)) return value.flatMap(nodesOf);
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...Object.values(value).flatMap(nodesOf)];
}

/** What a person who does not see the page would miss. */
function unheard(blocks: unknown): string[] {
  return nodesOf(blocks).flatMap((node) => {
    if (!('type' in node)) return [];
    if (node.type === 'image') return 'alt_text' in node && node.alt_text !== '' ? [] : ['a picture without words'];
    if (node.type !== 'button') return [];
    return 'accessibility_label' in node && node.accessibility_label !== '' ? [] : ['a button without a label'];
  });
}

function messagesOf({
  run,
  plans,
  entries,
  progress,
}: Partial<Pick<Situation, 'progress'>> & Omit<Situation, 'progress'>): ChatMessage[] {
  const card = runCard(foldJournal(run, plans, entries, progress), START_MS);
  return [card, ...postsOf(run, plans, entries).map(({ message }) => message)];
}

describe('what is said without the eye', () => {
  test('every message of any run has a summary in words, and every button and picture a label', () => {
    fc.assert(
      fc.property(situation, (one) => {
        for (const { text, blocks } of messagesOf(one)) {
          expect(text.trim()).not.toBe('');
          expect(unheard(blocks)).toEqual([]);
        }
      }),
      { numRuns: 15 },
    );
  });

  test('every button and picture of Home has words', () => {
    fc.assert(
      fc.property(homeModel, (model) => {
        expect(unheard(homeMessage(model).blocks)).toEqual([]);
      }),
      { numRuns: 10 },
    );
  });

  test('every message of a whole run is summed up in words, and its state stands in words in its card, in the summary of the card, and in that of its end', () => {
    const whole = wholeRun();
    const word = runStateText(whole.run.state, whole.run.recipe);

    const [card, ...thread] = messagesOf(whole);

    for (const message of thread) expect(message.text).toMatch(/\p{L}{3}/u);
    expect(card?.text).toContain(word);
    expect(JSON.stringify(card?.blocks)).toContain(word);
    expect(thread.at(-1)?.text).toContain(word);
  });

  test('nothing that dpubot says itself uses an emoji or a colour for a state', () => {
    const signs = sources.flatMap(({ name, text }) =>
      [...text.matchAll(/:[a-z_]+:(?=[\s'`"])|\p{Extended_Pictographic}/gu)].map(([sign]) => `${name}: ${sign}`),
    );

    expect(signs).toEqual([]);
  });
});

describe('points in time', () => {
  test('are written in one place, which gives each reader their own zone', () => {
    const own = sources.flatMap(({ name, text }) =>
      name === 'text.ts'
        ? []
        : [...text.matchAll(/toISOString|toLocale\w+|<!date\^/g)].map(([call]) => `${name}: ${call}`),
    );

    // Machines read JSON.
    expect(own.filter((one) => !one.startsWith('json.ts'))).toEqual([]);
  });

  test('of any run and any Home stand as dates of the chat: no bare time of day in mrkdwn', () => {
    const bare = (blocks: readonly object[]): string[] =>
      nodesOf(blocks).flatMap((node) => {
        if (!('type' in node && node.type === 'mrkdwn' && 'text' in node && typeof node.text === 'string')) return [];
        return node.text.replaceAll(/<!date[^>]*>/g, '').match(/\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d/g) ?? [];
      });

    const whole = wholeRun();
    expect(messagesOf(whole).flatMap(({ blocks }) => bare(blocks))).toEqual([]);
    fc.assert(
      fc.property(homeModel, (model) => {
        expect(bare(homeMessage(model).blocks)).toEqual([]);
      }),
      { numRuns: 10 },
    );
  });
});
