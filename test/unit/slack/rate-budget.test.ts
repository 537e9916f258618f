import { expect, test } from 'vitest';
import { RateBudget } from '../../../src/slack/rate-budget.ts';
import { FakeTime } from './fake-time.ts';

const never = new AbortController().signal;

function budget(time: FakeTime, burst: number, perMinute: number): RateBudget {
  return new RateBudget({ burst, perMinute, clock: time, wait: time.wait });
}

test('after a burst, requests go at the rate and never faster', async () => {
  const time = new FakeTime(0);
  const limited = budget(time, 2, 60);
  const times: number[] = [];

  for (let index = 0; index < 6; index += 1) void limited.take(1, never).then(() => times.push(time.nowMs()));
  await time.until(() => times.length === 6, 20_000);

  expect(times).toEqual([0, 0, 1000, 2000, 3000, 4000]);
});

test('a more urgent request that comes later goes before those that wait', async () => {
  const time = new FakeTime(0);
  const limited = budget(time, 1, 60);
  const order: string[] = [];
  const ask = (name: string, priority: number) => void limited.take(priority, never).then(() => order.push(name));

  ask('first', 4);
  ask('card', 4);
  ask('thread', 2);
  ask('final card', 1);
  await time.until(() => order.length === 4, 20_000);

  expect(order).toEqual(['first', 'final card', 'thread', 'card']);
});

test('a pause that the chat asked for holds everything back that long', async () => {
  const time = new FakeTime(0);
  const limited = budget(time, 5, 60);
  limited.pause(30_000);
  let wentAtMs = -1;

  void limited.take(1, never).then(() => {
    wentAtMs = time.nowMs();
  });
  await time.until(() => wentAtMs >= 0, 60_000);

  expect(wentAtMs).toBe(30_000);
});

test('whoever gives up while waiting takes no token away from the others', async () => {
  const time = new FakeTime(0);
  const limited = budget(time, 1, 60);
  const stop = new AbortController();
  await limited.take(1, never);
  const given = limited.take(1, stop.signal);
  let wentAtMs = -1;
  void limited.take(2, never).then(() => {
    wentAtMs = time.nowMs();
  });

  stop.abort(new Error('stopped'));

  await expect(given).rejects.toThrow('stopped');
  await time.until(() => wentAtMs >= 0, 5000);
  expect(wentAtMs).toBe(1000);
});

test('what can as well be left out gets a turn only when one is free, and takes none from those that wait', async () => {
  const time = new FakeTime(0);
  const limited = budget(time, 1, 60);

  expect([limited.tryTake(), limited.tryTake()]).toEqual([true, false]);
  const times: number[] = [];
  void limited.take(1, never).then(() => times.push(time.nowMs()));
  void limited.take(1, never).then(() => times.push(time.nowMs()));
  await time.until(() => times.length === 1, 5000);
  expect(limited.tryTake()).toBe(false);
  await time.until(() => times.length === 2, 5000);

  expect(times).toEqual([1000, 2000]);
  await time.pass(1000);
  expect(limited.tryTake()).toBe(true);
});
