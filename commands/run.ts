import { z } from 'zod';
import type { JournalEntry, Progress } from '../src/domain/journal.ts';
import { RUN_STREAM } from '../src/domain/journal.ts';
import type { UnitPlan } from '../src/domain/plan.ts';
import type { Run } from '../src/domain/run.ts';
import { runCard } from '../src/report/run-card.ts';
import { foldJournal } from '../src/report/run-view.ts';
import { Generation, RunNumber, generationFlag, runOf, runPositional } from './arguments.ts';
import type { CommandContext } from './define.ts';
import { defineCommand } from './define.ts';

/** Shows a run as it stands, to the person who asks. Its `Details` button says the same. */
export const run = defineCommand({
  name: 'run',
  summary: 'show how a run stands, what it did and what it needs',
  positionals: [runPositional],
  flags: [generationFlag],
  examples: ['/dpu run 418'],
  arguments: z.object({ run: RunNumber, generation: Generation.optional() }),
  who: 'anyone',
  changes: false,
  async run({ context }, args) {
    const record = await runOf(context, args.run);
    const [entries, plans, progress] = await Promise.all([
      journalOf(context, record),
      plansOf(context, record),
      progressOf(context, record),
    ]);
    return runCard(foldJournal(record, plans, entries, progress), context.clock.nowMs());
  },
});

async function journalOf(context: CommandContext, record: Run): Promise<JournalEntry[]> {
  const streams = [RUN_STREAM, ...Object.keys(record.units)];
  return (await Promise.all(streams.map((stream) => context.journal.read(record.id, stream)))).flat();
}

async function plansOf(context: CommandContext, record: Run): Promise<UnitPlan[]> {
  const plans = await Promise.all(
    Object.values(record.units).map(async (unit) =>
      unit.planHash === undefined ? undefined : await context.runs.plan(record.id, unit.unit, unit.planHash),
    ),
  );
  return plans.filter((plan) => plan !== undefined);
}

async function progressOf(context: CommandContext, record: Run): Promise<ReadonlyMap<string, Progress>> {
  const signs = await Promise.all(
    Object.keys(record.units).map(async (unit) => [unit, await context.progress.get(record.id, unit)] as const),
  );
  return new Map(signs.flatMap(([unit, sign]) => (sign === undefined ? [] : [[unit, sign] as const])));
}
