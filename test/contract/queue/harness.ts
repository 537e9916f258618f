import { setTimeout as pause } from 'node:timers/promises';
import { Queue } from 'bullmq';
import type { Job } from 'bullmq';
import { z } from 'zod';
import { createJobQueue } from '../../../src/queue/job-queue.ts';
import type { ClosableJobQueue } from '../../../src/queue/job-queue.ts';
import type { JobKind, JobResult } from '../../../src/queue/processor.ts';
import type { RunningWorkers, WorkersOptions } from '../../../src/queue/workers.ts';
import { startWorkers } from '../../../src/queue/workers.ts';
import type { RedisSpace } from '../../../src/store/redis.ts';
import { connect } from '../../../src/store/redis.ts';
import type { Wire } from '../../support/redis-wire.ts';
import { openWire } from '../../support/redis-wire.ts';
import type { TestRedis } from '../../support/redis.ts';
import { startRedis } from '../../support/redis.ts';

/** Locks short enough to be lost within a test. */
export const shortLocks = { lockDurationMs: 600, stalledIntervalMs: 150 };

const Advance = z.strictObject({ v: z.literal(1), runId: z.int() });
const Unit = z.strictObject({ v: z.literal(1), runId: z.int(), unit: z.string(), generation: z.int() });
export type UnitData = z.infer<typeof Unit>;
type Handle<T> = (job: T, signal: AbortSignal) => Promise<JobResult>;

export interface Handlers {
  readonly advance?: Handle<z.infer<typeof Advance>>;
  readonly plan?: Handle<UnitData>;
  readonly unit?: Handle<UnitData>;
  readonly sweep?: (signal: AbortSignal) => Promise<void>;
}

const nothing = async (): Promise<undefined> => Promise.resolve(undefined);

/** What `startWorkers` is told about jobs, with handlers that do nothing where the test gives none. */
export function jobsOf(handlers: Handlers): WorkersOptions<z.infer<typeof Advance>, UnitData, UnitData>['jobs'] {
  const unitKind = (handle: Handle<UnitData>): JobKind<UnitData> => ({ parse: (data) => Unit.parse(data), handle });
  return {
    advance: { parse: (data) => Advance.parse(data), handle: handlers.advance ?? nothing },
    plan: unitKind(handlers.plan ?? nothing),
    unit: unitKind(handlers.unit ?? nothing),
    sweep: handlers.sweep ?? nothing,
  };
}

/** One Redis for a test file; each `fresh` has keys, producers and workers of its own. */
export interface QueueBench {
  /** What producers go through; can be cut. */
  readonly wire: Wire;
  readonly redis: TestRedis;
  fresh(): Promise<Room>;
  stop(): Promise<void>;
}

export interface Room {
  readonly tag: string;
  readonly producer: RedisSpace;
  readonly queue: ClosableJobQueue;
  readonly log: string[];
  work(handlers: Handlers, over?: { locks?: typeof shortLocks; sites?: string[] }): Promise<RunningWorkers>;
  /** The job as BullMQ has it. */
  job(queue: string, id: string): Promise<Job | undefined>;
  bullmq(queue: string): Queue;
}

export async function openBench(): Promise<QueueBench> {
  const redis = await startRedis({ alone: true });
  const wire = await openWire(redis);
  const closing: (() => Promise<void>)[] = [];
  return {
    redis,
    wire,
    async fresh() {
      const tag = redis.newTag();
      const log: string[] = [];
      const write = (_fields: unknown, message: string): number => log.push(message);
      const logger = { info: write, warn: write, error: write };
      const producer = await connect(wire.url, 'bot', { logger, tag });
      const queue = createJobQueue({ connection: producer.client, logger, prefix: tag });
      closing.push(async () => {
        await queue.close().catch(() => undefined);
        await producer.close();
      });
      const looking = new Map<string, Queue>();
      const bullmq = (name: string): Queue => {
        const known = looking.get(name) ?? new Queue(name, { connection: redis.client, prefix: tag });
        looking.set(name, known);
        return known;
      };
      return {
        tag,
        producer,
        queue,
        log,
        bullmq,
        job: async (name, id) => bullmq(name).getJob(id),
        async work(handlers, over) {
          const space = await connect(redis.url, 'queue', { logger, tag });
          const workers = await startWorkers({
            connection: space.client,
            prefix: tag,
            sites: over?.sites ?? ['lab'],
            jobs: jobsOf(handlers),
            logger,
            ...(over?.locks && { locks: over.locks }),
          });
          let closed = false;
          const close: RunningWorkers['close'] = async (options) => {
            if (closed) return;
            closed = true;
            await workers.close(options);
            await space.close();
          };
          closing.unshift(async () => close({ drainMs: 0, abortMs: 500 }));
          return { close };
        },
      };
    },
    async stop() {
      for (const close of closing) await close();
      await wire.stop();
      await redis.stop();
    },
  };
}

/** Waits until something is so, at most 10 s. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > deadlineMs) throw new Error('it did not become so within 10 s');
    await pause(10);
  }
}

/** Resolves when the signal aborts, with the reason. */
export async function aborted(signal: AbortSignal): Promise<unknown> {
  if (!signal.aborted)
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve, { once: true });
    });
  return signal.reason;
}
