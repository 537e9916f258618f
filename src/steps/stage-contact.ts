import type { ApplyContext } from '../domain/step.ts';
import { OpsError } from '../errors.ts';

/** How long a host may be out of reach while it works by itself. */
const silenceLimitMs = 300_000;
const againAfterMs = 5_000;

/**
 * Looks, and looks again when the link to the host is down: what goes on there does not depend on it. After five minutes
 * without an answer the error stands.
 */
export async function lookUntilSeen<T>(context: ApplyContext, look: () => Promise<T>): Promise<T> {
  const startMs = context.clock.nowMs();
  const limitMs = context.clock.deadlineMs(silenceLimitMs);
  for (;;) {
    try {
      return await look();
    } catch (error) {
      context.signal.throwIfAborted();
      if (!isTransient(error) || context.clock.nowMs() - startMs >= limitMs) throw error;
      const text = `${context.host.name} does not answer; trying again`;
      await context.progress({ text, sinceMs: startMs, limitMs });
    }
    await context.clock.poll(againAfterMs, context.signal);
  }
}

/** Worth another try. */
export function isTransient(error: unknown): error is OpsError {
  return error instanceof OpsError && error.failure.kind === 'transient';
}
