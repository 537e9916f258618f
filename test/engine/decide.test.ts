import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UnitPlan } from '../../src/domain/plan.ts';
import type { Run, UnitState } from '../../src/domain/run.ts';
import { isEnded } from '../../src/domain/run.ts';
import type { Situation } from '../../src/engine/decide.ts';
import { decide } from '../../src/engine/decide.ts';
import { errors } from '../../src/errors.ts';
import { ana, ben, makeInventory, makePlan, makeRun, withUnits } from '../support/make-run.ts';

const inventory = makeInventory(['as1', 'as2', 'as3', 'as4']);
const units = Object.keys(inventory.hosts);

function situation(change: Partial<Situation> = {}): Situation {
  return {
    nowMs: 1_000,
    halt: undefined,
    plans: {},
    approvedPlans: {},
    begun: new Set(),
    cleansUp: false,
    looking: new Set(),
    approverRoles: () => ['approvers'],
    approvalsWanted: () => 1,
    ...change,
  };
}

function plansOf(state: 'satisfied' | 'change', names = units): Record<string, UnitPlan> {
  return Object.fromEntries(names.map((name) => [name, makePlan(name, state)]));
}

function planned(run: Run, plans: Record<string, UnitPlan>): Run {
  return Object.values(plans).reduce(
    (current, plan) => withUnits(current, { state: 'planned', planHash: plan.hash }, [plan.unit]),
    run,
  );
}

function approvedRun(plans: Record<string, UnitPlan>, change: Partial<Run> = {}): Run {
  const base = planned(makeRun(inventory, { state: 'awaiting-approval', ...change }), plans);
  const hashes = Object.fromEntries(Object.values(plans).map((plan) => [plan.unit, plan.hash]));
  return {
    ...base,
    approval: {
      generation: 1,
      state: 'approved',
      hashes,
      risk: 'disruptive',
      requestedAtMs: 0,
      expiresAtMs: 3_600_000,
      votes: [],
      askers: [ana],
      approvedAtMs: 500,
    },
  };
}

describe('decide: planning', () => {
  it('asks for one plan per unit while any is missing, and for the same ones when asked again', () => {
    const run = makeRun(inventory);

    const first = decide(run, situation());
    const again = decide(first.run, situation());

    expect(first.jobs.map((job) => job.kind)).toEqual(['plan', 'plan', 'plan', 'plan']);
    expect(again.jobs).toEqual(first.jobs);
    expect(again.run).toBe(first.run);
  });

  it('ends satisfied without asking when nothing is to change', () => {
    const plans = plansOf('satisfied');

    const { run, jobs, events } = decide(planned(makeRun(inventory), plans), situation({ plans }));

    expect(run.state).toBe('satisfied');
    expect(jobs).toEqual([]);
    expect(events.map((entry) => entry.event.type)).toEqual(['run-ended']);
  });

  it('ends as planned when only a plan was asked for', () => {
    const plans = plansOf('change');

    const { run } = decide(planned(makeRun(inventory, { planOnly: true }), plans), situation({ plans }));

    expect(run.state).toBe('planned');
  });

  it('asks for approval of exactly the plans at hand, and queues nothing before it', () => {
    const plans = plansOf('change');

    const { run, jobs } = decide(planned(makeRun(inventory), plans), situation({ plans }));

    expect(run.state).toBe('awaiting-approval');
    expect(run.approval?.hashes).toEqual(Object.fromEntries(units.map((name) => [name, plans[name]?.hash])));
    expect(jobs).toEqual([]);
  });

  it('goes on by itself when the changes are harmless', () => {
    const plans = Object.fromEntries(units.map((name) => [name, makePlan(name, 'change', { risk: 'change' })]));

    const { run } = decide(planned(makeRun(inventory), plans), situation({ plans }));

    expect(run.state).toBe('running');
  });

  it('asks two people before a certificate is trusted, also when that is the only change', () => {
    const sha256 = 'ab'.repeat(32);
    const plans = Object.fromEntries(
      units.map((name) => {
        const plan = makePlan(name, 'change', { risk: 'change' });
        return [name, { ...plan, pins: [{ target: `${name}-dpu0`, kind: 'bmc-certificate' as const, sha256 }] }];
      }),
    );

    const { run } = decide(planned(makeRun(inventory), plans), situation({ plans }));

    expect(run.state).toBe('awaiting-approval');
    expect(run.approval).toMatchObject({ risk: 'disruptive', askers: [ana] });
  });

  it('leaves a refused unit out and starts the others', () => {
    const others = ['as2', 'as3', 'as4'];
    const plans = Object.fromEntries(others.map((name) => [name, makePlan(name, 'change', { risk: 'change' })]));
    const start = withUnits(planned(makeRun(inventory), plans), { state: 'refused' }, ['as1']);

    const { run, jobs } = decide(start, situation({ plans }));

    expect(run.state).toBe('running');
    expect(run.units['as1']?.state).toBe('refused');
    expect(jobs.map(({ kind, unit }) => [kind, unit])).toEqual(others.map((name) => ['unit', name]));
  });
});

describe('decide: what could not be looked at', () => {
  it('does not call a host satisfied when one of its cards was refused', () => {
    const { failure } = errors.bmcUnpinned({ target: 'as1-dpu1' });
    const plans = plansOf('satisfied');
    const partly = { ...plans, as1: { ...makePlan('as1', 'satisfied'), refused: [{ target: 'as1-dpu1', failure }] } };

    const { run } = decide(planned(makeRun(inventory), partly), situation({ plans: partly }));

    expect(run.units['as1']).toMatchObject({ state: 'refused', failure: { code: 'bmc-unpinned' } });
    expect(run.state).toBe('refused');
  });

  it('ends a run that was only to plan with the worst of its hosts', () => {
    const plans = plansOf('change', ['as2', 'as3', 'as4']);
    const { failure } = errors.sshUnreachable({ host: 'as1', address: '127.0.0.1' });
    const start = planned(makeRun(inventory, { planOnly: true }), plans);

    const { run } = decide(withUnits(start, { state: 'failed', failure }, ['as1']), situation({ plans }));

    expect(run.state).toBe('failed');
    expect(run.failure?.code).toBe('ssh-unreachable');
  });

  it('starts the others after approval when a host could not be planned', () => {
    const plans = plansOf('change', ['as2', 'as3', 'as4']);
    const start = withUnits(approvedRun(plans), { state: 'failed' }, ['as1']);

    const { run } = decide(start, situation({ plans, approvedPlans: plans }));

    expect(run.units['as2']?.state).toBe('queued');
  });
});

describe('decide: rollout', () => {
  const { failure } = errors.nicMode({ target: 'as1-dpu0' });
  /** as1 is the first wave and has ended as refused; `leftOut`: already when its plan was made. */
  function afterFirst(leftOut: boolean): Run {
    const plans = plansOf('change');
    const first = { ...makePlan('as1', 'change'), refused: leftOut ? [{ target: 'as1-dpu0', failure }] : [] };
    const all = { ...plans, as1: first };
    const base = approvedRun(all, { state: 'running', waves: [['as1'], ['as2', 'as3', 'as4']], waveIndex: 0 });
    const targetNotes = [{ target: 'as1-dpu0', outcome: 'refused', failure, warnings: [] }] as const;
    const run = withUnits(base, { state: 'refused', failure, targetNotes }, ['as1']);
    return decide(run, situation({ plans: all, approvedPlans: all })).run;
  }

  it('goes on after a host of which a card was left out when the plan was made', () => {
    expect(afterFirst(true)).toMatchObject({ state: 'running', waveIndex: 1 });
  });

  it('stops after a host of which a card was refused while it was worked on', () => {
    const run = afterFirst(false);

    expect(run.state).toBe('refused');
    expect(run.units['as2']?.state).toBe('planned');
  });

  it('does not call the cards of a cancelled host right that was never begun', () => {
    const targetNotes = [{ target: 'as1-dpu0', outcome: 'satisfied', warnings: ['old'] }] as const;
    const plans = plansOf('change');
    const base = { ...approvedRun(plans), cancel: { by: ana, atMs: 1 } };

    const { run } = decide(withUnits(base, { targetNotes }), situation({ plans }));

    expect(run.units['as1']).toMatchObject({
      state: 'cancelled',
      targetNotes: [{ outcome: 'cancelled', warnings: ['old'] }],
    });
  });
});

describe('decide: approval', () => {
  it('expires an unanswered request at its time, not before', () => {
    const plans = plansOf('change');
    const asked = decide(planned(makeRun(inventory), plans), situation({ plans })).run;

    const before = decide(asked, situation({ nowMs: 3_600_999, plans }));
    const after = decide(asked, situation({ nowMs: 3_601_000, plans }));

    expect(before.run.state).toBe('awaiting-approval');
    expect(after.run.state).toBe('expired');
  });

  it('does not ask again on resume when what is left was approved and begun less than 24 hours ago', () => {
    const plans = plansOf('change');
    const resumed: Run = { ...approvedRun(plans), state: 'planning' };
    const seen = situation({ plans, approvedPlans: plans, begun: new Set(units), nowMs: 23 * 3_600_000 });

    expect(decide(resumed, seen).run.state).toBe('running');
    expect(decide(resumed, { ...seen, nowMs: 25 * 3_600_000 }).run.state).toBe('awaiting-approval');
  });

  it('asks again on resume when a step that was satisfied in the approved plan would change something now', () => {
    const plans = plansOf('change');
    const approvedPlans = plansOf('satisfied');
    const resumed: Run = { ...approvedRun(plans), state: 'planning' };

    const { run } = decide(resumed, situation({ plans, approvedPlans, begun: new Set(units) }));

    expect(run.state).toBe('awaiting-approval');
    expect(run.approval?.generation).toBe(2);
  });
});

describe('decide: waves', () => {
  const plans = plansOf('change');
  const waveSpec = ['1', '25%', 'rest'];

  it('starts one unit first and queues no other', () => {
    const { run, jobs } = decide(approvedRun(plans, { waveSpec }), situation({ plans, approvedPlans: plans }));

    expect(run.waves).toEqual([['as1'], ['as2'], ['as3', 'as4']]);
    expect(jobs).toEqual([{ kind: 'unit', unit: 'as1', site: 'lab', generation: 0, delayMs: 0 }]);
  });

  it('stops the rollout after the first failure and leaves the rest as it was', () => {
    const started = decide(approvedRun(plans, { waveSpec }), situation({ plans, approvedPlans: plans })).run;

    const { run } = decide(withUnits(started, { state: 'failed' }, ['as1']), situation({ plans }));

    expect(run.state).toBe('failed');
    expect(run.units['as2']?.state).toBe('planned');
  });

  it('goes on to the next wave when the present one is done', () => {
    const started = decide(approvedRun(plans, { waveSpec }), situation({ plans, approvedPlans: plans })).run;

    const { run } = decide(withUnits(started, { state: 'done' }, ['as1']), situation({ plans }));

    expect(run.units['as2']?.state).toBe('queued');
    expect(run.units['as3']?.state).toBe('planned');
  });

  it('starts no wave while all work is halted', () => {
    const started = decide(approvedRun(plans, { waveSpec }), situation({ plans, approvedPlans: plans })).run;
    const done = withUnits(started, { state: 'done' }, ['as1']);

    const { run, jobs } = decide(done, situation({ plans, halt: { by: 'dana', reason: 'fire', sinceMs: 0 } }));

    expect(run.units['as2']?.state).toBe('planned');
    expect(jobs).toEqual([]);
  });
});

describe('decide: cancel', () => {
  it('cancels what has not started at once and waits for the running unit', () => {
    const running = withUnits(
      withUnits(makeRun(inventory, { state: 'running' }), { state: 'queued' }),
      { state: 'running' },
      ['as1'],
    );
    const asked: Run = { ...running, cancel: { by: ben, atMs: 0 } };

    const waiting = decide(asked, situation());
    const ended = decide(withUnits(waiting.run, { state: 'cancelled' }, ['as1']), situation());

    expect(waiting.run.units['as2']?.state).toBe('cancelled');
    expect(isEnded(waiting.run.state)).toBe(false);
    expect(ended.run.state).toBe('cancelled');
  });

  it('lets a unit end by itself at which a worker is looking', () => {
    const asked = makeRun(inventory, { recipe: 'diag', cancel: { by: ben, atMs: 0 } });

    const { run } = decide(asked, situation({ looking: new Set(['as1']) }));

    expect(run.units['as1']?.state).toBe('planning');
    expect(run.units['as2']?.state).toBe('cancelled');
    expect(isEnded(run.state)).toBe(false);
  });

  it('does not hide that the running unit needs a person', () => {
    const { failure } = errors.armNotReady({ target: 'as1-dpu0', state: 'UEFI', limit: '5 min', run: 7 });
    const start = withUnits(makeRun(inventory, { state: 'running', cancel: { by: ben, atMs: 0 } }), { state: 'done' });

    const { run } = decide(withUnits(start, { state: 'needs-human', failure }, ['as1']), situation());

    expect(run.state).toBe('needs-human');
    expect(run.failure?.code).toBe('dpu-not-ready');
  });
});

describe('decide: laws', () => {
  const states: UnitState[] = [
    'planning',
    'planned',
    'queued',
    'running',
    'waiting',
    'done',
    'satisfied',
    'failed',
    'refused',
    'needs-human',
    'cancelled',
    'plan-outdated',
  ];
  const plans = plansOf('change');

  it('asked again with its own result changes nothing and never queues a unit without approval of a risky plan', () => {
    const anyRun = fc.record({
      runState: fc.constantFrom<Run['state']>('planning', 'awaiting-approval', 'running'),
      unitStates: fc.tuple(...units.map(() => fc.constantFrom(...states))),
      approved: fc.boolean(),
      cancelled: fc.boolean(),
      nowMs: fc.integer({ min: 0, max: 100_000_000 }),
    });
    fc.assert(
      fc.property(anyRun, ({ runState, unitStates, approved, cancelled, nowMs }) => {
        const base = approved ? approvedRun(plans) : planned(makeRun(inventory), plans);
        const run: Run = {
          ...units.reduce(
            (current, name, index) => withUnits(current, { state: unitStates[index] ?? 'planned' }, [name]),
            base,
          ),
          state: runState,
          ...(cancelled && { cancel: { by: ana, atMs: 0 } }),
        };
        const seen = situation({ plans, nowMs });

        const first = decide(run, seen);
        const again = decide(first.run, seen);

        expect(again.run).toBe(first.run);
        expect(again.events).toEqual([]);
        if (runState !== 'running' && !approved)
          for (const name of units)
            if (run.units[name]?.state === 'planned') expect(first.run.units[name]?.state).not.toBe('queued');
      }),
      { numRuns: 500 },
    );
  });
});
