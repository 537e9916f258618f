import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { RunningChat } from '../../../src/lab/chat/server.ts';
import { startChat } from '../../../src/lab/chat/server.ts';
import { textAnswer } from '../../../src/report/answers.ts';
import type { Directory } from '../../../src/domain/ports.ts';
import { createDirectory } from '../../../src/slack/directory.ts';
import { createInteractiveClient } from '../../../src/slack/web-client.ts';
import { wholeRun } from '../../unit/report/samples.ts';
import { publish } from './publisher.ts';
import { connect } from './setup.ts';

const sample = wholeRun();
const endings: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

async function start(): Promise<RunningChat> {
  const slack = await startChat({ seed: 1 });
  endings.push(async () => slack.close());
  return slack;
}

/** The sample run while it waits for the approval of ben or dana. */
function publishWaiting(slack: RunningChat): void {
  const { endedAtMs: _ended, summary: _summary, approval, ...rest } = sample.run;
  const run = { ...rest, channel: slack.channels[0]?.id ?? '', state: 'awaiting-approval' as const };
  const open = approval && { approval: { ...approval, state: 'open' as const, votes: [] } };
  const approvers = ['ben', 'dana'].map((name) => idOf(slack, name));
  const entries = sample.entries.slice(0, 4);
  endings.push(publish(slack, { run: { ...run, ...open }, plans: sample.plans, entries, approvers }));
}

function idOf(slack: RunningChat, name: string): string {
  return slack.users.find((user) => user.name === name)?.id ?? '';
}

/** What the bot wrote to a person alone, oldest first. */
function inPerson(slack: RunningChat, name: string): readonly { readonly text: string; readonly blocks?: unknown }[] {
  const channel = `D${idOf(slack, name).slice(1)}`;
  return slack.channels.some(({ id }) => id === channel) ? slack.messages({ user: name, channel }) : [];
}

/** Messages of the run in its channel: the card, and the thread below it. */
function inChannel(slack: RunningChat): readonly string[] {
  const channel = slack.channels[0]?.id ?? '';
  const roots = slack.messages({ user: 'ana', channel });
  const threads = roots.map(({ ts }) => slack.messages({ user: 'ana', channel, threadTs: ts }));
  return threads.flat().map(({ text }) => text);
}

describe('those who may approve', () => {
  test('are told in person: the buttons are taken by Slack, and nothing comes twice although replies were lost', async () => {
    const slack = await start();
    slack.setFault({ fault: 'lost-reply', method: 'chat.postMessage', times: 4 });
    publishWaiting(slack);

    await expect.poll(() => inPerson(slack, 'ben').length, { timeout: 10_000 }).toBe(1);
    await expect.poll(() => inPerson(slack, 'dana').length, { timeout: 10_000 }).toBe(1);
    await expect.poll(() => inChannel(slack).length, { timeout: 10_000 }).toBe(3);
    await sleep(1500);

    expect([inPerson(slack, 'ben').length, inPerson(slack, 'dana').length, inChannel(slack).length]).toEqual([1, 1, 3]);
    const [message] = inPerson(slack, 'ben');
    expect(message?.text).toContain('Run 418 needs your approval (SIMULATED): provision rack1');
    expect(JSON.stringify(message?.blocks)).toContain('"action_id":"run:approve"');
    expect(JSON.stringify(message?.blocks)).toContain('|open the thread>');
    expect(inPerson(slack, 'ana')).toEqual([]);
  });

  test('are answered at once, their rights read, while the publisher has to wait for every message and every edit', async () => {
    const rights: { directory?: Directory } = {};
    const bot = await connect(async ({ userId }) => {
      const person = await rights.directory?.person(userId, { fresh: true });
      return textAnswer(`${person?.userGroups.join(' ') ?? 'nobody'} may approve`);
    });
    endings.push(async () => bot.close());
    const { chat } = bot;
    const client = createInteractiveClient({ botToken: chat.botToken, apiUrl: chat.apiUrl });
    rights.directory = createDirectory({ client, clock: { nowMs: () => Date.now() }, teamId: chat.team.id });
    for (const method of ['chat.postMessage', 'chat.update', 'conversations.open', 'chat.getPermalink'])
      chat.setFault({ fault: 'rate-limit-now', method, retryAfterSec: 30 });
    publishWaiting(chat);
    await expect.poll(() => chat.stats().rateLimited, { timeout: 5000 }).toBeGreaterThan(0);

    const fromMs = performance.now();
    await chat.say({ user: 'ben', channel: '#dpu-lab', text: '/dpu approve 418' });
    const seen = await chat.waitForMessage(({ text }) => text.includes('may approve'));

    expect(seen.text).toContain('dpu-approvers');
    expect(performance.now() - fromMs).toBeLessThan(2500);
    expect(inChannel(chat)).toEqual([]);
  });

  test('and to whom Slack does not let the bot write find the request in the thread; the others are told', async () => {
    const slack = await start();
    slack.setFault({ fault: 'api-error', method: 'conversations.open', error: 'cannot_dm_bot', times: 1 });
    publishWaiting(slack);

    await expect.poll(() => inChannel(slack).length, { timeout: 10_000 }).toBe(3);
    const told = (): number => inPerson(slack, 'ben').length + inPerson(slack, 'dana').length;
    await expect.poll(told, { timeout: 10_000 }).toBe(1);
    await sleep(500);

    expect(told()).toBe(1);
    expect(inChannel(slack).at(-1)).toContain('needs approval');
  });
});
