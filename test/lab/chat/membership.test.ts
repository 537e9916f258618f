import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SubteamMembersChangedEvent } from '@slack/types';
import { type RunningChat, startChat } from '../../../src/lab/chat/server.ts';
import { button, call, postJson, startPair } from './bolt.ts';

const erin = 'U0LABERIN1';
const vendor = 'C0LABVEND1';

let chat: RunningChat;

beforeEach(async () => {
  chat = await startChat({ seed: 1 });
});
afterEach(() => chat.close());

test('a change of a user group is in the lists at once, and the app hears of it', async () => {
  const changed: SubteamMembersChangedEvent[] = [];
  const pair = await startPair((app) => {
    app.event('subteam_members_changed', async ({ event }) => {
      changed.push(event);
    });
  });

  pair.chat.setMembership({ user: 'ben', group: '@dpu-approvers', member: false });
  pair.chat.setMembership({ user: 'ben', group: 'dpu-approvers', member: false });
  const users = await call(pair.chat, 'usergroups.users.list', { usergroup: 'S0LABAPPR1' });
  const groups = await call(pair.chat, 'usergroups.list', { include_users: true, include_count: true });

  await expect.poll(() => changed).toHaveLength(1);
  expect(changed).toMatchObject([
    { subteam_id: 'S0LABAPPR1', added_users: [], removed_users: ['U0LABBEN01'], removed_users_count: 1 },
  ]);
  expect(users.body.users).toEqual(['U0LABANA01']);
  expect(groups.body.usergroups).toContainEqual(
    expect.objectContaining({ handle: 'dpu-approvers', users: ['U0LABANA01'], user_count: 1 }),
  );
  await pair.close();
});

test('users.info tells the deactivated, guests made by hand, and people of another workspace', async () => {
  const info = async (user: string): Promise<unknown> => (await call(chat, 'users.info', { user })).body.user;

  chat.setAccount({ user: 'ben', isRestricted: true });
  const inChannel = await info(erin);
  chat.setMembership({ user: 'erin', channel: 'vendor-help', member: false });
  const gone = await info(erin);

  expect(await info('U0LABFRED1')).toMatchObject({ deleted: true });
  expect(await info('U0LABBEN01')).toMatchObject({ is_restricted: true });
  expect(inChannel).toMatchObject({ team_id: 'T0LABVENDR', tz: 'Asia/Tokyo' });
  expect(inChannel).not.toHaveProperty('is_stranger');
  expect(gone).toMatchObject({ team_id: 'T0LABVENDR', is_stranger: true });
});

test('a person of another workspace presses buttons of a shared channel, and has no slash command of the app', async () => {
  const teams: unknown[] = [];
  const pair = await startPair((app) => {
    app.action('go', async ({ ack, body }) => {
      teams.push(body.user.team_id);
      await ack();
    });
  });
  const info = await call(pair.chat, 'conversations.info', { channel: vendor });
  const { body } = await call(pair.chat, 'chat.postMessage', {
    channel: vendor,
    text: 'card',
    blocks: [{ type: 'actions', elements: [button('go')] }],
  });

  const pressed = await pair.chat.press({ user: 'erin', channel: vendor, ts: body.ts ?? '', actionId: 'go' });
  const typed = await pair.chat.say({ user: 'erin', channel: vendor, text: '/dpu status' });

  expect(info.body.channel).toMatchObject({ is_ext_shared: true, is_shared: true });
  expect(pressed).toMatchObject({ status: 'acked' });
  expect(teams).toEqual(['T0LABVENDR']);
  expect(typed).toMatchObject({ kind: 'refused', text: expect.stringContaining('not a valid command') });
  await pair.close();
});

test('a deactivated person does nothing more, and does again once the account is back', async () => {
  chat.setAccount({ user: 'ana', deleted: true });
  const refused = chat.say({ user: 'ana', channel: 'dpu-lab', text: 'hello' });

  await expect(refused).rejects.toThrow(/deactivated/);
  chat.setAccount({ user: 'ana', deleted: false });
  expect(await chat.say({ user: 'ana', channel: 'dpu-lab', text: 'hello' })).toMatchObject({ kind: 'message' });
});

test('an app that was taken out of a channel can post there no more', async () => {
  const answer = await postJson(`${chat.url}lab/chat/membership`, {
    user: 'dpubot',
    channel: 'dpu-lab',
    member: false,
  });
  const { body } = await call(chat, 'chat.postMessage', { channel: 'C0LABDPU01', text: 'hello' });

  expect(answer.status).toBe(200);
  expect(body.error).toBe('not_in_channel');
});

test('a change of something that is not there is refused', () => {
  expect(() => chat.setMembership({ user: 'ana', group: 'nobodies', member: true })).toThrow(
    /no user group or channel/,
  );
  expect(() => chat.setAccount({ user: 'zoe', deleted: true })).toThrow(/no person zoe/);
});
