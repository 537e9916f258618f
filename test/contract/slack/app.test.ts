import { afterEach, describe, expect, test } from 'vitest';
import { errors } from '../../../src/errors.ts';
import { startChat } from '../../../src/lab/chat/server.ts';
import { textAnswer } from '../../../src/report/answers.ts';
import { runButtons, section } from '../../../src/report/blocks.ts';
import type { SlackApp } from '../../../src/slack/app.ts';
import { createSlackApp } from '../../../src/slack/app.ts';
import { createChatPort } from '../../../src/slack/chat-client.ts';
import { createInteractiveClient, identify } from '../../../src/slack/web-client.ts';
import type { Connected } from './setup.ts';
import { connect, firstTimes, quiet } from './setup.ts';

let bot: Connected | undefined;

afterEach(async () => {
  await bot?.close();
  bot = undefined;
});

async function postCard(chat: Connected['chat']): Promise<string> {
  const channel = chat.channels[0]?.id ?? '';
  const buttons = runButtons(418, 3, ['approve', 'details']);
  const blocks = [section('Run 418'), ...(buttons === undefined ? [] : [buttons])];
  const port = createChatPort({ botToken: chat.botToken, apiUrl: chat.apiUrl });
  const posted = await port.post({ channel, key: 'run418/card', message: { text: 'Run 418', blocks } });
  if (!posted.ok) throw new Error(JSON.stringify(posted.fault));
  return posted.value;
}

describe('slash command', () => {
  test('a quick answer is seen by the person who typed and by nobody else', async () => {
    bot = await connect(async () => textAnswer('There is no rack9.'));

    const said = await bot.chat.say({ user: 'ana', channel: '#dpu-lab', text: '/dpu provision rack9' });

    const seen = await bot.chat.waitForMessage((message) => message.text.includes('rack9') && message.is_ephemeral);
    expect(said).toMatchObject({ kind: 'slash', status: 'acked' });
    expect(seen.blocks).toHaveLength(1);
    expect(bot.calls).toMatchObject([
      { userId: 'U0LABANA01', invocation: { text: 'provision rack9', source: 'slash' } },
    ]);
    expect(bot.chat.messages({ user: 'ben', channel: '#dpu-lab' }).some((m) => m.text.includes('rack9'))).toBe(false);
  });

  test('an answer that takes longer than the acknowledgement may is delivered afterwards', async () => {
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    bot = await connect(async () => {
      await finished;
      return textAnswer('late but there');
    });

    const said = await bot.chat.say({ user: 'ana', channel: '#dpu-lab', text: '/dpu runs' });
    finish();

    const seen = await bot.chat.waitForMessage((message) => message.text === 'late but there');
    expect(said).toMatchObject({ status: 'acked' });
    expect(seen.is_ephemeral).toBe(true);
  });

  test('a command that throws is answered with what, why and next instead of silence', async () => {
    bot = await connect(async () => {
      throw errors.runUnknown({ run: 77 });
    });

    await bot.chat.say({ user: 'ana', channel: '#dpu-lab', text: '/dpu run 77' });

    const seen = await bot.chat.waitForMessage((message) => message.is_ephemeral && message.text.includes('no run 77'));
    expect(JSON.stringify(seen.blocks)).toContain('/dpu runs');
  });

  test('a second delivery of the same request is not carried out again', async () => {
    const never = { firstTime: async () => false, forget: async () => {} };
    bot = await connect(async () => textAnswer('twice'), { dedupe: never });

    const said = await bot.chat.say({ user: 'ana', channel: '#dpu-lab', text: '/dpu runs' });

    expect(said).toMatchObject({ status: 'acked' });
    expect(bot.calls).toEqual([]);
  });
});

describe('buttons', () => {
  test('Approve on a card is the command approve with run and generation of that card', async () => {
    bot = await connect(async () => undefined);
    const ts = await postCard(bot.chat);

    const pressed = await bot.chat.press({ user: 'ben', channel: '#dpu-lab', ts, actionId: 'run:approve' });

    await expect.poll(() => bot?.calls.length).toBe(1);
    expect(pressed).toMatchObject({ status: 'acked' });
    expect(bot.calls).toMatchObject([
      { userId: 'U0LABBEN01', invocation: { text: 'approve 418 --generation 3', source: 'button' } },
    ]);
  });

  test('the refusal of a press is told to the person who pressed, only to them', async () => {
    bot = await connect(async () => textAnswer('Ana asked for run 418 and so cannot approve it.'));
    const ts = await postCard(bot.chat);

    await bot.chat.press({ user: 'ana', channel: '#dpu-lab', ts, actionId: 'run:approve' });

    const seen = await bot.chat.waitForMessage((message) => message.text.includes('cannot approve'));
    expect(seen.is_ephemeral).toBe(true);
    expect(bot.chat.messages({ user: 'ben', channel: '#dpu-lab' }).some((m) => m.text.includes('cannot'))).toBe(false);
  });
});

describe('connection', () => {
  test('two sockets are held, so that one is there while Slack refreshes the other', async () => {
    bot = await connect(async () => textAnswer('here'));

    const { chat } = bot;
    await expect.poll(() => chat.stats().sockets.open, { timeout: 5000 }).toBe(2);
  });

  test('commands are answered again at once after Slack refreshed every socket', async () => {
    bot = await connect(async () => textAnswer('still here'));
    const { chat } = bot;
    const say = async () => chat.say({ user: 'ana', channel: '#dpu-lab', text: '/dpu runs' });

    for (let round = 0; round < 5; round += 1) {
      chat.setFault({ fault: 'socket-disconnect', reason: 'refresh_requested' });
      await expect.poll(say, { timeout: 2000, interval: 20 }).toMatchObject({ status: 'acked' });
    }
  });

  // An error of the server and one of the line: the library gives up on both when it reconnects by itself.
  test.each(['http-503', 'refused'] as const)(
    'the bot connects again by itself after Slack was away: %s',
    async (how) => {
      bot = await connect(async () => textAnswer('back'));
      const { app, chat } = bot;

      chat.setFault({ fault: 'slack-down', how });
      await expect.poll(() => app.connected(), { timeout: 10_000 }).toBe(false);
      chat.clearFault('slack-down');

      await expect.poll(() => app.connected(), { timeout: 15_000 }).toBe(true);
      const said = await chat.say({ user: 'ana', channel: '#dpu-lab', text: '/dpu runs' });
      expect(said).toMatchObject({ status: 'acked' });
    },
  );

  test('is given up at once when the bot stops, also while Slack is away', async () => {
    bot = await connect(async () => textAnswer('here'));
    const { app, chat } = bot;
    chat.setFault({ fault: 'slack-down', how: 'refused' });
    await expect.poll(() => app.connected(), { timeout: 10_000 }).toBe(false);

    const fromMs = performance.now();
    await app.stop();

    expect(performance.now() - fromMs).toBeLessThan(2500);
    expect(app.connected()).toBe(false);
  });
});

describe('tokens that Slack refuses', () => {
  test.each([
    ['SLACK_BOT_TOKEN', { botToken: 'xoxb-canary' }],
    ['SLACK_APP_TOKEN', { appToken: 'xapp-canary' }],
  ])('a wrong %s is named as the setting to correct, without its value', async (name, wrong) => {
    const chat = await startChat({ seed: 1 });
    const access = { botToken: chat.botToken, apiUrl: chat.apiUrl };
    const start = async (): Promise<void> => {
      const identity = await identify({ ...access, ...wrong }, quiet, AbortSignal.timeout(5000));
      const client = createInteractiveClient(access);
      const rest = { identity, client, log: quiet, dedupe: firstTimes(), dispatch: async () => undefined };
      app = createSlackApp({ ...access, appToken: chat.appToken, ...wrong, ...rest });
      await app.start();
    };
    let app: SlackApp | undefined;

    const error: unknown = await start().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    await app?.stop();
    await chat.close();

    expect(error).toMatchObject({ code: 'config-invalid' });
    expect(String(error)).toContain(`${name} is refused by Slack: invalid_auth`);
    expect(String(error)).not.toContain('canary');
  });
});
