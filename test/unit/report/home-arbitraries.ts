import * as fc from 'fast-check';
import { runEndStates } from '../../../src/domain/run.ts';
import type { Run } from '../../../src/domain/run.ts';
import type { RunAction } from '../../../src/report/blocks.ts';
import { runActions } from '../../../src/report/blocks.ts';
import type { HomeModel } from '../../../src/report/home-model.ts';
import { foreignText } from './foreign-text.ts';
import { ana, failure, run, START_MS, unit } from './samples.ts';

const atMs = fc.integer({ min: START_MS, max: START_MS + 1_000_000 });
const number = fc.nat({ max: 100_000 });
const link = fc.option(fc.constant('https://dpu.slack.com/archives/C1/p1700000000000100'), { nil: undefined });
const names = fc.array(foreignText, { maxLength: 40 });
const states = ['planning', 'awaiting-approval', 'running', 'paused', ...runEndStates] as const;

const actor = foreignText.map((displayName) => ({ ...ana, displayName }));
const approval = fc.record({
  generation: fc.nat({ max: 9 }),
  state: fc.constant('open' as const),
  hashes: fc.constant({}),
  risk: fc.constantFrom('disruptive', 'destructive'),
  requestedAtMs: atMs,
  expiresAtMs: atMs,
  votes: fc.constant([]),
  askers: fc.array(actor, { maxLength: 3 }),
});

/** Runs of any state; numbers differ within one page, as they do. */
const anyRun: fc.Arbitrary<Run> = fc
  .record({
    id: fc.integer({ min: 1, max: 999_999_999 }),
    text: foreignText,
    state: fc.constantFrom(...states),
    simulated: fc.boolean(),
    ended: fc.option(atMs, { nil: undefined }),
    text2: foreignText,
    targets: names,
    failed: fc.boolean(),
  })
  .map(({ id, text, state, simulated, ended, text2, targets, failed }) =>
    run({
      id,
      text,
      state,
      simulated,
      summary: text2,
      pausedReason: text2,
      ...(ended !== undefined && { endedAtMs: ended }),
      ...(failed && { failure: { ...failure, what: text2, next: text2 } }),
      units: { as7: unit('as7', { targets, planChanges: 3 }) },
    }),
  );

const buttons: fc.Arbitrary<readonly RunAction[]> = fc.subarray([...runActions]);
const sign = fc.record({ unit: foreignText, text: foreignText, stepIndex: number, stepCount: number });
const counted = fc.array(fc.record({ text: foreignText, cards: number }), { maxLength: 20 });

function shownOf<T>(one: fc.Arbitrary<T>, maxLength: number) {
  return fc.record({ shown: fc.array(one, { maxLength }), left: fc.nat({ max: 500 }) });
}

function unlikeIds<T extends { readonly run: Run }>(shown: readonly T[]): T[] {
  return [...new Map(shown.map((one) => [one.run.id, one])).values()];
}

/** A Home at its worst: more of everything than is read for it, and foreign text in every place that takes some. */
export const homeModel: fc.Arbitrary<HomeModel> = fc
  .record({
    mayOperate: fc.boolean(),
    halt: fc.option(fc.record({ by: foreignText, reason: foreignText, sinceMs: atMs }), { nil: undefined }),
    approvals: shownOf(
      fc.record({
        run: anyRun,
        approval,
        link,
        given: number,
        wanted: number,
        missing: foreignText,
        may: fc.constantFrom('press' as const, 'with-reason' as const),
      }),
      30,
    ),
    runs: shownOf(fc.record({ run: anyRun, link, now: fc.array(sign, { maxLength: 5 }), buttons }), 40),
    held: fc.array(
      fc.record({
        host: foreignText,
        runId: number,
        by: foreignText,
        sinceMs: fc.option(atMs, { nil: undefined }),
        run: fc.option(anyRun, { nil: undefined }),
        worker: fc.option(foreignText, { nil: undefined }),
      }),
      { maxLength: 60 },
    ),
    locks: fc.array(fc.record({ host: foreignText, by: actor, reason: foreignText, sinceMs: atMs }), { maxLength: 30 }),
    fleet: fc.record({
      cards: number,
      hosts: number,
      simulated: fc.boolean(),
      unseen: names,
      states: counted,
      firmware: counted,
      staged: names,
      warned: names,
      oldest: fc.option(fc.record({ card: foreignText, atMs }), { nil: undefined }),
    }),
    benches: shownOf(
      fc.record({
        run: number,
        pair: foreignText,
        kind: foreignText,
        atMs,
        line: foreignText,
        link,
        stamp: fc.constantFrom('SIMULATED' as const, 'TESTBED' as const, undefined),
        trend: fc.option(foreignText, { nil: undefined }),
        chart: fc.option(fc.record({ fileId: fc.constant('F0CHART'), altText: foreignText }), { nil: undefined }),
      }),
      12,
    ),
  })
  .map((model) => ({
    ...model,
    approvals: { ...model.approvals, shown: unlikeIds(model.approvals.shown) },
    runs: { ...model.runs, shown: unlikeIds(model.runs.shown) },
  }));
