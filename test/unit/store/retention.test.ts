import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Stores } from '../../../src/store/index.ts';
import { createStores } from '../../../src/store/index.ts';
import type { RedisSpace } from '../../../src/store/redis.ts';
import { connect } from '../../../src/store/redis.ts';
import { createRunStore } from '../../../src/store/runs.ts';
import { ana, samplePlan, sampleRun } from '../../contract/store/samples.ts';
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
  stores = createStores(space, { clock: { nowMs: () => 1 }, logger: silent, firstRunNumber: 10 });
});
afterAll(async () => redis.stop());

async function keysOfRun(id: number): Promise<string[]> {
  const keys = await redis.client.keys(`${space.tag.replaceAll(/[[\]?*]/g, '\\$&')}:*`);
  return keys.filter((key) => key.split(':').includes(String(id)));
}

describe('retention', () => {
  it('removes a run that ended long ago with everything about it, and keeps open and recent ones', async () => {
    const old = await stores.runs.create(sampleRun({ state: 'done', endedAtMs: 2_000 }));
    const open = await stores.runs.create(sampleRun());
    const recent = await stores.runs.create(sampleRun({ state: 'failed', endedAtMs: 9_000 }));
    await stores.runs.savePlan(samplePlan(old.id, 'aa'));
    await stores.journal.append(old.id, '_run', { type: 'approval-expired' });
    await stores.journal.append(old.id, 'as7', { type: 'approval-expired' });
    await stores.outbox.claim(old.id, 'root', 'C0OPS');
    await stores.recipients.choose(old.id, 'request', ['U0BEN']);
    expect(await keysOfRun(old.id)).toHaveLength(6);
    expect(await stores.runs.prune(5_000, 100)).toEqual([old.id]);
    expect(await keysOfRun(old.id)).toEqual([]);
    expect((await stores.runs.recent(10)).map((run) => run.id)).toEqual([recent.id, open.id]);
    expect(await stores.runs.recent(10, { states: ['done'] })).toEqual([]);
    await space.close();
  });

  it('removes no more than asked for in one call and finds the rest behind open runs later', async () => {
    for (let n = 0; n < 260; n += 1)
      await stores.runs.create(n % 3 === 0 ? sampleRun() : sampleRun({ state: 'done', endedAtMs: 2_000 }));
    expect(await stores.runs.prune(5_000, 20)).toHaveLength(20);
    expect(await stores.runs.prune(5_000, 1_000)).toHaveLength(153);
    expect(await stores.runs.recent(1_000)).toHaveLength(87);
    await space.close();
  });

  it('keeps a run that is resumed in the very moment it would be removed', async () => {
    const { id } = await stores.runs.create(sampleRun({ state: 'failed', endedAtMs: 2_000 }));
    const interrupted: RedisSpace = {
      ...space,
      script: async (operation, ...rest) => {
        if (operation === `remove run ${id}`) await stores.runs.update(id, (run) => ({ ...run, state: 'planning' }));
        return space.script(operation, ...rest);
      },
    };
    expect(await createRunStore(interrupted).prune(5_000, 10)).toEqual([]);
    expect(await stores.runs.get(id)).toMatchObject({ id, state: 'planning' });
    await space.close();
  });

  it('gives the number of a removed run to no other run', async () => {
    const old = await stores.runs.create(sampleRun({ state: 'done', endedAtMs: 2_000 }));
    await stores.runs.prune(5_000, 10);
    expect((await stores.runs.create(sampleRun())).id).toBe(old.id + 1);
    await space.close();
  });

  it('says in the audit list how many old records were removed from it', async () => {
    await stores.audit.append({ atMs: 1, actor: ana, action: 'provision' });
    await stores.audit.append({ atMs: 2, actor: ana, action: 'approve' });
    const [time] = await redis.client.time();
    expect(await stores.audit.prune((Number(time) + 3_600) * 1_000, 'w1', 99)).toBe(2);
    expect(await stores.audit.list(10)).toEqual([
      { atMs: 99, actor: { worker: 'w1' }, action: 'audit-pruned', detail: '2 old records' },
    ]);
    expect(await stores.audit.prune(1, 'w1', 100)).toBe(0);
    expect(await stores.audit.list(10)).toHaveLength(1);
    await space.close();
  });

  it('refuses a record that is too large instead of cutting it', async () => {
    const text = 'x'.repeat(1024 * 1024);
    await expect(stores.runs.create({ ...sampleRun(), text })).rejects.toMatchObject({ code: 'bug' });
    const action = 'x'.repeat(17_000);
    await expect(stores.audit.append({ atMs: 1, actor: ana, action })).rejects.toMatchObject({ code: 'bug' });
    await space.close();
  });
});
