import type { Failure } from '../domain/outcome.ts';
import type { Run, UnitRecord } from '../domain/run.ts';
import { hostsOf, isEnded, unitOfHost } from '../domain/run.ts';
import { stoppedRun } from '../domain/stopped-run.ts';
import { errors } from '../errors.ts';
import type { EngineDeps } from './deps.ts';

/** Another run that owns the state of one of a unit's hosts. `hasStopped`: it will not let go by itself. */
export interface HeldBy {
  readonly hasStopped: boolean;
  readonly failure: Failure;
}

/** Who keeps this run from changing the unit, with the ways on where nobody works there; undefined when nobody does. */
export async function heldByOther(deps: EngineDeps, run: Run, record: UnitRecord): Promise<HeldBy | undefined> {
  for (const host of hostsOf(record)) {
    const hold = await deps.holds.get(host);
    if (hold === undefined || hold.runId === run.id) continue;
    const since = new Date(hold.sinceMs).toISOString();
    const holder = await deps.runs.get(hold.runId);
    if (holder === undefined || !isEnded(holder.state)) {
      const { failure } = errors.hostHeld({ host, run: hold.runId, by: hold.by, since });
      return { hasStopped: false, failure };
    }
    const unit = unitOfHost(holder, host)?.unit ?? host;
    const stopped = stoppedRun(holder, unit, await deps.journal.read(holder.id, unit));
    const isPlanning = record.state === 'planning';
    const goesOn = isPlanning ? `then \`/dpu resume ${run.id}\` works on it` : 'this run then goes on by itself';
    const next = `\`/dpu cancel ${holder.id}\` gives it up and ${host} back; ${goesOn}.`;
    return { hasStopped: true, failure: errors.hostHeld({ host, since, stopped, next }).failure };
  }
  return undefined;
}
