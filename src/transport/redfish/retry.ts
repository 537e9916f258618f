import type { CallOptions, DeviceClock } from '../../domain/device-ports.ts';
import type { OpsError } from '../../errors.ts';

export interface RetryDeps {
  readonly clock: DeviceClock;
  /** 0 to 1, for the spread of retries. */
  readonly random: () => number;
}

/** A value, or an error that a further try may cure. What no try can cure is thrown. */
export type Tried<T> =
  | { readonly kind: 'value'; readonly value: T }
  | { readonly kind: 'transient'; readonly error: OpsError; readonly retryAfterMs?: number | undefined };

const attempts = 3;
const firstWaitMs = 300;
/** A BMC that asks for a longer pause gets it from the step that waits for it, not inside one call. */
export const longestWaitMs = 10_000;

/**
 * Tries what may be tried again (reads; requests that were certainly not carried out) up to three times, 0.3 s and 0.9 s
 * of device time apart, half of it random, or as `Retry-After` says. Never beyond the call's own limit.
 */
export async function retried<T>(
  deps: RetryDeps,
  options: CallOptions,
  once: (options: CallOptions) => Promise<Tried<T>>,
): Promise<T> {
  const left = countdown(options);
  for (let attempt = 1; ; attempt += 1) {
    const tried = await once(left());
    if (tried.kind === 'value') return tried.value;
    if (attempt === attempts) throw tried.error;
    const waitMs = tried.retryAfterMs ?? firstWaitMs * 3 ** (attempt - 1) * (0.5 + deps.random());
    if (deps.clock.wallMs(waitMs) >= left().timeoutMs) throw tried.error;
    await deps.clock.poll(waitMs, options.signal ?? new AbortController().signal);
  }
}

/** Options with the time that is left of them at the moment of the call; at least 1 ms, so that they still time out. */
export function countdown(options: CallOptions): () => CallOptions {
  const endsAtMs = performance.now() + options.timeoutMs;
  return () => ({ ...options, timeoutMs: Math.max(1, endsAtMs - performance.now()) });
}
