import type { BlockAction, SlashCommand } from '@slack/bolt';
import { afterEach, expect, test } from 'vitest';
import { button, call, lab, type Pair, startPair } from './bolt.ts';

let pair: Pair | undefined;

afterEach(async () => {
  await pair?.close();
  pair = undefined;
});

test('a Bolt app takes a slash command, answers only its author, posts, edits and gets the click', async () => {
  const commands: SlashCommand[] = [];
  const clicks: BlockAction[] = [];
  pair = await startPair((app) => {
    app.command('/dpu', async ({ ack, command, say }) => {
      commands.push(command);
      await ack(`on it: ${command.text}`);
      await say({
        text: 'plan',
        blocks: [{ type: 'actions', block_id: 'choice', elements: [button('approve')] }] as never,
      });
    });
    app.action<BlockAction>('approve', async ({ ack, body, client }) => {
      await ack();
      clicks.push(body);
      await client.chat.update({ channel: lab, ts: body.message?.ts ?? '', text: 'approved' });
    });
  });
  const { chat } = pair;

  const said = await chat.say({ user: 'ana', channel: '#dpu-lab', text: '/dpu provision  rack1' });
  const posted = await chat.waitForMessage((message) => message.text === 'plan');
  const pressed = await chat.press({ user: 'ben', channel: 'dpu-lab', ts: posted.ts, actionId: 'approve' });
  const edited = await chat.waitForMessage((message) => message.text === 'approved');

  expect(said).toMatchObject({ kind: 'slash', status: 'acked' });
  expect(commands[0]).toMatchObject({
    command: '/dpu',
    text: 'provision  rack1',
    user_id: 'U0LABANA01',
    user_name: 'ana',
    channel_id: lab,
    channel_name: 'dpu-lab',
    is_enterprise_install: 'false',
  });
  expect(commands[0]).not.toHaveProperty('thread_ts');
  expect(pressed.status).toBe('acked');
  expect(clicks[0]).toMatchObject({
    type: 'block_actions',
    user: { id: 'U0LABBEN01', username: 'ben' },
    container: { type: 'message', message_ts: posted.ts, channel_id: lab, is_ephemeral: false },
    channel: { id: lab, name: 'dpu-lab' },
    actions: [{ type: 'button', action_id: 'approve', block_id: 'choice', value: 'value of approve' }],
  });
  expect(edited).toMatchObject({ ts: posted.ts, edited: { user: 'U0LABDPUB1' } });
  expect(edited).not.toHaveProperty('blocks');
  expect(chat.messages({ user: 'ana', channel: 'dpu-lab' }).map((message) => message.text)).toContain(
    'on it: provision  rack1',
  );
  expect(chat.messages({ user: 'ben', channel: 'dpu-lab' }).map((message) => message.text)).toEqual(['approved']);
});

test('an in_channel acknowledgement shows both the typed line and the answer to everyone', async () => {
  pair = await startPair((app) => {
    app.command('/dpu', async ({ ack }) => ack({ response_type: 'in_channel', text: 'pong' }));
  });

  await pair.chat.say({ user: 'ana', channel: 'dpu-lab', text: '/dpu ping' });

  const seen = pair.chat.messages({ user: 'ben', channel: 'dpu-lab' });
  expect(seen.map((message) => message.text)).toEqual(['/dpu ping', 'pong']);
});

test('a mention reaches the app as app_mention and as message, with ids of their own', async () => {
  const events: string[] = [];
  const ids = new Set<string>();
  const both = new Promise<void>((resolve) => {
    void startPair((app) => {
      const note = (type: string, id: string): void => {
        events.push(type);
        ids.add(id);
        if (ids.size === 2) resolve();
      };
      app.event('app_mention', async ({ body }) => note('app_mention', body.event_id));
      app.message('help', async ({ body }) => note('message', body.event_id));
    }).then(async (started) => {
      pair = started;
      await started.chat.say({ user: 'ana', channel: 'dpu-lab', text: '@dpubot help & <b>' });
    });
  });

  await both;

  expect(events.sort()).toEqual(['app_mention', 'message']);
  expect(pair?.chat.messages({ user: 'ana', channel: 'dpu-lab' })[0]?.text).toBe('<@U0LABDPUB1> help &amp; &lt;b&gt;');
});

test('the App Home opens, the app publishes a view, and a press in it carries the view', async () => {
  const views: unknown[] = [];
  pair = await startPair((app) => {
    app.event('app_home_opened', async ({ event, client }) => {
      await client.views.publish({
        user_id: event.user,
        view: { type: 'home', blocks: [{ type: 'actions', elements: [button('more')] }] as never },
      });
    });
    app.action<BlockAction>('more', async ({ ack, body }) => {
      await ack();
      views.push(body.view?.type);
    });
  });
  const { chat } = pair;

  chat.openHome({ user: 'ana' });
  await chat.waitFor((event) => event.type === 'home/published', { user: 'U0LABANA01' });
  const viewId = chat.views({ user: 'ana' }).home?.id ?? '';
  await chat.press({ user: 'ana', viewId, actionId: 'more' });

  expect(views).toEqual(['home']);
  expect(chat.views({ user: 'ben' }).home).toBeUndefined();
});

test('replies stand in their thread, count at the parent, and outlive it as a tombstone', async () => {
  pair = await startPair(() => undefined);
  const { chat } = pair;
  const root = (await call(chat, 'chat.postMessage', { channel: lab, text: 'root' })).body.ts ?? '';
  await call(chat, 'chat.postMessage', { channel: lab, text: 'one', thread_ts: root });
  await call(chat, 'chat.postMessage', { channel: lab, text: 'two', thread_ts: root, reply_broadcast: true });

  const channel = chat.messages({ user: 'ana', channel: 'dpu-lab' });
  const thread = chat.messages({ user: 'ana', channel: 'dpu-lab', threadTs: root });
  await call(chat, 'chat.delete', { channel: lab, ts: root });
  const after = chat.messages({ user: 'ana', channel: 'dpu-lab', threadTs: root });

  expect(channel.map((message) => message.text)).toEqual(['root', 'two']);
  expect(channel[0]).toMatchObject({ reply_count: 2, reply_users: ['U0LABDPUB1'] });
  expect(thread.map((message) => message.text)).toEqual(['root', 'one', 'two']);
  expect(after[0]).toMatchObject({ subtype: 'tombstone', text: 'This message was deleted.' });
});
