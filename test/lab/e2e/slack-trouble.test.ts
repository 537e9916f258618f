import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/lab/eventually.ts';
import { expectPublishedOnce } from '../../support/lab/published.ts';
import { Stack } from '../../support/lab/stack.ts';

let stack: Stack;

beforeAll(async () => {
  stack = await Stack.start({ hosts: 3 });
});
afterAll(async () => stack.stop());

describe('trouble with Slack delays messages, and neither loses nor doubles one', () => {
  it('when replies to posts are lost', { timeout: 60_000 }, async () => {
    const id = await stack.order('ana', '/dpu provision as7');
    await stack.people.fault({ fault: 'lost-reply', method: 'chat.postMessage', times: 3 });
    await stack.people.fault({ fault: 'lost-reply', method: 'chat.update', times: 2 });
    await stack.approve(id);
    await stack.records.waitForRun(id, ['done']);

    const texts = await expectPublishedOnce(stack, id);

    expect(texts.at(-1)).toMatch(/Run \d+ \(SIMULATED\): Done/);
    const { calls } = await stack.people.stats();
    expect(calls['chat.postMessage']?.ok).toBeGreaterThanOrEqual(texts.length);
  });

  it('when it asks for patience with 429', { timeout: 60_000 }, async () => {
    const before = (await stack.people.stats()).rateLimited;
    const id = await stack.order('ana', '/dpu provision as8');
    for (const method of ['chat.postMessage', 'chat.update'])
      await stack.people.fault({ fault: 'rate-limit-now', method, retryAfterSec: 1, times: 2 });
    await stack.approve(id);
    await stack.records.waitForRun(id, ['done']);

    await expectPublishedOnce(stack, id);

    expect((await stack.people.stats()).rateLimited).toBeGreaterThanOrEqual(before + 2);
  });

  it('when it is down while the work is done', { timeout: 90_000 }, async () => {
    const id = await stack.order('ana', '/dpu provision as9');
    await stack.approve(id);
    await stack.people.fault({ fault: 'slack-down' });
    await stack.records.waitForRun(id, ['done']);
    await stack.people.clearFault('slack-down');

    await expectPublishedOnce(stack, id);

    // The socket comes back by itself, so people are answered again.
    await eventually(
      'an open socket',
      async () => ((await stack.people.stats()).sockets.open > 0 ? true : undefined),
      30_000,
    );
    const answer = await stack.people.ask('ana', `/dpu run ${id}`);
    expect(answer.text).toContain('Done');
  });
});
