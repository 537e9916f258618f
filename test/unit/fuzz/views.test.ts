import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CardFacts } from '../../../src/domain/card-facts.ts';
import { cardFactNames } from '../../../src/domain/card-facts.ts';
import { failureAnswer, helpAnswer, runsAnswer, tableAnswer, textAnswer } from '../../../src/report/answers.ts';
import type { ChatMessage } from '../../../src/report/message.ts';
import { plainText } from '../../../src/report/plain-text.ts';
import { postsOf } from '../../../src/report/posts.ts';
import { runCard } from '../../../src/report/run-card.ts';
import { foldJournal } from '../../../src/report/run-view.ts';
import { statusAnswer } from '../../../src/report/status-answer.ts';
import { fuzzBudget } from '../../support/fuzz/budget.ts';
import { problemsOf } from '../../support/fuzz/slack-judge.ts';
import { situation } from '../report/arbitraries.ts';
import { foreignText } from '../report/foreign-text.ts';
import { ana, ben, failure, run, START_MS } from '../report/samples.ts';

/** Whom the bot itself has reason to mention: who asked, and who voted. */
const concerned: ReadonlySet<string> = new Set([ana.userId, ben.userId]);

function expectSound(message: ChatMessage): void {
  const problems = problemsOf(message, concerned);
  if (problems.length > 0) expect({ problems, message }).toEqual({ problems: [], message });
}

const facts: fc.Arbitrary<CardFacts> = fc
  .record({ value: foreignText, warning: foreignText, reason: foreignText })
  .map(({ value, warning, reason }) => ({
    facts: Object.fromEntries(cardFactNames.map((name) => [name, { value, warning, from: 'bmc', atMs: START_MS }])),
    unread: { 'arm-state': { reason, atMs: START_MS } },
    runId: 417,
    atMs: START_MS,
  }));

describe('whatever devices write', () => {
  const budget = fuzzBudget('views');

  test(
    'card and thread of a run are within the limits of Slack, and nothing foreign in them is alive',
    { timeout: budget.timeoutMs },
    () => {
      const reached: Record<string, number> = { cards: 0 };

      fc.assert(
        fc.property(situation, ({ run, plans, entries, progress }) => {
          const card = runCard(foldJournal(run, plans, entries, progress), START_MS + 90_000);
          expectSound(card);
          // What Slack gets when it does not take the blocks.
          expect(plainText(card)).not.toBe('');
          reached['cards'] = (reached['cards'] ?? 0) + 1;
          for (const { kind, message } of postsOf(run, plans, entries)) {
            expectSound(message);
            reached[kind] = (reached[kind] ?? 0) + 1;
          }
        }),
        budget.start(),
      );

      budget.done(reached);
    },
  );

  const answers = fuzzBudget('answers');

  test(
    'answers are within the limits of Slack, and nothing foreign in them is alive',
    { timeout: answers.timeoutMs },
    () => {
      const cells = fc.array(foreignText, { minLength: 1, maxLength: 6 });
      const size = fc.record({ rows: fc.nat({ max: 120 }), columns: fc.integer({ min: 1, max: 25 }) });

      fc.assert(
        fc.property(foreignText, cells, size, facts, (text, cells, { rows, columns }, seen) => {
          const cell = (index: number): string => cells[index % cells.length] ?? '';
          const row = (index: number): string[] => Array.from({ length: columns }, (_, column) => cell(index + column));
          expectSound(textAnswer(text));
          expectSound(failureAnswer({ ...failure, what: text, why: text, next: text, evidence: text }));
          expectSound(
            tableAnswer(
              text,
              ['a', text],
              Array.from({ length: rows }, (_, index) => row(index)),
              text,
            ),
          );
          expectSound(runsAnswer([run({ text, requester: { ...ana, displayName: text } })]));
          expectSound(helpAnswer(text, [{ usage: text, summary: text, remark: text, details: [text, text] }], text));
          const card = {
            dpu: 'as7-dpu0',
            host: 'as7',
            simulated: true,
            facts: seen,
            changed: undefined,
            locked: undefined,
          };
          const held = { runId: 417, by: text, sinceMs: START_MS };
          expectSound(
            statusAnswer(
              text,
              Array.from({ length: (rows % 60) + 1 }, () => ({ ...card, held })),
              START_MS,
            ),
          );
        }),
        answers.start(),
      );

      answers.done({ answers: answers.cases * 6 });
    },
  );
});
