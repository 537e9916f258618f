import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cardKey } from '../../../src/report/posts.ts';
import { eventually } from '../../support/lab/eventually.ts';
import { comparableText, expectPublishedOnce } from '../../support/lab/published.ts';
import { Stack } from '../../support/lab/stack.ts';

/** Team of the pretend Slack: names the publisher's lease. */
const team = 'T0LABTEAM1';

let stack: Stack;
let undisturbed: readonly string[] = [];

beforeAll(async () => {
  stack = await Stack.start({ hosts: 4 });
});
afterAll(async () => stack.stop());

describe('a bot that is killed', () => {
  it('is the exception: without it the thread is posted once, in order', async () => {
    const id = await stack.provision('as7');

    undisturbed = (await expectPublishedOnce(stack, id)).map(comparableText);

    expect(undisturbed.at(-1)).toMatch(/RUN \(SIMULATED\): Done/);
  });

  it(
    'right after it acknowledged the command, and again with the plan on its way, loses and doubles nothing',
    {
      timeout: 90_000,
    },
    async () => {
      const id = await stack.order('ana', '/dpu provision as8 --plan');
      await stack.processes.kill('bot');
      await stack.records.waitForRun(id, ['planned']);

      // No shortcut here: the lease of the dead publisher runs out by itself.
      await stack.people.fault({ fault: 'slow', method: 'chat.postMessage', delayMs: 3_000 });
      await stack.processes.restart('bot');
      await eventually(
        'the plan on its way',
        async () => {
          const posts = await stack.records.stores.outbox.all(id);
          return posts.some((post) => post.key !== cardKey(id) && post.state === 'sending') ? true : undefined;
        },
        45_000,
      );
      await stack.processes.kill('bot');
      await stack.people.clearFault('slow');
      await restartBot();

      const texts = await expectPublishedOnce(stack, id);
      expect(texts.join('\n')).toMatch(/Plan of run \d+ \(SIMULATED\)/);
      expect(texts.at(-1)).toMatch(/Planned only, nothing was changed/);
    },
  );

  it(
    'after the approval, in the middle of the work, and right before the last message, leaves the thread of an undisturbed run',
    {
      timeout: 90_000,
    },
    async () => {
      const id = await stack.order('ana', '/dpu provision as9');
      await stack.approve(id);
      await stack.processes.kill('bot');
      await restartBot();

      await stack.records.waitForEvent(
        id,
        'as9',
        (event) => event.type === 'done' && event.action === 'patch-password',
      );
      await stack.processes.kill('bot');
      await stack.records.waitForRun(id, ['done']);
      await restartBot();

      await eventually(
        'only the last message missing',
        async () => {
          const sent = await stack.records.sentPosts(id);
          const missing = (await stack.records.wantedPosts(id)).filter((post) => !sent.has(post.key));
          return missing.length <= 1 ? true : undefined;
        },
        45_000,
      );
      await stack.processes.kill('bot');
      await restartBot();

      const texts = await expectPublishedOnce(stack, id);
      expect(texts.map(comparableText)).toEqual(undisturbed);
    },
  );
});

/** Starts the bot again. What the dead one's lease would still last, 15 s at most, is not waited for. */
async function restartBot(): Promise<void> {
  const { space } = stack.records;
  await space.client.del(space.key('publisher', team));
  await stack.processes.restart('bot');
}
