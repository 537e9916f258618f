import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stack } from '../../support/lab/stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await Stack.start();
});
afterAll(async () => stack.stop());

describe('a line that cannot be carried out', () => {
  it.each([
    ['an unknown command', '/dpu provison rack1', 'command-invalid', /Did you mean "provision"\?/],
    ['a word that is no command at all', '/dpu please', 'command-invalid', /The commands are help, provision/],
    ['the name of a rack, nearly', '/dpu provision rakc1', 'target-unknown', /rack1/],
    ['the name of a card, nearly', '/dpu provision as7-dpu', 'target-unknown', /as7-dpu0/],
    ['an unknown flag', '/dpu provision rack1 --pln', 'command-invalid', /Did you mean "--plan"\?/],
    ['a missing argument', '/dpu reboot', 'command-invalid', /<target> is missing/],
    ['a word too many', '/dpu provision as7 as8', 'command-invalid', /"as8" is one word too many/],
    ['a run that there is not', '/dpu run 4711', 'run-unknown', /4711/],
    ['a right that the person does not have', '/dpu halt --reason "coffee"', 'not-allowed', /admins/],
    ['a flag without its text', '/dpu reject 1 --reason', 'command-invalid', /--reason needs a text/],
  ])(
    '%s is answered to its author only, with what was meant, and starts nothing',
    async (_title, line, code, meant) => {
      const before = await everything();

      const answer = await stack.people.ask('ana', line);

      expect(answer.raw.is_ephemeral).toBe(true);
      expect(answer.text).toContain(`Code \`${code}\``);
      expect(answer.text).toMatch(meant);
      expect(answer.text).toMatch(/\/dpu|Did you mean/);
      expect(await everything()).toEqual(before);
    },
  );

  it('in a channel without the bot gets the hint to invite it, and starts nothing', async () => {
    const before = await everything();

    const answer = await stack.people.ask('ana', '/dpu provision rack1 --plan', 'random');

    expect(answer.text).toContain('Code `not-in-channel`');
    expect(answer.text).toMatch(/\/invite @dpubot/);
    expect(answer.text).toContain('#random');
    expect(await everything()).toEqual(before);
  });

  it('from a guest is refused with the right that is missing', async () => {
    const before = await everything();

    const answer = await stack.people.ask('cara', '/dpu provision rack1');

    expect(answer.text).toContain('Code `not-allowed`');
    expect(await everything()).toEqual(before);
  });

  it('is answered well within the three seconds that Slack gives', async () => {
    const { acks } = await stack.people.stats();

    expect(acks.count).toBeGreaterThanOrEqual(12);
    expect(acks).toMatchObject({ timeouts: 0, dispatchFailed: 0 });
    expect(acks.p50Ms).toBeLessThan(1_000);
  });
});

describe('help', () => {
  it('names the commands of the person and explains one', async () => {
    const list = await stack.people.ask('ana', '/dpu help');
    const one = await stack.people.ask('ana', '/dpu help provision');

    for (const name of ['provision', 'runs', 'cancel', 'resume', 'unlock', 'lock'])
      expect(list.text).toContain(`/dpu ${name}`);
    expect(list.text).not.toContain('/dpu unhalt');
    expect(one.text).toContain('--plan');
  });
});

/** What a started run would have changed: run numbers, messages in the channel, the rack, and who holds what. */
async function everything(): Promise<object> {
  return {
    run: await stack.records.newestRun(),
    shown: (await stack.people.messages('ben')).filter((message) => !message.is_ephemeral).length,
    rack: await stack.rack.comparable(),
    holds: await stack.records.stores.holds.all(),
  };
}
