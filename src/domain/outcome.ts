/** How much a change can hurt. Order matters: later is worse. `read` changes nothing. */
export const risks = ['read', 'change', 'disruptive', 'destructive'] as const;
export type Risk = (typeof risks)[number];

/** What a failed call may have done to the device. */
export type DeviceState = 'unchanged' | 'changed' | 'unknown';

/** Decides retry, colour and paging. */
export type FailureKind = 'transient' | 'permanent' | 'needs-human' | 'bug';

/**
 * A failure as it is stored and shown: the plain-JSON form of an `OpsError`.
 * `what` and `why` are sentences, `next` is what the person does now. Never contains a secret.
 */
export interface Failure {
  readonly code: string;
  readonly kind: FailureKind;
  readonly what: string;
  readonly why: string;
  readonly next: string;
  readonly deviceState: DeviceState;
  readonly evidence?: string;
}

/** One value that differs from what is wanted. `text` is the sentence shown in the plan. */
export interface Change {
  readonly target: string;
  readonly from: string;
  readonly to: string;
  readonly text: string;
}

/** A fresh observation held against the wanted value after a change. */
export interface Verdict {
  readonly check: string;
  readonly pass: boolean;
  readonly expected: string;
  readonly actual: string;
}

/** What became of one step. Every variant carries a sentence. */
export type StepOutcome =
  | { readonly kind: 'satisfied'; readonly reason: string; readonly warning?: string; readonly pending?: true }
  | {
      readonly kind: 'applied';
      readonly reason: string;
      readonly verdicts: readonly Verdict[];
      readonly warning?: string;
    }
  | { readonly kind: 'waiting'; readonly reason: string; readonly untilMs: number }
  | { readonly kind: 'refused'; readonly failure: Failure }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'needs-human'; readonly failure: Failure }
  | { readonly kind: 'cancelled'; readonly reason: string };

/** Returns the worse of two risks. */
export function worseRisk(a: Risk, b: Risk): Risk {
  return risks.indexOf(a) >= risks.indexOf(b) ? a : b;
}

/** Disruptive and destructive work waits for a person (design rule: approval). */
export function needsApproval(risk: Risk): boolean {
  return risk === 'disruptive' || risk === 'destructive';
}
