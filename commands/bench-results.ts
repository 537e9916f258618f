import type { ResultRecord } from '../src/domain/bench.ts';
import { errors } from '../src/errors.ts';
import type { CommandContext } from './define.ts';

/** What a run has measured. Errors: run-unknown; command-invalid, where it has measured nothing. */
export async function resultsOf(context: CommandContext, run: number): Promise<readonly ResultRecord[]> {
  const records = await context.results.ofRun(run);
  if (records.length > 0) return records;
  const known = await context.runs.get(run);
  // Figures are kept when their run is gone: without either, there was never such a run.
  if (known === undefined) throw errors.runUnknown({ run });
  throw errors.commandInvalid({
    what: `Run ${run} has no results.`,
    why: known.recipe === 'bench' ? `It is ${known.state} and has measured nothing to its end.` : 'It is no bench.',
    next: '`/dpu bench history` lists those that have. Nothing was changed.',
  });
}
