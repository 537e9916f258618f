import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { once } from 'node:events';
import { App, HTTPReceiver, LogLevel } from '@slack/bolt';
import { afterEach, expect, test } from 'vitest';
import { type ChatOptions, type RunningChat, startChat } from '../../../src/lab/chat/server.ts';
import { button, call, lab } from './bolt.ts';

interface Got {
  headers: IncomingHttpHeaders;
  body: string;
}

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) {
    await close();
  }
});

/** An app that listens at a request URL; `answer` decides what it says, undefined = nothing at all. */
async function startApp(answer: (got: Got, count: number) => Answer | undefined): Promise<{ url: string; got: Got[] }> {
  const got: Got[] = [];
  const server = createServer((request, response) => {
    void request.toArray().then((chunks: Buffer[]) => {
      got.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
      const said = answer(got[got.length - 1] as Got, got.length);
      if (said !== undefined) response.writeHead(said.status, said.headers).end(said.body ?? '');
    });
  });
  closers.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return { url: await listen(server), got };
}

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/slack/events`;
}

async function startKept(options: ChatOptions): Promise<RunningChat> {
  const chat = await startChat({ seed: 1, ...options });
  closers.push(() => chat.close());
  return chat;
}

test('a slash command arrives as a signed form, and the text of the answer is shown to the person', async () => {
  const app = await startApp(() => ({ status: 200, body: 'on my way' }));
  const chat = await startKept({ requestUrl: app.url, signingSecret: 'shh' });

  const said = await chat.say({ user: 'ana', channel: 'dpu-lab', text: '/dpu status' });

  const [{ headers, body } = { headers: {}, body: '' }] = app.got;
  const timestamp = String(headers['x-slack-request-timestamp']);
  const expected = createHmac('sha256', 'shh').update(`v0:${timestamp}:${body}`).digest('hex');
  expect(said).toMatchObject({ kind: 'slash', status: 'acked' });
  expect(headers['x-slack-signature']).toBe(`v0=${expected}`);
  expect(headers['content-type']).toBe('application/x-www-form-urlencoded');
  expect(Object.fromEntries(new URLSearchParams(body))).toMatchObject({ command: '/dpu', text: 'status' });
  expect(chat.messages({ user: 'ana', channel: 'dpu-lab' })).toMatchObject([{ text: 'on my way', is_ephemeral: true }]);
});

test('Bolt in HTTP mode takes commands, clicks and events of a request URL it has signed in with', async () => {
  const chat = await startKept({});
  const receiver = new HTTPReceiver({ signingSecret: chat.signingSecret, port: 0, logLevel: LogLevel.ERROR });
  const app = new App({ token: chat.botToken, receiver, clientOptions: { slackApiUrl: chat.apiUrl } });
  const seen: string[] = [];
  app.command('/dpu', async ({ ack, command }) => {
    seen.push(command.text);
    await ack();
  });
  app.action('go', async ({ ack }) => {
    seen.push('click');
    await ack();
  });
  const mentioned = new Promise<void>((resolve) => {
    app.event('app_mention', async () => resolve());
  });
  const server = await app.start(0);
  closers.push(() => app.stop());
  const address = 'address' in server ? server.address() : null;
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  await chat.setRequestUrl(`http://127.0.0.1:${port}/slack/events`);
  const said = await chat.say({ user: 'ana', channel: 'dpu-lab', text: '/dpu status' });
  const { body } = await call(chat, 'chat.postMessage', {
    channel: lab,
    text: 'card',
    blocks: [{ type: 'actions', elements: [button('go')] }],
  });
  const pressed = await chat.press({ user: 'ana', channel: 'dpu-lab', ts: body.ts ?? '', actionId: 'go' });
  await chat.say({ user: 'ana', channel: 'dpu-lab', text: '@dpubot hello' });
  await mentioned;

  expect([said, pressed]).toMatchObject([{ status: 'acked' }, { status: 'acked' }]);
  expect(seen).toEqual(['status', 'click']);
});

test('a request URL that does not give back the challenge is not taken', async () => {
  const app = await startApp(() => ({ status: 200, body: 'hello' }));
  const chat = await startKept({});

  await expect(chat.setRequestUrl(app.url)).rejects.toThrow(/did not give back the challenge/);

  expect(await chat.say({ user: 'ana', channel: 'dpu-lab', text: '/dpu status' })).toMatchObject({
    error: 'dispatch_failed',
  });
});

test.each([
  ['HTTP 404', { status: 404 }, 3_000, 'http_client_error'],
  ['HTTP 500', { status: 500 }, 3_000, 'http_service_error'],
  ['nothing', undefined, 60, 'operation_timeout'],
])('an app that answers %s is shown to the person as a failed command', async (_name, answer, ackTimeoutMs, error) => {
  const app = await startApp(() => answer);
  const chat = await startKept({ requestUrl: app.url, ackTimeoutMs });

  const said = await chat.say({ user: 'ana', channel: 'dpu-lab', text: '/dpu status' });

  expect(said).toEqual({ kind: 'slash', status: 'failed', error });
});

test('an event that was refused comes again with its number and the reason, until the app asks for no more', async () => {
  const app = await startApp((_got, count) => ({
    status: 500,
    ...(count === 2 && { headers: { 'x-slack-no-retry': '1' } }),
  }));
  const chat = await startKept({ requestUrl: app.url, redeliveryDelaysMs: [0, 0, 0] });

  await chat.say({ user: 'ana', channel: 'dpu-lab', text: 'hello' });
  await expect.poll(() => app.got.length).toBe(2);
  await chat.say({ user: 'ana', channel: '@dpubot', text: '/dpu status' });

  const [first, second] = app.got;
  const idOf = (got: Got | undefined): unknown => (JSON.parse(got?.body ?? '{}') as { event_id: unknown }).event_id;
  expect(first?.headers['x-slack-retry-num']).toBeUndefined();
  expect(second?.headers).toMatchObject({ 'x-slack-retry-num': '1', 'x-slack-retry-reason': 'http_error' });
  expect(idOf(second)).toBe(idOf(first));
  expect(app.got).toHaveLength(3);
});
