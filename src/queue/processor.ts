import { DelayedError, UnrecoverableError } from 'bullmq';
import type { Job } from 'bullmq';
import { errors, failureOf } from '../errors.ts';
import type { QueueLogger } from './logger.ts';

/** What a handler may answer: nothing = finished; `againInMs` = the same job comes back later without a worker slot. */
export type JobResult = undefined | { readonly againInMs: number };

/** One kind of job: how its data is checked and what is done. The signal aborts on loss of the lock and on shutdown. */
export interface JobKind<T> {
  readonly parse: (data: unknown) => T;
  readonly handle: (job: T, signal: AbortSignal) => Promise<JobResult>;
}

/**
 * Makes the function that BullMQ calls. Three formal parameters, or BullMQ passes no signal. Data of an unknown version
 * or shape ends the job without a retry. What reaches BullMQ of an error is code and sentence, never the error itself:
 * BullMQ stores it in clear text.
 */
export function processorOf<T>(
  kind: JobKind<T>,
  logger: QueueLogger,
): (job: Job, token: string | undefined, signal: AbortSignal | undefined) => Promise<void> {
  return async function process(job, token, signal): Promise<void> {
    let result: JobResult;
    try {
      result = await kind.handle(parseData(kind, job), withReason(signal));
    } catch (error) {
      const failure = failureOf(error);
      logger.error({ queue: job.queueName, job: job.id, code: failure.code, why: failure.why }, 'job failed');
      throw new UnrecoverableError(`${failure.code}: ${failure.what}`);
    }
    if (result === undefined) return;
    await job.moveToDelayed(Date.now() + Math.max(1, Math.ceil(result.againInMs)), token);
    throw new DelayedError();
  };
}

function parseData<T>(kind: JobKind<T>, job: Job): T {
  try {
    return kind.parse(job.data);
  } catch {
    throw errors.bug({ detail: `job ${job.id ?? ''} of queue ${job.queueName} has data this worker does not know` });
  }
}

/** BullMQ aborts with a text; handlers get an error of the catalogue as the reason. */
function withReason(signal: AbortSignal | undefined): AbortSignal {
  const controller = new AbortController();
  if (signal === undefined) throw errors.bug({ detail: 'BullMQ passed no signal to the processor' });
  const abort = (): void =>
    controller.abort(signal.reason === LOCK_LOST ? errors.jobLockLost() : errors.workerStopping());
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return controller.signal;
}

/** Reason given to BullMQ's cancel when a lock could not be renewed. */
export const LOCK_LOST = 'lock-lost';
