import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JournalEvent } from '../../../src/domain/journal.ts';
import { eventually } from '../../support/lab/eventually.ts';
import { Stack } from '../../support/lab/stack.ts';

/** A host for each crash, and one for the take-over. */
const hosts = 10;
/** Arm boots of a card that came from the factory and was provisioned without a disturbance. */
const bootsNeeded = 3;

let stack: Stack;
let used = 0;

beforeAll(async () => {
  stack = await Stack.start({ hosts });
});
afterAll(async () => stack.stop());

interface Scene {
  readonly id: number;
  readonly host: string;
  readonly dpu: string;
}

/** A moment of a run: resolves when the worker is to be killed. Approves by itself where that comes first. */
interface Moment {
  readonly title: string;
  readonly prepare?: (host: string) => Promise<void>;
  readonly reach: (scene: Scene) => Promise<void>;
  /** After the kill, before the worker comes back. */
  readonly meanwhile?: (scene: Scene) => Promise<void>;
}

const isIntent = (action: string) => (event: JournalEvent) => event.type === 'intent' && event.action === action;
const isDone = (action: string) => (event: JournalEvent) => event.type === 'done' && event.action === action;
const isType = (type: JournalEvent['type']) => (event: JournalEvent) => event.type === type;

/** Approved, and the entry has just arrived in the journal of the host. */
function after(matches: (event: JournalEvent) => boolean): Moment['reach'] {
  return async ({ id, host }) => {
    const reached = stack.records.waitForEvent(id, host, matches);
    await Promise.all([stack.approve(id), reached]);
  };
}

/** The nth Arm reset was sent, and the card is on its way up again. */
function duringReset(number: number): Moment['reach'] {
  return async (scene) => {
    await stack.approve(scene.id);
    await eventually(
      `reset ${number}`,
      async () => ((await stack.rack.card(scene.dpu)).arm.bootCount > number ? true : undefined),
      20_000,
    );
  };
}

/** What needs real processes, leases and queues; in-process the engine dies at every point (test/engine/crash). */
const moments: readonly Moment[] = [
  {
    title: 'while it looks at the host for the plan',
    prepare: async (host) => stack.rack.fault('ssh-hang', host),
    reach: async ({ id, host }) => void (await stack.records.waitForEvent(id, host, isType('plan-started'))),
    meanwhile: async () => stack.rack.clearFault('ssh-hang'),
  },
  {
    title: 'before the approval, which is given while no worker lives',
    reach: async ({ id }) => void (await stack.records.waitForRun(id, ['awaiting-approval'])),
    meanwhile: async ({ id }) => {
      await stack.people.say('ben', `/dpu approve ${id}`);
      await stack.records.waitForEvent(id, '_run', isType('vote'));
    },
  },
  {
    title: 'in the advance job that has just started the wave',
    reach: async ({ id }) => {
      const reached = stack.records.waitForEvent(id, '_run', isType('wave-started'));
      await Promise.all([stack.approve(id), reached]);
    },
  },
  {
    title: 'with the lease taken, while it looks again before the first write',
    reach: async (scene) => {
      await stack.records.waitForRun(scene.id, ['awaiting-approval']);
      await stack.rack.fault('ssh-hang', scene.host);
      await after(isType('unit-started'))(scene);
    },
    meanwhile: async () => stack.rack.clearFault('ssh-hang'),
  },
  { title: 'after the intent to send the password', reach: after(isIntent('patch-password')) },
  { title: 'after the password was sent', reach: after(isDone('patch-password')) },
  { title: 'in the wait for the first Arm reset', reach: duringReset(1) },
  { title: 'after the end of the host was written down', reach: after(isType('unit-ended')) },
];

describe('a worker that is killed and started again goes on by itself', () => {
  it.each(moments)('$title', { timeout: 60_000 }, async ({ prepare, reach, meanwhile }) => {
    const host = takeHost();
    await prepare?.(host);
    const scene: Scene = { id: await stack.order('ana', `/dpu provision ${host}`), host, dpu: `${host}-dpu0` };
    await reach(scene);
    await stack.processes.kill('worker');
    await meanwhile?.(scene);

    await stack.processes.restart('worker');
    const { state } = await stack.records.run(scene.id);
    if (state === 'planning' || state === 'awaiting-approval') await stack.approve(scene.id);

    await stack.records.waitForRun(scene.id, ['done']);
    await expectProvisioned(scene);
  });
});

describe('two workers', () => {
  it('take over from each other within seconds when one is gone for good', { timeout: 60_000 }, async () => {
    const host = takeHost();
    await stack.addWorker('second');
    const id = await stack.order('ana', `/dpu provision ${host}`);
    await stack.approve(id);
    await stack.records.waitForEvent(id, host, isDone('patch-secure-boot'));
    const holder = (await stack.records.stores.leases.holder(host))?.workerId ?? '';

    const killedMs = Date.now();
    await stack.processes.kill(holder);

    const taken = await stack.records.waitForEvent(
      id,
      host,
      (event) => event.type === 'unit-started' && event.worker !== holder,
    );
    expect(['worker', 'second']).toContain(holder);
    // The lease of a dead worker stands for ten seconds at most; then the sweeper sees it.
    expect(taken.atMs - killedMs).toBeLessThan(16_000);
    await stack.records.waitForRun(id, ['done']);
    await expectProvisioned({ id, host, dpu: `${host}-dpu0` });
  });
});

function takeHost(): string {
  used += 1;
  return `as${used + 6}`;
}

/** The end state of an undisturbed run, at most one Arm reset more, nothing left behind and nothing left to a person. */
async function expectProvisioned({ id, host, dpu }: Scene): Promise<void> {
  const card = await stack.rack.card(dpu);
  expect(card.secureBoot).toEqual({ enable: false, currentBoot: false });
  expect(await stack.filedPasswords(dpu)).toEqual(new Map([['current', card.bmc.rootPassword]]));
  expect(card.arm.bootCount).toBeGreaterThanOrEqual(bootsNeeded);
  expect(card.arm.bootCount).toBeLessThanOrEqual(bootsNeeded + 1);
  const { stores } = stack.records;
  expect(await stores.holds.get(host)).toBeUndefined();
  expect(await stores.leases.holder(host)).toBeUndefined();
  const events = (await stack.records.journal(id)).map((entry) => entry.event);
  expect(events.filter(({ type }) => type === 'step-failed' || type === 'plan-failed')).toEqual([]);
  expect(events.filter(isIntent('patch-password')).length).toBeLessThanOrEqual(2);
  expect(events.filter(isType('approved')).length + events.filter(isType('vote')).length).toBeLessThanOrEqual(2);
  expect(events.filter(isType('run-ended'))).toHaveLength(1);
}
