import { z } from 'zod';
import { historyRows, historyTrends } from '../src/bench/history.ts';
import type { BaselineKey, BenchKind, ResultRecord } from '../src/domain/bench.ts';
import { benchKinds } from '../src/domain/bench.ts';
import { nearest } from '../src/domain/targets.ts';
import { errors } from '../src/errors.ts';
import { historyAnswer } from '../src/report/bench-answers.ts';
import { PairName, pairPositional } from './bench-arguments.ts';
import { choosePair } from './choose-pair.ts';
import type { CommandContext, CommandRequest } from './define.ts';
import { defineCommand } from './define.ts';

const runsShown = 20;

/** The figures of the past. */
export const benchHistory = defineCommand({
  name: 'bench history',
  summary: 'list what was measured on a pair, newest first, with changes, baselines, and how the figures went',
  positionals: [{ name: 'kind', about: '`raw` or `ipsec`; without it both', optional: true }, pairPositional],
  flags: [],
  examples: ['/dpu bench history', '/dpu bench history ipsec wire1'],
  arguments: z.object({ kind: PairName.optional(), pair: PairName.optional() }),
  who: 'anyone',
  changes: false,
  async run(request, args) {
    const { kinds, word } = meant(request, args.kind, args.pair);
    const pair = choosePair(request, word);
    const { results } = request.context;
    const found = await Promise.all(kinds.map(async (kind) => results.history(pair, kind, runsShown)));
    const records = found.flat().toSorted((a, b) => b.run - a.run);
    const baselines = await baselinesOf(request.context, records);
    const { pairs } = request.context.inventory();
    return historyAnswer({
      what: kinds.length === 1 ? `${kinds[0]} benches of ${pair}` : `benches of ${pair}`,
      again: `/dpu bench ${kinds[0] ?? 'raw'} ${pair}`,
      ends: pairs[pair]?.ends.map(({ card }) => card) ?? [],
      rows: historyRows(records, baselines),
      trends: historyTrends(records),
    });
  },
});

/** Both words may be left out, so the first one may be the pair. Errors: command-invalid. */
function meant(
  { context }: CommandRequest,
  first: string | undefined,
  second: string | undefined,
): { readonly kinds: readonly BenchKind[]; readonly word: string | undefined } {
  const kind = benchKinds.find((one) => one === first?.toLowerCase());
  if (first === undefined || kind !== undefined) return { kinds: kind ? [kind] : benchKinds, word: second };
  const pairs = Object.keys(context.inventory().pairs);
  if (second === undefined && pairs.includes(first.toLowerCase())) return { kinds: benchKinds, word: first };
  const guess = nearest(first.toLowerCase(), [...benchKinds, ...(second === undefined ? pairs : [])]);
  throw errors.commandInvalid({
    what: `"${first}" is neither raw or ipsec nor the name of a pair.`,
    why: guess === undefined ? `Pairs of the inventory: ${pairs.join(', ') || 'none'}.` : `Did you mean "${guess}"?`,
    next: 'Write `/dpu bench history [raw|ipsec] [pair]`.',
  });
}

async function baselinesOf(
  { results }: CommandContext,
  records: readonly ResultRecord[],
): Promise<ReadonlyMap<BaselineKey, ResultRecord>> {
  const keys = [...new Set(records.map(({ key }) => key))];
  const found = await Promise.all(keys.map(async (key) => [key, await results.baseline(key)] as const));
  return new Map(found.flatMap(([key, record]) => (record === undefined ? [] : [[key, record] as const])));
}
