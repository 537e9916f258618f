import type { Lease, LeaseOwner } from '../domain/ports.ts';
import { errors } from '../errors.ts';
import type { EngineDeps } from './deps.ts';

export type Leased<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly heldBy: LeaseOwner };

/**
 * Runs `work` with the lease on all hosts of a unit at once, or on another thing that one job at a time may have, and renews it on the wall
 * clock. When it is lost the signal given to `work` aborts with `lease-lost`, before the next remote write. The lease is
 * given back at the end.
 */
export async function withLease<T>(
  deps: EngineDeps,
  runId: number,
  names: readonly string[],
  signal: AbortSignal,
  work: (lease: Lease, signal: AbortSignal) => Promise<T>,
): Promise<Leased<T>> {
  const owner: LeaseOwner = { workerId: deps.worker.id, incarnation: deps.worker.incarnation, runId };
  const taken = await deps.leases.acquire(names, owner, deps.leaseMs);
  if (!taken.ok) return { ok: false, heldBy: taken.heldBy };
  const what = names.join('+');
  const lost = new AbortController();
  const renew = async (): Promise<void> => {
    try {
      if (!(await deps.leases.renew(taken.lease, deps.leaseMs))) lost.abort(errors.leaseLost({ unit: what }));
    } catch (error) {
      deps.log.warn({ unit: what, error: String(error) }, 'lease could not be renewed');
    }
  };
  const timer = setInterval(() => void renew(), deps.renewMs);
  try {
    return { ok: true, value: await work(taken.lease, AbortSignal.any([signal, lost.signal])) };
  } finally {
    clearInterval(timer);
    await deps.leases.release(taken.lease);
  }
}
