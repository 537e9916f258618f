import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { JobQueue } from '../../../src/domain/ports.ts';
import { createMemoryJobQueue } from '../../support/memory/job-queue.ts';
import type { QueueBench, Room } from './harness.ts';
import { openBench, until } from './harness.ts';

const as7 = { runId: 418, unit: 'as7', site: 'lab', generation: 1 };

/** The queue and what its workers got, in order. `settle` returns when nothing is left that is due. */
interface Subject {
  readonly queue: JobQueue;
  readonly got: string[];
  settle(): Promise<void>;
}

async function redisSubject(room: Room): Promise<Subject> {
  const got: string[] = [];
  const note = (kind: string) => async (job: { runId: number; unit?: string; generation?: number }) => {
    got.push(`${kind} ${[job.runId, job.unit, job.generation].filter((part) => part !== undefined).join(' ')}`);
    return Promise.resolve(undefined);
  };
  await room.work({ advance: note('advance'), plan: note('plan'), unit: note('unit') });
  return {
    queue: room.queue,
    got,
    settle: async () =>
      until(async () => {
        const names = ['plan-lab', 'unit-lab'];
        const counts = await Promise.all(names.map(async (name) => room.bullmq(name).getJobCounts('wait', 'active')));
        // The control queue always has the sweeper on it, so its waiting and running jobs are told by name.
        const control = await room.bullmq('control').getJobs(['wait', 'active']);
        const left = control.filter((job) => job.name === 'advance').length;
        return left === 0 && counts.every((count) => count['wait'] === 0 && count['active'] === 0);
      }),
  };
}

async function memorySubject(): Promise<Subject> {
  const queue = createMemoryJobQueue({ nowMs: () => 1_000 });
  const got: string[] = [];
  return Promise.resolve({
    queue,
    got,
    settle: async () => {
      for (let job = queue.take(); job; job = queue.take())
        got.push(
          job.kind === 'advance' ? `advance ${job.runId}` : `${job.kind} ${job.runId} ${job.unit} ${job.generation}`,
        );
      return Promise.resolve();
    },
  });
}

describe.each(['Redis', 'memory'])('the job queue in %s', (kind) => {
  let bench: QueueBench | undefined;
  let subject: Subject;
  beforeAll(async () => {
    if (kind === 'Redis') bench = await openBench();
  });
  beforeEach(async () => {
    subject = bench ? await redisSubject(await bench.fresh()) : await memorySubject();
  });
  afterAll(async () => bench?.stop());

  it('runs a job once although it was added five times before it ran and again after it had ended', async () => {
    await Promise.all(Array.from({ length: 5 }, async () => subject.queue.addUnit(as7)));
    await subject.settle();
    await subject.queue.addUnit(as7);
    await subject.settle();
    expect(subject.got).toEqual(['unit 418 as7 1']);
  });

  it('runs plan and unit job of the same generation, and the unit job of the next one', async () => {
    await subject.queue.addPlan(as7);
    await subject.queue.addUnit(as7);
    await subject.queue.addUnit({ ...as7, generation: 2 });
    await subject.settle();
    expect(subject.got.toSorted()).toEqual(['plan 418 as7 1', 'unit 418 as7 1', 'unit 418 as7 2']);
  });

  it('runs every advance job that was added for a run', async () => {
    await subject.queue.addAdvance({ runId: 418 });
    await subject.queue.addAdvance({ runId: 418 });
    await subject.settle();
    expect(subject.got).toEqual(['advance 418', 'advance 418']);
  });

  it('keeps a delayed job back', async () => {
    await subject.queue.addUnit({ ...as7, delayMs: 60_000 });
    await subject.queue.addAdvance({ runId: 418, delayMs: 60_000 });
    await subject.queue.addUnit({ ...as7, unit: 'as8' });
    await subject.settle();
    expect(subject.got).toEqual(['unit 418 as8 1']);
  });
});
