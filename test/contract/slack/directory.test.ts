import { afterEach, describe, expect, test } from 'vitest';
import type { Directory, GroupMembers } from '../../../src/domain/ports.ts';
import type { RunningChat } from '../../../src/lab/chat/server.ts';
import { startChat } from '../../../src/lab/chat/server.ts';
import { createDirectory, DIRECTORY_CACHE_MS } from '../../../src/slack/directory.ts';
import { createInteractiveClient } from '../../../src/slack/web-client.ts';

let chat: RunningChat | undefined;

afterEach(async () => {
  await chat?.close();
  chat = undefined;
});

const time = { ms: 1_000_000 };

async function start(): Promise<{ readonly slack: RunningChat; readonly directory: Directory & GroupMembers }> {
  const slack = await startChat({ seed: 1 });
  chat = slack;
  const client = createInteractiveClient({ botToken: slack.botToken, apiUrl: slack.apiUrl });
  const directory = createDirectory({ client, clock: { nowMs: () => time.ms }, teamId: slack.team.id });
  return { slack, directory };
}

function member(slack: RunningChat, name: string): RunningChat['users'][number] {
  const user = slack.users.find((one) => one.name === name);
  if (user === undefined) throw new Error(`no user ${name}`);
  return user;
}

describe('a person', () => {
  test('is read with name, zone and groups, the groups by id and by handle', async () => {
    const { slack, directory } = await start();

    const ana = await directory.person(member(slack, 'ana').id, { fresh: false });

    expect(ana).toMatchObject({ teamId: slack.team.id, active: true, guest: false, external: false });
    expect(ana.userGroups).toEqual(expect.arrayContaining(['S0LABOPER1', 'dpu-operators']));
    expect(ana.displayName).not.toBe('');
    expect(ana.timeZone).toMatch(/\//);
  });

  test('who is deactivated, a guest, or of another workspace is seen as such', async () => {
    const { slack, directory } = await start();
    const [gone, guest, stranger] = ['ana', 'ben', 'dana'].map((name) => member(slack, name));
    if (!gone || !guest || !stranger) throw new Error('users missing');
    gone.deleted = true;
    guest.isRestricted = true;
    stranger.teamId = 'T0OTHER';

    expect(await directory.person(gone.id, { fresh: true })).toMatchObject({ active: false });
    expect(await directory.person(guest.id, { fresh: true })).toMatchObject({ guest: true });
    expect(await directory.person(stranger.id, { fresh: true })).toMatchObject({ external: true, teamId: 'T0OTHER' });
  });

  test('whom Slack does not know is external and not active, instead of an error', async () => {
    const { directory } = await start();

    const nobody = await directory.person('U0NOBODY', { fresh: true });

    expect(nobody).toMatchObject({ active: false, external: true, userGroups: [] });
  });

  test('is remembered for five minutes, but read anew for an approval', async () => {
    const { slack, directory } = await start();
    const ana = member(slack, 'ana');
    await directory.person(ana.id, { fresh: false });
    ana.deleted = true;

    const cached = await directory.person(ana.id, { fresh: false });
    const fresh = await directory.person(ana.id, { fresh: true });
    ana.deleted = false;
    time.ms += DIRECTORY_CACHE_MS + 1;
    const later = await directory.person(ana.id, { fresh: false });

    expect([cached.active, fresh.active, later.active]).toEqual([true, false, true]);
  });

  test('cannot be vouched for while Slack is away: nothing is done, and why is said', async () => {
    const { slack, directory } = await start();
    slack.setFault({ fault: 'slack-down' });

    const asking = directory.person(member(slack, 'ana').id, { fresh: true });

    await expect(asking).rejects.toMatchObject({ code: 'slack-unavailable' });
    await expect(asking).rejects.toThrow('Slack could not be asked for your rights.');
  });

  test('cannot be vouched for while Slack wants no more questions: how long is said', async () => {
    const { slack, directory } = await start();
    slack.setFault({ fault: 'rate-limit-now', method: 'usergroups.list', retryAfterSec: 7, times: 9 });

    const asking = directory.person(member(slack, 'ana').id, { fresh: true });

    await expect(asking).rejects.toThrow('It takes no questions for 7 s.');
  });
});

describe('a user group', () => {
  test('gives its members by id or handle, each once, and nobody where there is no such group', async () => {
    const { slack, directory } = await start();
    const [anaId, benId, danaId] = ['ana', 'ben', 'dana'].map((name) => member(slack, name).id);

    expect(await directory.members(['dpu-approvers', 'S0LABOPER1'])).toEqual([anaId, benId]);
    expect(await directory.members(['S0LABADMN1'])).toEqual([danaId]);
    expect(await directory.members(['no-such-group'])).toEqual([]);
  });

  test('is remembered for five minutes here, while a vote sees who joined a second ago', async () => {
    const { slack, directory } = await start();
    await directory.members(['dpu-admins']);
    const ben = member(slack, 'ben');
    slack.groups.find(({ handle }) => handle === 'dpu-admins')?.users.push(ben.id);

    const cached = await directory.members(['dpu-admins']);
    const voter = await directory.person(ben.id, { fresh: true });
    time.ms += DIRECTORY_CACHE_MS + 1;
    const later = await directory.members(['dpu-admins']);

    expect(cached).not.toContain(ben.id);
    expect(voter.userGroups).toContain('dpu-admins');
    expect(later).toContain(ben.id);
  });

  test('of which Slack says nothing is an error, not a group without members', async () => {
    const { slack, directory } = await start();
    slack.setFault({ fault: 'slack-down' });

    await expect(directory.members(['dpu-admins'])).rejects.toThrow('Slack could not be asked who is in a user group.');
  });
});

describe('a channel', () => {
  test('can be posted to when the bot is in it, and not when it is not or the channel is unknown', async () => {
    const { slack, directory } = await start();
    const lab = slack.channels.find((channel) => channel.members.includes(slack.app.botUserId));
    const other = slack.channels.find((channel) => !channel.members.includes(slack.app.botUserId));

    expect(await directory.canPost(lab?.id ?? '')).toBe(true);
    expect(await directory.canPost(other?.id ?? '')).toBe(false);
    expect(await directory.canPost('C0NOWHERE')).toBe(false);
  });

  test('of which Slack says nothing is no channel to start a run in', async () => {
    const { slack, directory } = await start();
    slack.setFault({ fault: 'slack-down' });

    await expect(directory.canPost('C1')).rejects.toMatchObject({ code: 'slack-unavailable' });
  });
});
