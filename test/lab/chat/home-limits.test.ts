import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkView } from '../../../src/lab/chat/blocks/check-view.ts';
import { homeMessage, refusedHome, withoutPictures } from '../../../src/report/home.ts';
import type { HomeMessage } from '../../../src/report/home-model.ts';
import { postsOf } from '../../../src/report/posts.ts';
import { runCard } from '../../../src/report/run-card.ts';
import { foldJournal } from '../../../src/report/run-view.ts';
import { situation } from '../../unit/report/arbitraries.ts';
import { homeModel } from '../../unit/report/home-arbitraries.ts';
import { failure } from '../../unit/report/samples.ts';
import { activeMarks } from '../../unit/report/slack-limits.ts';

function problems({ blocks }: HomeMessage): string[] {
  return checkView({ type: 'home', blocks }, 'home', { isUsableImage: () => true });
}

describe('what Slack would say of Home', () => {
  test('any fleet and any text gives a view that it takes, with and without pictures', () => {
    fc.assert(
      fc.property(homeModel, (model) => {
        const message = homeMessage(model);

        expect(problems(message)).toEqual([]);
        expect(problems(withoutPictures(message))).toEqual([]);
        expect(JSON.stringify(withoutPictures(message))).not.toContain('slack_file');
      }),
      { numRuns: 25 },
    );
  });

  test('the answer to any press fits above it, tables as text, without buttons of its own', () => {
    fc.assert(
      fc.property(homeModel, situation, ({ ...model }, { run, plans, entries, progress }) => {
        const card = runCard(foldJournal(run, plans, entries, progress), run.createdAtMs);
        const thread = postsOf(run, plans, entries).map(({ message }) => message);

        for (const notice of [card, ...thread.slice(0, 3)]) {
          const message = homeMessage(model, notice);
          expect(problems(message)).toEqual([]);
          expect(message.blocks.some(({ type }) => type === 'table')).toBe(false);
        }
      }),
      { numRuns: 12 },
    );
  });

  test('no foreign text pings or links anybody', () => {
    fc.assert(
      fc.property(homeModel, (model) => {
        const marks = activeMarks({ text: '', ...homeMessage(model) });

        expect(marks.filter((mark) => !/^<(?:!date\^|https:\/\/dpu\.slack\.com\/)/.test(mark))).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  test('a failure and both refusals are views that it takes', () => {
    const commands = Array.from({ length: 60 }, (_, index) => `command-${index}`);

    for (const refusal of [
      { kind: 'stranger' } as const,
      { kind: 'no-role', commands, operateRoles: [] } as const,
      { kind: 'failed', failure: { ...failure, what: 'x'.repeat(9000) } } as const,
    ])
      expect(problems(refusedHome(refusal))).toEqual([]);
  });
});
