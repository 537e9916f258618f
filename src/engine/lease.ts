import type { Lease, LeaseOwner } from '../domain/ports.ts';
import type { Run, UnitRecord } from '../domain/run.ts';
import { errors } from '../errors.ts';
import type { EngineDeps } from './deps.ts';

export type Leased<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly heldBy: LeaseOwner };

/**
 * Runs `work` with the lease on a unit, renewing it on the wall clock. When it is lost the signal given to `work` aborts
 * with `lease-lost`, before the next remote write. The lease is given back at the end.
 */
export async function withLease<T>(
  deps: EngineDeps,
  run: Run,
  record: UnitRecord,
  signal: AbortSignal,
  work: (lease: Lease, signal: AbortSignal) => Promise<T>,
): Promise<Leased<T>> {
  const owner: LeaseOwner = { workerId: deps.worker.id, incarnation: deps.worker.incarnation, runId: run.id };
  const taken = await deps.leases.acquire([record.unit], owner, deps.leaseMs);
  if (!taken.ok) return { ok: false, heldBy: taken.heldBy };
  const lost = new AbortController();
  const renew = async (): Promise<void> => {
    try {
      if (!(await deps.leases.renew(taken.lease, deps.leaseMs))) lost.abort(errors.leaseLost({ unit: record.unit }));
    } catch (error) {
      deps.log.warn({ unit: record.unit, error: String(error) }, 'lease could not be renewed');
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
