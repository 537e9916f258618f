import { expect } from 'vitest';
import { cardKey } from '../../../src/report/posts.ts';
import type { Stack } from './stack.ts';

/**
 * Everything about the run is in the chat, its card is final, and nothing is there twice, neither by the key that dpubot
 * gave it nor by what a person reads. Returns what a person reads: the card, then its thread.
 */
export async function expectPublishedOnce(stack: Stack, id: number, limitMs?: number): Promise<readonly string[]> {
  const texts = await stack.finishedThread(id, limitMs);
  const card = (await stack.records.sentPosts(id)).get(cardKey(id));
  const wanted = (await stack.records.wantedPosts(id)).map((post) => post.key);
  const inThread = await stack.people.postKeys(stack.lab.chat, card);
  const cards = (await stack.people.postKeys(stack.lab.chat)).filter((key) => key.startsWith(cardKey(id)));
  expect(cards).toEqual([cardKey(id)]);
  expect(inThread.toSorted()).toEqual([cardKey(id), ...wanted].toSorted());
  expect(texts).toHaveLength(wanted.length + 1);
  expect(new Set(texts).size).toBe(texts.length);
  return texts;
}

/** A text without what differs between two runs that did the same: names, numbers, hashes, times. */
export function comparableText(text: string): string {
  return text
    .replaceAll(/\bas\d+/g, 'HOST')
    .replaceAll(/MT2334\w+/g, 'SERIAL')
    .replaceAll(/\b[0-9a-f]{12,}\b/g, 'HASH')
    .replaceAll(/\b\d\d:\d\d:\d\d\b/g, 'TIME')
    .replaceAll(/(\bunder )?\b\d+(\.\d+)?( min \d+)? (s|ms|min)\b/g, 'DURATION')
    .replaceAll(/\brun \d+/gi, 'RUN')
    .replaceAll(/ {2,}/g, '  ');
}
