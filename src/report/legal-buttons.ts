import type { Progress } from '../domain/journal.ts';
import { isLookName } from '../domain/look.ts';
import type { Run } from '../domain/run.ts';
import { isEnded, resumableStates } from '../domain/run.ts';
import type { RunAction } from './blocks.ts';

/**
 * The card that a running run is at work on; of several the one that has been at work longest. Undefined while it works on
 * hosts, or waits. `progress`: the last sign of life of each unit.
 */
export function cardAtWork(run: Run, progress: ReadonlyMap<string, Progress>): string | undefined {
  if (run.state !== 'running' || isLookName(run.recipe)) return undefined;
  const signs = Object.values(run.units).flatMap(({ unit, state, targets }) => {
    const sign = state === 'running' ? progress.get(unit) : undefined;
    return sign !== undefined && targets.includes(sign.target) ? [sign] : [];
  });
  return signs.toSorted((one, other) => one.sinceMs - other.sinceMs)[0]?.target;
}

/** Which buttons may be pressed in this state of the run. `card`: the one it is at work on, whose console can be looked at. */
export function legalButtons(run: Run, card?: string): readonly RunAction[] {
  if (run.state === 'awaiting-approval')
    return run.approval === undefined || run.approval.state === 'open'
      ? ['approve', 'reject', 'cancel', 'details']
      : ['cancel', 'details'];
  if (run.state === 'paused') return ['resume', 'cancel', 'details'];
  if (!isEnded(run.state)) {
    const look: readonly RunAction[] = card === undefined ? ['details'] : ['console', 'details'];
    return run.cancel === undefined ? ['cancel', ...look] : look;
  }
  if (waitsForHands(run)) return ['done', 'details'];
  return resumableStates.includes(run.state) && !run.givenUp ? ['resume', 'details'] : ['details'];
}

/** All that is left is a power cycle that a person does: saying so is not the same as trying again after a failure. */
function waitsForHands(run: Run): boolean {
  if (run.state !== 'needs-human') return false;
  const stopped = Object.values(run.units).filter((unit) => unit.failure !== undefined && unit.state !== 'refused');
  return stopped.length > 0 && stopped.every((unit) => unit.failure?.code === 'activation-by-hand');
}
