import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Stores } from '../../../src/store/index.ts';
import { createStores } from '../../../src/store/index.ts';
import type { RedisSpace } from '../../../src/store/redis.ts';
import { connect } from '../../../src/store/redis.ts';
import { samplePlan, sampleRun } from '../../contract/store/samples.ts';
import type { TestRedis } from '../../support/redis.ts';
import { startRedis } from '../../support/redis.ts';
import { silent } from './rig.ts';

let redis: TestRedis;
let space: RedisSpace;
let stores: Stores;
beforeAll(async () => {
  redis = await startRedis();
});
beforeEach(async () => {
  space = await connect(redis.url, 'worker', { logger: silent, tag: redis.newTag() });
  stores = createStores(space, { clock: { nowMs: () => 1 }, logger: silent });
});
afterAll(async () => redis.stop());

const half = '{"type":"done","step":"identify-card"';

/** Each: what is damaged, how, and which read meets it. */
const damages: readonly [string, (s: RedisSpace) => Promise<unknown>, (s: Stores) => Promise<unknown>][] = [
  ['a run cut in half', async (s) => s.client.hset(s.key('run', 1), 'json', '{"id":1,'), async (s) => s.runs.get(1)],
  [
    'a run in a state nobody knows',
    async (s) =>
      s.client.hset(s.key('run', 1), 'json', JSON.stringify({ ...sampleRun(), id: 1, version: 1, state: 'x' })),
    async (s) => s.runs.update(1, (run) => run),
  ],
  [
    'a run filed under the number of another one',
    async (s) => s.client.hset(s.key('run', 1), 'json', JSON.stringify({ ...sampleRun(), id: 2, version: 1 })),
    async (s) => s.runs.get(1),
  ],
  [
    'a run whose version differs from its record',
    async (s) => s.client.hset(s.key('run', 1), 'version', '7'),
    async (s) => s.runs.recent(5),
  ],
  [
    'a plan without steps',
    async (s) =>
      s.client.hset(s.key('plans', 1), 'as7 aa', JSON.stringify({ ...samplePlan(1, 'aa'), steps: undefined })),
    async (s) => s.runs.plan(1, 'as7', 'aa'),
  ],
  [
    'a journal entry cut in half',
    async (s) => s.client.xadd(s.key('journal', 1, 'as7'), '*', 'event', half),
    async (s) => s.journal.read(1, 'as7'),
  ],
  [
    'a journal entry of an unknown type',
    async (s) => s.client.xadd(s.key('journal', 1, 'as7'), '*', 'event', '{"type":"toString"}'),
    async (s) => s.journal.read(1, 'as7'),
  ],
  [
    'a journal entry without a field of its type',
    async (s) => s.client.xadd(s.key('journal', 1, 'as7'), '*', 'event', `${half}}`),
    async (s) => s.journal.read(1, 'as7'),
  ],
  [
    'a sign of life that is a number',
    async (s) => s.client.hset(s.key('progress', 1), 'as7', '5'),
    async (s) => s.progress.get(1, 'as7'),
  ],
  ['a hold without a run', async (s) => s.client.hset(s.key('holds'), 'as7', '{}'), async (s) => s.holds.all()],
  ['a halt without a reason', async (s) => s.client.set(s.key('halt'), '{"by":"ana"}'), async (s) => s.halt.get()],
  [
    'an audit record without an actor',
    async (s) => s.client.xadd(s.key('audit'), '*', 'record', '{"atMs":1,"action":"run"}'),
    async (s) => s.audit.list(5),
  ],
  [
    'a pin that is a list',
    async (s) => s.client.hset(s.key('pins', 'ssh-host-key'), 'as7', '[]'),
    async (s) => s.pins.get('ssh-host-key', 'as7'),
  ],
  [
    'a card record of an origin nobody knows',
    async (s) => s.client.hset(s.key('card-records'), 'MT1', '{"origin":"found","runId":1,"atMs":1}'),
    async (s) => s.records.get('MT1'),
  ],
  [
    'a card record whose image has no checksum',
    async (s) =>
      s.client.hset(
        s.key('card-records'),
        'MT1',
        JSON.stringify({ origin: 'flashed', image: { name: 'bf-2.9.2' }, runId: 1, atMs: 1 }),
      ),
    async (s) => s.records.get('MT1'),
  ],
  [
    'a post that was sent to nowhere',
    async (s) => s.client.hset(s.key('outbox', 1), 'root', '{"key":"root","state":"sent"}'),
    async (s) => s.outbox.all(1),
  ],
];

describe('a damaged record', () => {
  it.each(damages)('is an error and never a default: %s', async (_name, damage, read) => {
    await stores.runs.create(sampleRun());
    await damage(space);
    await expect(read(stores)).rejects.toMatchObject({ code: 'store-corrupt' });
    await space.close();
  });

  it('is not overwritten by an update', async () => {
    await stores.runs.create(sampleRun());
    await space.client.hset(space.key('run', 1), 'json', '{"id":1,');
    await expect(stores.runs.update(1, (run) => run)).rejects.toMatchObject({ code: 'store-corrupt' });
    expect(await space.client.hget(space.key('run', 1), 'json')).toBe('{"id":1,');
    await space.close();
  });
});
