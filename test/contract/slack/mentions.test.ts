import { afterEach, describe, expect, test } from 'vitest';
import { textAnswer } from '../../../src/report/answers.ts';
import { section } from '../../../src/report/blocks.ts';
import { createChatPort } from '../../../src/slack/chat-client.ts';
import type { Connected } from './setup.ts';
import { connect } from './setup.ts';

let bot: Connected | undefined;

afterEach(async () => {
  await bot?.close();
  bot = undefined;
});

async function listening(): Promise<Connected> {
  bot = await connect(async ({ invocation }) => textAnswer(`heard: ${invocation.text}`));
  return bot;
}

async function calls(connected: Connected, count: number): Promise<Connected['calls']> {
  await expect.poll(() => connected.calls.length, { timeout: 5000 }).toBe(count);
  return connected.calls;
}

describe('a mention', () => {
  test('in a thread is a command, and its answer is seen there by the one who wrote it alone', async () => {
    const connected = await listening();
    const { chat } = connected;
    const port = createChatPort({ botToken: chat.botToken, apiUrl: chat.apiUrl });
    const channel = chat.channels[0]?.id ?? '';
    const root = await port.post({
      channel,
      key: 'note',
      message: { text: 'About it', blocks: [section('About it')] },
    });
    const threadTs = root.ok ? root.value : '';

    await chat.say({ user: 'ana', channel: '#dpu-lab', threadTs, text: '@dpubot bench ipsec & more' });

    expect((await calls(connected, 1))[0]).toMatchObject({
      userId: 'U0LABANA01',
      invocation: { text: 'bench ipsec & more', channel, channelName: 'dpu-lab', source: 'mention' },
    });
    const told = await chat.waitForMessage(({ text }) => text.startsWith('heard: bench'));
    expect(told).toMatchObject({ is_ephemeral: true, thread_ts: threadTs });
  });

  test('in the thread of a run means that run where no other is named', async () => {
    const connected = await listening();
    const { chat } = connected;
    const port = createChatPort({ botToken: chat.botToken, apiUrl: chat.apiUrl });
    const channel = chat.channels[0]?.id ?? '';
    const card = await port.post({
      channel,
      key: 'run418/card',
      message: { text: 'Run 418', blocks: [section('Run 418')] },
    });
    const threadTs = card.ok ? card.value : '';

    await chat.say({ user: 'ana', channel: '#dpu-lab', threadTs, text: '@dpubot cancel' });
    await calls(connected, 1);
    await chat.say({ user: 'ana', channel: '#dpu-lab', threadTs, text: '@dpubot resume 7' });

    const texts = (await calls(connected, 2)).map(({ invocation }) => invocation.text);
    expect(texts).toEqual(['cancel 418', 'resume 7']);
  });

  test('a plain line under a request for approval in the direct message means the run that it is about', async () => {
    const connected = await listening();
    const { chat } = connected;
    const port = createChatPort({ botToken: chat.botToken, apiUrl: chat.apiUrl });
    await chat.say({ user: 'ben', channel: '@dpubot', text: 'runs' });
    const { invocation } = (await calls(connected, 1))[0] ?? { invocation: { channel: '' } };
    const message = { text: 'Run 418 waits for you', blocks: [section('Run 418 waits for you')] };
    const asked = await port.post({ channel: invocation.channel, key: 'run418/_run/7-0/dm/U0LABBEN01', message });
    const threadTs = asked.ok ? asked.value : '';

    await chat.say({ user: 'ben', channel: '@dpubot', threadTs, text: 'reject --reason "wrong rack"' });

    expect((await calls(connected, 2))[1]).toMatchObject({
      userId: 'U0LABBEN01',
      invocation: { text: 'reject 418 --reason "wrong rack"', source: 'mention' },
    });
    const told = await chat.waitForMessage(({ text }) => text.startsWith('heard: reject'));
    expect(told).toMatchObject({ is_ephemeral: false, thread_ts: threadTs });
  });

  test('that is told twice is carried out once', async () => {
    const connected = await listening();
    connected.chat.setFault({ fault: 'duplicate' });

    await connected.chat.say({ user: 'ana', channel: '#dpu-lab', text: '@dpubot runs' });
    await connected.chat.say({ user: 'ana', channel: '#dpu-lab', text: '@dpubot status' });

    const texts = (await calls(connected, 2)).map(({ invocation }) => invocation.text);
    expect(texts).toEqual(['runs', 'status']);
  });

  test('of somebody else, or none at all, is nothing for the bot', async () => {
    const connected = await listening();

    await connected.chat.say({ user: 'ana', channel: '#dpu-lab', text: 'dpubot cancel 418' });
    await connected.chat.say({ user: 'ana', channel: '#dpu-lab', text: '@dpubot runs' });

    expect((await calls(connected, 1))[0]?.invocation.text).toBe('runs');
  });
});
