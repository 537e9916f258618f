import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type RunningChat, startChat } from '../../../src/lab/chat/server.ts';
import { button, call, createApp, lab, type Pair, startPair } from './bolt.ts';

interface Envelope {
  type: string;
  envelope_id?: string;
  payload?: { event_id: string };
}

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) {
    await close();
  }
});

async function startAlone(options = {}): Promise<RunningChat> {
  const chat = await startChat({ seed: 1, ...options });
  closers.push(() => chat.close());
  return chat;
}

async function startKept(...args: Parameters<typeof startPair>): Promise<Pair> {
  const pair = await startPair(...args);
  closers.push(() => pair.close());
  return pair;
}

test('an acknowledgement that does not come in time is shown to the person as operation_timeout', async () => {
  const { chat } = await startKept((app) => app.command('/dpu', async () => undefined), { ackTimeoutMs: 40 });

  const said = await chat.say({ user: 'ana', channel: 'dpu-lab', text: '/dpu status' });

  expect(said).toEqual({ kind: 'slash', status: 'failed', error: 'operation_timeout' });
  expect(chat.messages({ user: 'ana', channel: 'dpu-lab' })).toMatchObject([
    { user: 'USLACKBOT', is_ephemeral: true, text: '/dpu failed with the error "operation_timeout"' },
  ]);
  expect(chat.stats().acks).toMatchObject({ count: 0, timeouts: 1 });
});

test('without an open socket a slash command and a click fail at once with dispatch_failed', async () => {
  const chat = await startAlone();
  const { body } = await call(chat, 'chat.postMessage', {
    channel: lab,
    text: 'card',
    blocks: [{ type: 'actions', elements: [button('go')] }],
  });

  const said = await chat.say({ user: 'ana', channel: 'dpu-lab', text: '/dpu status' });
  const pressed = await chat.press({ user: 'ana', channel: 'dpu-lab', ts: body.ts ?? '', actionId: 'go' });

  expect(said).toEqual({ kind: 'slash', status: 'failed', error: 'dispatch_failed' });
  expect(pressed).toEqual({ status: 'failed', error: 'dispatch_failed' });
});

test('each payload goes to one of two connected apps, and both get some', async () => {
  const counts = [0, 0];
  const chat = await startAlone();
  for (const index of [0, 1]) {
    const app = createApp(chat);
    app.command('/dpu', async ({ ack }) => {
      counts[index] = (counts[index] ?? 0) + 1;
      await ack();
    });
    await app.start();
    closers.push(() => app.stop());
  }

  for (let n = 0; n < 12; n += 1) {
    await chat.say({ user: 'ana', channel: 'dpu-lab', text: '/dpu status' });
  }

  expect((counts[0] ?? 0) + (counts[1] ?? 0)).toBe(12);
  expect(Math.min(...counts)).toBeGreaterThan(0);
  expect(chat.stats().sockets).toEqual({ open: 2, opened: 2, refreshed: 0 });
});

test('an event nobody acknowledged is sent again with the same event_id and a retry number', async () => {
  const chat = await startAlone({ ackTimeoutMs: 20, redeliveryDelaysMs: [0] });
  const { body } = await call(chat, 'apps.connections.open', {}, chat.appToken);
  const socket = new WebSocket(String(body.url));
  closers.push(async () => socket.terminate());
  const received: Envelope[] = [];
  const done = new Promise<void>((resolve) => {
    socket.on('message', (data: Buffer) => {
      received.push(JSON.parse(data.toString()) as Envelope);
      if (received.length === 1) void chat.say({ user: 'ana', channel: 'dpu-lab', text: 'hello' });
      if (received.length === 3) resolve();
    });
  });

  await done;

  const [hello, first, second] = received;
  expect(hello).toMatchObject({ type: 'hello', num_connections: 1, connection_info: { app_id: 'A0LABDPUB1' } });
  expect(first).toMatchObject({ type: 'events_api', accepts_response_payload: false, retry_attempt: 0 });
  expect(second).toMatchObject({ type: 'events_api', retry_attempt: 1, retry_reason: 'timeout' });
  expect(second?.payload?.event_id).toBe(first?.payload?.event_id);
  expect(second?.envelope_id).not.toBe(first?.envelope_id);
});

test('a disconnect message makes the app go; a payload then finds no socket', async () => {
  const { chat } = await startKept((app) => app.command('/dpu', async ({ ack }) => ack()));

  chat.setFault({ fault: 'socket-disconnect', reason: 'refresh_requested' });
  const said = await chat.say({ user: 'ana', channel: 'dpu-lab', text: '/dpu status' });

  expect(said).toMatchObject({ error: 'dispatch_failed' });
  expect(chat.faults()).toEqual([]);
});

test('while Slack is down the API answers 503, sockets are gone, and clearing it brings the API back', async () => {
  const { chat } = await startKept(() => undefined);

  chat.setFault({ fault: 'slack-down' });
  const down = await fetch(`${chat.apiUrl}auth.test`, { method: 'POST' });
  const said = await chat.say({ user: 'ana', channel: 'dpu-lab', text: '/dpu status' });
  chat.clearFault('slack-down');
  const up = await call(chat, 'auth.test');

  expect(down.status).toBe(503);
  expect(said).toMatchObject({ error: 'dispatch_failed' });
  expect(up.body.ok).toBe(true);
});

test('a lost reply cuts the connection although the post was made', async () => {
  const chat = await startAlone();
  chat.setFault({ fault: 'lost-reply', method: 'chat.postMessage', times: 1 });

  const lost = await call(chat, 'chat.postMessage', { channel: lab, text: 'once' }).catch(() => 'cut');
  const next = await call(chat, 'chat.postMessage', { channel: lab, text: 'twice' });

  expect(lost).toBe('cut');
  expect(next.body.ok).toBe(true);
  expect(chat.messages({ user: 'ana', channel: 'dpu-lab' }).map((one) => one.text)).toEqual(['once', 'twice']);
});

test('a forced error and a forced rate limit strike as often as asked', async () => {
  const chat = await startAlone();
  chat.setFault({ fault: 'api-error', method: 'users.info', error: 'internal_error', times: 1 });
  chat.setFault({ fault: 'rate-limit-now', retryAfterSec: 7, times: 1 });

  const limited = await call(chat, 'users.info', { user: 'U0LABANA01' });
  const broken = await call(chat, 'users.info', { user: 'U0LABANA01' });
  const fine = await call(chat, 'users.info', { user: 'U0LABANA01' });

  expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '7']);
  expect(broken.body.error).toBe('internal_error');
  expect(fine.body.ok).toBe(true);
});
