import { afterEach, beforeEach, expect, test } from 'vitest';
import { type RunningChat, startChat } from '../../../src/lab/chat/server.ts';
import { call, lab, postJson, random } from './bolt.ts';

let chat: RunningChat;

beforeEach(async () => {
  chat = await startChat();
});

afterEach(() => chat.close());

function api(path: string): string {
  return `${chat.url}lab/chat/${path}`;
}

interface StreamEvent {
  id: string;
  data: { type: string; message?: { text: string } };
}

/** Opens an event stream; `read` gives its first events and closes it. */
async function openStream(
  query: string,
  headers: Record<string, string> = {},
): Promise<{ read(count: number): Promise<StreamEvent[]> }> {
  const stop = new AbortController();
  const response = await fetch(api(`events?${query}`), { headers, signal: stop.signal });
  const read = async (count: number): Promise<StreamEvent[]> => {
    const events: StreamEvent[] = [];
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk as Uint8Array).toString();
      const parts = text.split('\n\n');
      text = parts.pop() ?? '';
      events.push(...parts.flatMap((part) => parseEvent(part)));
      if (events.length >= count) break;
    }
    stop.abort();
    return events;
  };
  return { read };
}

function parseEvent(part: string): StreamEvent[] {
  const id = /^id: (.*)$/m.exec(part)?.[1] ?? '';
  const data = /^data: (.*)$/m.exec(part)?.[1];
  return data === undefined ? [] : [{ id, data: JSON.parse(data) as StreamEvent['data'] }];
}

test('the bot may post in a channel once someone has invited it', async () => {
  const before = await call(chat, 'chat.postMessage', { channel: random, text: 'hello' });
  const invited = await chat.say({ user: 'ana', channel: '#random', text: '/invite @dpubot' });
  const after = await call(chat, 'chat.postMessage', { channel: random, text: 'hello' });

  expect(before.body.error).toBe('not_in_channel');
  expect(invited).toEqual({ kind: 'invited', users: ['U0LABDPUB1'] });
  expect(after.body.ok).toBe(true);
});

test('a slash command in a thread, and one nobody has registered, are refused with the words of the client', async () => {
  const root = await chat.say({ user: 'ana', channel: 'dpu-lab', text: 'root' });
  const threadTs = root.kind === 'message' ? root.ts : '';

  const inThread = await chat.say({ user: 'ana', channel: 'dpu-lab', text: '/dpu status', threadTs });
  const unknown = await chat.say({ user: 'ana', channel: 'dpu-lab', text: '/dup status' });

  expect(inThread).toEqual({ kind: 'refused', text: '/dpu is not supported in threads. Sorry!' });
  expect(unknown).toMatchObject({ kind: 'refused', text: expect.stringContaining('/dup is not a valid command') });
});

test('an ephemeral message is seen by its addressee alone', async () => {
  await call(chat, 'chat.postEphemeral', { channel: lab, user: 'U0LABANA01', text: 'psst' });

  expect(chat.messages({ user: 'ana', channel: 'dpu-lab' })).toMatchObject([{ text: 'psst', is_ephemeral: true }]);
  expect(chat.messages({ user: 'ben', channel: 'dpu-lab' })).toEqual([]);
});

test('people delete their own messages, admins any', async () => {
  const { body } = await call(chat, 'chat.postMessage', { channel: lab, text: 'card' });
  const request = { channel: 'dpu-lab', ts: body.ts ?? '' };

  expect(() => chat.deleteMessage({ user: 'ana', ...request })).toThrow(/only their own/);
  chat.deleteMessage({ user: 'dana', ...request });

  expect(chat.messages({ user: 'ana', channel: 'dpu-lab' })).toEqual([]);
});

test('an event stream resumes after the last event that was read, without what others see', async () => {
  const live = await openStream('user=ana');
  await chat.say({ user: 'ben', channel: 'dpu-lab', text: 'read' });
  const [read] = await live.read(1);
  await call(chat, 'chat.postEphemeral', { channel: lab, user: 'U0LABBEN01', text: 'for ben' });
  await chat.say({ user: 'ben', channel: 'dpu-lab', text: 'missed' });

  const resumed = await openStream('user=ana', { 'last-event-id': read?.id ?? '' });
  const events = await resumed.read(1);

  expect(read?.data).toMatchObject({ type: 'message/new', message: { text: 'read' } });
  expect(events.map((event) => event.data.message?.text)).toEqual(['missed']);
});

test('a stream that resumes at a place of an earlier process is told to load anew', async () => {
  const [event] = await (await openStream('user=ana&after=deadbeef-3')).read(1);

  expect(event?.data).toEqual({ type: 'resync' });
});

test('the person API does over HTTP what the methods do, and says what is wrong', async () => {
  const said = await postJson(api('say'), { user: 'ana', channel: '#dpu-lab', text: 'hello' });
  const wrong = await postJson(api('say'), { user: 'zoe', channel: '#dpu-lab', text: 'hello' });
  const list = (await (await fetch(api('messages?user=ben&channel=dpu-lab'))).json()) as { messages: object[] };
  const info = (await (await fetch(api('info'))).json()) as { apiUrl: string };

  expect(JSON.parse(said.text)).toMatchObject({ kind: 'message' });
  expect(wrong.status).toBe(400);
  expect(JSON.parse(wrong.text)).toEqual({ error: 'user-not-found', message: 'There is no user zoe.' });
  expect(list.messages).toMatchObject([{ text: 'hello', user: 'U0LABANA01' }]);
  expect(info.apiUrl).toBe(chat.apiUrl);
});

test('faults are switched over HTTP', async () => {
  const set = await postJson(api('faults'), { fault: 'api-error', method: 'auth.test', error: 'fatal_error' });
  const broken = await call(chat, 'auth.test');
  await fetch(api('faults/api-error'), { method: 'DELETE' });
  const fine = await call(chat, 'auth.test');
  const unknown = await postJson(api('faults'), { fault: 'earthquake' });

  expect(set.status).toBe(200);
  expect(broken.body.error).toBe('fatal_error');
  expect(fine.body.ok).toBe(true);
  expect(unknown.status).toBe(400);
});

test('the page and its parts come from the lab alone', async () => {
  const page = await fetch(chat.url);
  const html = await page.text();
  const parts = [...html.matchAll(/(?:href|src)="([^"#]+)"/g)].map((match) => match[1] ?? '');

  expect(html).toContain('SIMULATED');
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(parts.length).toBeGreaterThan(5);
  for (const part of parts) {
    expect((await fetch(new URL(part, chat.url))).status).toBe(200);
  }
});

test('what nobody has read is counted for each person: what is for them apart, until they have seen it', async () => {
  const unread = async (): Promise<unknown> => (await fetch(api('unread'))).json();
  await chat.say({ user: 'ana', channel: 'dpu-lab', text: 'morning' });
  await chat.say({ user: 'ana', channel: 'dpu-lab', text: '@ben please look' });
  await call(chat, 'conversations.open', { users: 'U0LABBEN01' });
  await call(chat, 'chat.postMessage', { channel: 'D0LABBEN01', text: 'Run 7 waits' });

  const before = await unread();
  await postJson(api('read'), { user: 'ben', channel: 'dpu-lab' });
  const after = await unread();

  expect(before).toMatchObject({
    ana: {},
    ben: { [lab]: { count: 2, mentions: 1 }, D0LABBEN01: { count: 1, mentions: 1 } },
    dana: { [lab]: { count: 2, mentions: 0 } },
  });
  expect(after).toMatchObject({ ben: { D0LABBEN01: { count: 1, mentions: 1 } } });
  expect(JSON.stringify(after)).not.toContain(`"ben":{"${lab}"`);
});

test('a stream tells that somebody else got a message, not what it says', async () => {
  const live = await openStream('user=ana');
  await call(chat, 'chat.postMessage', { channel: 'U0LABBEN01', text: 'secret' });

  const [event] = await live.read(1);

  expect(event?.data).toEqual({ type: 'elsewhere' });
});
