import { WebSocket } from 'ws';
import { afterEach, expect, test } from 'vitest';
import { type ChatOptions, type RunningChat, startChat } from '../../../src/lab/chat/server.ts';
import { call, createClock } from './bolt.ts';

interface Received {
  type: string;
  reason?: string;
  envelope_id?: string;
  payload?: { event_id?: string; trigger_id?: string };
}

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) {
    await close();
  }
});

async function startKept(options: ChatOptions = {}): Promise<RunningChat> {
  const chat = await startChat({ seed: 1, ...options });
  closers.push(() => chat.close());
  return chat;
}

/** A socket that acknowledges what it gets, with the next of the answers if there is one, and keeps it. */
async function connect(chat: RunningChat, answers: (string | undefined)[] = []): Promise<Received[]> {
  const { body } = await call(chat, 'apps.connections.open', {}, chat.appToken);
  const socket = new WebSocket(String(body.url));
  closers.push(async () => socket.terminate());
  const received: Received[] = [];
  await new Promise<void>((resolve) => {
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Received;
      received.push(message);
      if (message.envelope_id !== undefined) {
        const text = answers.shift();
        socket.send(
          JSON.stringify({ envelope_id: message.envelope_id, ...(text !== undefined && { payload: { text } }) }),
        );
      }
      if (message.type === 'hello' || message.type === 'disconnect') resolve();
    });
  });
  return received;
}

test('while payloads are duplicated, each comes twice: another envelope, the same trigger and event', async () => {
  const chat = await startKept();
  const received = await connect(chat);

  chat.setFault({ fault: 'duplicate' });
  const said = await chat.say({ user: 'ana', channel: 'dpu-lab', text: '/dpu status' });
  await chat.say({ user: 'ana', channel: 'dpu-lab', text: 'hello' });
  await expect.poll(() => received.filter((one) => one.type === 'events_api')).toHaveLength(2);

  const [, first, second, ...events] = received;
  expect(said).toMatchObject({ status: 'acked' });
  expect([first?.type, second?.type]).toEqual(['slash_commands', 'slash_commands']);
  expect(second?.payload?.trigger_id).toBe(first?.payload?.trigger_id);
  expect(second?.envelope_id).not.toBe(first?.envelope_id);
  expect(events[1]?.payload?.event_id).toBe(events[0]?.payload?.event_id);
  expect(chat.faults()).toEqual([{ fault: 'duplicate' }]);
});

test.each([
  { answered: 'the first', answers: ['one', undefined], read: ['one'] },
  { answered: 'the second', answers: [undefined, 'two'], read: ['two'] },
  { answered: 'both', answers: ['one', 'two'], read: ['one', 'two'] },
])('of two copies of a command, the person reads what $answered was answered', async ({ answers, read }) => {
  const chat = await startKept();
  await connect(chat, answers);

  chat.setFault({ fault: 'duplicate' });
  await chat.say({ user: 'ana', channel: 'dpu-lab', text: '/dpu status' });

  const seen = chat.messages({ user: 'ana', channel: 'dpu-lab' }).filter((message) => message.is_ephemeral);
  expect(seen.map((message) => message.text)).toEqual(read);
});

test('sockets that are refreshed end one after another, each told so, and new ones after their time', async () => {
  const chat = await startKept();
  const [one, other] = [await connect(chat), await connect(chat)];

  chat.setFault({ fault: 'socket-refresh', everyMs: 800 });
  await expect.poll(() => one.at(-1)).toMatchObject({ type: 'disconnect', reason: 'refresh_requested' });
  const stillOpen = chat.stats().sockets;
  await expect.poll(() => other.at(-1)).toMatchObject({ type: 'disconnect', reason: 'refresh_requested' });
  const third = await connect(chat);
  await expect.poll(() => third.at(-1)).toMatchObject({ type: 'disconnect', reason: 'refresh_requested' });

  expect(stillOpen).toEqual({ open: 1, opened: 2, refreshed: 1 });
});

test('once the refresh is switched off, sockets stay', async () => {
  const chat = await startKept();
  chat.setFault({ fault: 'socket-refresh', everyMs: 40 });
  await connect(chat);

  chat.clearFault('socket-refresh');
  const later = await connect(chat);
  await new Promise((resolve) => setTimeout(resolve, 90));

  expect(later).toMatchObject([{ type: 'hello' }]);
  expect(chat.stats().sockets).toEqual({ open: 2, opened: 2, refreshed: 0 });
});

test('a warned socket still gets payloads; one whose link is disabled gets none', async () => {
  const chat = await startKept();
  const received = await connect(chat);

  chat.setFault({ fault: 'socket-disconnect', reason: 'warning' });
  const warned = await chat.say({ user: 'ana', channel: 'dpu-lab', text: '/dpu status' });
  chat.setFault({ fault: 'socket-disconnect', reason: 'link_disabled' });
  const disabled = await chat.say({ user: 'ana', channel: 'dpu-lab', text: '/dpu status' });

  expect(warned).toMatchObject({ status: 'acked' });
  expect(disabled).toMatchObject({ error: 'dispatch_failed' });
  const reasons = (): unknown[] => received.flatMap((one) => (one.type === 'disconnect' ? [one.reason] : []));
  await expect.poll(reasons).toEqual(['warning', 'link_disabled']);
});

test('an eleventh socket is told that there are too many, and the ten before it stay', async () => {
  const chat = await startKept();
  for (let count = 0; count < 10; count += 1) await connect(chat);

  const eleventh = await connect(chat);

  expect(eleventh).toMatchObject([{ type: 'disconnect', reason: 'too_many_websockets' }]);
  expect(chat.stats().sockets.open).toBe(10);
});

test('a Slack that is down for two minutes comes back by itself', async () => {
  const clock = createClock();
  const chat = await startKept({ clock });

  chat.setFault({ fault: 'slack-down', forMs: 120_000 });
  const down = await fetch(`${chat.apiUrl}auth.test`, { method: 'POST' });
  clock.advance(120_001);
  const up = await call(chat, 'auth.test');

  expect(down.status).toBe(503);
  expect(up.body.ok).toBe(true);
  expect(chat.faults()).toEqual([]);
});
