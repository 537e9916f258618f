import { setTimeout as pause } from 'node:timers/promises';
import { DelayedError, Queue, Worker } from 'bullmq';
import type { ConnectionOptions } from 'bullmq';
import { guardLocks } from './lock-guard.ts';
import type { QueueLogger } from './logger.ts';
import { logErrors } from './logger.ts';
import { CONTROL_QUEUE, QUEUE_PREFIX, planQueue, unitQueue } from './names.ts';
import type { JobKind } from './processor.ts';
import { processorOf } from './processor.ts';

const SWEEP = 'sweep';
const CLOSE_LIMIT_MS = 5_000;

/** Locks: short enough that a dead worker's job is noticed within a minute. */
export interface LockTimes {
  readonly lockDurationMs: number;
  readonly stalledIntervalMs: number;
}

/** How many jobs one process works on at once, per queue. */
export interface Concurrency {
  readonly control: number;
  readonly plan: number;
  readonly unit: number;
}

export interface WorkersOptions<A, P, U> {
  /** An ioredis client of role `queue` (no limit on retries), used by nothing else. */
  readonly connection: ConnectionOptions;
  /** Sites whose plan and unit queues this process serves. */
  readonly sites: readonly string[];
  readonly jobs: {
    readonly advance: JobKind<A>;
    readonly plan: JobKind<P>;
    readonly unit: JobKind<U>;
    /** Looks for lost adds and dead workers; idempotent, may run on two workers at once. */
    readonly sweep: (signal: AbortSignal) => Promise<void>;
  };
  readonly logger: QueueLogger;
  readonly concurrency?: Concurrency;
  readonly sweepEveryMs?: number;
  readonly locks?: LockTimes;
  readonly prefix?: string;
}

export interface RunningWorkers {
  /**
   * Stops: takes no new jobs, lets running ones end for `drainMs`, then aborts their signals and gives them `abortMs`
   * (default 5 s). The connection belongs to the caller.
   */
  close(options: { readonly drainMs: number; readonly abortMs?: number }): Promise<void>;
}

/** Starts the consumers of this process and the schedule of the sweeper. Returns once all are connected. */
export async function startWorkers<A, P, U>(options: WorkersOptions<A, P, U>): Promise<RunningWorkers> {
  const { jobs, logger } = options;
  const concurrency = options.concurrency ?? { control: 4, plan: 8, unit: 8 };
  const active = new Set<string>();
  let stopping = false;

  function start(name: string, slots: number, run: ReturnType<typeof processorOf>): Worker {
    const locks = options.locks ?? { lockDurationMs: 60_000, stalledIntervalMs: 15_000 };
    const worker = new Worker(
      name,
      // BullMQ passes a signal only to functions that declare three parameters.
      async (job, token, signal) => {
        if (stopping) {
          // Fetched while the process was told to stop: back to the queue, for others.
          await job.moveToDelayed(Date.now() + 1, token);
          throw new DelayedError();
        }
        const id = `${name} ${job.id ?? ''}`;
        active.add(id);
        try {
          await run(job, token, signal);
        } finally {
          active.delete(id);
        }
      },
      {
        connection: options.connection,
        prefix: options.prefix ?? QUEUE_PREFIX,
        concurrency: slots,
        lockDuration: locks.lockDurationMs,
        // Set on every worker: a dead one's longer interval would delay the check of the others.
        stalledInterval: locks.stalledIntervalMs,
        // A job whose worker died is never run again by the queue; the engine decides from the journal.
        maxStalledCount: 0,
      },
    );
    logErrors(worker, name, logger);
    worker.on('stalled', (job) => logger.warn({ queue: name, job }, 'job of a dead worker'));
    guardLocks(worker, locks.lockDurationMs, logger);
    return worker;
  }

  const workers = [
    start(CONTROL_QUEUE, concurrency.control, controlProcessor(options)),
    ...options.sites.flatMap((site) => [
      start(planQueue(site), concurrency.plan, processorOf(jobs.plan, logger)),
      start(unitQueue(site), concurrency.unit, processorOf(jobs.unit, logger)),
    ]),
  ];
  await Promise.all(workers.map(async (worker) => worker.waitUntilReady()));
  await scheduleSweep(options);
  return {
    async close({ drainMs, abortMs = 5_000 }) {
      stopping = true;
      await Promise.all(workers.map(async (worker) => worker.pause(true)));
      await until(() => active.size === 0, drainMs);
      for (const worker of workers) worker.cancelAllJobs('stopping');
      await until(() => active.size === 0, abortMs);
      if (active.size > 0) logger.warn({ jobs: [...active] }, 'jobs left behind at shutdown');
      const closing = Promise.all(workers.map(async (worker) => worker.close(active.size > 0)));
      // While Redis is away BullMQ would wait for it; what is left unsaid then is noticed by expired locks.
      await Promise.race([closing, pause(CLOSE_LIMIT_MS, undefined, { ref: false })]);
    },
  };
}

/** The control queue carries two kinds of jobs, told apart by name. */
function controlProcessor<A, P, U>({ jobs, logger }: WorkersOptions<A, P, U>): ReturnType<typeof processorOf> {
  const advance = processorOf(jobs.advance, logger);
  const sweep = processorOf(
    {
      parse: () => null,
      handle: async (_job, signal) => {
        await jobs.sweep(signal);
        return undefined;
      },
    },
    logger,
  );
  return async (job, token, signal) => (job.name === SWEEP ? sweep : advance)(job, token, signal);
}

/** Sets the sweeper's schedule and removes schedules of older versions, which survive deployments. */
async function scheduleSweep<A, P, U>(options: WorkersOptions<A, P, U>): Promise<void> {
  const queue = new Queue(CONTROL_QUEUE, {
    connection: options.connection,
    prefix: options.prefix ?? QUEUE_PREFIX,
    streams: { events: { maxLen: 1000 } },
  });
  logErrors(queue, CONTROL_QUEUE, options.logger);
  try {
    for (const scheduler of await queue.getJobSchedulers())
      if (scheduler.key !== SWEEP) await queue.removeJobScheduler(scheduler.key);
    await queue.upsertJobScheduler(
      SWEEP,
      { every: options.sweepEveryMs ?? 2_000 },
      { name: SWEEP, data: {}, opts: { attempts: 1, removeOnComplete: true, removeOnFail: { count: 100 } } },
    );
  } finally {
    await queue.close();
  }
}

async function until(done: () => boolean, limitMs: number): Promise<void> {
  const end = Date.now() + limitMs;
  while (!done() && Date.now() < end) await pause(20);
}
