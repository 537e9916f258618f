import { expect } from 'vitest';
import { plainText } from '../../../src/report/plain-text.ts';
import { postsOf } from '../../../src/report/posts.ts';
import { unit, wholeRun } from '../report/samples.ts';
import type { World } from './world.ts';

export const CARD = 'run418/card';
export const UNKNOWN = { kind: 'unknown', reason: 'ETIMEDOUT' } as const;

const { run: ended, plans, entries } = wholeRun();
export { entries, plans };
const { approval, endedAtMs: _ended, summary: _summary, ...rest } = ended;
/** The run while it waits for approval. */
export const waiting = {
  ...rest,
  version: 1,
  state: 'awaiting-approval' as const,
  units: { as7: unit('as7', { state: 'planned', planHash: plans[0]?.hash ?? '' }) },
  ...(approval && { approval: { ...approval, state: 'open' as const, votes: [] } }),
};
/** The run when it is done. */
export const finished = { ...ended, version: 2 };

export function putWaiting(world: World): void {
  world.put(waiting, plans, entries.slice(0, 4));
}

export function putFinished(world: World): void {
  world.put(finished, plans, entries);
}

/** All keys that must be there in the end, in the order of the thread. */
export const threadKeys = postsOf(finished, plans, entries).map((post) => post.key);

/** Thread and card show the finished run. */
export function isComplete(world: World): boolean {
  const card = world.chat.messages.findLast((message) => message.key.startsWith(CARD));
  const request = world.chat.messages.find((message) => message.key === threadKeys[1]);
  return (
    threadKeys.every((key) => world.chat.withKey(key).length > 0) &&
    card !== undefined &&
    plainText(card.message).includes(' · ended ') &&
    request !== undefined &&
    plainText(request.message).includes('Outcome: approved')
  );
}

/** Every message of the run is there once, in order, under one card. */
export function expectEachOnce(world: World): void {
  expect(world.chat.messages.map((message) => message.key).sort()).toEqual([CARD, ...threadKeys].sort());
  const root = world.chat.withKey(CARD)[0];
  const thread = world.chat.messages.filter((message) => message.key !== CARD);
  expect(new Set(thread.map((message) => message.threadTs))).toEqual(new Set([root?.ts]));
  expect(thread.map((message) => message.key)).toEqual(threadKeys);
}
