import * as fc from 'fast-check';
import type { JournalEntry, JournalEvent, Progress } from '../../../src/domain/journal.ts';
import { RUN_STREAM } from '../../../src/domain/journal.ts';
import type { Failure } from '../../../src/domain/outcome.ts';
import { risks } from '../../../src/domain/outcome.ts';
import type { PlannedStep, UnitPlan } from '../../../src/domain/plan.ts';
import type { Run, TargetNote, UnitRecord } from '../../../src/domain/run.ts';
import { runEndStates, unitEndStates } from '../../../src/domain/run.ts';
import { foreignText } from './foreign-text.ts';
import { ana, plan, planned, run, START_MS, unit } from './samples.ts';
import { looked, measuredEvent } from './seen-arbitraries.ts';

const failure: fc.Arbitrary<Failure> = fc.record(
  {
    code: fc.constantFrom('dpu-not-ready', 'ssh-lost'),
    kind: fc.constantFrom('transient', 'permanent', 'needs-human', 'bug'),
    what: foreignText,
    why: foreignText,
    next: foreignText,
    deviceState: fc.constantFrom('unchanged', 'changed', 'unknown'),
    evidence: foreignText,
  },
  { requiredKeys: ['code', 'kind', 'what', 'why', 'next', 'deviceState'] },
);

const risk = fc.constantFrom(...risks);
const stepName = fc.constantFrom('s1', 's2', 's3');
const number = fc.nat({ max: 1_000_000 });

const expected = fc.dictionary(
  fc.constantFrom('s1 as7-dpu0', 's2 as7-dpu0', 's3 as7'),
  fc.record({ ms: fc.nat({ max: 100_000_000 }), of: fc.nat({ max: 20 }) }),
);

const unitEvent = (targets: readonly string[]): fc.Arbitrary<JournalEvent> => {
  const target = fc.constantFrom(...targets);
  const base = { step: stepName, target };
  return fc.oneof(
    fc.record({ type: fc.constant('plan-started' as const), worker: foreignText }),
    fc.record(
      { type: fc.constant('plan-ready' as const), hash: fc.constant('h'), changes: number, risk, expected },
      { requiredKeys: ['type', 'hash', 'changes', 'risk'] },
    ),
    fc.record({ type: fc.constant('plan-failed' as const), failure }),
    fc.record({ type: fc.constant('unit-started' as const), worker: foreignText, generation: number, fence: number }),
    fc.record({ type: fc.constant('step-started' as const), ...base, title: foreignText, limitMs: number }),
    fc.record({ type: fc.constant('step-satisfied' as const), ...base, reason: foreignText }),
    fc.record({
      type: fc.constant('step-satisfied' as const),
      ...base,
      reason: foreignText,
      warning: foreignText,
    }),
    fc.record({ type: fc.constant('intent' as const), ...base, action: foreignText, text: foreignText }),
    fc.record({ type: fc.constant('done' as const), ...base, action: foreignText, evidence: foreignText }),
    fc.record({
      type: fc.constant('step-applied' as const),
      ...base,
      reason: foreignText,
      warning: foreignText,
      risk,
      tookMs: number,
      verdicts: fc.array(
        fc.record({ check: foreignText, pass: fc.boolean(), expected: foreignText, actual: foreignText }),
        { maxLength: 15 },
      ),
    }),
    fc.record({ type: fc.constant('step-waiting' as const), ...base, reason: foreignText, untilMs: number }),
    fc.record({
      type: fc.constant('step-failed' as const),
      ...base,
      outcome: fc.constantFrom('failed', 'refused', 'needs-human', 'cancelled'),
      failure,
    }),
    fc.record({ type: fc.constant('snippet' as const), ...base, title: foreignText, text: foreignText }),
    looked(target),
    measuredEvent,
    fc.record({
      type: fc.constant('unit-ended' as const),
      state: fc.constantFrom(...unitEndStates),
      summary: foreignText,
    }),
  );
};

const by = fc.constant(ana);
const runEvent: fc.Arbitrary<JournalEvent> = fc.oneof(
  fc.record({ type: fc.constant('run-created' as const), by, text: foreignText }),
  fc.record({
    type: fc.constant('approval-requested' as const),
    generation: fc.nat({ max: 3 }),
    risk,
    expiresAtMs: number,
    roles: fc.array(foreignText, { maxLength: 12 }),
    wanted: fc.nat({ max: 5 }),
  }),
  fc.record({
    type: fc.constant('vote' as const),
    by,
    vote: fc.constantFrom('approve', 'reject'),
    reason: foreignText,
    missing: foreignText,
    given: fc.nat({ max: 3 }),
    wanted: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({ type: fc.constant('approved' as const), generation: number }),
  fc.record({ type: fc.constant('approval-expired' as const) }),
  fc.record({
    type: fc.constant('wave-started' as const),
    wave: fc.integer({ min: 1, max: 4 }),
    of: fc.integer({ min: 1, max: 4 }),
    units: fc.array(foreignText, { maxLength: 30 }),
  }),
  fc.record({ type: fc.constant('paused' as const), reason: foreignText }),
  fc.record({ type: fc.constant('halted' as const), by: foreignText, reason: foreignText }),
  fc.record({ type: fc.constant('cancel-requested' as const), by, note: foreignText }),
  fc.record({ type: fc.constant('resumed' as const), by, generation: number }),
  fc.record({ type: fc.constant('swept' as const), unit: foreignText, generation: number, reason: foreignText }),
  fc.record({
    type: fc.constant('run-ended' as const),
    state: fc.constantFrom(...runEndStates),
    summary: foreignText,
    failure,
  }),
);

const runStates = ['planning', 'awaiting-approval', 'running', 'paused', ...runEndStates] as const;
const unitStates = ['planning', 'planned', 'queued', 'running', 'waiting', ...unitEndStates] as const;

function targetNote(targets: readonly string[]): fc.Arbitrary<TargetNote> {
  return fc.record(
    {
      target: fc.constantFrom(...targets),
      outcome: fc.constantFrom(
        'done',
        'satisfied',
        'activation-pending',
        'failed',
        'refused',
        'needs-human',
        'cancelled',
      ),
      failure,
      warnings: fc.array(foreignText, { maxLength: 3 }),
    },
    { requiredKeys: ['target', 'outcome', 'warnings'] },
  );
}

export interface Situation {
  readonly run: Run;
  readonly plans: readonly UnitPlan[];
  readonly entries: readonly JournalEntry[];
  readonly progress: ReadonlyMap<string, Progress>;
}

function plannedStep(target: string): fc.Arbitrary<PlannedStep> {
  return fc
    .record({
      step: fc.oneof(stepName, fc.constant('install-bfb')),
      title: foreignText,
      warning: foreignText,
      state: fc.constantFrom('satisfied', 'change', 'deferred', 'refused', 'skipped'),
      reason: foreignText,
      risk,
      changes: fc.array(fc.record({ target: foreignText, from: foreignText, to: foreignText, text: foreignText }), {
        maxLength: 4,
      }),
    })
    .map((extra) => planned(extra.step, target, extra));
}

function situationOf(unitCount: number): fc.Arbitrary<Situation> {
  const names = Array.from({ length: unitCount }, (_, index) => `host-${index}`);
  const units = names.map((name) =>
    fc.record({
      record: fc
        .record({
          state: fc.constantFrom(...unitStates),
          reason: fc.oneof(
            foreignText,
            foreignText.map((text) => `for the window of ${text}, which opens 2026-11-24T22:00Z`),
          ),
          looksAgain: fc.constantFrom(true as const, undefined),
          notes: fc.array(targetNote([`${name}-dpu0`, `${name}-dpu1`, name]), { maxLength: 3 }),
        })
        .map(({ state, reason, looksAgain, notes }): UnitRecord => {
          const waits = looksAgain ? { waitingReason: reason, looksAgain } : { waitingReason: reason };
          return unit(name, { state, ...waits, planHash: 'h', targetNotes: notes });
        }),
      plan: fc
        .record({
          steps: fc.array(plannedStep(`${name}-dpu0`), { maxLength: 6 }),
          refused: fc.array(fc.record({ target: foreignText, failure }), { maxLength: 2 }),
        })
        .map(({ steps, refused }): UnitPlan => ({ ...plan(name, steps, { refused }), hash: 'h' })),
      events: fc.array(unitEvent([`${name}-dpu0`, name]), { maxLength: unitCount > 5 ? 4 : 14 }),
      text: foreignText,
    }),
  );
  return fc
    .record({
      units: fc.tuple(...units),
      runEvents: fc.array(runEvent, { maxLength: 10 }),
      state: fc.constantFrom(...runStates),
      recipe: fc.constantFrom('provision', 'diag'),
      text: foreignText,
      later: fc.constantFrom({}, { startAtMs: 1_795_500_000_000 }, { outsideWindow: true as const }),
      order: fc.array(fc.nat({ max: 100 }), { maxLength: 30 }),
    })
    .map(({ units, runEvents, state, recipe, text, later, order }) => {
      const streams: [string, JournalEvent[]][] = [
        [RUN_STREAM, [...runEvents]],
        ...units.map((entry): [string, JournalEvent[]] => [entry.record.unit, [...entry.events]]),
      ];
      return {
        run: run({
          text,
          state,
          recipe,
          ...later,
          units: Object.fromEntries(units.map(({ record }) => [record.unit, record])),
        }),
        plans: units.map((entry) => entry.plan),
        entries: interleave(streams, order),
        progress: new Map(units.map((entry) => [entry.record.unit, progressOf(entry.record.unit, entry.text)])),
      };
    });
}

function progressOf(name: string, text: string): Progress {
  return {
    step: 's1',
    target: `${name}-dpu0`,
    text,
    percent: 12,
    lastLine: text,
    sinceMs: START_MS,
    limitMs: 60_000,
    stepIndex: 1,
    stepCount: 3,
    updatedAtMs: START_MS,
  };
}

function interleave(streams: readonly (readonly [string, JournalEvent[]])[], order: readonly number[]): JournalEntry[] {
  const entries: JournalEntry[] = [];
  const total = streams.reduce((sum, [, events]) => sum + events.length, 0);
  for (let index = 0; entries.length < total; index += 1) {
    const filled = streams.filter(([, events]) => events.length > 0);
    const [name, events] = filled[(order[index % Math.max(1, order.length)] ?? 0) % filled.length] ?? ['', []];
    const event = events.shift();
    const atMs = START_MS + index;
    if (event !== undefined) entries.push({ id: `${atMs}-0`, runId: 418, unit: name, atMs, event });
  }
  return entries;
}

/** A random run with plans, journal and progress: from one host to sixty. */
export const situation: fc.Arbitrary<Situation> = fc.oneof(
  { weight: 6, arbitrary: situationOf(1) },
  { weight: 3, arbitrary: situationOf(3) },
  { weight: 1, arbitrary: situationOf(60) },
);
