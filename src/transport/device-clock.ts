import { setTimeout as sleepMs } from 'node:timers/promises';
import type { Clock, DeviceClock } from '../domain/device-ports.ts';

/** Shortest wait between two looks at a simulated device, wall milliseconds (design: two clocks). */
const pollFloorMs = 50;
/** Shortest deadline on a simulated device, wall milliseconds (design: two clocks). */
const deadlineFloorMs = 2_000;
/**
 * Shortest limit of a whole step there. A step asks several times, and a machine that runs rack, bot and tests may be busy
 * for seconds: that is no fault of the device.
 */
const stepFloorMs = 10_000;

/** The wall clock of this machine. */
export const systemClock: Clock = { nowMs: () => Date.now() };

/**
 * The clock of a site's devices. `timeFactor` (device seconds per wall second, at least 1) counts only when the site is
 * `simulated`; elsewhere device time is wall time. All results are whole milliseconds, as timers and Redis want them.
 * Throws RangeError for a factor that is not a number from 1 upwards.
 */
export function createDeviceClock(options: {
  readonly timeFactor: number;
  readonly simulated: boolean;
  readonly clock?: Clock;
}): DeviceClock {
  const { timeFactor, simulated, clock = systemClock } = options;
  if (!Number.isFinite(timeFactor) || timeFactor < 1)
    throw new RangeError(`time factor ${timeFactor} is not 1 or more`);
  const factor = simulated ? timeFactor : 1;
  const scaled = (deviceMs: number, floorMs: number): number =>
    Math.ceil(simulated ? Math.max(floorMs, deviceMs / factor) : deviceMs);
  return {
    nowMs: () => clock.nowMs(),
    poll: (deviceMs, signal) => waitMs(scaled(deviceMs, pollFloorMs), signal),
    deadlineMs: (deviceMs) => scaled(deviceMs, deadlineFloorMs),
    stepLimitMs: (deviceMs) => scaled(deviceMs, stepFloorMs),
    wallMs: (deviceMs) => Math.ceil(deviceMs / factor),
  };
}

/** Waits so many wall milliseconds; rejects with the signal's own reason when it is aborted. */
export async function waitMs(wallMs: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  try {
    await sleepMs(wallMs, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
