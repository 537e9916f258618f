import type { CallOptions } from '../domain/device-ports.ts';

/** What the parts of one call share: a signal that fires on abort and on time-out, carrying the error to throw. */
export interface Call {
  readonly signal: AbortSignal;
  /** Wall milliseconds left, never negative. */
  remainingMs(): number;
}

/** Fields of a log line plus a constant message, as pino takes them. */
export interface TransportLog {
  debug(fields: object, message: string): void;
}

/** Node fires a longer timer at once. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * Runs `work` under the limit of one call. When the caller aborts, the call fails with the caller's own reason; when
 * `timeoutMs` has passed, with `onTimeout()`. The timer and the listener never outlive the call.
 */
export async function withCall<T>(
  options: Pick<CallOptions, 'timeoutMs' | 'signal'>,
  onTimeout: () => Error,
  work: (call: Call) => Promise<T>,
): Promise<T> {
  options.signal?.throwIfAborted();
  const controller = new AbortController();
  const endsAtMs = performance.now() + options.timeoutMs;
  const timer = setTimeout(() => controller.abort(onTimeout()), Math.min(options.timeoutMs, longestTimerMs));
  const abort = (): void => controller.abort(options.signal?.reason);
  options.signal?.addEventListener('abort', abort, { once: true });
  try {
    return await work({
      signal: controller.signal,
      remainingMs: () => Math.max(0, endsAtMs - performance.now()),
    });
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', abort);
  }
}

/** The promise, or the signal's reason when that comes first. What the promise does later is not waited for. */
export function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(reasonOf(signal));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** The reason of an aborted signal as an Error: abort() takes anything, and a rejection is an Error here. */
export function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error(`aborted: ${String(reason)}`);
}
