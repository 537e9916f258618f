import { describe, expect, it } from 'vitest';
import { Inventory } from '../../src/domain/inventory.ts';
import { requestCancel, requestResume } from '../../src/domain/policy.ts';
import type { NewRun } from '../../src/domain/ports.ts';
import type { Run } from '../../src/domain/run.ts';
import type { Step } from '../../src/domain/step.ts';
import type { EngineDeps } from '../../src/engine/deps.ts';
import type { World } from '../support/engine-world.ts';
import { createWorld, order, startEngine, workUntilStopped } from '../support/engine-world.ts';
import { fakeRecipe, fakeStep } from '../support/fake-steps.ts';
import { ana, ben, makeInventory } from '../support/make-run.ts';
import { orderPair, pairInventory, pairRecipe } from '../support/pair-world.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** A world whose clock stands at this time of a Monday, UTC. */
function worldAt(time: string, inventory: Inventory): World {
  const world = createWorld(inventory);
  world.clock.advance(Date.parse(`2026-11-23T${time}:00Z`) - world.clock.nowMs());
  return world;
}

/** Hosts whose site may be changed from 22:00 to 23:00. */
function withWindow(names: readonly string[], change: Partial<Inventory['policy']> = {}): Inventory {
  const base = makeInventory(names);
  const windows = [{ days: ['mon-sun'], from: '22:00', to: '23:00', timeZone: 'UTC' }];
  return Inventory.parse({
    ...base,
    sites: { lab: { ...base.sites['lab'], windows } },
    policy: { ...base.policy, ...change },
  });
}

function engine(world: World, step: Step = fakeStep('flash', { risk: 'disruptive' })): EngineDeps {
  return startEngine(world, { recipe: fakeRecipe([step]) });
}

async function get(world: World, id: number): Promise<Run> {
  const run = await world.stores.runs.get(id);
  if (run === undefined) throw new Error('the run is gone');
  return run;
}

/** Works until every unit that has work left only waits. */
async function workUntilWaiting(world: World, deps: EngineDeps, id: number): Promise<Run> {
  await expect(workUntilStopped(world, deps, id)).rejects.toThrow('does not move');
  return get(world, id);
}

async function said(world: World, id: number, unit: string): Promise<readonly string[]> {
  const entries = await world.stores.journal.read(id, unit);
  return entries.flatMap(({ event }) => (event.type === 'step-waiting' ? [event.reason] : []));
}

async function ordered(world: World, change: Partial<NewRun> = {}): Promise<number> {
  return (await order(world, change)).id;
}

function until(world: World, time: string, days = 0): number {
  return Date.parse(`2026-11-23T${time}:00Z`) + days * dayMs - world.clock.nowMs();
}

const cable = { by: ben, reason: 'cable swap', sinceMs: Date.parse('2026-11-23T15:00:00Z') };

/** A run that stopped in the middle at 22:10, in its window, and is resumed at 23:30, when that is closed. */
async function stoppedAndResumed(change: Pick<Run, 'outsideWindow'>): Promise<{ world: World; id: number }> {
  const world = worldAt('22:10', withWindow(['as7']));
  const broken = fakeStep('flash', {
    risk: 'disruptive',
    apply: async (context) => {
      await context.act({ name: 'push', text: 'push' }, async () => ({ evidence: '', value: undefined }));
      throw new Error('it broke off');
    },
  });
  const id = await ordered(world);
  await workUntilStopped(world, engine(world, broken), id);
  world.clock.advance(until(world, '23:30'));
  await world.stores.runs.update(id, (run) => {
    const resumed = requestResume(run, ana);
    return resumed && { ...resumed, ...change };
  });
  await world.stores.queue.addAdvance({ runId: id });
  return { world, id };
}

describe('a maintenance window', () => {
  it('is waited for without a lease, said once, and the run goes on by itself when it opens', async () => {
    const world = worldAt('16:00', withWindow(['as7']));
    const deps = engine(world);
    const id = await ordered(world);

    const waiting = await workUntilWaiting(world, deps, id);

    const reason = 'for the window of site lab, which opens 2026-11-23T22:00Z';
    expect(waiting.units['as7']).toMatchObject({ state: 'waiting', waitingReason: reason, looksAgain: true });
    expect(await said(world, id, 'as7')).toEqual([reason]);
    expect(await world.stores.leases.holder('as7')).toBeUndefined();
    expect(await world.stores.holds.get('as7')).toBeUndefined();

    world.clock.advance(until(world, '22:00'));
    const run = await workUntilStopped(world, deps, id);
    expect([run.state, run.units['as7']?.startedAtMs]).toEqual(['done', world.clock.nowMs()]);
  });

  it('does not let the approval expire while it is closed; open for longer than the limit, the work asks again', async () => {
    const world = worldAt('16:00', withWindow(['as7']));
    const deps = engine(world);
    const id = await ordered(world, { startByMinutes: 30 });
    await workUntilWaiting(world, deps, id);
    await world.stores.locks.set(['as7'], cable);

    world.clock.advance(until(world, '22:29'));
    const waiting = await workUntilWaiting(world, deps, id);
    await world.stores.locks.clear('as7');
    world.clock.advance(10 * minuteMs);
    const run = await workUntilStopped(world, deps, id);

    expect(waiting.units['as7']?.waitingReason).toContain('for the lock of Ben on as7: cable swap');
    expect(run.units['as7']?.failure).toMatchObject({
      code: 'approval-void',
      why: 'The work on as7 could have begun for more than 30 minutes, and has not.',
    });
  });

  it.each([
    ['20:00', '22:30', 'for the windows of site lab and rack2, which are both open from 2026-11-23T22:00Z'],
    [
      '20:00',
      '22:00',
      'for the windows of site lab and rack2, which are at no time of the next two weeks open at once.',
    ],
  ])('of a pair whose other host may be changed from %s to %s is waited for with both', async (from, to, reason) => {
    const base = { ...withWindow(['as7', 'as8']), pairs: pairInventory().pairs };
    const windows = [{ days: ['mon-sun'], from, to, timeZone: 'UTC' }];
    const hosts = { ...base.hosts, as8: { ...base.hosts['as8'], rack: 'rack2' } };
    const world = worldAt('21:00', Inventory.parse({ ...base, hosts, racks: { rack2: { windows } } }));
    const { id } = await orderPair(world);

    const run = await workUntilWaiting(world, startEngine(world, { recipe: pairRecipe({ things: new Set() }) }), id);

    expect(run.units['as7+as8']?.waitingReason).toContain(reason);
  });

  it('that closes between two waves keeps the second one back until the next day', async () => {
    const world = worldAt('22:58', withWindow(['as7', 'as8'], { waves: ['1', 'rest'] }));
    const slow = fakeStep('flash', {
      risk: 'disruptive',
      apply: async (context) => {
        await context.act({ name: 'push', text: 'push' }, async () => ({ evidence: 'pushed', value: undefined }));
        world.clock.advance(5 * minuteMs);
        return { kind: 'done' };
      },
      verify: () => Promise.resolve([{ check: 'switch', pass: true, expected: 'on', actual: 'on' }]),
      observe: () => Promise.resolve(false),
    });
    const deps = engine(world, slow);
    const id = await ordered(world);

    const waiting = await workUntilWaiting(world, deps, id);

    // The one in the middle of its work was not held up by the end of the window.
    expect([waiting.units['as7']?.state, waiting.units['as8']?.state]).toEqual(['done', 'waiting']);
    expect(waiting.units['as8']?.waitingReason).toContain('opens 2026-11-24T22:00Z');
    world.clock.advance(until(world, '22:00', 1));
    expect((await workUntilStopped(world, deps, id)).state).toBe('done');
  });

  it('is overridden by a run outside of it: that is in the plan, and needs approval where the work alone would not', async () => {
    const world = worldAt('16:00', withWindow(['as7']));
    const deps = engine(world, fakeStep('hostname', { risk: 'change' }));
    const usual = await ordered(world, { planOnly: true });
    await workUntilStopped(world, deps, usual);
    const id = await ordered(world, { outsideWindow: true });

    const asked = await workUntilStopped(world, deps, id, 'wait');

    expect([asked.state, asked.approval?.risk]).toEqual(['awaiting-approval', 'disruptive']);
    const plans = await Promise.all(
      [usual, id].map(async (one) => (await get(world, one)).units['as7']?.planHash ?? ''),
    );
    expect(plans[0]).not.toBe(plans[1]);
    expect((await workUntilStopped(world, deps, id)).state).toBe('done');
  });

  it('never holds a plan back', async () => {
    const world = worldAt('16:00', withWindow(['as7']));
    await world.stores.locks.set(['as7'], cable);

    const run = await workUntilStopped(world, engine(world), await ordered(world, { planOnly: true }));

    expect([run.state, world.clock.nowMs()]).toEqual(['planned', Date.parse('2026-11-23T16:00:00Z')]);
  });

  it('is seen when it closes while the cards are looked at for the last time', async () => {
    const world = worldAt('22:58', withWindow(['as7']));
    let looks = 0;
    const slow = fakeStep('flash', {
      risk: 'disruptive',
      observe: () => {
        looks += 1;
        if (looks === 2) world.clock.advance(5 * minuteMs);
        return Promise.resolve(false);
      },
    });

    const waiting = await workUntilWaiting(world, engine(world, slow), await ordered(world));

    expect(waiting.units['as7']?.waitingReason).toContain('opens 2026-11-24T22:00Z');
    expect(await world.stores.holds.get('as7')).toBeUndefined();
  });

  it('holds back a stopped run that is resumed, also where it had begun', async () => {
    const { world, id } = await stoppedAndResumed({});
    const deps = engine(world);

    const waiting = await workUntilWaiting(world, deps, id);

    expect(waiting.units['as7']?.waitingReason).toContain('opens 2026-11-24T22:00Z');
    world.clock.advance(until(world, '22:00', 1));
    expect((await workUntilStopped(world, deps, id)).state).toBe('done');
  });

  it('does not hold back a run that is resumed outside of it, which asks for approval once more', async () => {
    const { world, id } = await stoppedAndResumed({ outsideWindow: true });
    const deps = engine(world);

    const asked = await workUntilStopped(world, deps, id, 'wait');

    expect([asked.state, asked.approval?.generation]).toEqual(['awaiting-approval', 2]);
    expect((await workUntilStopped(world, deps, id)).state).toBe('done');
  });

  it('goes on after the worker was killed and its job was lost while it waited', async () => {
    const world = worldAt('16:00', withWindow(['as7']));
    const id = await ordered(world);
    await workUntilWaiting(world, engine(world), id);
    world.parked.length = 0;
    world.clock.advance(until(world, '22:00'));

    const run = await workUntilStopped(world, engine(world), id);

    expect(run.state).toBe('done');
  });

  it('that is taken out of the inventory is not waited for any longer', async () => {
    const world = worldAt('16:00', withWindow(['as7']));
    const deps = engine(world);
    const id = await ordered(world);
    await workUntilWaiting(world, deps, id);

    const free = { ...deps, inventory: () => makeInventory(['as7']) };

    expect((await workUntilStopped(world, free, id)).state).toBe('done');
  });
});

describe('a lock of a person', () => {
  it('that is set between two waves keeps the next one back, and off again the run goes on', async () => {
    const inventory = makeInventory(['as7', 'as8']);
    const world = worldAt(
      '16:00',
      Inventory.parse({ ...inventory, policy: { ...inventory.policy, waves: ['1', 'rest'] } }),
    );
    const locking = fakeStep('flash', {
      apply: async (context) => {
        await world.stores.locks.set(['as7', 'as8'], cable);
        await context.act({ name: 'push', text: 'push' }, async () => ({ evidence: 'pushed', value: undefined }));
        return { kind: 'done' };
      },
      verify: () => Promise.resolve([{ check: 'switch', pass: true, expected: 'on', actual: 'on' }]),
      observe: () => Promise.resolve(false),
    });
    const deps = engine(world, locking);
    const id = await ordered(world);

    const waiting = await workUntilWaiting(world, deps, id);

    // as7 was in the middle when it was locked.
    expect([waiting.units['as7']?.state, waiting.units['as8']?.state]).toEqual(['done', 'waiting']);
    const reason = 'for the lock of Ben on as8: cable swap, since 2026-11-23T15:00Z. `/dpu unlock as8` takes it off';
    expect(await said(world, id, 'as8')).toEqual([reason]);
    expect(await world.stores.leases.holder('as8')).toBeUndefined();

    for (const host of ['as7', 'as8']) await world.stores.locks.clear(host);
    expect((await workUntilStopped(world, deps, id)).state).toBe('done');
  });

  it('is no reason to redraw the card again and again', async () => {
    const world = worldAt('16:00', makeInventory(['as7']));
    await world.stores.locks.set(['as7'], cable);
    const id = await ordered(world);
    let changes = 0;
    await world.stores.notifier.subscribe(() => (changes += 1));

    await workUntilWaiting(world, engine(world), id);

    expect(changes).toBeLessThan(20);
    expect((await get(world, id)).version).toBeGreaterThan(30);
  });
});

describe('a run that was asked to start later', () => {
  const atTen = Date.parse('2026-11-23T22:00:00Z');

  it('is planned and approved at once and starts then, with an approval that counts from then', async () => {
    const world = worldAt('16:00', makeInventory(['as7']));
    const deps = engine(world);
    const id = await ordered(world, { startAtMs: atTen, startByMinutes: 30 });

    const run = await workUntilStopped(world, deps, id);

    expect([run.state, run.approval?.approvedAtMs, run.units['as7']?.startedAtMs]).toEqual([
      'done',
      Date.parse('2026-11-23T16:00:00Z'),
      atTen,
    ]);
    expect(await said(world, id, 'as7')).toEqual(['for its start at 2026-11-23T22:00Z, as asked']);
  });

  it('can be cancelled while it waits, and ends at once with nothing changed', async () => {
    const world = worldAt('16:00', makeInventory(['as7']));
    const deps = engine(world);
    const id = await ordered(world, { startAtMs: atTen });
    const cancelling = {
      ...deps,
      queue: world.stores.queue,
      notifier: {
        ...deps.notifier,
        changed: async () => {
          const run = await get(world, id);
          if (run.units['as7']?.state !== 'waiting' || run.cancel) return;
          await world.stores.runs.update(id, (current) => requestCancel(current, ana, world.clock.nowMs()));
          await world.stores.queue.addAdvance({ runId: id });
        },
      },
    };

    const run = await workUntilStopped(world, cancelling, id);

    expect([run.state, world.clock.nowMs()]).toEqual(['cancelled', Date.parse('2026-11-23T16:00:00Z')]);
    expect(await world.stores.holds.get('as7')).toBeUndefined();
  });

  it('waits for the window as well, which may open later', async () => {
    const world = worldAt('16:00', withWindow(['as7']));
    const deps = engine(world);
    const id = await ordered(world, { startAtMs: Date.parse('2026-11-23T23:30:00Z'), startByMinutes: 30 });

    const waiting = await workUntilWaiting(world, deps, id);
    world.clock.advance(until(world, '22:10', 1));
    const run = await workUntilStopped(world, deps, id);

    expect(waiting.units['as7']?.waitingReason).toContain('opens 2026-11-24T22:00Z');
    expect(run.state).toBe('done');
  });

  it('is resumed after it was cancelled, and still starts at its time', async () => {
    const world = worldAt('16:00', makeInventory(['as7']));
    const deps = engine(world);
    const id = await ordered(world, { startAtMs: atTen });
    await workUntilStopped(world, deps, id, 'wait');
    await world.stores.runs.update(id, (run) => requestCancel(run, ana, world.clock.nowMs()));
    await world.stores.queue.addAdvance({ runId: id });
    expect((await workUntilStopped(world, deps, id)).state).toBe('cancelled');
    await world.stores.runs.update(id, (run) => requestResume(run, ana));
    await world.stores.queue.addAdvance({ runId: id });

    const run = await workUntilStopped(world, deps, id);

    expect([run.state, run.units['as7']?.startedAtMs]).toEqual(['done', atTen]);
  });
});
