import { z } from 'zod';
import { changedConditions, compareRuns } from '../src/bench/compare.ts';
import type { Condition } from '../src/domain/bench.ts';
import { errors } from '../src/errors.ts';
import { comparisonAnswer } from '../src/report/bench-answers.ts';
import { RunNumber } from './arguments.ts';
import { resultsOf } from './bench-results.ts';
import type { CommandContext } from './define.ts';
import { defineCommand } from './define.ts';

/** What of the raw figures of a run is asked here. */
const RawResult = z.looseObject({
  toolVersion: z.string(),
  conditions: z.array(
    z.looseObject({
      end: z.enum(['a', 'b', 'pair']),
      name: z.string(),
      label: z.string(),
      value: z.string(),
    }),
  ),
});

/** Holds one run against another. */
export const benchCompare = defineCommand({
  name: 'bench compare',
  summary: 'hold the figures of one run against those of an earlier one, and say which conditions differ',
  positionals: [
    { name: 'before', about: 'the number of the earlier run' },
    { name: 'after', about: 'the number of the later run' },
  ],
  flags: [],
  examples: ['/dpu bench compare 418 421'],
  arguments: z.object({ before: RunNumber, after: RunNumber }),
  who: 'anyone',
  changes: false,
  async run({ context }, { before, after }) {
    if (before === after)
      throw errors.commandInvalid({
        what: `Run ${before} is named twice.`,
        why: 'Every run is equal to itself.',
        next: 'Name two runs: the earlier one first, then the later one.',
      });
    const [old, now] = [await resultsOf(context, before), await resultsOf(context, after)];
    const [was, is] = [await conditionsOf(context, before), await conditionsOf(context, after)];
    const gone = [was === undefined ? before : undefined, is === undefined ? after : undefined];
    return comparisonAnswer({
      before,
      after,
      ...compareRuns(old, now),
      conditions: was && is && changedConditions(was, is),
      gone: gone.filter((run) => run !== undefined),
    });
  },
});

/** Conditions under which a run has measured, from its raw figures; undefined where those are not kept any more. */
async function conditionsOf(context: CommandContext, id: number): Promise<readonly Condition[] | undefined> {
  const run = await context.runs.get(id);
  for (const unit of Object.keys(run?.units ?? {})) {
    const entries = await context.journal.read(id, unit);
    const event = entries.map((entry) => entry.event).findLast(({ type }) => type === 'measured');
    const file =
      event?.type === 'measured' ? event.files.find(({ mimeType }) => mimeType === 'application/json') : undefined;
    const content = file && (await context.artefacts.get(id, file.id));
    if (content === undefined) continue;
    const { toolVersion, conditions } = RawResult.parse(JSON.parse(Buffer.from(content).toString('utf8')));
    return [...conditions, { end: 'pair', name: 'tool', label: 'Tool', value: toolVersion }];
  }
  return undefined;
}
