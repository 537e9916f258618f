import { baselineKey } from '../bench/key.ts';
import { randomNumbers } from '../bench/random.ts';
import { changeText } from '../bench/rate-text.ts';
import type { BaselineVerdict, Proof, Repeat, ResultRecord, Series } from '../domain/bench.ts';
import type { ApplyContext } from '../domain/step.ts';
import type { PointWork, RunFrame } from './measure-frame.ts';

/** The key under which this series is compared. */
export function keyOf(frame: RunFrame, { point }: Pick<PointWork, 'point'>, proof: Proof): ResultRecord['key'] {
  const { pair, firmware, image, stamp } = frame;
  return baselineKey({ pair, point, offload: proof.verdict, firmware, image, stamp });
}

/** The verdict on some repeats: the same one whoever computes it again. */
export function judge(
  context: ApplyContext,
  { parts }: RunFrame,
  baseline: ResultRecord | undefined,
  repeats: readonly Repeat[],
): BaselineVerdict {
  const rates = repeats.map(({ receivedGbps }) => receivedGbps);
  return parts.judge(baseline, rates, randomNumbers(context.runId));
}

type Measurement = Pick<Series, 'repeats' | 'verdict'>;

/** A regression is one where a second measurement finds it too; both count then. Else the second one counts alone. */
export function confirm(first: Measurement, second: Measurement): Pick<Series, 'repeats' | 'verdict' | 'unconfirmed'> {
  if (second.verdict.kind !== 'worse') return { ...second, unconfirmed: first.repeats };
  const { changePercent } = first.verdict;
  const told = changePercent === undefined ? '' : ` (the first one: ${changeText(changePercent)})`;
  const text = `${second.verdict.text}, confirmed by a second measurement${told}`;
  return { repeats: [...first.repeats, ...second.repeats], verdict: { ...second.verdict, text } };
}
