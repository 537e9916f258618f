/**
 * A snapshot reduced to what a write would change: equal before and after anything that only read.
 */
import type { RackSnapshot } from './state.ts';

/** Clocks, sessions, logs, the generator and injected faults change by looking or by themselves. */
const leftOut = new Set(['random', 'savedAtMs', 'sessions', 'log', 'faults', 'delays', 'events']);

function isLeftOut(key: string): boolean {
  return leftOut.has(key) || key.endsWith('AtMs') || key.endsWith('UntilMs');
}

function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !isLeftOut(key))
      .map(([key, inner]) => [key, strip(inner)]),
  );
}

/** Compare two snapshots with deep equality of this. */
export function comparableSnapshot(snapshot: RackSnapshot): unknown {
  return strip(snapshot);
}
