import { Queue } from 'bullmq';
import type { ConnectionOptions, JobsOptions } from 'bullmq';
import type { JobQueue } from '../domain/ports.ts';
import { errors } from '../errors.ts';
import type { QueueLogger } from './logger.ts';
import { logErrors } from './logger.ts';
import { CONTROL_QUEUE, QUEUE_PREFIX, planJobId, planQueue, unitJobId, unitQueue } from './names.ts';

/** The payload version that producers write; workers refuse one they do not know. */
const PAYLOAD_VERSION = 1;

/** A finished job is kept so long that its id cannot be added a second time. */
const KEEP_FINISHED_S = 7 * 24 * 3600;
const JOB_MAX_BYTES = 4096;
/** A connection without limits of its own must not make an add wait forever. */
const ADD_TIMEOUT_MS = 10_000;

const once: JobsOptions = {
  attempts: 1,
  sizeLimit: JOB_MAX_BYTES,
  removeOnComplete: { age: KEEP_FINISHED_S },
  removeOnFail: { age: KEEP_FINISHED_S },
};
const passing: JobsOptions = {
  attempts: 1,
  sizeLimit: JOB_MAX_BYTES,
  removeOnComplete: true,
  removeOnFail: { age: 24 * 3600, count: 1000 },
};

/** Adds jobs. `close` ends BullMQ's part; the connection belongs to the caller. */
export interface ClosableJobQueue extends JobQueue {
  close(): Promise<void>;
}

/**
 * The producers' side. `connection` is an ioredis client that fails fast (the bot's) or any other one; an add that did
 * not get through is `store-unavailable`, and the sweeper repeats it.
 */
export function createJobQueue(options: {
  readonly connection: ConnectionOptions;
  readonly logger: QueueLogger;
  readonly prefix?: string;
}): ClosableJobQueue {
  const queues = new Map<string, Queue>();

  function queue(name: string): Queue {
    const known = queues.get(name);
    if (known) return known;
    const made = new Queue(name, {
      connection: options.connection,
      prefix: options.prefix ?? QUEUE_PREFIX,
      skipWaitingForReady: true,
      // Nobody reads the event stream; the journal is the truth.
      streams: { events: { maxLen: 1000 } },
    });
    logErrors(made, name, options.logger);
    queues.set(name, made);
    return made;
  }

  async function add(name: string, kind: string, data: object, jobOptions: JobsOptions): Promise<void> {
    try {
      await withLimit(queue(name).add(kind, { v: PAYLOAD_VERSION, ...data }, jobOptions));
    } catch (error) {
      // A BullMQ queue whose first connection failed stays broken: the next add starts with a fresh one.
      const broken = queues.get(name);
      queues.delete(name);
      broken?.close().catch(() => undefined);
      throw errors.storeUnavailable({ operation: `queue the ${kind} job`, cause: error });
    }
  }

  return {
    async addPlan({ runId, unit, site, generation }) {
      const jobId = planJobId(runId, unit, generation);
      await add(planQueue(site), 'plan', { runId, unit, generation }, { ...once, jobId });
    },
    async addUnit({ runId, unit, site, generation, delayMs }) {
      const jobId = unitJobId(runId, unit, generation);
      await add(unitQueue(site), 'unit', { runId, unit, generation }, { ...once, jobId, ...delayOf(delayMs) });
    },
    async addAdvance({ runId, delayMs }) {
      await add(CONTROL_QUEUE, 'advance', { runId }, { ...passing, ...delayOf(delayMs) });
    },
    async close() {
      await Promise.all([...queues.values()].map(async (made) => made.close()));
    },
  };
}

function delayOf(delayMs: number | undefined): JobsOptions {
  return delayMs === undefined || delayMs <= 0 ? {} : { delay: Math.ceil(delayMs) };
}

/** An add that comes through later does no harm: its id is fixed, or it only asks to look. */
async function withLimit(adding: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ADD_TIMEOUT_MS / 1000} s`)), ADD_TIMEOUT_MS);
  });
  try {
    await Promise.race([adding, limit]);
  } finally {
    clearTimeout(timer);
  }
}
