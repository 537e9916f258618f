import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { eventually } from '../../support/lab/eventually.ts';
import { Stack } from '../../support/lab/stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await Stack.start({ hosts: 6, inventory: adminsApproveToo });
});
afterAll(async () => stack.stop());

const Roles = z.looseObject({
  roles: z.looseObject({
    approvers: z.object({ userGroups: z.array(z.string()) }),
    admins: z.object({ userGroups: z.array(z.string()) }),
  }),
});

/** Two people besides the requester may approve then: ben and dana. */
function adminsApproveToo(text: string): string {
  const inventory = Roles.parse(parse(text));
  inventory.roles.approvers.userGroups.push(...inventory.roles.admins.userGroups);
  return stringify(inventory);
}

describe('an approval', () => {
  it('is refused to the requester and to a guest, to them only, and the run stays open for one of two others', async () => {
    const id = await stack.order('ana', '/dpu provision as7');
    const { people, records } = stack;
    const heard = { ana: people.answers('ana').length, cara: people.answers('cara').length };
    const others = [...people.answers('ben'), ...people.answers('dana')].length;

    await people.press('ana', id, 'Approve');
    const toAna = await people.nextAnswer('ana', heard.ana);
    await people.press('cara', id, 'Approve');
    const toCara = await people.nextAnswer('cara', heard.cara);

    expect(toAna.text).toMatch(/Code `self-approval`/);
    expect(toAna.text).toMatch(/somebody else|another person|second person/i);
    expect(toCara.text).toMatch(/Code `not-allowed`/);
    expect(toAna.raw.is_ephemeral && toCara.raw.is_ephemeral).toBe(true);
    expect([...people.answers('ben'), ...people.answers('dana')]).toHaveLength(others);
    expect(await records.run(id)).toMatchObject({ state: 'awaiting-approval', approval: { state: 'open', votes: [] } });

    const before = { ben: people.answers('ben').length, dana: people.answers('dana').length };
    await Promise.all([people.press('ben', id, 'Approve'), people.press('dana', id, 'Approve')]);

    const winner = (await records.waitForRun(id, ['running', 'done'])).approval?.votes[0]?.by.displayName ?? '';
    const loser = winner.startsWith('Ben') || winner === 'ben' ? 'dana' : 'ben';
    const told = await people.nextAnswer(loser, before[loser]);
    expect(told.text).toMatch(/Code `already-decided`/);
    expect(told.text).toContain(winner);
    expect(people.answers(loser === 'ben' ? 'dana' : 'ben')).toHaveLength(before[loser === 'ben' ? 'dana' : 'ben']);
    await records.waitForRun(id, ['done']);
    const events = (await records.journal(id)).map((entry) => entry.event.type);
    expect(events.filter((type) => type === 'vote')).toHaveLength(1);
    expect(events.filter((type) => type === 'approved')).toHaveLength(1);
  });

  it.each([
    ['the PCIe link of a card came down', 'as8', 'pcie-downgraded', 'identify-card on as8-dpu0'],
    ['the BMC shows another certificate', 'as9', 'bmc-cert-changed', 'pin-bmc-certificate on as9-dpu0'],
  ])('given after %s makes the plan outdated, and nothing is written', async (_title, host, fault, difference) => {
    const before = await stack.rack.comparable();
    const id = await stack.order('ana', `/dpu provision ${host}`);
    await stack.records.waitForRun(id, ['awaiting-approval']);
    await stack.rack.fault(fault, `${host}-dpu0`);

    await stack.people.press('ben', id, 'Approve');
    const run = await stack.records.waitForRun(id, ['failed']);

    expect(run.units[host]).toMatchObject({ state: 'plan-outdated', failure: { code: 'plan-outdated' } });
    expect(run.units[host]?.failure).toMatchObject({
      deviceState: 'unchanged',
      next: expect.stringContaining('/dpu provision'),
    });
    expect(run.units[host]?.failure?.why).toContain(difference);
    expect(await stack.rack.comparable()).toEqual(before);
    expect(await stack.records.stores.holds.get(host)).toBeUndefined();
    const events = (await stack.records.journal(id)).map((entry) => entry.event.type);
    expect(events).not.toContain('intent');
    await stack.rack.clearFault(fault);
  });

  it('can be a no with its reason: the run ends as rejected, and nothing is written', async () => {
    const before = await stack.rack.comparable();
    const id = await stack.order('ana', '/dpu provision as10');

    await stack.people.press('ben', id, 'Reject');
    await stack.people.submitForm('ben', { 'flag:reason': { value: 'wrong rack' } });
    await stack.records.waitForRun(id, ['rejected']);

    expect(await stack.rack.comparable()).toEqual(before);
    const events = (await stack.records.journal(id)).map((entry) => entry.event);
    expect(events).toContainEqual(expect.objectContaining({ type: 'vote', vote: 'reject', reason: 'wrong rack' }));
    expect(events.map((event) => event.type)).not.toContain('intent');
  });

  it('can be given by the button of the direct message, and then every such message says who decided', async () => {
    const { people, records } = stack;
    const id = await stack.order('ana', '/dpu provision as12');

    await people.pressInPerson('dana', id, 'Approve');
    await records.waitForRun(id, ['done']);

    const votes = (await records.run(id)).approval?.votes.map(({ by }) => by.displayName);
    expect(votes).toEqual(['dana']);
    for (const person of ['ben', 'dana'] as const) {
      const text = await eventually(
        `the outcome in the direct messages of ${person}`,
        async () => {
          const mine = (await people.inPerson(person)).map((one) => people.textOf(one));
          return mine.find((one) => one.includes(`Run ${id} `) && one.includes('Outcome: approved by @dana'));
        },
        10_000,
      );
      expect(text).not.toContain('[Approve]');
    }
    await expect(people.inPerson('ana')).rejects.toThrow();
  });

  it('of a plan that a person saw does not count for a newer plan of the same run', async () => {
    const id = await stack.order('ana', '/dpu provision as11');
    await stack.records.waitForRun(id, ['awaiting-approval']);
    await stack.people.say('ana', `/dpu cancel ${id}`);
    await stack.records.waitForRun(id, ['cancelled']);
    await stack.people.say('ana', `/dpu resume ${id}`);
    await stack.records.waitForRun(id, ['awaiting-approval']);

    const old = await stack.people.ask('ben', `/dpu approve ${id} --generation 1`);

    expect(old.text).toMatch(/Code `[a-z-]+`/);
    expect(await stack.records.run(id)).toMatchObject({ state: 'awaiting-approval', approval: { votes: [] } });
    await stack.people.say('ben', `/dpu reject ${id}`);
    await stack.records.waitForRun(id, ['rejected']);
  });
});
