import type { Worker } from 'bullmq';
import type { QueueLogger } from './logger.ts';
import { LOCK_LOST } from './processor.ts';

/**
 * Aborts a job whose BullMQ lock is lost, so that it stops before its next remote write. BullMQ does neither by itself:
 * a refused renewal is only an event, and while Redis is away there is not even that, so the time since the last
 * renewal is watched as well.
 */
export function guardLocks(worker: Worker, lockDurationMs: number, logger: QueueLogger): void {
  const renewedAtMs = new Map<string, number>();
  const lose = (id: string): void => {
    renewedAtMs.delete(id);
    if (worker.cancelJob(id, LOCK_LOST)) logger.error({ queue: worker.name, job: id }, 'lock of a running job lost');
  };
  worker.on('active', (job) => renewedAtMs.set(job.id ?? '', Date.now()));
  worker.on('completed', (job) => renewedAtMs.delete(job.id ?? ''));
  worker.on('failed', (job) => renewedAtMs.delete(job?.id ?? ''));
  worker.on('locksRenewed', ({ jobIds }) => {
    for (const id of jobIds) renewedAtMs.set(id, Date.now());
  });
  worker.on('lockRenewalFailed', (jobIds) => {
    for (const id of jobIds) lose(id);
  });
  // Half a lock is the renewal interval; at 90 % of a lock without one, the job stops while the lock still stands.
  const timer = setInterval(() => {
    for (const [id, atMs] of renewedAtMs) if (Date.now() - atMs > 0.9 * lockDurationMs) lose(id);
  }, lockDurationMs / 20);
  timer.unref();
  worker.on('closed', () => clearInterval(timer));
}
