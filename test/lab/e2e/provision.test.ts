import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/lab/eventually.ts';
import { Stack } from '../../support/lab/stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await Stack.start();
});
afterAll(async () => stack.stop());

describe('provision, end to end', () => {
  it('changes nothing with --plan, and says so', async () => {
    const before = await stack.rack.comparable();

    const id = await stack.order('ana', '/dpu provision rack1 --plan');
    const run = await stack.records.waitForRun(id, ['planned']);
    const thread = await stack.finishedThread(id);

    expect(await stack.rack.comparable()).toEqual(before);
    expect(run.approval).toBeUndefined();
    expect(thread.at(-1)).toMatch(/Planned only, nothing was changed/);
    expect(thread.join('\n')).not.toContain('[Approve]');
    expect(await stack.records.stores.holds.all()).toEqual([]);
  });

  it('shows the plan, asks, does it after the press of a second person, and says SIMULATED everywhere', async () => {
    const id = await stack.order('ana', '/dpu provision rack1');
    expect(await stack.people.press('ben', id, 'Approve')).toMatchObject({ status: 'acked' });
    await stack.records.waitForRun(id, ['done']);
    const thread = await stack.finishedThread(id);

    const [top = '', ...replies] = thread;
    const shown = replies.join('\n');
    expect(shown).toMatch(/Plan of run \d+ \(SIMULATED\)/);
    for (const name of ['as7-dpu0', 'as8-dpu0']) {
      expect(shown).toContain(`BMC password of ${name}: factory password -> generated`);
      expect(shown).toMatch(new RegExp(`${name}: Switch Secure Boot off done`));
    }
    expect(shown).toContain('@ben approved the plan (1 of 1).');
    expect(replies.at(-1)).toMatch(/@ana .*Run \d+ \(SIMULATED\): Done/);
    expect(top).toContain('SIMULATED');
    expect(top).toMatch(/^Done$/m);
    expect(top).not.toMatch(/\[(Approve|Cancel|Reject)\]/);
    for (const name of ['as7-dpu0', 'as8-dpu0']) {
      const { secureBoot, bmc } = await stack.rack.card(name);
      expect(secureBoot).toEqual({ enable: false, currentBoot: false });
      expect(await stack.filedPasswords(name)).toEqual(new Map([['current', bmc.rootPassword]]));
    }
    expect((await stack.people.stats()).invalidBlockMessages).toEqual([]);
  });

  it('knows the cards from then on, without anybody having asked for a look', async () => {
    for (const name of ['as7-dpu0', 'as8-dpu0']) {
      const known = await eventually(`facts of ${name}`, async () => stack.records.stores.facts.get(name), 20_000);
      expect(known.facts.mode?.value).toBe('DPU mode');
      expect(known.facts['secure-boot']?.value).toMatch(/^off/);
    }
    const answer = await stack.people.ask('ana', '/dpu status rack1');
    expect(answer.text).toContain('DPU mode');
    expect(answer.text).not.toContain('never looked at');
  });

  it('finds everything as wanted right after, asks nobody, and ends in less than 10 s with a reason for each step', async () => {
    const before = await stack.rack.comparable();

    const id = await stack.order('ana', '/dpu provision rack1');
    const run = await stack.records.waitForRun(id, ['satisfied'], 10_000);
    const thread = await stack.finishedThread(id);

    expect((run.endedAtMs ?? Infinity) - run.createdAtMs).toBeLessThan(10_000);
    expect(run.approval).toBeUndefined();
    expect(await stack.rack.comparable()).toEqual(before);
    const shown = thread.join('\n');
    expect(shown).toContain('Nothing to do: everything is as wanted');
    for (const unit of Object.values(run.units)) {
      const plan = await stack.records.stores.runs.plan(id, unit.unit, unit.planHash ?? '');
      expect(plan?.steps.length).toBeGreaterThanOrEqual(6);
      for (const step of plan?.steps ?? []) {
        expect(['satisfied', 'skipped']).toContain(step.state);
        expect(step.reason).toMatch(/\w+ \w+/);
        // Long reasons are cut for the chat, short ones are shown whole.
        expect(shown).toContain(step.reason.slice(0, 40));
      }
    }
  });
});
