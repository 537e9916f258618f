import { expect, test } from 'vitest';
import { createDirectory } from '../../../src/slack/directory.ts';
import { FakeTime } from './fake-time.ts';

const START_MS = 1_000_000;

/** A chat whose groups change: in the n-th answer, ana is in the group `reading-n`. */
function start() {
  const time = new FakeTime(START_MS);
  const readAtMs: number[] = [];
  const client = {
    users: { info: async ({ user }: { readonly user: string }) => ({ ok: true, user: { id: user, team_id: 'T1' } }) },
    usergroups: {
      list: async () => {
        readAtMs.push(time.nowMs());
        return { ok: true, usergroups: [{ id: `reading-${readAtMs.length}`, users: ['UANA'] }] };
      },
    },
    conversations: {},
  };
  const options = { client, clock: time, teamId: 'T1', wait: time.wait };
  const directory = createDirectory(options as unknown as Parameters<typeof createDirectory>[0]);
  return { time, readAtMs, directory };
}

test('sixty approvals in three seconds ask for the groups no more than 20 times a minute, and all are answered soon', async () => {
  const { time, readAtMs, directory } = start();
  const answers: { readonly askedAtMs: number; readonly atMs: number; readonly reading: number }[] = [];

  for (let index = 0; index < 60; index += 1) {
    const askedAtMs = time.nowMs();
    void directory.person('UANA', { fresh: true }).then(({ userGroups }) => {
      answers.push({ askedAtMs, atMs: time.nowMs(), reading: Number(userGroups[0]?.split('-')[1]) });
    });
    await time.pass(50);
  }
  await time.until(() => answers.length === 60, 60_000);

  expect(readAtMs.length).toBeLessThanOrEqual(20);
  expect(Math.max(...answers.map(({ askedAtMs, atMs }) => atMs - askedAtMs))).toBeLessThanOrEqual(6_000);
  for (const { askedAtMs, reading } of answers) expect(readAtMs[reading - 1]).toBeGreaterThanOrEqual(askedAtMs);
});
