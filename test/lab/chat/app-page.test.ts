import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BlockAction, KnownEventFromType, SlashCommand } from '@slack/bolt';
import { type RunningChat, startChat } from '../../../src/lab/chat/server.ts';
import { button, call, type Pair, plain, startPair } from './bolt.ts';

const ana = 'U0LABANA01';
const ben = 'U0LABBEN01';
const home = { type: 'home', blocks: [{ type: 'actions', block_id: 'b', elements: [button('go')] }] };

let pair: Pair | undefined;
let chat: RunningChat;

beforeEach(async () => {
  chat = await startChat({ seed: 1, fileProcessingMs: 0 });
});
afterEach(async () => {
  await pair?.close();
  pair = undefined;
  await chat.close();
});

describe('direct messages', () => {
  test('the app opens one by the person, and both read and answer there', async () => {
    const opened = await call(chat, 'conversations.open', { users: ben });
    const again = await call(chat, 'conversations.open', { users: ben, return_im: true });
    const { id } = opened.body.channel as { id: string };
    const { body } = await call(chat, 'chat.postMessage', { channel: id, text: 'Run 7 waits for you' });
    await chat.say({ user: 'ben', channel: '@dpubot', text: 'why?', threadTs: body.ts ?? '' });

    const history = await call(chat, 'conversations.history', { channel: id });
    const replies = await call(chat, 'conversations.replies', { channel: id, ts: body.ts });

    expect(again.body).toMatchObject({ already_open: true, channel: { id, is_im: true, user: ben } });
    expect(history.body.messages).toMatchObject([{ text: 'Run 7 waits for you', reply_count: 1 }]);
    expect(replies.body.messages).toMatchObject([{ ts: body.ts }, { text: 'why?', user: ben }]);
    expect(() => chat.messages({ user: 'ana', channel: id })).toThrow(/is in no channel/);
  });

  test.each([
    [{ users: 'U404' }, 'user_not_found'],
    [{ users: 'U0LABFRED1' }, 'user_disabled'],
    [{}, 'users_list_not_supplied'],
    [{ users: `${ana},${ben}` }, 'missing_scope'],
    [{ channel: 'D404' }, 'channel_not_found'],
  ])('conversations.open with %j answers %s', async (args, error) => {
    const { body } = await call(chat, 'conversations.open', args);

    expect(body.error).toBe(error);
  });

  test('what a person writes to the app arrives as message.im', async () => {
    const got = new Promise<KnownEventFromType<'message'>>((resolve) => {
      void startPair((app) => {
        app.message('hello', async ({ message }) => resolve(message));
      }).then((started) => {
        pair = started;
        return started.chat.say({ user: 'ben', channel: '@dpubot', text: 'hello' });
      });
    });

    expect(await got).toMatchObject({ channel: 'D0LABBEN01', channel_type: 'im', user: ben, text: 'hello' });
  });
});

describe('App Home', () => {
  test('the app hears which of its tabs somebody opens, and gets the view it has published', async () => {
    const opened: { tab: unknown; view: unknown }[] = [];
    pair = await startPair((app) => {
      app.event('app_home_opened', async ({ event }) => {
        opened.push({ tab: event.tab, view: event.view });
      });
    });
    const own = pair.chat;
    const { body } = await call(own, 'views.publish', { user_id: ana, view: home });

    own.openHome({ user: 'ana' });
    own.openHome({ user: 'ana', tab: 'messages' });

    await expect.poll(() => opened).toHaveLength(2);
    expect(new Set(opened.map((one) => one.tab))).toEqual(new Set(['home', 'messages']));
    expect(opened.find((one) => one.tab === 'home')?.view).toMatchObject({ id: (body.view as { id: string }).id });
    expect(opened.find((one) => one.tab === 'messages')?.view).toBeUndefined();
  });

  test('a click there carries the view and a trigger that opens one modal, but puts none on top', async () => {
    const clicks: BlockAction[] = [];
    pair = await startPair((app) => {
      app.action<BlockAction>('go', async ({ ack, body }) => {
        clicks.push(body);
        await ack();
      });
    });
    const own = pair.chat;
    await call(own, 'views.publish', { user_id: ana, view: home });
    const viewId = own.views({ user: 'ana' }).home?.id ?? '';
    const modal = { type: 'modal', title: plain('t'), blocks: [] };

    await own.press({ user: 'ana', viewId, actionId: 'go' });
    await own.press({ user: 'ana', viewId, actionId: 'go' });
    const [first, second] = clicks.map((click) => click.trigger_id);
    const opened = await call(own, 'views.open', { trigger_id: first, view: modal });
    const again = await call(own, 'views.open', { trigger_id: first, view: modal });
    const pushed = await call(own, 'views.push', { trigger_id: second, view: modal });

    expect(clicks[0]).toMatchObject({
      container: { type: 'view', view_id: viewId },
      view: { id: viewId, type: 'home' },
    });
    expect(opened.body.ok).toBe(true);
    expect(again.body.error).toBe('exchanged_trigger_id');
    expect(pushed.body.error).toBe('not_found');
  });

  test('an old hash, a view for nobody and a table are refused', async () => {
    const { body } = await call(chat, 'views.publish', { user_id: ana, view: home });
    const { hash } = body.view as { hash: string };
    const fresh = await call(chat, 'views.publish', { user_id: ana, view: home, hash });

    const stale = await call(chat, 'views.publish', { user_id: ana, view: home, hash });
    const nobody = await call(chat, 'views.publish', { user_id: 'U404', view: home });
    const table = { type: 'table', rows: [[{ type: 'raw_text', text: 'a' }]] };
    const tables = await call(chat, 'views.publish', { user_id: ana, view: { type: 'home', blocks: [table] } });

    expect(fresh.body.ok).toBe(true);
    expect(stale.body.error).toBe('hash_conflict');
    expect(nobody.body.error).toBe('invalid_arguments');
    expect(tables.body).toMatchObject({
      error: 'invalid_arguments',
      response_metadata: { messages: ['[ERROR] unsupported type: table [json-pointer:/view/blocks/0/type]'] },
    });
  });

  test('a picture of it is seen by the person whose Home it is, and by nobody else', async () => {
    const reserved = await call(chat, 'files.getUploadURLExternal', { filename: 'chart.png', length: 5 });
    const id = String(reserved.body.file_id);
    await fetch(String(reserved.body.upload_url), { method: 'POST', body: 'bytes' });
    await call(chat, 'files.completeUploadExternal', { files: [{ id }] });
    const image = { type: 'image', alt_text: 'throughput', slack_file: { id } };
    await call(chat, 'views.publish', { user_id: ana, view: { type: 'home', blocks: [image] } });

    const read = async (user: string): Promise<number> =>
      (await fetch(`${chat.url}lab/chat/files/${id}?user=${user}`)).status;

    expect(await read('ana')).toBe(200);
    expect(await read('ben')).toBe(404);
  });
});

describe('views', () => {
  test('a second view of the same external_id, one above 250 kB and an update of nothing are refused', async () => {
    const commands: SlashCommand[] = [];
    pair = await startPair((app) => {
      app.command('/dpu', async ({ ack, command }) => {
        commands.push(command);
        await ack();
      });
    });
    const own = pair.chat;
    const modal = { type: 'modal', title: plain('t'), external_id: 'one', blocks: [] as object[] };
    await own.say({ user: 'ana', channel: 'dpu-lab', text: '/dpu' });
    await own.say({ user: 'ben', channel: 'dpu-lab', text: '/dpu' });
    const [anas, bens] = commands.map((command) => command.trigger_id);
    const many = Array.from({ length: 90 }, () => ({ type: 'section', text: plain('x'.repeat(3_000)) }));

    const opened = await call(own, 'views.open', { trigger_id: anas, view: modal });
    const taken = await call(own, 'views.open', { trigger_id: bens, view: modal });
    const large = await call(own, 'views.open', { trigger_id: bens, view: { ...modal, blocks: many } });
    const unnamed = await call(own, 'views.update', { view: { ...modal, external_id: '' } });
    const unknown = await call(own, 'views.update', { view_id: 'V404', view: { ...modal, external_id: '' } });

    expect([opened, taken, large, unnamed, unknown].map(({ body }) => body.error)).toEqual([
      undefined,
      'duplicate_external_id',
      'view_too_large',
      'invalid_arguments',
      'not_found',
    ]);
  });
});
