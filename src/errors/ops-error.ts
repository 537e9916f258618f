import type { DeviceState, Failure, FailureKind } from '../domain/outcome.ts';

/**
 * The one error of dpubot: what happened, why, what to do next, and what state the device is in. Codes are permanent;
 * each has a constructor in a file beside this one, a test, and a runbook in docs/runbooks when its kind is `needs-human`.
 */
export class OpsError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, cause?: unknown) {
    super(`${failure.what} ${failure.why}`, cause === undefined ? undefined : { cause });
    this.name = 'OpsError';
    this.failure = failure;
  }

  get code(): string {
    return this.failure.code;
  }
}

interface Spec {
  readonly what: string;
  readonly why: string;
  readonly next: string;
  readonly state?: DeviceState;
  readonly evidence?: string | undefined;
  readonly cause?: unknown;
}

/** An error of the catalogue. Code and kind are written as literals: the policy test reads them from the source. */
export function make(code: string, kind: FailureKind, spec: Spec): OpsError {
  const { what, why, next, state = 'unchanged', evidence, cause } = spec;
  return new OpsError(
    { code, kind, what, why, next, deviceState: state, ...(evidence === undefined ? {} : { evidence }) },
    cause,
  );
}

/** For constructors whose caller knows in what state the device is. */
export type WithState = { readonly state?: DeviceState };

/** For constructors that keep what was thrown below. */
export type Cause = { readonly cause?: unknown };

/** The end of a `next` after which the run goes on. */
export function again(run: number): string {
  return `Then \`/dpu resume ${run}\`.`;
}
