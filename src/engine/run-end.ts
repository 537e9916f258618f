import { duration } from '../domain/duration.ts';
import type { RunEndState } from '../domain/journal.ts';
import { isLookName } from '../domain/look.ts';
import type { Failure } from '../domain/outcome.ts';
import type { Run, UnitRecord } from '../domain/run.ts';
import { unitName } from '../domain/unit-name.ts';

/** Worse is later. */
const badness: readonly RunEndState[] = [
  'satisfied',
  'done',
  'planned',
  'activation-pending',
  'cancelled',
  'refused',
  'failed',
  'needs-human',
];

/**
 * How a run ends: the worst of its units, with a sentence that counts them. A cancelled run that needs a person says so.
 * `forced` for ends that no unit decides.
 */
export function runEnd(
  run: Run,
  nowMs: number,
  forced?: RunEndState,
): { readonly state: RunEndState; readonly summary: string; readonly failure?: Failure } {
  const units = Object.values(run.units);
  const states = units.map((unit) => asRunState(unit, run));
  const worst = [...states, ...(run.cancel ? (['cancelled'] as const) : [])].reduce(worse, 'satisfied');
  const state = forced ?? worst;
  const failure = units.find((unit) => unit.failure !== undefined && asRunState(unit, run) === worst)?.failure;
  const keepsFailure = failure !== undefined && ['refused', 'failed', 'needs-human'].includes(state);
  return { state, summary: summaryOf(run, units, state, nowMs), ...(keepsFailure && { failure }) };
}

function worse(a: RunEndState, b: RunEndState): RunEndState {
  return badness.indexOf(a) >= badness.indexOf(b) ? a : b;
}

function asRunState(unit: UnitRecord, run: Run): RunEndState {
  switch (unit.state) {
    case 'done':
    case 'satisfied':
    case 'failed':
    case 'refused':
    case 'needs-human':
    case 'cancelled':
    case 'activation-pending':
      return unit.state;
    case 'planned':
      return run.planOnly && unit.planChanges !== 0 ? 'planned' : 'satisfied';
    // Not started because the rollout stopped: the reason is another unit's failure, this one adds nothing.
    case 'planning':
    case 'queued':
    case 'running':
    case 'waiting':
      return 'satisfied';
    case 'plan-outdated':
      return 'failed';
  }
}

/** Where the name of the state is no word for people. */
const words: Readonly<Partial<Record<UnitRecord['state'], string>>> = {
  satisfied: 'right already',
  'needs-human': 'needs a person',
  'activation-pending': 'done, activation pending',
  'plan-outdated': 'plan outdated',
};

function wordFor({ recipe }: Run, { state: unit, planChanges }: UnitRecord, state: RunEndState): string {
  if (isLookName(recipe) && unit === 'done') return 'looked at';
  if (recipe === 'inspect' && unit === 'planned') return planChanges === 0 ? 'as wanted' : 'differing';
  return unit === 'planned' && state !== 'planned' ? 'not started' : (words[unit] ?? unit);
}

function summaryOf(run: Run, units: readonly UnitRecord[], state: RunEndState, nowMs: number): string {
  const counts = new Map<string, number>();
  for (const unit of units) {
    const name = wordFor(run, unit, state);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const parts = [...counts].map(([name, number]) => `${number} ${name}`).join(', ');
  const all = inAll(nowMs - run.createdAtMs);
  const [first, ...others] = units;
  const isPair = first?.hosts !== undefined && others.length === 0;
  if (isPair) return `${unitName(run, first.unit)}: ${wordFor(run, first, state)}; ${all} in all`;
  return `${units.length} host${units.length === 1 ? '' : 's'}: ${parts}; ${all} in all`;
}

/** Tenths of a second are no matter for a whole run. */
function inAll(ms: number): string {
  return ms < 59_500 ? `${Math.round(Math.max(0, ms) / 1000)} s` : duration(ms);
}
