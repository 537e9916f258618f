import { z } from 'zod';
import { historyRows } from '../src/bench/history.ts';
import { repeatsText } from '../src/bench/rate-text.ts';
import { verdictRepeats } from '../src/bench/verdict.ts';
import type { ResultRecord } from '../src/domain/bench.ts';
import { baselineAnswer } from '../src/report/bench-answers.ts';
import { RunNumber, runPositional } from './arguments.ts';
import { resultsOf } from './bench-results.ts';
import type { CommandContext } from './define.ts';
import { defineCommand } from './define.ts';

/** Makes the figures of a run those that later ones are held against. */
export const benchBaseline = defineCommand({
  name: 'bench baseline',
  summary: 'make the figures of a run the baselines that later ones are held against',
  positionals: [runPositional],
  flags: [],
  examples: ['/dpu bench baseline 418'],
  arguments: z.object({ run: RunNumber }),
  who: 'operate',
  changes: true,
  async run({ context, actor }, { run }) {
    const records = await resultsOf(context, run);
    const replaced = await replacedBy(context, records);
    await context.results.setBaseline(run);
    const old = [...new Set(replaced.flatMap((record) => record?.run ?? []))].filter((other) => other !== run);
    await context.audit.append({
      atMs: context.clock.nowMs(),
      actor,
      action: 'bench baseline',
      runId: run,
      targets: [...new Set(records.map(({ pair }) => pair))],
      detail: `${records.length} ${records.length === 1 ? 'setting' : 'settings'}${old.length === 0 ? '' : `, in place of run ${old.join(', ')}`}`,
    });
    const fewest = Math.min(...records.map(({ repeatsGbps }) => repeatsGbps.length));
    const rows = historyRows(records, new Map());
    return baselineAnswer({
      run,
      stamp: records[0]?.stamp,
      settings: rows.map(({ setting, rate }, index) => ({
        setting,
        rate,
        replaced: replacedText(run, replaced[index]),
      })),
      remark:
        fewest < verdictRepeats
          ? `It has ${repeatsText(fewest)} of a setting: a verdict needs ${verdictRepeats} on both sides, so measure it with \`--repeat ${verdictRepeats}\` to get one.`
          : undefined,
    });
  },
});

/** The baselines that stand under the same keys, in the order of the records. */
async function replacedBy(
  { results }: CommandContext,
  records: readonly ResultRecord[],
): Promise<readonly (ResultRecord | undefined)[]> {
  return Promise.all(records.map(async ({ key }) => results.baseline(key)));
}

function replacedText(run: number, before: ResultRecord | undefined): string {
  if (before === undefined) return 'the first one';
  return before.run === run ? 'it was that already' : `in place of run ${before.run}`;
}
