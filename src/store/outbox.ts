import type { OutboxPost, OutboxStore } from '../domain/ports.ts';
import { isObject, readRecord } from './record.ts';
import type { RedisSpace } from './redis.ts';
import { lua } from './redis.ts';

const holdPublisher = lua(`
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`);

const releasePublisher = lua(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`);

const claimPost = lua(`
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 1 then return '' end
return redis.call('HGET', KEYS[1], ARGV[1])`);

/** Replaces a post only when it is still what the caller read. */
const replacePost = lua(`
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1`);

/** What the publisher of chat messages remembers: one lease per workspace, one hash of posts per run. */
export function createOutboxStore(space: RedisSpace, clock: { nowMs(): number }): OutboxStore {
  const leaseKey = (workspace: string): string => space.key('publisher', workspace);
  const postsKey = (runId: number): string => space.key('outbox', runId);

  async function read(runId: number, key: string): Promise<{ json: string; post: OutboxPost } | undefined> {
    const json = await space.call(`read a post of run ${runId}`, async (redis) => redis.hget(postsKey(runId), key));
    return json === null ? undefined : { json, post: readRecord(postsKey(runId), json, isPost) };
  }

  /** Compare-and-set: two publishers during a hand-over must not undo each other's knowledge. */
  async function change(
    runId: number,
    key: string,
    next: (post: OutboxPost) => OutboxPost,
  ): Promise<OutboxPost | undefined> {
    for (;;) {
      const before = await read(runId, key);
      if (before === undefined) return undefined;
      const after = next(before.post);
      const args = [key, before.json, JSON.stringify(after)];
      if ((await space.script(`note a post of run ${runId}`, replacePost, [postsKey(runId)], args)) === 1) return after;
    }
  }

  return {
    holdPublisher: async (workspace, token, ttlMs) =>
      (await space.script('hold the publisher lease', holdPublisher, [leaseKey(workspace)], [token, ttlMs])) === 1,
    async releasePublisher(workspace, token) {
      await space.script('release the publisher lease', releasePublisher, [leaseKey(workspace)], [token]);
    },
    async claim(runId, key, channel) {
      const post: OutboxPost = { key, state: 'sending', channel, attempts: 1, atMs: clock.nowMs() };
      const args = [key, JSON.stringify(post)];
      const existing = await space.script(`claim a post of run ${runId}`, claimPost, [postsKey(runId)], args);
      if (existing === '') return { claimed: true, post };
      return { claimed: false, post: readRecord(postsKey(runId), String(existing), isPost) };
    },
    again: async (runId, key) =>
      change(runId, key, (post) =>
        post.state === 'sent' ? post : { ...post, attempts: post.attempts + 1, atMs: clock.nowMs() },
      ),
    async noteFile(runId, key, fileId) {
      await change(runId, key, (post) => ({ ...post, fileId }));
    },
    async sent(runId, key, sent) {
      const noted = await change(runId, key, (post) => ({ ...post, ...sent, state: 'sent', atMs: clock.nowMs() }));
      if (noted !== undefined) return;
      const post: OutboxPost = { key, state: 'sent', ...sent, attempts: 1, atMs: clock.nowMs() };
      await space.call(`note a post of run ${runId}`, async (redis) =>
        redis.hset(postsKey(runId), key, JSON.stringify(post)),
      );
    },
    async all(runId) {
      const posts = await space.call(`read the posts of run ${runId}`, async (redis) => redis.hgetall(postsKey(runId)));
      return Object.values(posts).map((json) => readRecord(postsKey(runId), json, isPost));
    },
  };
}

function isPost(value: unknown): value is OutboxPost {
  return (
    isObject(value) &&
    typeof value['key'] === 'string' &&
    typeof value['channel'] === 'string' &&
    typeof value['attempts'] === 'number' &&
    typeof value['atMs'] === 'number' &&
    (value['fileId'] === undefined || typeof value['fileId'] === 'string') &&
    (value['state'] === 'sending' || (value['state'] === 'sent' && typeof value['ts'] === 'string'))
  );
}
