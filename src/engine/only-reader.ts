import type { Run } from '../domain/run.ts';
import { errors } from '../errors.ts';
import type { EngineDeps } from './deps.ts';
import { withLease } from './lease.ts';

/**
 * Runs `work` while no other job of any worker reads the same thing: a console whose every line goes to one reader. When
 * that does not hold any more, the signal given to `work` aborts. Errors: reader-busy, lease-lost.
 */
export async function asOnlyReader<T>(
  deps: EngineDeps,
  run: Run,
  thing: string,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const name = `reader.${thing.replaceAll(/[^A-Za-z0-9.-]+/g, '-')}`;
  const read = await withLease(deps, run.id, [name], signal, (_lease, leased) => work(leased));
  if (read.ok) return read.value;
  const { runId, workerId } = read.heldBy;
  throw errors.readerBusy({ thing, run: run.id, reader: runId, worker: workerId });
}
