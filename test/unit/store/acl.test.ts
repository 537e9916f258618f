import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createJobQueue } from '../../../src/queue/job-queue.ts';
import { startWorkers } from '../../../src/queue/workers.ts';
import { checkRedis } from '../../../src/store/check-redis.ts';
import { createStores } from '../../../src/store/index.ts';
import { createLoginBudget } from '../../../src/store/login-budget.ts';
import { ana, samplePlan, sampleRun } from '../../contract/store/samples.ts';
import type { TestRedis } from '../../support/redis.ts';
import { startRedis } from '../../support/redis.ts';
import { connectAs, silent } from './rig.ts';

/** The rules that the production notes give to bot and worker: keys and channels of the one tag, nothing dangerous. */
const rules = (tag: string): readonly string[] => [
  `~${tag}:*`,
  `&${tag}:*`,
  '+@all',
  '-@admin',
  '-@dangerous',
  '+info',
];

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => redis.stop());

describe('a Redis user who may touch only keys and channels of the hash tag', () => {
  it('can use every store', async () => {
    const user = await connectAs(redis, rules);
    const { space } = user;
    const clock = { nowMs: () => Date.now() };
    const stores = createStores(space, { clock, logger: silent });
    const budget = createLoginBudget(space);
    const heard: number[] = [];
    await checkRedis(space);
    const leave = await stores.notifier.subscribe((id) => heard.push(id));
    const run = await stores.runs.create(sampleRun());
    await stores.runs.update(run.id, (record) => ({ ...record, state: 'done', endedAtMs: 2 }));
    await stores.runs.savePlan(samplePlan(run.id, 'aa'));
    await stores.journal.append(run.id, 'as7', { type: 'approval-expired' });
    await stores.progress.get(run.id, 'as7');
    const lease = await stores.leases.acquire(['as7'], { workerId: 'w1', incarnation: 1, runId: run.id }, 1_000);
    if (lease.ok) await stores.leases.renew(lease.lease, 1_000);
    if (lease.ok) await stores.leases.release(lease.lease);
    await stores.holds.take(['as7'], run.id, 'ana', 1);
    await stores.holds.clear('as7');
    await stores.locks.set(['as7'], { by: ana, reason: 'cable', sinceMs: 1 });
    await stores.locks.clear('as7');
    await stores.halt.set({ by: 'ana', reason: 'x', sinceMs: 1 });
    await stores.halt.clear();
    await stores.audit.append({ atMs: 1, actor: ana, action: 'provision' });
    await stores.audit.prune(1, 'w1', 2);
    await stores.pins.set('ssh-host-key', 'as7', 'SHA256:x', run.id);
    await stores.records.put('MT1', { origin: 'factory', runId: run.id, atMs: 1 });
    await stores.records.get('MT1');
    await stores.incarnations.next('w1');
    await stores.dedupe.firstTime('Ev1', 1_000);
    await stores.dedupe.forget('Ev1');
    await stores.outbox.holdPublisher('T1', 'a', 1_000);
    await stores.outbox.releasePublisher('T1', 'a');
    await stores.outbox.claim(run.id, 'root', 'C1');
    await stores.outbox.sent(run.id, 'root', { channel: 'C1', ts: '1.1' });
    await budget.take('as7', 1_000);
    await budget.giveBack('as7');
    await budget.exhaust('as7', 1_000);
    await stores.notifier.changed(run.id);
    await expect.poll(() => heard).toEqual([run.id]);
    expect(await stores.runs.prune(5, 10)).toEqual([run.id]);
    await leave();
    await user.remove();
  });

  it('can add jobs and work on them', async () => {
    const user = await connectAs(redis, rules);
    const { space } = user;
    const blocking = await space.open('queue');
    const done: string[] = [];
    const note = (kind: string) => ({
      parse: () => kind,
      handle: async () => Promise.resolve(void done.push(kind)),
    });
    const problems: unknown[] = [];
    const logger = { ...silent, warn: (fields: unknown) => void problems.push(fields) };
    const queue = createJobQueue({ connection: space.client, logger, prefix: space.tag });
    const workers = await startWorkers({
      connection: blocking.client,
      prefix: space.tag,
      sites: ['lab'],
      logger,
      jobs: { advance: note('advance'), plan: note('plan'), unit: note('unit'), sweep: async () => Promise.resolve() },
    });
    const job = { runId: 1, unit: 'as7', site: 'lab', generation: 1 };
    await Promise.all([queue.addAdvance({ runId: 1 }), queue.addPlan(job), queue.addUnit(job)]);
    await expect.poll(() => done.toSorted()).toEqual(['advance', 'plan', 'unit']);
    await workers.close({ drainMs: 1_000 });
    await queue.close();
    await blocking.close();
    await user.remove();
    expect(problems).toEqual([]);
  });
});
