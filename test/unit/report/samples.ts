import type { Actor, JournalEntry, JournalEvent } from '../../../src/domain/journal.ts';
import { RUN_STREAM } from '../../../src/domain/journal.ts';
import type { Failure } from '../../../src/domain/outcome.ts';
import type { PlannedStep, UnitPlan } from '../../../src/domain/plan.ts';
import { planHash, planRisk } from '../../../src/domain/plan.ts';
import type { Run, UnitRecord } from '../../../src/domain/run.ts';

export const START_MS = Date.UTC(2026, 10, 22, 14, 0, 0);
export const ana: Actor = { userId: 'U0ANA', teamId: 'T1', displayName: 'Ana' };
export const ben: Actor = { userId: 'U0BEN', teamId: 'T1', displayName: 'Ben' };

export const failure: Failure = {
  code: 'dpu-not-ready',
  kind: 'needs-human',
  what: 'as7-dpu0 did not come back.',
  why: 'Its boot progress stands at OsBootStarted.',
  next: 'Read the console. Then `/dpu resume 418`.',
  deviceState: 'changed',
};

export function unit(name: string, extra: Partial<UnitRecord> = {}): UnitRecord {
  return { unit: name, site: 'lab', targets: [name, `${name}-dpu0`], state: 'planning', generation: 0, ...extra };
}

export function run(extra: Partial<Run> = {}): Run {
  return {
    id: 418,
    version: 1,
    recipe: 'provision',
    recipeVersion: 1,
    params: {},
    text: 'provision rack1',
    requester: ana,
    channel: 'C1',
    createdAtMs: START_MS,
    state: 'planning',
    planOnly: false,
    simulated: true,
    slices: {},
    sliceHashes: {},
    units: { as7: unit('as7') },
    waves: [],
    waveIndex: 0,
    maxFailures: 0,
    approvalMinutes: 60,
    startByMinutes: 60,
    waveSpec: 'all',
    ...extra,
  };
}

export function planned(step: string, target: string, extra: Partial<PlannedStep> = {}): PlannedStep {
  return {
    step,
    title: step.replaceAll('-', ' '),
    target,
    state: 'change',
    reason: '',
    changes: [{ target, from: 'on', to: 'off', text: `Secure Boot of ${target} is switched off` }],
    params: {},
    wanted: 'off',
    risk: 'disruptive',
    reboots: [{ what: 'arm', target, times: 2, certainty: 'planned' }],
    ...extra,
  };
}

export function plan(name: string, steps: readonly PlannedStep[], extra: Partial<UnitPlan> = {}): UnitPlan {
  const base = {
    unit: name,
    site: 'lab',
    simulated: true,
    recipe: { name: 'provision', version: 1 },
    profileHash: 'p',
    steps,
    pins: [],
    refused: [],
    ...extra,
  };
  return { runId: 418, madeAtMs: START_MS + 2000, risk: planRisk(steps), hash: planHash(base), ...base };
}

/** A journal whose ids and times rise by a second with every entry, over all streams. */
export function journal(...events: readonly (readonly [unit: string, event: JournalEvent])[]): JournalEntry[] {
  return events.map(([name, event], index) => {
    const atMs = START_MS + index * 1000;
    return { id: `${atMs}-0`, runId: 418, unit: name, atMs, event };
  });
}

/** A whole run of one host: looked at, approved by Ben, one step changed, one found right, done. */
export function wholeRun(): { readonly run: Run; readonly plans: UnitPlan[]; readonly entries: JournalEntry[] } {
  const steps = [
    planned('identify-card', 'as7-dpu0', {
      state: 'satisfied',
      reason: 'it is the card of the inventory',
      risk: 'read',
      changes: [],
      reboots: [],
    }),
    planned('disable-secure-boot', 'as7-dpu0'),
    planned('read-mode', 'as7-dpu0', {
      state: 'deferred',
      reason: 'known after the reset',
      risk: 'read',
      changes: [],
      reboots: [],
    }),
  ];
  const made = plan('as7', steps);
  const step = { step: 'disable-secure-boot', target: 'as7-dpu0' };
  const entries = journal(
    [RUN_STREAM, { type: 'run-created', by: ana, text: 'provision rack1' }],
    ['as7', { type: 'plan-started', worker: 'w1' }],
    ['as7', { type: 'plan-ready', hash: made.hash, changes: 2, risk: 'disruptive' }],
    [
      RUN_STREAM,
      {
        type: 'approval-requested',
        generation: 1,
        risk: 'disruptive',
        expiresAtMs: START_MS + 3_600_000,
        roles: ['approvers'],
      },
    ],
    [RUN_STREAM, { type: 'vote', by: ben, vote: 'approve', given: 1, wanted: 1 }],
    [RUN_STREAM, { type: 'approved', generation: 1 }],
    [RUN_STREAM, { type: 'wave-started', wave: 1, of: 1, units: ['as7'] }],
    ['as7', { type: 'unit-started', worker: 'w1', generation: 1, fence: 1 }],
    [
      'as7',
      { type: 'step-started', step: 'identify-card', target: 'as7-dpu0', title: 'identify card', limitMs: 60_000 },
    ],
    [
      'as7',
      { type: 'step-satisfied', step: 'identify-card', target: 'as7-dpu0', reason: 'it is the card of the inventory' },
    ],
    ['as7', { type: 'step-started', ...step, title: 'disable secure boot', limitMs: 300_000 }],
    ['as7', { type: 'intent', ...step, action: 'patch', text: 'PATCH SecureBoot' }],
    ['as7', { type: 'done', ...step, action: 'patch', evidence: '200' }],
    [
      'as7',
      {
        type: 'step-applied',
        ...step,
        reason: 'Secure Boot is off.',
        verdicts: [{ check: 'SecureBootCurrentBoot', pass: true, expected: 'Disabled', actual: 'Disabled' }],
        tookMs: 80_000,
      },
    ],
    ['as7', { type: 'unit-ended', state: 'done', summary: 'One change made.' }],
    [RUN_STREAM, { type: 'run-ended', state: 'done', summary: 'All cards are as wanted.' }],
  );
  const approval = {
    generation: 1,
    state: 'approved' as const,
    hashes: { as7: made.hash },
    risk: 'disruptive' as const,
    requestedAtMs: START_MS + 3000,
    expiresAtMs: START_MS + 3_600_000,
    askers: [ana],
    votes: [{ by: ben, vote: 'approve' as const, roles: ['approvers'], policyHash: 'x', atMs: START_MS + 4000 }],
  };
  const ended = run({
    state: 'done',
    endedAtMs: START_MS + 15_000,
    approval,
    waves: [['as7']],
    summary: 'All cards are as wanted.',
    units: {
      as7: unit('as7', {
        state: 'done',
        planHash: made.hash,
        startedAtMs: START_MS + 7000,
        endedAtMs: START_MS + 14_000,
      }),
    },
  });
  return { run: ended, plans: [made], entries };
}
