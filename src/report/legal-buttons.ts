import type { Run } from '../domain/run.ts';
import { isEnded, resumableStates } from '../domain/run.ts';
import type { RunAction } from './blocks.ts';

/** Which buttons may be pressed in this state of the run. */
export function legalButtons(run: Run): readonly RunAction[] {
  if (run.state === 'awaiting-approval')
    return run.approval === undefined || run.approval.state === 'open'
      ? ['approve', 'reject', 'cancel', 'details']
      : ['cancel', 'details'];
  if (run.state === 'paused') return ['resume', 'cancel', 'details'];
  if (!isEnded(run.state)) return run.cancel === undefined ? ['cancel', 'details'] : ['details'];
  if (waitsForHands(run)) return ['done', 'details'];
  return resumableStates.includes(run.state) && !run.givenUp ? ['resume', 'details'] : ['details'];
}

/** All that is left is a power cycle that a person does: saying so is not the same as trying again after a failure. */
function waitsForHands(run: Run): boolean {
  if (run.state !== 'needs-human') return false;
  const stopped = Object.values(run.units).filter((unit) => unit.failure !== undefined && unit.state !== 'refused');
  return stopped.length > 0 && stopped.every((unit) => unit.failure?.code === 'activation-by-hand');
}
