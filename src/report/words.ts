/** The words for states and risks. A state is always told in words, never by colour or sign alone. */
import type { DeviceState, Failure, Risk } from '../domain/outcome.ts';
import type { PlannedStep } from '../domain/plan.ts';
import type { RunState, TargetNote, UnitState } from '../domain/run.ts';
import type { TargetView } from './target-views.ts';
import { prose } from './text.ts';

const runStateWords: Readonly<Record<RunState, string>> = {
  planning: 'Looking (nothing is changed)',
  'awaiting-approval': 'Waiting for approval',
  running: 'Running',
  paused: 'Paused',
  done: 'Done',
  satisfied: 'Nothing to do: everything is as wanted',
  planned: 'Planned only, nothing was changed',
  'activation-pending': 'Done, activation pending',
  failed: 'Failed',
  refused: 'Refused',
  'needs-human': 'Needs a person',
  cancelled: 'Cancelled',
  rejected: 'Rejected',
  expired: 'Expired without approval',
};

/** A look at the drift of cards has words of its own: nobody asked for a change. */
export function runStateText(state: RunState, recipe: string): string {
  if (recipe === 'inspect' && state === 'planned') return 'Differs from the profile; nothing was changed';
  if (recipe === 'inspect' && state === 'satisfied') return 'As the profile wants it';
  return runStateWords[state];
}

export const unitStateWords: Readonly<Record<UnitState, string>> = {
  planning: 'looking',
  planned: 'planned',
  queued: 'in the queue',
  running: 'running',
  waiting: 'waiting',
  done: 'done',
  satisfied: 'nothing to do',
  'activation-pending': 'done, activation pending',
  failed: 'failed',
  refused: 'refused',
  'needs-human': 'needs a person',
  cancelled: 'cancelled',
  'plan-outdated': 'plan outdated',
};

export const targetStateWords: Readonly<Record<TargetView['state'], string>> = {
  failed: 'failed',
  'needs-human': 'needs a person',
  refused: 'left out',
  cancelled: 'cancelled',
  running: 'running',
  waiting: 'waiting',
  'to-do': 'to do',
  'activation-pending': 'done, activation pending',
  done: 'done',
};

/** How a run ended for one card. */
export const outcomeWords: Readonly<Record<TargetNote['outcome'], string>> = {
  done: 'done',
  satisfied: 'right already',
  'activation-pending': 'done, activation pending',
  failed: 'failed',
  refused: 'refused',
  'needs-human': 'needs a person',
  cancelled: 'cancelled',
};

export const riskWords: Readonly<Record<Risk, string>> = {
  read: 'only reads',
  change: 'changes settings, interrupts nothing',
  disruptive: 'disruptive: interrupts service for a while',
  destructive: 'destructive: replaces what is on the card',
};

/** Flashing writes the card's disk anew; other destructive steps (the mode) leave files alone. */
const ERASING_STEPS: readonly string[] = ['install-bfb', 'update-bfb'];

/** Whether this step of a plan takes all files on the card with it. */
export function erasesFiles(step: Pick<PlannedStep, 'step' | 'state'>): boolean {
  return ERASING_STEPS.includes(step.step) && (step.state === 'change' || step.state === 'deferred');
}

const DEVICE_STATE: Readonly<Record<DeviceState, string>> = {
  unchanged: 'Nothing was changed on the device.',
  changed: 'The device was changed before this happened.',
  unknown: 'Whether the device was changed is unknown.',
};

/** Path of the runbook of a code that needs a person. */
export function runbookOf(failure: Failure): string | undefined {
  return failure.kind === 'needs-human' ? `docs/runbooks/${failure.code}.md` : undefined;
}

/** A failure as lines of mrkdwn: what, why, next, state of the device, code and runbook. `max` limits each free text. */
export function failureLines(failure: Failure, max = 900): string[] {
  const cut = (text: string): string => prose(text, max);
  const runbook = runbookOf(failure);
  return [
    `*What:* ${cut(failure.what)}`,
    `*Why:* ${cut(failure.why)}`,
    `*Next:* ${cut(failure.next)}`,
    `*State:* ${DEVICE_STATE[failure.deviceState]}`,
    `Code \`${failure.code}\`${runbook === undefined ? '' : `, runbook \`${runbook}\``}`,
  ];
}
