import { describe, expect, test } from 'vitest';
import { RUN_STREAM } from '../../../src/domain/journal.ts';
import { lockedAnswer, unlockedAnswer } from '../../../src/report/lock-answers.ts';
import { plainText } from '../../../src/report/plain-text.ts';
import { postsOf } from '../../../src/report/posts.ts';
import { runCard } from '../../../src/report/run-card.ts';
import { foldJournal } from '../../../src/report/run-view.ts';
import { START_MS, ana, ben, journal, run, unit, wholeRun } from './samples.ts';
import { complaints } from './slack-limits.ts';

const atTen = Date.UTC(2026, 10, 24, 22, 0);

describe('a unit that waits to be started', () => {
  const reason = 'for the window of rack1, which opens 2026-11-24T22:00Z';
  const waiting = unit('as7', { state: 'waiting', waitingReason: reason, waitingUntilMs: START_MS, looksAgain: true });

  test('shows on the card when that will be, with the day, in the zone of the reader, and not when it is looked at again', () => {
    const card = runCard(foldJournal(run({ state: 'running', units: { as7: waiting } }), [], []), START_MS);

    expect(plainText(card)).toContain('Waiting: for the window of rack1, which opens 2026-11-24 22:00 UTC');
    expect(plainText(card)).not.toContain('until');
    expect(card.text).toBe('Run 418, provision rack1 (SIMULATED): Waiting');
    expect(JSON.stringify(card.blocks)).toContain(
      `{"type":"date","timestamp":${atTen / 1000},"format":"{date_short_pretty} {time}"`,
    );
    expect(complaints(card)).toEqual([]);
  });

  test('says it in the thread, once, also with the day', () => {
    const event = { type: 'step-waiting', step: 'unit', target: 'as7', reason, untilMs: START_MS } as const;

    const posts = postsOf(run(), [], journal(['as7', event], ['as7', event]));

    expect(posts.map(({ message }) => message.text)).toEqual([
      expect.stringContaining(`opens <!date^${atTen / 1000}^{date_short_pretty} {time}|`),
    ]);
  });

  test('does not make the run a waiting one while another unit is at work', () => {
    const units = { as7: waiting, as8: unit('as8', { state: 'running' }) };

    const card = runCard(foldJournal(run({ state: 'running', units }), [], []), START_MS);

    expect(card.text).toBe('Run 418, provision rack1 (SIMULATED): Running');
  });

  test('keeps its limit on the card where the wait has one', () => {
    const { looksAgain: _again, ...limited } = waiting;

    const card = runCard(foldJournal(run({ state: 'running', units: { as7: limited } }), [], []), START_MS);

    expect(plainText(card)).toContain('(until 2026-11-22 14:00 UTC)');
  });
});

describe('a run that is to start later, outside the window', () => {
  const { plans, entries } = wholeRun();
  const later = run({ state: 'awaiting-approval', startAtMs: atTen, outsideWindow: true });
  const outside = plans.map((plan) => ({ ...plan, outsideWindow: true as const }));

  test('tells whoever approves it both, beside the risk', () => {
    const post = postsOf(later, plans, entries.slice(0, 4)).find(({ kind }) => kind === 'approval');
    const text = post === undefined ? '' : plainText(post.message);

    expect(text).toContain('Outside the window: the work does not wait for the maintenance window of these hosts');
    expect(text).toMatch(/Starts: 2026-11-24 22:00\S* UTC at the earliest; the approval covers it/);
  });

  test('shows both in the plan and on the card', () => {
    const plan = postsOf(later, outside, entries.slice(0, 4)).find(({ kind }) => kind === 'plan');
    const card = plainText(runCard(foldJournal(later, plans, entries.slice(0, 4)), START_MS));

    expect(plan === undefined ? '' : plainText(plan.message)).toContain('Does not wait for the maintenance window');
    expect(plan === undefined ? '' : plainText(plan.message)).toMatch(
      /Starts 2026-11-24 22:00\S* UTC at the earliest, as asked\./,
    );
    expect(card).toMatch(/starts 2026-11-24 22:00\S* UTC · outside the maintenance window/);
  });

  test('says in the thread that its wave starts then; after that time it is only said who is next', () => {
    const wave = { type: 'wave-started', wave: 1, of: 1, units: ['as7'] } as const;
    const text = (startAtMs: number): string =>
      postsOf(run({ startAtMs }), [], journal([RUN_STREAM, wave]))[0]?.message.text ?? '';

    expect(text(atTen)).toMatch(/^Work starts on as7 at <!date\^.*>, as asked\.$/);
    expect(text(START_MS - 1)).toBe('Work starts on as7.');
  });
});

describe('answers about locks', () => {
  const hosts = Array.from({ length: 300 }, (_, index) => `host-${index}`);

  test('of a large rack stay within the limits of Slack', () => {
    const reason = '<!channel> `x` '.repeat(20);
    const locks = hosts.map((host) => ({ host, by: ben, reason, sinceMs: START_MS }));
    const atWork = hosts.map((host) => ({ host, runId: 418 }));
    const holds = hosts.map((host) => ({ unit: host, runId: 418, sinceMs: 1, by: 'ana' }));

    expect(complaints(lockedAnswer(hosts, reason, atWork))).toEqual([]);
    expect(complaints(unlockedAnswer(locks, holds, ana.userId))).toEqual([]);
    expect(JSON.stringify(lockedAnswer(hosts, reason, atWork))).not.toContain('<!channel>');
  });
});
