import type { ApplyContext } from '../domain/step.ts';
import type { UnitSession } from './unit-session.ts';

/** Evidence in the journal is cut to this many characters; the redacted rest stands in the logs. */
const evidenceMax = 900;

/**
 * Carries out one remote act for a step: lease and hold first, then the intent, the act, and its evidence. What is thrown
 * in between leaves the intent open, so that the next look knows that it may have happened.
 */
export async function actOn<T>(
  unit: UnitSession,
  { step, target }: { readonly step: string; readonly target: string },
  { name, text, before }: Parameters<ApplyContext['act']>[0],
  fn: () => Promise<{ readonly evidence: string; readonly value: T }>,
): Promise<T> {
  await unit.beforeWrite();
  await unit.append({ type: 'intent', step, target, action: name, text, ...(before === undefined ? {} : { before }) });
  const { evidence, value } = await fn();
  await unit.append({ type: 'done', step, target, action: name, evidence: evidence.slice(0, evidenceMax) });
  return value;
}
