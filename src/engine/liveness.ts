import type { EngineDeps } from './deps.ts';

/** Name of the lease that only says "a worker is planning this": it guards no device. */
export function planLeaseName(runId: number, unit: string): string {
  return `plan.${runId}.${unit}`;
}

/** Keeps a sign of life while a plan is made, so that the sweeper can tell a slow plan from a dead worker. */
export async function planLiveness(
  deps: EngineDeps,
  runId: number,
  unit: string,
  work: () => Promise<void>,
): Promise<void> {
  const owner = { workerId: deps.worker.id, incarnation: deps.worker.incarnation, runId };
  const taken = await deps.leases.acquire([planLeaseName(runId, unit)], owner, deps.leaseMs);
  if (!taken.ok) return;
  const renew = (): void => {
    deps.leases.renew(taken.lease, deps.leaseMs).catch((error: unknown) => {
      deps.log.warn({ unit, error: String(error) }, 'sign of life of a plan could not be renewed');
    });
  };
  const timer = setInterval(renew, deps.renewMs);
  try {
    await work();
  } finally {
    clearInterval(timer);
    await deps.leases.release(taken.lease);
  }
}
