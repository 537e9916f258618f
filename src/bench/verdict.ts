import { median, permutationTest } from 'simple-statistics';
import type { BaselineVerdict, ResultRecord } from '../domain/bench.ts';

/** With fewer a side no difference could be significant: of 3 against 3 even the clearest order has p = 0.1. */
export const verdictRepeats = 5;
const significance = 0.01;
/** Less than this is the same for everybody who has to decide something by it. */
const relevantPercent = 2;
const permutations = 10_000;

/**
 * Better, same or worse than the baseline: a permutation test of the means (two-sided, 10,000 permutations), and a difference
 * of the medians that matters. `random` gives numbers from 0 to below 1.
 */
export function judgeAgainst(
  baseline: ResultRecord | undefined,
  repeatsGbps: readonly number[],
  random: () => number,
): BaselineVerdict {
  if (baseline === undefined)
    return { kind: 'no-baseline', text: 'no baseline yet: `/dpu bench baseline RUN` sets one' };
  const { run, repeatsGbps: before } = baseline;
  const changePercent = (median(repeatsGbps) / median(before) - 1) * 100;
  const known = { baselineRun: run, changePercent };
  const sides = `${repeatsGbps.length} against ${before.length} repeats`;
  if (Math.min(repeatsGbps.length, before.length) < verdictRepeats)
    return {
      kind: 'too-few-repeats',
      text: `too few repeats for a verdict (${sides}, ${verdictRepeats} a side are needed): ${signed(changePercent)} to run ${run}`,
      ...known,
    };
  const pValue = permutationTest([...repeatsGbps], [...before], 'two_side', permutations, random);
  const isReal = pValue < significance && Math.abs(changePercent) >= relevantPercent;
  const kind = !isReal ? 'same' : changePercent > 0 ? 'better' : 'worse';
  const shownP = pValue < 0.001 ? 'p < 0.001' : `p = ${pValue.toFixed(3)}`;
  const word = kind === 'same' ? `the same as run ${run}` : `${kind} than run ${run}`;
  return { kind, text: `${word} (${signed(changePercent)}, permutation test, ${sides}, ${shownP})`, pValue, ...known };
}

function signed(percent: number): string {
  return `${percent < 0 ? '' : '+'}${percent.toFixed(1)} %`;
}
