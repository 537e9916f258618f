import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { errors } from '../../../src/errors.ts';
import type { QueueBench, Room } from './harness.ts';
import { aborted, openBench, shortLocks, until } from './harness.ts';

const as7 = { runId: 418, unit: 'as7', site: 'lab', generation: 1 };
const AS7_JOB = 'run418-as7-g1';

let bench: QueueBench;
let room: Room;
beforeAll(async () => {
  bench = await openBench();
});
beforeEach(async () => {
  room = await bench.fresh();
});
afterAll(async () => bench.stop());

/** Starts the worker process that hangs in every job, and returns once it has begun one of that kind. */
async function startDoomedWorker(kind: 'unit' | 'sweep'): Promise<{ kill(): Promise<void> }> {
  const script = fileURLToPath(new URL('doomed-worker.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, bench.redis.url, room.tag], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let begun = '';
  child.stdout.on('data', (bytes: Buffer) => (begun += bytes.toString()));
  await until(() => begun.includes(kind));
  return {
    kill: async () => {
      child.kill('SIGKILL');
      await once(child, 'close');
    },
  };
}

describe('workers', () => {
  it('do not run the job of a killed worker again', async () => {
    await room.queue.addUnit(as7);
    const doomed = await startDoomedWorker('unit');
    await doomed.kill();
    const begun: string[] = [];
    await room.work({ unit: async (job) => Promise.resolve(void begun.push(job.unit)) }, { locks: shortLocks });
    await until(async () => (await (await room.job('unit-lab', AS7_JOB))?.getState()) === 'failed');
    await room.queue.addUnit({ ...as7, unit: 'as8' });
    await until(() => begun.length > 0);
    expect(begun).toEqual(['as8']);
  });

  it('abort a job whose lock is gone before anybody else can have it', async () => {
    const reasons: unknown[] = [];
    await room.work(
      {
        unit: async (_job, signal) => {
          await bench.redis.client.del(`${room.tag}:unit-lab:${AS7_JOB}:lock`);
          reasons.push(await aborted(signal));
          throw signal.reason;
        },
      },
      { locks: shortLocks },
    );
    await room.queue.addUnit(as7);
    await until(() => reasons.length === 1);
    expect(reasons[0]).toMatchObject({ code: 'job-lock-lost' });
    expect(room.log).toContain('lock of a running job lost');
  });

  it('abort a job when Redis is silent for longer than a lock lives', async () => {
    const abortedAfterMs: number[] = [];
    await room.work(
      {
        unit: async (_job, signal) => {
          const sinceMs = Date.now();
          await bench.redis.client.call('CLIENT', 'PAUSE', '1500', 'ALL');
          const reason = await aborted(signal);
          abortedAfterMs.push(Date.now() - sinceMs);
          throw reason;
        },
      },
      { locks: shortLocks },
    );
    await room.queue.addUnit(as7);
    await until(() => abortedAfterMs.length === 1);
    expect(abortedAfterMs[0]).toBeLessThan(1_450);
  });

  it('keep the lock of a job that takes longer than a lock lives', async () => {
    // Long enough that a busy machine alone does not lose it.
    const locks = { lockDurationMs: 1_500, stalledIntervalMs: 150 };
    let ended = false;
    await room.work(
      {
        unit: async (_job, signal) => {
          const untilMs = Date.now() + 2 * locks.lockDurationMs;
          await until(() => signal.aborted || Date.now() > untilMs);
          ended = !signal.aborted;
          return undefined;
        },
      },
      { locks },
    );
    await room.queue.addUnit(as7);
    await until(async () => (await (await room.job('unit-lab', AS7_JOB))?.getState()) === 'completed');
    expect(ended).toBe(true);
  });

  it('fail a job with data of an unknown version without handing it on', async () => {
    const begun: unknown[] = [];
    await room.work({ unit: async (job) => Promise.resolve(void begun.push(job)) });
    await room
      .bullmq('unit-lab')
      .add('unit', { v: 2, runId: 418, unit: 'as7', generation: 1 }, { jobId: 'from-later' });
    await until(async () => (await (await room.job('unit-lab', 'from-later'))?.getState()) === 'failed');
    expect(begun).toEqual([]);
  });

  it('leave code and sentence of a failure in the queue, but neither cause nor stack', async () => {
    const cause = new Error('0penBmc-like secret');
    await room.work({
      unit: async () => Promise.reject(errors.sshUnreachable({ host: 'as7', address: '10.0.0.7', cause })),
    });
    await room.queue.addUnit(as7);
    await until(async () => (await (await room.job('unit-lab', AS7_JOB))?.getState()) === 'failed');
    const stored = await bench.redis.client.hgetall(`${room.tag}:unit-lab:${AS7_JOB}`);
    expect(stored['failedReason']).toContain('ssh-unreachable');
    expect(JSON.stringify(stored)).not.toContain('0penBmc-like secret');
    expect((await room.job('unit-lab', AS7_JOB))?.attemptsMade).toBe(1);
  });

  it('bring a job back later when its handler asks for that, without holding a slot', async () => {
    const starts: string[] = [];
    await room.work({
      unit: async (job) => {
        starts.push(job.unit);
        return Promise.resolve(job.unit === 'as7' && starts.length === 1 ? { againInMs: 200 } : undefined);
      },
    });
    await room.queue.addUnit(as7);
    await until(() => starts.length === 1);
    await room.queue.addUnit({ ...as7, unit: 'as8' });
    await until(async () => (await (await room.job('unit-lab', AS7_JOB))?.getState()) === 'completed');
    expect(starts).toEqual(['as7', 'as8', 'as7']);
  });

  it('leave the jobs of other sites alone', async () => {
    const begun: string[] = [];
    await room.work({ unit: async (job) => Promise.resolve(void begun.push(job.unit)) }, { sites: ['lab'] });
    await room.queue.addUnit({ ...as7, unit: 'far', site: 'munich' });
    await room.queue.addUnit(as7);
    await until(() => begun.length > 0);
    expect(begun).toEqual(['as7']);
    expect((await room.bullmq('unit-munich').getJobCounts('wait'))['wait']).toBe(1);
  });

  it('sweep again and again on one schedule, also with two processes and an old schedule left behind', async () => {
    let sweeps = 0;
    await room.bullmq('control').upsertJobScheduler('old-sweep', { every: 50 }, { name: 'sweep' });
    const sweep = async (): Promise<void> => Promise.resolve(void (sweeps += 1));
    await room.work({ sweep });
    await room.work({ sweep });
    await until(() => sweeps >= 2);
    const schedulers = await room.bullmq('control').getJobSchedulers();
    expect(schedulers.map((scheduler) => [scheduler.key, scheduler.every])).toEqual([['sweep', 2_000]]);
  });

  it('go on sweeping when the process that was sweeping is killed', async () => {
    let sweeps = 0;
    const doomed = await startDoomedWorker('sweep');
    await room.work({ sweep: async () => Promise.resolve(void (sweeps += 1)) }, { locks: shortLocks });
    await doomed.kill();
    const before = sweeps;
    await until(() => sweeps >= before + 2);
    expect(sweeps).toBeGreaterThan(before);
  });

  it('let a running job end at shutdown', async () => {
    const events: string[] = [];
    let letGo = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const workers = await room.work({
      unit: async (_job, signal) => {
        events.push('begun');
        await gate;
        events.push(signal.aborted ? 'aborted' : 'ended');
        return undefined;
      },
    });
    await room.queue.addUnit(as7);
    await until(() => events.length === 1);
    const closing = workers.close({ drainMs: 5_000 });
    letGo();
    await closing;
    expect(events).toEqual(['begun', 'ended']);
    expect(await (await room.job('unit-lab', AS7_JOB))?.getState()).toBe('completed');
  });

  it('abort a job that does not end in time at shutdown, and leave even if it ignores that', async () => {
    const reasons: unknown[] = [];
    const workers = await room.work({
      unit: async (_job, signal) => {
        reasons.push(await aborted(signal));
        await new Promise(() => undefined);
        return undefined;
      },
    });
    await room.queue.addUnit(as7);
    await until(async () => (await (await room.job('unit-lab', AS7_JOB))?.getState()) === 'active');
    await workers.close({ drainMs: 50, abortMs: 100 });
    expect(reasons).toEqual([expect.objectContaining({ code: 'worker-stopping' })]);
  });

  it('survive the loss of their connection and go on with what was added meanwhile', async () => {
    const begun: string[] = [];
    await room.work({ unit: async (job) => Promise.resolve(void begun.push(job.unit)) });
    await room.queue.addUnit(as7);
    await until(() => begun.length === 1);
    await bench.redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await until(async () =>
      room.queue.addUnit({ ...as7, unit: 'as8' }).then(
        () => true,
        () => false,
      ),
    );
    await until(() => begun.length === 2);
    expect(begun).toEqual(['as7', 'as8']);
  });
});

describe('a producer', () => {
  it('fails at once while Redis is away, and works again when it is back', async () => {
    bench.wire.cut();
    await until(() => room.producer.client.status !== 'ready');
    const sinceMs = Date.now();
    await expect(room.queue.addUnit(as7)).rejects.toMatchObject({ code: 'store-unavailable' });
    expect(Date.now() - sinceMs).toBeLessThan(2_500);
    bench.wire.mend();
    await until(() => room.producer.client.status === 'ready');
    await room.queue.addUnit(as7);
    expect((await room.bullmq('unit-lab').getJobCounts('wait'))['wait']).toBe(1);
  });
});
