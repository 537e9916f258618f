import type { Cure, End } from './case.ts';
import { faultCard, faultHost } from './case.ts';

type Stop = Extract<End, { kind: 'stop' }>;

/** Ends well by itself. */
export function overcome(says?: RegExp, more: Pick<Extract<End, { kind: 'overcome' }>, 'state' | 'proof'> = {}): End {
  return { kind: 'overcome', ...(says && { says }), ...more };
}

/** A look, which shows it. */
export const shown = (says: RegExp): End => overcome(says);

/** Stops; `goesOn` is `resume` unless it is said otherwise. */
export function stops(
  [state, code, card]: readonly [Stop['state'], string, Stop['card']],
  next: RegExp,
  cure: Cure,
  goesOn: Stop['goesOn'] = 'resume',
): End {
  return { kind: 'stop', state, code, card, next, cure, goesOn };
}

/** The cause is switched off by the runner, as after each case; nothing else is done. */
export function gone(text: string): Cure {
  return { text, act: () => undefined };
}

/** It was there once, or somebody else has ended it. */
export const passed: Cure = gone('It has passed by itself.');

/** A person at the rack: off, half a minute, on. */
export const powerCycled: Cure = {
  text: `Somebody takes the power from ${faultHost} and gives it back.`,
  act: (world) => {
    world.rack.host(faultHost).powerCycle();
    world.clock.advance(600_000);
  },
};

const restartArm: Cure['act'] = (world) => {
  world.rack.card(faultCard).resetArm();
  world.clock.advance(300_000);
};

/** A person at the console of the Arm. */
export const armRestarted: Cure = { text: 'Somebody restarts the Arm.', act: restartArm };
export const shellLeft: Cure = { text: 'Somebody chooses the disk in the boot manager.', act: restartArm };
