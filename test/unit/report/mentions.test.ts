import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JournalEntry, JournalEvent } from '../../../src/domain/journal.ts';
import { RUN_STREAM } from '../../../src/domain/journal.ts';
import type { UnitPlan } from '../../../src/domain/plan.ts';
import type { Run } from '../../../src/domain/run.ts';
import { withoutMention } from '../../../src/report/mentions.ts';
import type { ChatMessage } from '../../../src/report/message.ts';
import { plainText } from '../../../src/report/plain-text.ts';
import type { Post } from '../../../src/report/posts.ts';
import { postsOf } from '../../../src/report/posts.ts';
import { runCard } from '../../../src/report/run-card.ts';
import { foldJournal } from '../../../src/report/run-view.ts';
import { situation } from './arbitraries.ts';
import { ana, failure, journal, run, START_MS, unit, wholeRun } from './samples.ts';
import { activeMarks } from './slack-limits.ts';

const mark = `<@${ana.userId}>`;
const other = { ...failure, kind: 'permanent' as const };

function mentionsIn(message: ChatMessage): number {
  return activeMarks(message).filter((one) => one === mark).length;
}

/** Kinds of the messages that call the requester, in order. */
function calls(asked: Run, entries: readonly JournalEntry[], plans: readonly UnitPlan[] = []): Post['kind'][] {
  return postsOf(asked, plans, entries).flatMap(({ kind, message }) => (mentionsIn(message) > 0 ? [kind] : []));
}

function failed(target: string, what = failure.what, kind: 'needs-human' | 'permanent' = 'needs-human') {
  const event: JournalEvent = {
    type: 'step-failed',
    step: 'install-bfb',
    target: `${target}-dpu0`,
    outcome: kind === 'needs-human' ? 'needs-human' : 'failed',
    failure: { ...(kind === 'needs-human' ? failure : other), what },
  };
  return [target, event] as const;
}

const started = (name: string) =>
  [name, { type: 'step-started', step: 's', target: `${name}-dpu0`, title: 's', limitMs: 1 }] as const;
const ended = [RUN_STREAM, { type: 'run-ended', state: 'needs-human', summary: 'One card.' }] as const;
const two = run({ units: { as7: unit('as7'), as8: unit('as8') } });

describe('who asked for a run is called', () => {
  test('once over the whole of it when all goes well: by its end', () => {
    const { run: done, plans, entries } = wholeRun();

    expect(calls(done, entries, plans)).toEqual(['run-end']);
  });

  test('by no card, whatever state it shows, also when it is posted anew', () => {
    fc.assert(
      fc.property(situation, ({ run: any, plans, entries, progress }) => {
        const card = runCard(foldJournal(any, plans, entries, progress), START_MS);

        expect(mentionsIn(card)).toBe(0);
        expect(plainText(card)).toContain('asked for by Ana');
      }),
      { numRuns: 20 },
    );
  });

  test('when a person is needed, and not again by the end that follows at once', () => {
    expect(calls(run(), journal(failed('as7'), ended))).toEqual(['needs-human']);
  });

  test('when a person is needed and again by the end, when work went on in between', () => {
    expect(calls(two, journal(failed('as7'), started('as8'), ended))).toEqual(['needs-human', 'run-end']);
  });

  test('by the first of many cards that need a person, not by each', () => {
    const many = journal(failed('as7', 'one'), started('as8'), failed('as8', 'two'), started('as8'), ended);

    expect(calls(two, many)).toEqual(['needs-human', 'run-end']);
  });

  test('anew when a person is needed after the run was set going again', () => {
    const resumed = [RUN_STREAM, { type: 'resumed', by: ana, generation: 1 }] as const;

    expect(calls(run(), journal(failed('as7'), ended, resumed, failed('as7', 'again'), ended))).toEqual([
      'needs-human',
      'needs-human',
    ]);
  });

  test('not by a failure that needs no person, not by what they did themselves', () => {
    const vote = { type: 'vote', by: ana, vote: 'reject', given: 0, wanted: 1 } as const;
    const cancel = { type: 'cancel-requested', by: ana, note: 'nothing is running' } as const;
    const own = journal([RUN_STREAM, vote], [RUN_STREAM, cancel], failed('as7', 'x', 'permanent'));

    const texts = postsOf(run(), [], own).map(({ message }) => plainText(message));

    expect(calls(run(), own)).toEqual([]);
    expect(texts[0]).toContain('Ana rejected the plan.');
    expect(texts[1]).toContain('Ana asked to cancel');
  });

  test('over any journal only by its ends, by the first need of a person, and by a slowdown that was measured twice', () => {
    fc.assert(
      fc.property(situation, ({ run: any, plans, entries }) => {
        const kinds = calls(any, entries, plans);
        const times = (type: JournalEvent['type']): number => entries.filter(({ event }) => event.type === type).length;

        expect(kinds.filter((kind) => kind !== 'run-end' && kind !== 'needs-human' && kind !== 'result')).toEqual([]);
        expect(kinds.filter((kind) => kind === 'run-end').length).toBeLessThanOrEqual(times('run-ended'));
        expect(kinds.filter((kind) => kind === 'needs-human').length).toBeLessThanOrEqual(times('resumed') + 1);
        for (const { message } of postsOf(any, plans, entries)) expect(mentionsIn(message)).toBeLessThanOrEqual(2);
      }),
      { numRuns: 40 },
    );
  });
});

describe('a message without mention', () => {
  test('leaves other people, device output, and ids that are no mention as they are', () => {
    const message: ChatMessage = {
      text: `${mark} and <@U0BEN>`,
      blocks: [
        { type: 'rich_text', elements: [{ type: 'rich_text_preformatted', elements: [{ type: 'text', text: mark }] }] },
      ],
    };

    expect(withoutMention(message, { ...ana, displayName: 'A <b>' }).text).toBe('A &lt;b&gt; and <@U0BEN>');
    expect(withoutMention(message, ana).blocks).toEqual(message.blocks);
    expect(withoutMention({ text: 'banana', blocks: [] }, { ...ana, userId: 'ana' }).text).toBe('banana');
  });
});
