import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Invocation } from '../../../src/domain/ports.ts';
import { runCard } from '../../../src/report/run-card.ts';
import { foldJournal } from '../../../src/report/run-view.ts';
import { busyWorld, everybody, speakers } from '../../support/fuzz/busy-world.ts';
import { fuzzBudget } from '../../support/fuzz/budget.ts';
import { randomLine } from '../../support/fuzz/random-lines.ts';
import { problemsOf } from '../../support/fuzz/slack-judge.ts';

const budget = fuzzBudget('lines');
const kinds = ['operators', 'operators', 'admins', 'approvers', 'nobodies', 'strangers'] as const;
const speaker = fc
  .constantFrom(...kinds)
  .chain((kind) => fc.constantFrom(...speakers[kind]).map((user: string) => ({ kind, user })));
const source = fc.constantFrom<Invocation['source']>('slash', 'button', 'modal', 'mention');
const channel = fc.constantFrom(...Array.from({ length: 8 }, () => 'C0FLEET1'), 'C0OTHER', 'C0NOWHERE');

describe('whatever anybody types', () => {
  test(
    'is answered within the limits of Slack or starts a run, and nothing of it is alive in the answer',
    { timeout: budget.timeoutMs },
    async () => {
      const reached = { answers: 0, runs: 0, refusedByParser: 0, refusedLater: 0, changes: 0 };

      await fc.assert(
        fc.asyncProperty(randomLine, speaker, source, channel, async (text, { kind, user }, from, where) => {
          const world = await busyWorld();
          const before = new Map(world.runs);

          const answer = await world.dispatch(user, { text, channel: where, source: from });

          const created = [...world.runs.values()].find(({ id }) => !before.has(id));
          const changed = created !== undefined || [...before].some(([id, run]) => world.runs.get(id) !== run);
          if (answer === undefined) expect(changed).toBe(true);
          else if ('form' in answer) expect(problemsOf({ text: 'form', blocks: [] }, everybody)).toEqual([]);
          else expect(problemsOf(answer, everybody)).toEqual([]);
          // What was typed stands on the card.
          if (created) expect(problemsOf(runCard(foldJournal(created, [], []), world.nowMs), everybody)).toEqual([]);
          expect(world.failures.filter((code) => code === 'bug')).toEqual([]);
          if (kind === 'strangers' || kind === 'nobodies') expect(changed).toBe(false);
          // Ana asked for it: whatever she types, her own voice does not count.
          if (user === 'UANA') expect(world.runs.get(418)?.approval?.state).not.toBe('approved');

          const [code] = world.failures;
          if (created) reached.runs += 1;
          else if (changed) reached.changes += 1;
          else if (code === 'command-invalid') reached.refusedByParser += 1;
          else if (code !== undefined) reached.refusedLater += 1;
          else reached.answers += 1;
        }),
        budget.start(),
      );

      budget.done(reached);
      // A generator that never gets behind the parser would show nothing.
      for (const number of Object.values(reached)) expect(number).toBeGreaterThan(budget.cases / 400);
    },
  );
});
