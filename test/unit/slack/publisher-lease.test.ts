import { expect, test } from 'vitest';
import type { Log } from '../../../src/slack/log.ts';
import { runAsPublisher } from '../../../src/slack/publisher-lease.ts';
import { createMemoryOutboxStore } from '../../support/memory/outbox.ts';
import { FakeTime } from './fake-time.ts';

const log: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

async function untilAborted(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve());
  });
}

test('only one process works at a time, and the lease goes on when its holder stops', async () => {
  const time = new FakeTime(0);
  const store = createMemoryOutboxStore(time);
  const working: string[] = [];
  const start = (owner: string): AbortController => {
    const stop = new AbortController();
    const options = { store, workspace: 'T1', owner, ttlMs: 15_000, wait: time.wait, log };
    void runAsPublisher(options, stop.signal, async (signal) => {
      working.push(owner);
      await untilAborted(signal);
      working.splice(working.indexOf(owner), 1);
    });
    return stop;
  };
  const first = start('a');
  await time.until(() => working.includes('a'), 1000);
  start('b');

  await time.pass(60_000);
  expect(working).toEqual(['a']);
  first.abort();
  await time.until(() => working.includes('b'), 20_000);

  expect(working).toEqual(['b']);
});

test('a store that stops answering ends the work before the term is over', async () => {
  const time = new FakeTime(0);
  const memory = createMemoryOutboxStore(time);
  let silent = false;
  const store: typeof memory = {
    ...memory,
    holdPublisher: async (...args) => (silent ? new Promise<boolean>(() => {}) : memory.holdPublisher(...args)),
  };
  const stop = new AbortController();
  let stoppedAtMs = -1;
  const options = { store, workspace: 'T1', owner: 'a', ttlMs: 15_000, wait: time.wait, log };
  void runAsPublisher(options, stop.signal, async (signal) => {
    await untilAborted(signal);
    stoppedAtMs = time.nowMs();
  });
  await time.pass(20_000);

  silent = true;
  const lastRenewalMs = time.nowMs();
  await time.until(() => stoppedAtMs > 0, 30_000);
  stop.abort();

  expect(stoppedAtMs - lastRenewalMs).toBeLessThanOrEqual(15_000);
});
