import type { HostSlice } from '../domain/inventory.ts';
import type { Look } from '../domain/look.ts';
import type { Run, UnitRecord } from '../domain/run.ts';
import type { EngineDeps } from './deps.ts';
import { readingContext } from './look-context.ts';
import { slicesOf } from './walk.ts';

/** So long (device time) the cards of a unit are looked at: nobody waits for it. */
const limitMs = 3 * 60_000;

/**
 * Looks at the cards of a unit that a run has changed, once the unit has ended well, so that `/dpu status` and Home know
 * what they are now. Comes after the end was told, and without a lease, as `/dpu status --refresh` does: nothing waits for
 * it, nothing is said of it, and what fails is seen at the next look only. After a unit that failed nothing is looked at:
 * its card may be in the middle of something, and a person will want its logs as they are.
 *
 * Throws nothing. A worker that dies in it leaves what was known.
 */
export async function rememberCards(
  deps: EngineDeps,
  job: { readonly runId: number; readonly unit: string; readonly generation: number },
  jobSignal: AbortSignal,
): Promise<void> {
  try {
    const run = await deps.runs.get(job.runId);
    const record = run?.units[job.unit];
    if (run === undefined || record?.generation !== job.generation) return;
    const name = deps.recipes[run.recipe]?.looksAfter;
    const look = name && deps.looks[name];
    if (look === undefined || !(await hasChangedCards(deps, run, record))) return;
    for (const slice of slicesOf(run, record)) await lookQuietly(deps, look, { run, record, slice }, jobSignal);
  } catch (error) {
    if (!jobSignal.aborted)
      deps.log.warn({ run: job.runId, unit: job.unit, error: String(error) }, 'cards were not looked at after a run');
  }
}

async function hasChangedCards(deps: EngineDeps, run: Run, record: UnitRecord): Promise<boolean> {
  if (record.state !== 'done' && record.state !== 'activation-pending') return false;
  return (await deps.journal.read(run.id, record.unit)).some(({ event }) => event.type === 'intent');
}

async function lookQuietly(
  deps: EngineDeps,
  look: Look,
  where: { readonly run: Run; readonly record: UnitRecord; readonly slice: HostSlice },
  jobSignal: AbortSignal,
): Promise<void> {
  const limit = AbortSignal.timeout(Math.ceil(deps.devices.clockOf(where.slice).deadlineMs(limitMs)));
  const signal = AbortSignal.any([jobSignal, limit]);
  const context = await readingContext(deps, { ...where, signal });
  const nothing = async (): Promise<void> => Promise.resolve();
  await look.run({ ...context, progress: nothing, report: nothing });
}
