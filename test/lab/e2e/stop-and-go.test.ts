import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JournalEvent } from '../../../src/domain/journal.ts';
import { postByHand } from '../../support/lab/by-hand.ts';
import { eventually } from '../../support/lab/eventually.ts';
import { Stack } from '../../support/lab/stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await Stack.start({ hosts: 4 });
});
afterAll(async () => stack.stop());

const isIntent = (action: string) => (event: JournalEvent) => event.type === 'intent' && event.action === action;

/** A run that is in the middle of setting the BMC password, with its worker stopped right there. */
async function frozenInPasswordStep(host: string): Promise<number> {
  const id = await stack.order('ana', `/dpu provision ${host}`);
  const reached = stack.records.waitForEvent(id, host, isIntent('save-pending'));
  await Promise.all([stack.approve(id), reached]);
  stack.processes.freeze('worker');
  return id;
}

describe('cancel', () => {
  it('in the middle of a step ends that step, keeps the hold, and resume finishes without asking again', async () => {
    const id = await frozenInPasswordStep('as7');
    const { records } = stack;

    const answer = await stack.people.ask('ana', `/dpu cancel ${id}`);
    stack.processes.thaw('worker');
    const run = await records.waitForRun(id, ['cancelled']);

    expect(answer.text).toContain('the running step on as7 ends first, then it stops');
    const events = (await records.journal(id)).map((entry) => entry.event);
    expect(events).toContainEqual(expect.objectContaining({ type: 'step-applied', step: 'set-bmc-password' }));
    expect(events.filter(isIntent('patch-secure-boot'))).toEqual([]);
    expect(run.units['as7']?.failure).toMatchObject({ code: 'cancelled', deviceState: 'changed' });
    expect(run.units['as7']?.failure?.next).toContain(`/dpu resume ${id}`);
    expect(await records.stores.holds.get('as7')).toMatchObject({ runId: id });
    expect((await stack.rack.card('as7-dpu0')).secureBoot.enable).toBe(true);

    await stack.people.say('ana', `/dpu resume ${id}`);
    await records.waitForRun(id, ['done']);

    expect((await records.journal(id)).filter(({ event }) => event.type === 'approval-requested')).toHaveLength(1);
    expect((await stack.rack.card('as7-dpu0')).secureBoot).toEqual({ enable: false, currentBoot: false });
    expect(await records.stores.holds.get('as7')).toBeUndefined();
  });
});

describe('unlock --force', () => {
  it('is refused while a worker has its hand on the host, allowed to an admin afterwards, and recorded', async () => {
    const id = await frozenInPasswordStep('as8');
    const { records, people } = stack;

    const refused = await people.ask('dana', '/dpu unlock as8 --force');
    await people.ask('ana', `/dpu cancel ${id}`);
    stack.processes.thaw('worker');
    await records.waitForRun(id, ['cancelled']);
    const notForced = await people.ask('dana', '/dpu unlock as8');
    const notAdmin = await people.ask('ana', '/dpu unlock as8 --force');
    const heldBy = (await records.stores.holds.get('as8'))?.runId;
    // The worker gives its lease back right after the end of the run was written down.
    await eventually(
      'a free lease',
      async () => ((await records.stores.leases.holder('as8')) === undefined ? true : undefined),
      5_000,
    );
    const allowed = await people.ask('dana', '/dpu unlock as8 --force');

    expect(refused.text).toContain('Code `unit-busy`');
    expect(notForced.text).toContain(`as8 is held by run ${id}`);
    expect(notAdmin.text).toContain('Code `not-allowed`');
    expect(heldBy).toBe(id);
    expect(allowed.text).toContain('as8 is free again');
    expect(await records.stores.holds.get('as8')).toBeUndefined();
    const audit = await records.stores.audit.list(20);
    expect(audit).toContainEqual(expect.objectContaining({ action: 'unlock --force', runId: id, targets: ['as8'] }));
  });
});

describe('halt', () => {
  it('lets nothing new start, also what was approved meanwhile, until unhalt; cancel still does its work', async () => {
    const { records, people } = stack;
    const waiting = await stack.order('ana', '/dpu provision as9');
    await records.waitForRun(waiting, ['awaiting-approval']);
    const other = await stack.order('ana', '/dpu provision as8');
    await records.waitForRun(other, ['awaiting-approval']);

    const halted = await people.ask('dana', '/dpu halt --reason "power work in rack1"');
    const refused = await people.ask('ana', '/dpu provision as8');
    await people.say('ben', `/dpu approve ${waiting}`);
    await records.waitForRun(waiting, ['running']);
    await people.say('ana', `/dpu cancel ${other}`);
    await records.waitForRun(other, ['cancelled']);
    const begun = (await records.journal(waiting)).some(({ event }) => event.type === 'unit-started');

    expect(halted.text).toContain('All work is halted');
    expect(refused.text).toContain('Code `halted`');
    expect(refused.text).toContain('power work in rack1');
    expect(begun).toBe(false);

    const lifted = await people.ask('dana', '/dpu unhalt --reason "power is back"');
    await records.waitForRun(waiting, ['done']);

    expect(lifted.raw.is_ephemeral).toBe(true);
    const entries = await records.journal(waiting);
    const started = entries.find(({ event }) => event.type === 'wave-started');
    const approved = entries.find(({ event }) => event.type === 'approved');
    expect(started?.atMs).toBeGreaterThan(approved?.atMs ?? Infinity);
  });
});

describe('a run that needs a person', () => {
  it('says so with the next step, keeps others away, and is finished by resume once the cause is gone', async () => {
    const { records } = stack;
    await stack.rack.fault('arm-boot-stuck', 'as10-dpu0');
    const id = await stack.order('ana', '/dpu provision as10');
    await stack.approve(id);
    const run = await records.waitForRun(id, ['needs-human']);

    expect(run.units['as10']?.failure).toMatchObject({ code: 'dpu-not-ready', deviceState: 'changed' });
    expect(run.units['as10']?.failure?.next).toContain(`/dpu resume ${id}`);
    const posts = await records.wantedPosts(id);
    const needs = posts.find((post) => post.kind === 'needs-human');
    expect(stack.people.textOf(needs?.message ?? { text: '' })).toMatch(/@ana[^]*dpu-not-ready/);

    const kept = await stack.people.ask('ben', '/dpu provision as10');
    expect(kept.text).toContain('Code `host-held`');
    expect(kept.text).toContain(`\`/dpu resume ${id}\` finishes it. \`/dpu cancel ${id}\` gives it up and as10 back`);

    // What the runbook says for an Arm side that hangs: one reset by hand.
    const password = (await stack.filedPasswords('as10-dpu0')).get('current') ?? '';
    const reset = '/redfish/v1/Systems/Bluefield/Actions/ComputerSystem.Reset';
    expect(await postByHand(stack.dpu('as10-dpu0').bmc, password, reset, { ResetType: 'ForceRestart' })).toBeLessThan(
      300,
    );
    await eventually(
      'the card to be up again',
      async () => ((await stack.rack.card('as10-dpu0')).secureBoot.currentBoot ? undefined : true),
      10_000,
    );
    await stack.people.say('ana', `/dpu resume ${id}`);
    await records.waitForRun(id, ['done']);

    // That reset was the second boot with the new setting: nothing was left to do, and the host is free all the same.
    expect((await stack.rack.card('as10-dpu0')).secureBoot).toEqual({ enable: false, currentBoot: false });
    expect(await records.stores.holds.get('as10')).toBeUndefined();
  });
});
