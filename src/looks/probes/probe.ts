import type { LookRow } from '../../domain/look.ts';
import type { Failure } from '../../domain/outcome.ts';
import type { ObserveContext } from '../../domain/step.ts';
import { OpsError } from '../../errors.ts';

/** What a probe found: one sentence that says what it means, and the values it is made of. */
export interface Finding {
  readonly summary: string;
  readonly rows?: readonly LookRow[];
  readonly warnings?: readonly string[];
  /** Instead of everything that was read, where that is more than a person wants; empty where there is nothing to show. */
  readonly text?: string;
}

/** A named question to a card. It only reads: commands and resources are those of facts. */
export interface Probe {
  /** It reads what only one may read at a time: console and boot log. */
  readonly alone?: true;
  run(context: ObserveContext): Promise<Finding>;
}

/** One of several sources of a probe. */
export type Part<T> =
  { readonly kind: 'read'; readonly value: T } | { readonly kind: 'unread'; readonly failure: Failure };

/** Reads a source that may be out of reach while others are not. A run that is being stopped is no such thing. */
export async function part<T>(context: ObserveContext, read: () => Promise<T>): Promise<Part<T>> {
  try {
    return { kind: 'read', value: await read() };
  } catch (error) {
    if (!(error instanceof OpsError) || context.signal.aborted) throw error;
    return { kind: 'unread', failure: error.failure };
  }
}

/** The row of a source that could not be read. */
export function unreadRow(label: string, failure: Failure): LookRow {
  return { label, value: 'not read', warning: `${failure.what} ${failure.next}` };
}

/** A row with a warning only where there is one. */
export function row(label: string, value: string, warning?: string): LookRow {
  return warning === undefined ? { label, value } : { label, value, warning };
}

/** "1 flow", "2 flows". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
