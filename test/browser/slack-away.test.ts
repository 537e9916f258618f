import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFailed, test } from 'vitest';
import { eventually } from '../support/lab/eventually.ts';
import { loadSettings, reportFigures } from '../support/lab/load-settings.ts';
import { comparableText, expectPublishedOnce } from '../support/lab/published.ts';
import { Stack } from '../support/lab/stack.ts';

/** Slow enough for a run to have a middle. */
const timeFactor = 30;
const runLimitMs = 60_000;
const publishLimitMs = 120_000;

const { awaySeconds } = loadSettings;
let stack: Stack;
let undisturbed: Told;

beforeAll(async () => {
  stack = await Stack.start({ hosts: 4, timeFactor });
}, 90_000);

afterAll(async () => stack?.stop(), 30_000);

/** A thread in a form in which those of two runs can be compared: what kind of messages, and what they say. */
interface Told {
  readonly kinds: readonly string[];
  readonly texts: readonly string[];
}

/** What people read of an ended run, once all of it is there; nothing is there twice, and nothing is missing. */
async function told(id: number): Promise<Told> {
  await stack.records.waitForRun(id, ['done'], runLimitMs);
  const texts = await expectPublishedOnce(stack, id, publishLimitMs);
  const posts = await stack.records.wantedPosts(id);
  const sent = await stack.records.sentPosts(id);
  // The order in which they stand in the thread is that of the journal.
  const places = posts.map(({ key }) => Number(sent.get(key)));
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  return { kinds: posts.map(({ kind }) => kind), texts: texts.map(comparableText) };
}

describe('the thread of a run comes out the same', () => {
  test('as any other, when nothing is in its way', { timeout: runLimitMs + publishLimitMs }, async () => {
    const id = await stack.order('ana', '/dpu provision as7');
    await stack.people.press('ben', id, 'Approve');

    undisturbed = await told(id);

    expect(undisturbed.texts.at(-1)).toMatch(/RUN \(SIMULATED\): Done/);
  });

  test(
    `when Slack goes away in the middle of two runs and comes back ${awaySeconds} s later`,
    { timeout: awaySeconds * 1000 + runLimitMs + publishLimitMs },
    async () => {
      onTestFailed(() => void process.stderr.write(stack.processes.logTails()));
      const ids = [await stack.order('ana', '/dpu provision as8'), await stack.order('ana', '/dpu provision as9')];
      for (const id of ids) await stack.people.press('ben', id, 'Approve');
      // Who approves is asked of Slack: without an answer it is no approval.
      for (const id of ids)
        await stack.records.waitForEvent(id, '_run', (event) => event.type === 'approved', runLimitMs);
      await stack.records.waitForEvent(ids[1] ?? 0, 'as9', (event) => event.type === 'intent', runLimitMs);

      await stack.people.fault({ fault: 'slack-down' });
      await pause(awaySeconds * 1000);
      await stack.people.clearFault('slack-down');
      const backAtMs = Date.now();

      const answering = answered();
      for (const id of ids) expect(await told(id)).toEqual(undisturbed);
      const wholeAtMs = Date.now();
      const answeredAtMs = await answering;
      reportFigures('Slack away', {
        'away for': `${awaySeconds} s`,
        'from then on until both threads were whole': `${((wholeAtMs - backAtMs) / 1000).toFixed(1)} s`,
        'from then on until a line was answered': `${((answeredAtMs - backAtMs) / 1000).toFixed(1)} s`,
      });
    },
  );

  test(
    'when its sockets are refreshed every 10 s and every payload is delivered twice',
    { timeout: 2 * runLimitMs + publishLimitMs },
    async () => {
      onTestFailed(() => void process.stderr.write(stack.processes.logTails()));
      const before = await stack.people.stats();
      const newest = await stack.records.newestRun();
      await stack.people.fault({ fault: 'duplicate' });
      await stack.people.fault({ fault: 'socket-refresh', everyMs: 10_000 });

      const id = await stack.order('ana', '/dpu provision as10');
      await stack.people.press('ben', id, 'Approve');
      const thread = await told(id);
      // At least twice each: every socket is a new one by then, and so is its successor.
      await eventually(
        'sockets that were refreshed',
        async () => ((await stack.people.stats()).sockets.refreshed >= 4 ? true : undefined),
        45_000,
      );
      const heard = stack.people.answers('ana').length;
      await stack.people.ask('ana', `/dpu run ${id}`);
      await stack.people.clearFault('duplicate');
      await stack.people.clearFault('socket-refresh');
      // An answer to the second delivery would be there before this one.
      await stack.people.ask('ana', '/dpu help run');

      expect(thread).toEqual(undisturbed);
      expect(await stack.records.newestRun()).toBe(newest + 1);
      expect((await stack.records.journal(id)).filter(({ event }) => event.type === 'vote')).toHaveLength(1);
      expect(stack.people.answers('ana').length - heard).toBe(2);
      // The order, the press of the button, and the question each came a second time.
      expect(ignoredDeliveries()).toBeGreaterThanOrEqual(3);
      const { acks } = await stack.people.stats();
      expect(acks).toMatchObject({ timeouts: before.acks.timeouts, dispatchFailed: before.acks.dispatchFailed });
    },
  );
});

/** How often the bot noted that it had been told a thing before. */
function ignoredDeliveries(): number {
  const logs = readdirSync(stack.places.logs).filter((name) => name.startsWith('bot-'));
  const text = logs.map((name) => readFileSync(join(stack.places.logs, name), 'utf8')).join('\n');
  return text.split('repeated delivery ignored').length - 1;
}

/** When a line is answered again: the sockets come back by themselves. */
async function answered(): Promise<number> {
  await eventually(
    'an open socket',
    async () => ((await stack.people.stats()).sockets.open > 0 ? true : undefined),
    60_000,
  );
  await stack.people.ask('ana', '/dpu help run');
  return Date.now();
}
