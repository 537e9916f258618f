import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Fault } from '../../../src/lab/chat/faults.ts';
import type { RunningChat } from '../../../src/lab/chat/server.ts';
import { startChat } from '../../../src/lab/chat/server.ts';
import { postsOf } from '../../../src/report/posts.ts';
import { eventually } from '../../support/lab/eventually.ts';
import { wholeRun } from '../../unit/report/samples.ts';
import { publish } from './publisher.ts';

const sample = wholeRun();
/** A pretend Slack and a publisher of the sample run in front of it; both end with the test. */
async function start(onTestFinished: (end: () => Promise<void>) => void, fault?: Fault): Promise<RunningChat> {
  const slack = await startChat({ seed: 1 });
  if (fault !== undefined) slack.setFault(fault);
  const stop = publish(slack, { ...sample, run: { ...sample.run, channel: slack.channels[0]?.id ?? '' } });
  onTestFinished(async () => {
    await stop();
    await slack.close();
  });
  return slack;
}

/** The thread as a person in the channel sees it, root first. */
function thread(slack: RunningChat): { readonly text: string; readonly ts: string }[] {
  const channel = slack.channels[0]?.id ?? '';
  const roots = slack.messages({ user: 'ana', channel }).filter((message) => message.text.startsWith('Run 418'));
  return roots.flatMap((root) => {
    const all = slack.messages({ user: 'ana', channel, threadTs: root.ts });
    return [root, ...all.filter((message) => message.ts !== root.ts)];
  });
}

const length = 1 + postsOf(sample.run, sample.plans, sample.entries).length;

async function complete(slack: RunningChat): Promise<void> {
  // expect.poll belongs to the test that runs now, and several do.
  await eventually(`${length} messages`, () => thread(slack).length === length || undefined, 18_000);
}

test.concurrent(
  'the whole thread of a run is taken by Slack: no block refused, card first, end of run last',
  async ({ onTestFinished }) => {
    const slack = await start(onTestFinished);

    await complete(slack);

    const messages = thread(slack);
    expect(messages[0]?.text).toContain('Run 418, provision rack1 (SIMULATED): Done');
    expect(messages.at(-1)?.text).toContain('Run 418 (SIMULATED): Done');
    expect(JSON.stringify(messages)).toContain('"type":"table"');
  },
);

test.concurrent(
  'posts whose replies were lost are found by their metadata, among roots and in the thread',
  async ({ onTestFinished }) => {
    const slack = await start(onTestFinished, { fault: 'lost-reply', method: 'chat.postMessage', times: 3 });

    await complete(slack);
    await sleep(500);

    const texts = thread(slack).map((message) => message.text);
    expect(texts).toHaveLength(length);
    expect(new Set(texts).size).toBe(length);
  },
);

test.concurrent(
  'a Slack that answers 429 and then goes away delays the thread and doubles nothing',
  async ({ onTestFinished }) => {
    const limit = { fault: 'rate-limit-now', method: 'chat.postMessage', retryAfterSec: 1, times: 2 } as const;
    const slack = await start(onTestFinished, limit);
    await eventually('the first messages', () => thread(slack).length > 1 || undefined, 10_000);

    slack.setFault({ fault: 'slack-down' });
    await sleep(1500);
    slack.clearFault();
    await complete(slack);

    const texts = thread(slack).map((message) => message.text);
    expect(new Set(texts).size).toBe(length);
  },
);
