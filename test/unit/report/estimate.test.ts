import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JournalEvent } from '../../../src/domain/journal.ts';
import type { Run } from '../../../src/domain/run.ts';
import type { ExpectedTimes } from '../../../src/domain/step-times.ts';
import { estimateOf, estimateText } from '../../../src/report/estimate.ts';
import { plainText } from '../../../src/report/plain-text.ts';
import { runCard } from '../../../src/report/run-card.ts';
import type { RunView } from '../../../src/report/run-view.ts';
import { foldJournal } from '../../../src/report/run-view.ts';
import { situation } from './arbitraries.ts';
import { journal, plan, planned, run, START_MS, unit } from './samples.ts';

const both: ExpectedTimes = { 'flash as7-dpu0': { ms: 600_000, of: 7 }, 'ntp as7-dpu0': { ms: 30_000, of: 5 } };
const steps = [planned('flash', 'as7-dpu0'), planned('ntp', 'as7-dpu0'), planned('mtu', 'as7-dpu0')];

const began = (step: string): JournalEvent => ({
  type: 'step-started',
  step,
  target: 'as7-dpu0',
  title: step,
  limitMs: 5_400_000,
});
const ended = (step: string): JournalEvent => ({
  type: 'step-applied',
  step,
  target: 'as7-dpu0',
  reason: 'done',
  verdicts: [],
  tookMs: 1,
});

function view(
  expected: ExpectedTimes | undefined,
  events: readonly JournalEvent[],
  change: Partial<Run> = {},
): RunView {
  const made = plan('as7', steps);
  const ready: JournalEvent = {
    type: 'plan-ready',
    hash: made.hash,
    changes: 3,
    risk: 'disruptive',
    ...(expected && { expected }),
  };
  const entries = journal(...[ready, ...events].map((event): [string, JournalEvent] => ['as7', event]));
  const units = { as7: unit('as7', { state: 'running', planHash: made.hash }) };
  return foldJournal(run({ state: 'running', units, waves: [['as7']], ...change }), [made], entries);
}

/** When the last entry was written. */
function nowOf({ units }: RunView): number {
  return Math.max(START_MS, ...units.flatMap(({ targets }) => targets.flatMap((target) => target.steps.map(({ startedAtMs = 0 }) => startedAtMs)))); // prettier-ignore
}

describe('what is left of a run', () => {
  test('is what its steps with work to do usually take, with where the figure is from', () => {
    const fresh = view(both, []);

    expect(estimateText(fresh, START_MS)).toBe('about 11 min of work left (median of 5 here)');
    expect(plainText(runCard(fresh, START_MS))).toContain('about 11 min of work left (median of 5 here)');
  });

  test('is less the longer a step runs, and what has ended counts no more', () => {
    const running = view(both, [began('flash')]);
    const next = view(both, [began('flash'), ended('flash'), began('ntp')]);

    expect(estimateText(running, nowOf(running) + 300_000)).toBe('about 6 min of work left (median of 5 here)');
    expect(estimateText(next, nowOf(next))).toBe('about 30 s of work left (median of 5 here)');
  });

  test('says so when a step takes longer than usual', () => {
    const late = view({ 'flash as7-dpu0': { ms: 600_000, of: 7 } }, [began('flash')]);

    expect(estimateText(late, nowOf(late) + 700_000)).toBe('longer than usual (median of 7 here)');
  });

  test('names the defaults of the steps where too little was measured here', () => {
    const declared = view({ 'flash as7-dpu0': { ms: 900_000, of: 0 } }, []);
    const mixed = view({ ...both, 'ntp as7-dpu0': { ms: 900_000, of: 0 } }, []);

    expect(estimateText(declared, START_MS)).toBe('about 15 min of work left (default times of the steps)');
    expect(estimateText(mixed, START_MS)).toBe(
      'about 25 min of work left (median of 7 here, for some steps their default)',
    );
  });

  test('is said before the approval as what it takes, and never of a run that has ended or of which nothing is known', () => {
    expect(estimateText(view(both, [], { state: 'awaiting-approval' }), START_MS)).toBe(
      'takes about 11 min (median of 5 here)',
    );
    expect(estimateText(view(both, [], { state: 'done' }), START_MS)).toBeUndefined();
    expect(estimateText(view(undefined, []), START_MS)).toBeUndefined();
    expect(
      estimateText(view(both, [began('flash'), ended('flash'), began('ntp'), ended('ntp')]), START_MS),
    ).toBeUndefined();
  });

  test('adds waves up and takes the longest unit of each', () => {
    const made = ['as7', 'as8', 'as9'].map((name) => plan(name, [planned('flash', `${name}-dpu0`)]));
    const times = { as7: 600_000, as8: 300_000, as9: 60_000 };
    const entries = journal(
      ...made.map(({ unit: name, hash }): [string, JournalEvent] => [
        name,
        {
          type: 'plan-ready',
          hash,
          changes: 1,
          risk: 'disruptive',
          expected: { [`flash ${name}-dpu0`]: { ms: times[name as 'as7'], of: 0 } },
        },
      ]),
    );
    const units = Object.fromEntries(
      made.map(({ unit: name, hash }) => [name, unit(name, { state: 'planned', planHash: hash })]),
    );
    const inWaves = foldJournal(run({ state: 'running', units, waves: [['as9'], ['as7', 'as8']] }), made, entries);

    expect(estimateOf(inWaves, START_MS)?.leftMs).toBe(660_000);
  });

  test('is never negative, whatever the journal says, and never grows while time passes', () => {
    fc.assert(
      fc.property(situation, fc.nat({ max: 10_000_000 }), fc.nat({ max: 10_000_000 }), (one, ms, moreMs) => {
        const some = foldJournal(one.run, one.plans, one.entries, one.progress);
        const early = estimateOf(some, START_MS + ms)?.leftMs ?? 0;
        const late = estimateOf(some, START_MS + ms + moreMs)?.leftMs ?? 0;

        expect(late).toBeGreaterThanOrEqual(0);
        expect(late).toBeLessThanOrEqual(early);
      }),
      { numRuns: 60 },
    );
  });
});
