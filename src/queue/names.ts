/** BullMQ's prefix: the one hash tag of all keys. */
export const QUEUE_PREFIX = '{dpu}';

/** Work any worker may do: advancing runs and sweeping. */
export const CONTROL_QUEUE = 'control';

/** Only workers of the site listen to these. */
export function planQueue(site: string): string {
  return `plan-${site}`;
}

export function unitQueue(site: string): string {
  return `unit-${site}`;
}

/**
 * The id that makes adding idempotent: `run418-as7-g3`, for plans `run418-as7-g3-plan`. BullMQ refuses ids with `:` and
 * ids of digits only; neither can come out of this.
 */
export function unitJobId(runId: number, unit: string, generation: number): string {
  return `run${runId}-${unit}-g${generation}`;
}

export function planJobId(runId: number, unit: string, generation: number): string {
  return `${unitJobId(runId, unit, generation)}-plan`;
}
