import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JournalEntry } from '../../../src/domain/journal.ts';
import { emptyFold, foldMore } from '../../../src/report/journal-fold.ts';
import { legalButtons } from '../../../src/report/legal-buttons.ts';
import { foldJournal, runView } from '../../../src/report/run-view.ts';
import { situation } from './arbitraries.ts';
import { ana, ben, failure, journal, plan, planned, run, START_MS, unit, wholeRun } from './samples.ts';

function portions(entries: readonly JournalEntry[], cuts: readonly number[]): JournalEntry[][] {
  const at = [...new Set(cuts.map((cut) => cut % (entries.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, index) => entries.slice(from, at[index] ?? entries.length));
}

describe('folding the journal', () => {
  test('in whatever portions the entries come, the view is the same', () => {
    fc.assert(
      fc.property(
        situation,
        fc.array(fc.nat({ max: 200 }), { maxLength: 6 }),
        ({ run, plans, entries, progress }, cuts) => {
          const whole = foldJournal(run, plans, entries, progress);

          const stepwise = portions(entries, cuts).reduce(foldMore, emptyFold());

          expect(runView(run, plans, stepwise, progress)).toEqual(whole);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('how the streams are interleaved makes no difference, only the order within each', () => {
    fc.assert(
      fc.property(situation, ({ run, plans, entries, progress }) => {
        const streams = [...new Set(entries.map((entry) => entry.unit))].reverse();
        const regrouped = streams.flatMap((name) => entries.filter((entry) => entry.unit === name));

        expect(foldJournal(run, plans, regrouped, progress)).toEqual(foldJournal(run, plans, entries, progress));
      }),
      { numRuns: 40 },
    );
  });

  test('a snapshot that went through JSON continues as if it had not', () => {
    const { run, plans, entries } = wholeRun();
    const snapshot: ReturnType<typeof emptyFold> = JSON.parse(
      JSON.stringify(foldMore(emptyFold(), entries.slice(0, 9))),
    );

    expect(runView(run, plans, foldMore(snapshot, entries.slice(9)))).toEqual(foldJournal(run, plans, entries));
  });
});

describe('what the view says', () => {
  test('a finished run has its outcome, its steps, its votes and no way to cancel it', () => {
    const { run, plans, entries } = wholeRun();

    const view = foldJournal(run, plans, entries);

    expect(view).toMatchObject({ state: 'done', endedAtMs: START_MS + 15_000, simulated: true, buttons: ['details'] });
    expect(view.approval).toMatchObject({
      state: 'approved',
      votes: [{ by: ben, vote: 'approve', given: 1, wanted: 1 }],
    });
    const steps = view.units[0]?.targets.flatMap((target) => target.steps) ?? [];
    expect(steps.map((step) => [step.step, step.state])).toEqual([
      ['identify-card', 'satisfied'],
      ['disable-secure-boot', 'applied'],
      ['read-mode', 'later'],
    ]);
  });

  test('a running step is told by position, reason and limit from the sign of life', () => {
    const { plans, entries } = wholeRun();
    const made = plans[0];
    const running = run({
      state: 'running',
      units: { as7: unit('as7', { state: 'running', planHash: made?.hash ?? '' }) },
    });
    const sign = {
      step: 'disable-secure-boot',
      target: 'as7-dpu0',
      text: 'waiting for the second Arm reboot',
      sinceMs: START_MS,
      limitMs: 300_000,
      stepIndex: 9,
      stepCount: 9,
      updatedAtMs: START_MS,
    };

    const view = foldJournal(running, plans, entries.slice(0, 12), new Map([['as7', sign]]));

    expect(view.units[0]?.current).toEqual({
      title: 'disable secure boot',
      target: 'as7-dpu0',
      index: 2,
      count: 3,
      text: 'waiting for the second Arm reboot',
      sinceMs: START_MS,
      limitMs: 300_000,
    });
  });

  test('a sign of life that belongs to an earlier step is not shown for the current one', () => {
    const { plans, entries } = wholeRun();
    const running = run({
      state: 'running',
      units: { as7: unit('as7', { state: 'running', planHash: plans[0]?.hash ?? '' }) },
    });
    const stale = {
      step: 'identify-card',
      target: 'as7-dpu0',
      text: 'reading VPD',
      sinceMs: 0,
      stepIndex: 0,
      stepCount: 3,
      updatedAtMs: 0,
    };

    const view = foldJournal(running, plans, entries.slice(0, 12), new Map([['as7', stale]]));

    expect(view.units[0]?.current?.text).toBe('PATCH SecureBoot');
  });

  test('after a resume with a new plan, what earlier attempts did is taken from that plan', () => {
    const again = plan('as7', [planned('disable-secure-boot', 'as7-dpu0', { state: 'satisfied', reason: 'is off' })]);
    const entries = journal(
      ['as7', { type: 'step-failed', step: 'disable-secure-boot', target: 'as7-dpu0', outcome: 'failed', failure }],
      ['as7', { type: 'unit-ended', state: 'failed', summary: 'failed', failure }],
      ['_run', { type: 'resumed', by: ana, generation: 2 }],
      ['as7', { type: 'plan-ready', hash: again.hash, changes: 0, risk: 'read' }],
    );
    const running = run({ state: 'running', units: { as7: unit('as7', { state: 'planned', planHash: again.hash }) } });

    const view = foldJournal(running, [again], entries);

    expect(view.units[0]?.failure).toBeUndefined();
    expect(view.units[0]?.targets[0]).toMatchObject({ state: 'done', done: 1 });
  });

  test('a decision that stands in the record but not yet in the journal closes the request', () => {
    const entries = journal([
      '_run',
      { type: 'approval-requested', generation: 1, risk: 'disruptive', expiresAtMs: 5, roles: [] },
    ]);
    const { approval } = wholeRun().run;
    if (approval === undefined) throw new Error('sample without approval');

    const view = foldJournal(run({ state: 'running', approval }), [], entries);

    expect(view.approval?.state).toBe('approved');
  });
});

describe('legal buttons', () => {
  test.each([
    ['planning', ['cancel', 'details']],
    ['awaiting-approval', ['approve', 'reject', 'cancel', 'details']],
    ['running', ['cancel', 'details']],
    ['paused', ['resume', 'cancel', 'details']],
    ['failed', ['resume', 'details']],
    ['needs-human', ['resume', 'details']],
    ['expired', ['resume', 'details']],
    ['cancelled', ['resume', 'details']],
    ['done', ['details']],
    ['satisfied', ['details']],
    ['rejected', ['details']],
  ] as const)('a run that is %s has %j', (state, buttons) => {
    expect(legalButtons(run({ state }))).toEqual(buttons);
  });

  test('cancel is not offered a second time', () => {
    expect(legalButtons(run({ state: 'running', cancel: { by: ana, atMs: 1 } }))).toEqual(['details']);
    expect(legalButtons(run({ state: 'running' }), 'as7-dpu0')).toEqual(['cancel', 'console', 'details']);
    expect(legalButtons(run({ state: 'done' }), 'as7-dpu0')).toEqual(['details']);
  });
});
