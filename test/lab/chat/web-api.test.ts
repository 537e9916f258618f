import { WebClient } from '@slack/web-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningChat, startChat } from '../../../src/lab/chat/server.ts';
import { call, createClock, lab, random } from './bolt.ts';

const clock = createClock();
let chat: RunningChat;

beforeAll(async () => {
  chat = await startChat({ clock });
});

afterAll(() => chat.close());

async function post(text: string, more: object = {}): Promise<string> {
  clock.advance(2_000);
  const { body } = await call(chat, 'chat.postMessage', { channel: lab, text, ...more });
  return body.ts ?? '';
}

describe('tokens', () => {
  test.each([
    ['auth.test', 'xoxb-wrong', 'invalid_auth'],
    ['apps.connections.open', 'bot', 'not_allowed_token_type'],
    ['chat.postMessage', 'app', 'not_allowed_token_type'],
    ['chat.shout', 'bot', 'unknown_method'],
  ])('%s with the token %s answers %s', async (method, token, error) => {
    const real = token === 'bot' ? chat.botToken : token === 'app' ? chat.appToken : token;

    const { status, body } = await call(chat, method, {}, real);

    expect(status).toBe(200);
    expect(body).toMatchObject({ ok: false, error });
  });

  test('auth.test says who the bot is, and the header which scopes it has', async () => {
    const answer = await new WebClient(chat.botToken, { slackApiUrl: chat.apiUrl }).auth.test();

    expect(answer).toMatchObject({ ok: true, user_id: 'U0LABDPUB1', bot_id: 'B0LABDPUB1', team_id: 'T0LABTEAM1' });
    expect(answer.response_metadata?.scopes).toContain('chat:write');
  });
});

describe('messages', () => {
  test.each([
    ['chat.postMessage', { channel: 'C404', text: 'a' }, 'channel_not_found'],
    ['chat.postMessage', { channel: random, text: 'a' }, 'not_in_channel'],
    ['chat.postMessage', { channel: lab }, 'no_text'],
    ['chat.postMessage', { text: 'a' }, 'invalid_arguments'],
    ['chat.postMessage', { channel: lab, text: 'a', thread_ts: '1.000001' }, 'thread_not_found'],
    ['chat.postMessage', { channel: lab, blocks: '{"no": "list"}' }, 'invalid_blocks_format'],
    ['chat.postMessage', { channel: lab, text: 'a', metadata: { event_type: 'x' } }, 'invalid_metadata_format'],
    ['chat.postMessage', { channel: lab, text: 'a', markdown_text: 'b' }, 'markdown_text_conflict'],
    ['chat.postMessage', { channel: lab, text: 'x'.repeat(40_001) }, 'msg_too_long'],
    ['chat.update', { channel: lab, ts: '1.000001', text: 'a' }, 'message_not_found'],
    ['chat.delete', { channel: lab, ts: '1.000001' }, 'message_not_found'],
    ['chat.postEphemeral', { channel: lab, user: 'U404', text: 'a' }, 'user_not_in_channel'],
    ['conversations.history', { channel: random }, 'not_in_channel'],
    ['conversations.replies', { channel: lab, ts: '1.000001' }, 'thread_not_found'],
    ['users.info', { user: 'U404' }, 'user_not_found'],
    ['usergroups.users.list', { usergroup: 'S404' }, 'no_such_subteam'],
    [
      'views.open',
      { trigger_id: 'none', view: { type: 'modal', title: { type: 'plain_text', text: 'a' }, blocks: [] } },
      'invalid_trigger_id',
    ],
    ['views.open', { trigger_id: 'none', view: { type: 'modal', blocks: [] } }, 'invalid_arguments'],
    ['files.info', { file: 'F404' }, 'file_not_found'],
  ])('%s with %j answers %s', async (method, args, error) => {
    clock.advance(2_000);

    const { body } = await call(chat, method, args);

    expect(body.error).toBe(error);
  });

  test('an update refuses a longer text than 4,000 characters, and a message of someone else', async () => {
    const ts = await post('short');
    const said = await chat.say({ user: 'ana', channel: 'dpu-lab', text: 'mine' });
    const foreign = said.kind === 'message' ? said.ts : '';

    const long = await call(chat, 'chat.update', { channel: lab, ts, text: 'x'.repeat(4_001) });
    const notMine = await call(chat, 'chat.update', { channel: lab, ts: foreign, text: 'yours' });

    expect(long.body.error).toBe('msg_too_long');
    expect(notMine.body.error).toBe('cant_update_message');
  });

  test('metadata comes back from history and replies, and only when it is asked for', async () => {
    const metadata = { event_type: 'run', event_payload: { key: 'run418-root' } };
    const ts = await post('card', { metadata });
    await call(chat, 'chat.update', { channel: lab, ts, text: 'card, later' });

    const history = await call(chat, 'conversations.history', { channel: lab, include_all_metadata: true, limit: 1 });
    const replies = await call(chat, 'conversations.replies', { channel: lab, ts, include_all_metadata: true });
    const without = await call(chat, 'conversations.history', { channel: lab, limit: 1 });

    expect(history.body.messages).toMatchObject([{ ts, text: 'card, later', metadata }]);
    expect(replies.body.messages).toMatchObject([{ ts, metadata }]);
    expect(JSON.stringify(without.body)).not.toContain('metadata":{"event');
  });

  test('history is newest first, pages with a cursor, and keeps to oldest and latest', async () => {
    const [first, second, third] = [await post('h1'), await post('h2'), await post('h3')];

    const page1 = await call(chat, 'conversations.history', { channel: lab, limit: 2, oldest: first, inclusive: true });
    const cursor = (page1.body.response_metadata as { next_cursor: string }).next_cursor;
    const page2 = await call(chat, 'conversations.history', {
      channel: lab,
      limit: 2,
      oldest: first,
      inclusive: true,
      cursor,
    });
    const between = await call(chat, 'conversations.history', { channel: lab, oldest: first, latest: third });

    expect(page1.body).toMatchObject({ has_more: true, messages: [{ ts: third }, { ts: second }] });
    expect(page2.body).toMatchObject({ has_more: false, messages: [{ ts: first }] });
    expect(between.body.messages).toMatchObject([{ ts: second }]);
  });

  test('users.info tells guests, bots and time zones; the locale only when asked', async () => {
    const guest = await call(chat, 'users.info', { user: 'U0LABCARA1' });
    const bot = await call(chat, 'users.info', { user: 'U0LABDPUB1', include_locale: true });

    expect(guest.body.user).toMatchObject({
      is_restricted: true,
      is_bot: false,
      team_id: 'T0LABTEAM1',
      tz_offset: 3600,
    });
    expect(guest.body.user).not.toHaveProperty('locale');
    expect(bot.body.user).toMatchObject({ is_bot: true, locale: 'en-US' });
  });
});

describe('rate limits', () => {
  test('the 51st update of a burst is told to wait, with Retry-After, and is counted', async () => {
    const own = await startChat({ clock });
    const { body } = await call(own, 'chat.postMessage', { channel: lab, text: 'card' });
    const update = (text: string): ReturnType<typeof call> =>
      call(own, 'chat.update', { channel: lab, ts: body.ts, text });
    const statuses: number[] = [];
    for (let n = 0; n < 50; n += 1) {
      statuses.push((await update(`${n}%`)).status);
    }

    const refused = await update('late');
    clock.advance(2_000);
    const later = await update('later');

    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('2');
    expect(refused.body).toEqual({ ok: false, error: 'ratelimited' });
    expect(later.body.ok).toBe(true);
    expect(own.stats()).toMatchObject({
      rateLimited: 1,
      calls: { 'chat.update': { ok: 51, errors: { ratelimited: 1 } } },
    });
    await own.close();
  });

  test('posts to one channel get about one a second after a short burst', async () => {
    const own = await startChat({ clock });
    const answers = [];
    for (let n = 0; n < 7; n += 1) {
      answers.push(await call(own, 'chat.postMessage', { channel: lab, text: `${n}` }));
    }

    expect(answers.map((one) => one.status)).toEqual([200, 200, 200, 200, 200, 429, 429]);
    expect(answers[5]?.headers.get('retry-after')).toBe('1');
    await own.close();
  });
});

test('an upload is processed for a moment, then an image block may show it', async () => {
  const own = await startChat({ clock, fileProcessingMs: 500 });
  const client = new WebClient(own.botToken, { slackApiUrl: own.apiUrl });
  const uploaded = await client.files.uploadV2({ filename: 'chart.png', file: Buffer.from('not really a picture') });
  const id = (uploaded as unknown as { files: { files: { id: string }[] }[] }).files[0]?.files[0]?.id ?? '';
  const show = (): ReturnType<typeof call> =>
    call(own, 'chat.postMessage', {
      channel: lab,
      text: 'chart',
      blocks: [{ type: 'image', slack_file: { id }, alt_text: 'throughput over time' }],
    });

  const early = await show();
  clock.advance(600);
  const ready = await show();
  const info = await call(own, 'files.info', { file: id });
  const bytes = await fetch(`${own.url}lab/chat/files/${id}?user=ana`);

  expect(early.body).toMatchObject({
    error: 'invalid_blocks',
    errors: ['invalid slack file [json-pointer:/blocks/0/slack_file]'],
  });
  expect(ready.body.ok).toBe(true);
  expect(info.body.file).toMatchObject({ id, mimetype: 'image/png', channels: [] });
  expect(await bytes.text()).toBe('not really a picture');
  await own.close();
});

describe('a file that was uploaded without a channel', () => {
  async function upload(): Promise<{ own: RunningChat; client: WebClient; id: string; permalink: string }> {
    const own = await startChat({ clock, fileProcessingMs: 0 });
    const client = new WebClient(own.botToken, { slackApiUrl: own.apiUrl });
    const { file_id: id = '', upload_url: url = '' } = await client.files.getUploadURLExternal({
      filename: 'console.txt',
      length: 5,
    });
    await fetch(url, { method: 'POST', body: 'hello' });
    await client.files.completeUploadExternal({ files: [{ id, title: 'console.txt' }] });
    const info = await call(own, 'files.info', { file: id });
    return { own, client, id, permalink: (info.body.file as { permalink: string }).permalink };
  }

  const read = async (own: RunningChat, id: string, user: string): Promise<string | number> => {
    const response = await fetch(`${own.url}lab/chat/files/${id}?user=${user}`);
    return response.ok ? response.text() : response.status;
  };

  test('is read by nobody until the app posts its permalink, then by the people of that channel', async () => {
    const { own, id, permalink } = await upload();
    const before = await read(own, id, 'ana');

    await call(own, 'chat.postMessage', { channel: lab, text: `all of it: <${permalink}|console.txt>` });

    expect(before).toBe(404);
    expect(await read(own, id, 'ana')).toBe('hello');
    expect(own.messages({ user: 'ana', channel: lab }).at(-1)?.files).toMatchObject([{ id }]);
    await own.close();
  });

  test.each([
    ['in a block only', (link: string) => ({ text: 'all of it', blocks: [section(link)] })],
    ['with unfurling off', (link: string) => ({ text: link, unfurl_links: false, unfurl_media: false })],
  ])('stays private when the permalink is posted %s', async (_, message) => {
    const { own, id, permalink } = await upload();

    await call(own, 'chat.postMessage', { channel: lab, ...message(permalink) });

    expect(await read(own, id, 'ana')).toBe(404);
    await own.close();
  });
});

function section(text: string): object {
  return { type: 'section', text: { type: 'mrkdwn', text } };
}
