import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkRedis, parseInfo } from '../../../src/store/check-redis.ts';
import { createJournal } from '../../../src/store/journal.ts';
import type { RedisSpace } from '../../../src/store/redis.ts';
import { connect, lua } from '../../../src/store/redis.ts';
import { createRunStore } from '../../../src/store/runs.ts';
import { sampleRun } from '../../contract/store/samples.ts';
import type { TestRedis } from '../../support/redis.ts';
import { startRedis } from '../../support/redis.ts';
import type { Wire } from '../../support/redis-wire.ts';
import { openWire } from '../../support/redis-wire.ts';
import { connectAs, silent } from './rig.ts';

let redis: TestRedis;
let wire: Wire;
beforeAll(async () => {
  redis = await startRedis();
  wire = await openWire(redis);
});
afterAll(async () => {
  await wire.stop();
  await redis.stop();
});

/** A stand-in for a Redis that answers INFO and CONFIG GET with these texts. */
function answering(info: string, config: Readonly<Record<string, string>> = {}): RedisSpace {
  const client = {
    info: async () => Promise.resolve(info),
    config: async (_get: string, name: string) => Promise.resolve(name in config ? [name, config[name]] : []),
  };
  return { call: async (_operation: string, fn: (c: unknown) => unknown) => fn(client) } as unknown as RedisSpace;
}

describe('connecting', () => {
  it('gives up with store-unavailable when nothing answers within the start limit', async () => {
    const connecting = connect('/nonexistent/redis.sock', 'bot', { logger: silent, startTimeoutMs: 100 });
    await expect(connecting).rejects.toMatchObject({ code: 'store-unavailable' });
  });

  it('puts every key under the one hash tag', async () => {
    const space = await connect(redis.url, 'bot', { logger: silent });
    expect(space.key('run', 418)).toBe('{dpu}:run:418');
    await space.close();
  });
});

describe('a connection that breaks', () => {
  it('makes the bot answer store-unavailable within its 3 s, and heals by itself', async () => {
    const space = await connect(wire.url, 'bot', { logger: silent, tag: redis.newTag() });
    wire.cut();
    const sinceMs = Date.now();
    await expect(space.call('look', async (client) => client.get(space.key('x')))).rejects.toMatchObject({
      code: 'store-unavailable',
      failure: { what: 'Redis did not answer while trying to look.', kind: 'transient' },
    });
    expect(Date.now() - sinceMs).toBeLessThan(2_500);
    wire.mend();
    await expect.poll(() => space.client.status, { timeout: 5_000 }).toBe('ready');
    expect(await space.call('look', async (client) => client.get(space.key('x')))).toBeNull();
    await space.close();
  });

  it('lets a worker wait out a short fail-over', async () => {
    const space = await connect(wire.url, 'worker', { logger: silent, tag: redis.newTag() });
    wire.cut();
    await expect.poll(() => space.client.status).not.toBe('ready');
    const waiting = space.call('look', async (client) => client.get(space.key('x')));
    wire.mend();
    expect(await waiting).toBeNull();
    await space.close();
  });

  it('appends a journal entry whose reply was lost once and not twice, and says that the outcome is unknown', async () => {
    const tag = redis.newTag();
    const space = await connect(wire.url, 'worker', { logger: silent, tag });
    const journal = createJournal(space);
    await journal.append(1, 'as7', { type: 'approval-expired' });
    wire.loseNextReply();
    const lost = journal.append(1, 'as7', { type: 'paused', reason: 'test' });
    await expect(lost).rejects.toMatchObject({ code: 'store-unavailable' });
    const entries = await journal.read(1, 'as7');
    expect(entries.map((entry) => entry.event.type)).toEqual(['approval-expired', 'paused']);
    await space.close();
  });

  it('never gives a run number twice when a reply was lost', async () => {
    const space = await connect(wire.url, 'worker', { logger: silent, tag: redis.newTag() });
    const runs = createRunStore(space, { firstNumber: 418 });
    const first = await runs.create(sampleRun());
    wire.loseNextReply();
    await expect(runs.create(sampleRun())).rejects.toMatchObject({ code: 'store-unavailable' });
    const next = await runs.create(sampleRun());
    expect([first.id, next.id]).toEqual([418, 420]);
    await space.close();
  });
});

describe('a Lua script', () => {
  it('is sent again in full when Redis has forgotten it', async () => {
    const space = await connect(redis.url, 'worker', { logger: silent, tag: redis.newTag() });
    const script = lua(`return ARGV[1] .. '${space.tag}'`);
    expect(await space.script('try', script, [], ['a'])).toBe(`a${space.tag}`);
    expect(await space.script('try', script, [], ['b'])).toBe(`b${space.tag}`);
    await space.close();
  });

  it('reports a fault of its own as what it is, not as an outage', async () => {
    const space = await connect(redis.url, 'worker', { logger: silent, tag: redis.newTag() });
    const broken = space.script('try', lua('return redis.call("NOSUCH")'), [], []);
    await expect(broken).rejects.toMatchObject({ name: 'ReplyError' });
    await space.close();
  });
});

describe('the check at start', () => {
  it('accepts a Redis that keeps everything', async () => {
    const space = await connect(redis.url, 'worker', { logger: silent });
    expect(await checkRedis(space)).toMatchObject({ maxmemoryPolicy: 'noeviction' });
    await space.close();
  });

  it('accepts it also when the ACL forbids CONFIG', async () => {
    const user = await connectAs(redis, () => ['~*', '+@all', '-config']);
    expect(await checkRedis(user.space)).toMatchObject({ maxmemoryPolicy: 'noeviction', appendFsync: undefined });
    await user.remove();
  });

  it('asks CONFIG where INFO does not tell the policy', async () => {
    const space = answering('redis_version:7.2.4\r\naof_enabled:1\r\n', {
      'maxmemory-policy': 'noeviction',
      appendfsync: 'always',
    });
    expect(await checkRedis(space)).toEqual({
      version: '7.2.4',
      maxmemoryPolicy: 'noeviction',
      appendOnly: true,
      appendFsync: 'always',
    });
  });

  it.each([
    ['an evicting policy', 'redis_version:7.0.15\r\nmaxmemory_policy:allkeys-lru\r\n', /allkeys-lru/],
    ['a version before 6.2', 'redis_version:6.0.16\r\nmaxmemory_policy:noeviction\r\n', /6\.0\.16/],
    ['a server that hides its version', 'maxmemory_policy:noeviction\r\n', /version/],
    ['a policy nobody tells', 'redis_version:7.0.15\r\n', /maxmemory-policy/],
  ])('refuses %s', async (_situation, info, why) => {
    await expect(checkRedis(answering(info))).rejects.toMatchObject({
      code: 'redis-unfit',
      failure: { why: expect.stringMatching(why) },
    });
  });

  it('reads INFO with headings, empty lines and values that contain colons', () => {
    const fields = parseInfo('# Server\r\nredis_version:7.0.15\r\n\r\n# X\r\nos:Linux 6.1: x86\r\n');
    expect([...fields]).toEqual([
      ['redis_version', '7.0.15'],
      ['os', 'Linux 6.1: x86'],
    ]);
  });
});
