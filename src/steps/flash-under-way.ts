import type { ObserveContext } from '../domain/step.ts';
import { readRunningInstallers } from '../facts/rshim.ts';
import { configPath } from './flash-bf-cfg.ts';

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
