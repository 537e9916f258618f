import type { EventEmitter } from 'node:events';

/** What the queue logs with; pino fits. The message is constant, what varies is in the fields. */
export interface QueueLogger {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
  error(fields: Readonly<Record<string, unknown>>, message: string): void;
}

const REPEAT_AFTER_MS = 30_000;

/**
 * Logs the `error` events of a BullMQ object, which would end the process if nobody listened. While Redis is away the
 * same one comes several times a second; it is logged once in 30 s.
 */
export function logErrors(emitter: EventEmitter, queue: string, logger: QueueLogger): void {
  const loggedAtMs = new Map<string, number>();
  emitter.on('error', (error: Error) => {
    const nowMs = Date.now();
    for (const [known, atMs] of loggedAtMs) if (nowMs - atMs >= REPEAT_AFTER_MS) loggedAtMs.delete(known);
    if (loggedAtMs.has(error.message)) return;
    loggedAtMs.set(error.message, nowMs);
    logger.warn({ queue, problem: error.message }, 'queue error');
  });
}
