import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect as connectSocket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { errors } from '../../../src/errors.ts';
import type { RunningChat } from '../../../src/lab/chat/server.ts';
import { startChat } from '../../../src/lab/chat/server.ts';
import { failureAnswer, textAnswer } from '../../../src/report/answers.ts';
import { runButtons, section } from '../../../src/report/blocks.ts';
import type { Reply } from '../../../src/report/message.ts';
import type { SlackApp } from '../../../src/slack/app.ts';
import { createSlackApp } from '../../../src/slack/app.ts';
import { createChatPort } from '../../../src/slack/chat-client.ts';
import { createInteractiveClient } from '../../../src/slack/web-client.ts';
import type { Call } from './setup.ts';
import { firstTimes, quiet } from './setup.ts';

const secret = 'signing-secret';
const identity = { teamId: 'T0LABTEAM1', botUserId: 'U0LABDPUB1', botId: 'B0LABDPUB1', url: '' };
const endings: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

interface Listening {
  readonly app: SlackApp;
  readonly url: string;
  readonly calls: Call[];
}

/** The bot's entrance in HTTP mode, not yet started; `answer` plays the commands. */
async function entrance(
  answer: (call: Call) => Reply | Promise<Reply>,
  access = { botToken: 'xoxb-test', apiUrl: 'http://127.0.0.1:1/' },
): Promise<Listening> {
  const port = await freePort();
  const calls: Call[] = [];
  const app = createSlackApp({
    ...access,
    signingSecret: secret,
    port,
    identity,
    client: createInteractiveClient(access),
    log: quiet,
    dedupe: firstTimes(),
    dispatch: async (userId, invocation) => {
      calls.push({ userId, invocation });
      return answer({ userId, invocation });
    },
  });
  endings.push(async () => app.stop());
  return { app, url: `http://127.0.0.1:${port}`, calls };
}

/** The same, started, with a pretend Slack that posts to it. */
async function connected(
  answer: (call: Call) => Reply | Promise<Reply>,
): Promise<Listening & { readonly chat: RunningChat }> {
  const chat = await startChat({ seed: 1, signingSecret: secret, redeliveryDelaysMs: [] });
  endings.push(async () => chat.close());
  const listening = await entrance(answer, { botToken: chat.botToken, apiUrl: chat.apiUrl });
  await listening.app.start();
  // Slack sends a challenge first, and takes no address that does not give it back.
  await chat.setRequestUrl(`${listening.url}/slack/events`);
  return { ...listening, chat };
}

interface Signing {
  readonly key?: string;
  /** How old the request says that it is. */
  readonly ageSeconds?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

async function post(url: string, body: string, { key = secret, ageSeconds = 0, headers = {} }: Signing = {}) {
  const time = String(Math.floor(Date.now() / 1000) - ageSeconds);
  const signature = `v0=${createHmac('sha256', key).update(`v0:${time}:${body}`).digest('hex')}`;
  const isJson = body.startsWith('{');
  const signed = {
    'content-type': isJson ? 'application/json' : 'application/x-www-form-urlencoded',
    'x-slack-request-timestamp': time,
    'x-slack-signature': signature,
    ...headers,
  };
  return fetch(`${url}/slack/events`, { method: 'POST', headers: signed, body });
}

const command = new URLSearchParams({
  command: '/dpu',
  text: 'runs',
  user_id: 'U2',
  team_id: 'T0LABTEAM1',
  channel_id: 'C1',
  trigger_id: 't.1',
  response_url: 'http://127.0.0.1:1/',
}).toString();

describe('HTTP mode on the pretend Slack', () => {
  test('takes a command, and its answer is seen by the person who typed alone', async () => {
    const { chat, calls } = await connected(() => textAnswer('There is no rack9.'));

    const said = await chat.say({ user: 'ana', channel: '#dpu-lab', text: '/dpu provision rack9' });

    const seen = await chat.waitForMessage(({ text }) => text.includes('rack9'));
    expect(said).toMatchObject({ status: 'acked' });
    expect(seen.is_ephemeral).toBe(true);
    expect(calls).toMatchObject([{ userId: 'U0LABANA01', invocation: { text: 'provision rack9', source: 'slash' } }]);
  });

  test('takes a press, a form with what is wrong in it, and a mention', async () => {
    const refusal = failureAnswer(errors.runUnknown({ run: 418 }).failure);
    const { chat, calls } = await connected(({ invocation }) => (invocation.source === 'modal' ? refusal : undefined));
    const channel = chat.channels[0]?.id ?? '';
    const buttons = runButtons(418, 3, ['reject', 'cancel']);
    const blocks = [section('Run 418'), ...(buttons === undefined ? [] : [buttons])];
    const port = createChatPort({ botToken: chat.botToken, apiUrl: chat.apiUrl });
    const card = await port.post({ channel, key: 'run418/card', message: { text: 'Run 418', blocks } });
    const ts = card.ok ? card.value : '';
    const modals = () => chat.views({ user: 'ben' }).modals;

    await chat.press({ user: 'ana', channel: '#dpu-lab', ts, actionId: 'run:cancel' });
    await chat.press({ user: 'ben', channel: '#dpu-lab', ts, actionId: 'run:reject' });
    await expect.poll(() => modals().length, { timeout: 5000 }).toBe(1);
    const sent = await chat.submitView({ user: 'ben', viewId: modals()[0]?.id ?? '' });
    await chat.say({ user: 'ana', channel: '#dpu-lab', threadTs: ts, text: '@dpubot run' });

    await expect.poll(() => calls.length, { timeout: 5000 }).toBe(3);
    expect(sent).toMatchObject({ status: 'errors', errors: { 'flag:reason': expect.stringContaining('no run 418') } });
    expect(calls.map(({ invocation }) => [invocation.source, invocation.text])).toEqual([
      ['button', 'cancel 418 --generation 3'],
      ['modal', 'reject 418 --generation 3'],
      ['mention', 'run 418'],
    ]);
  });
});

describe('a request over HTTP', () => {
  test.each([
    ['signed with another secret', { key: 'another' }],
    ['not signed', { headers: { 'x-slack-signature': '' } }],
    ['signed 6 minutes ago', { ageSeconds: 360 }],
  ])('that is %s is refused, and nothing is carried out', async (_what, signing) => {
    const { app, url, calls } = await entrance(() => textAnswer('fine'));
    await app.start();

    const answers = [await post(url, command, signing), await post(url, '{"type":"url_verification"}', signing)];

    expect(answers.map(({ status }) => status)).toEqual([401, 401]);
    expect(calls).toEqual([]);
  });

  test('that Slack sends again is acknowledged and not carried out again, an event by its message', async () => {
    const { app, url, calls } = await entrance(() => textAnswer('fine'));
    await app.start();
    const event = {
      type: 'app_mention',
      user: 'U2',
      text: '<@U0LABDPUB1> runs',
      channel: 'D1',
      ts: '1.2',
      event_ts: '1.2',
    };
    const envelope = { type: 'event_callback', team_id: 'T0LABTEAM1', event_id: 'Ev1', event_time: 1, event };
    const again = { headers: { 'x-slack-retry-num': '1', 'x-slack-retry-reason': 'http_timeout' } };

    const answers = [];
    for (const signing of [{}, again]) {
      answers.push(await post(url, command, signing));
      answers.push(await post(url, JSON.stringify(envelope), signing));
    }

    await expect.poll(() => calls.length, { timeout: 5000 }).toBe(2);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(calls.map(({ invocation }) => invocation.source).toSorted((a, b) => a.localeCompare(b))).toEqual([
      'mention',
      'slash',
    ]);
  });

  test('that tells of an edit, of a bot, or of the bot itself, carries nothing out', async () => {
    const { app, url, calls } = await entrance(() => textAnswer('fine'));
    await app.start();
    const written = { type: 'message', channel_type: 'im', user: 'U2', text: 'runs', channel: 'D1' };
    const send = async (ts: string, more: object): Promise<unknown> => {
      const event = { ...written, ts, event_ts: ts, ...more };
      const envelope = { type: 'event_callback', team_id: 'T0LABTEAM1', event_id: `Ev${ts}`, event_time: 1, event };
      return post(url, JSON.stringify(envelope));
    };

    await send('1.1', { edited: { user: 'U2', ts: '1.2' } });
    await send('1.3', { type: 'app_mention', text: '<@U0LABDPUB1> runs', edited: { user: 'U2', ts: '1.4' } });
    await send('1.5', { subtype: 'message_changed', hidden: true, message: { ...written, ts: '1.5' } });
    await send('1.6', { bot_id: 'B9' });
    await send('1.7', { user: 'U0LABDPUB1' });
    await send('1.8', { text: 'status' });

    await expect.poll(() => calls.length, { timeout: 5000 }).toBe(1);
    expect(calls[0]?.invocation.text).toBe('status');
  });

  test('to another path, or with a body that is no form, harms nothing', async () => {
    const { app, url, calls } = await entrance(() => textAnswer('fine'));
    await app.start();

    const elsewhere = await fetch(`${url}/admin`);
    const odd = await post(url, '{"type":');
    const right = await post(url, command);

    expect([elsewhere.status, odd.status]).toEqual([404, 400]);
    expect(await right.json()).toMatchObject({ response_type: 'ephemeral', text: 'fine' });
    expect(calls).toHaveLength(1);
  });
});

describe('start and stop over HTTP', () => {
  test('the health endpoint says ok between them, and not before or after', async () => {
    const { app, url } = await entrance(() => undefined);
    const health = async (): Promise<number> =>
      fetch(`${url}/health`).then(
        ({ status }) => status,
        () => 0,
      );

    const before = [app.connected(), await health()];
    await app.start();
    const during = [app.connected(), await health()];
    await app.stop();
    const after = [app.connected(), await health()];

    expect([before, during, after]).toEqual([
      [false, 0],
      [true, 200],
      [false, 0],
    ]);
  });

  test('a stop answers what is under way, and waits at most 2 s for a connection on which nothing comes', async () => {
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const { app, url, calls } = await entrance(async () => {
      await finished;
      return textAnswer('fine');
    });
    await app.start();
    const { port } = new URL(url);
    const idle = connectSocket(Number(port), '127.0.0.1');
    await once(idle, 'connect');
    const answer = post(url, command);
    await expect.poll(() => calls.length).toBe(1);

    const fromMs = performance.now();
    const stopping = app.stop();
    finish();
    const last = await answer;
    await stopping;

    expect(app.connected()).toBe(false);
    expect(await last.json()).toMatchObject({ text: 'fine' });
    expect(performance.now() - fromMs).toBeLessThan(3000);
    idle.destroy();
  });
});

test('a port that is taken is named as the setting to correct, and stopping what never started is no error', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, resolve));
  const { port } = other.address() as AddressInfo;
  const access = { botToken: 'xoxb-test', apiUrl: 'http://127.0.0.1:1/' };
  const rest = { identity, client: createInteractiveClient(access), log: quiet, dedupe: firstTimes() };
  const app = createSlackApp({ ...access, ...rest, signingSecret: 's', port, dispatch: async () => undefined });

  const starting = app.start();

  await expect(starting).rejects.toMatchObject({ code: 'config-invalid' });
  await expect(starting).rejects.toThrow(`HTTP_PORT ${port} cannot be listened on`);
  await app.stop();
  await new Promise((resolve) => other.close(resolve));
});
