import type { ObserveContext } from '../domain/step.ts';
import { readRunningInstallers } from '../facts/rshim.ts';
import { flashStep, pushesOf } from './flash-attempts.ts';
import { configPath } from './flash-bf-cfg.ts';
import { updateOf, updateStep } from './update-attempts.ts';

/**
 * Is dpubot flashing this very card right now? A run whose worker died is walked again from its first step: what comes
 * before the flash must leave the card alone while the installer writes to it. The bf.cfg of the card stands in the
 * command line of the push.
 */
export async function isFlashUnderWay(context: ObserveContext): Promise<boolean> {
  const { serial } = context.card;
  if (serial === undefined) return false;
  const running = await readRunningInstallers(context.host, context.signal);
  return running.some((line) => line.split(/\s+/).includes(configPath(serial)));
}

/**
 * Has this run begun to flash the card, on either way, and not brought that to its end? Then its Arm has no system that
 * could be asked, also after an attempt that was given up: what comes before the flash was done, and is done no more.
 */
export function isErasedByRun({ actionsIn, dpu }: Pick<ObserveContext, 'actionsIn' | 'dpu'>): boolean {
  if (actionsIn === undefined) return false;
  const { underWay, isRecorded, attempt } = updateOf(actionsIn(updateStep, dpu.name));
  return pushesOf(actionsIn(flashStep, dpu.name)).underWay || (!isRecorded && (underWay || attempt > 1));
}
