import type { Clock } from '../../../src/domain/device-ports.ts';
import type { OutboxPost, OutboxStore, RecipientStore } from '../../../src/domain/ports.ts';
import { breathe, copy } from './copy.ts';

/** What the publisher remembers, in memory. */
export function createMemoryOutboxStore(clock: Clock): OutboxStore {
  const publishers = new Map<string, { readonly token: string; readonly untilMs: number }>();
  const runs = new Map<number, Map<string, OutboxPost>>();

  function postsOf(runId: number): Map<string, OutboxPost> {
    const posts = runs.get(runId) ?? new Map<string, OutboxPost>();
    runs.set(runId, posts);
    return posts;
  }

  return {
    async holdPublisher(workspace, token, ttlMs) {
      await breathe();
      const holder = publishers.get(workspace);
      if (holder && holder.untilMs > clock.nowMs() && holder.token !== token) return false;
      publishers.set(workspace, { token, untilMs: clock.nowMs() + ttlMs });
      return true;
    },
    async releasePublisher(workspace, token) {
      await breathe();
      if (publishers.get(workspace)?.token === token) publishers.delete(workspace);
    },
    async claim(runId, key, channel) {
      await breathe();
      const known = postsOf(runId).get(key);
      if (known) return { claimed: false, post: copy(known) };
      const post: OutboxPost = { key, state: 'sending', channel, attempts: 1, atMs: clock.nowMs() };
      postsOf(runId).set(key, post);
      return { claimed: true, post: copy(post) };
    },
    async again(runId, key) {
      await breathe();
      const known = postsOf(runId).get(key);
      if (known?.state !== 'sending') return known && copy(known);
      const post: OutboxPost = { ...known, attempts: known.attempts + 1, atMs: clock.nowMs() };
      postsOf(runId).set(key, post);
      return copy(post);
    },
    async noteFile(runId, key, fileId) {
      await breathe();
      const known = postsOf(runId).get(key);
      if (known) postsOf(runId).set(key, { ...known, fileId });
    },
    async sent(runId, key, sent) {
      await breathe();
      const known = postsOf(runId).get(key) ?? { key, attempts: 1 };
      postsOf(runId).set(key, { ...known, ...copy(sent), state: 'sent', atMs: clock.nowMs() });
    },
    async all(runId) {
      await breathe();
      return [...postsOf(runId).values()].map(copy);
    },
  };
}

/** Who was told of what in person, in memory. */
export function createMemoryRecipientStore(): RecipientStore {
  const chosen = new Map<string, readonly string[]>();
  return {
    async get(runId, key) {
      await breathe();
      return chosen.get(`${runId} ${key}`);
    },
    async choose(runId, key, people) {
      await breathe();
      const known = chosen.get(`${runId} ${key}`) ?? [...people];
      chosen.set(`${runId} ${key}`, known);
      return known;
    },
  };
}
