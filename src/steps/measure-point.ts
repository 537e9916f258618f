import { z } from 'zod';
import { pointText } from '../bench/point-text.ts';
import type { Proof, Repeat, Series } from '../domain/bench.ts';
import type { ApplyContext } from '../domain/step.ts';
import type { KeptLog, MeasuredPoint, PointWork, RunFrame } from './measure-frame.ts';
import { folderPrefix } from './measure-jobs.ts';
import { keep, kept } from './measure-keep.ts';
import { Collected, measureOnce } from './measure-tries.ts';
import { confirm, judge, keyOf } from './measure-verdict.ts';
import { findZeroLoss } from './measure-zero-loss.ts';

/** All repeats of a point with the proof around them. What was put aside is of this very step; only its outline is checked. */
const First = z.object({
  repeats: z.custom<readonly Repeat[]>(Array.isArray),
  proof: z.custom<Proof>((value) => typeof value === 'object' && value !== null && 'verdict' in value),
  version: z.string().optional(),
  notes: z.array(z.string()),
  logs: z.custom<readonly KeptLog[]>(Array.isArray),
});
type First = z.infer<typeof First>;

/**
 * Measures one point: all its repeats with the proof around them, and once more all of them where they are worse than the
 * baseline, before anybody is told. A worker that takes over in the second measurement keeps the first one. Errors:
 * bench-tool-failed and those of a repeat.
 */
export async function measurePoint(context: ApplyContext, frame: RunFrame, work: PointWork): Promise<MeasuredPoint> {
  const { parts, params } = frame;
  const { point, id } = work;
  const before = First.safeParse(await kept(context, firstName(id)));
  const first: First = before.success ? before.data : await measureFirst(context, frame, work);
  const baseline = await context.results.baseline(keyOf(frame, work, first.proof));
  const judged = judge(context, frame, baseline, first.repeats);
  const collected = new Collected();
  collected.take(first);
  let figures: Pick<Series, 'repeats' | 'verdict' | 'unconfirmed'> = { repeats: first.repeats, verdict: judged };
  if (judged.kind === 'worse') {
    if (!before.success) await keep(context, firstName(id), `the first measurement of ${id}`, first);
    const again = await measureAgain(context, frame, work, collected);
    figures = confirm(
      { repeats: first.repeats, verdict: judged },
      { repeats: again, verdict: judge(context, frame, baseline, again) },
    );
    if (figures.unconfirmed !== undefined)
      collected.notes.push(
        `${pointText(point)}: a first measurement was ${judged.text}. A second one did not confirm it, and is the one that counts.`,
      );
  }
  const summary = parts.summarise(figures.repeats, point, frame.lineRateGbps);
  const zeroLoss = params.zeroLoss
    ? await measureZeroLoss(context, frame, work, figures.repeats, collected)
    : undefined;
  const series = { point, ...figures, summary, proof: first.proof, ...(zeroLoss && { zeroLoss }) };
  return { series, toolVersion: collected.version, notes: collected.notes, logs: collected.logs };
}

async function measureFirst(context: ApplyContext, frame: RunFrame, work: PointWork): Promise<First> {
  const { parts } = frame;
  const { point } = work;
  return context.act(actOn(context, work, ''), async () => {
    const collected = new Collected();
    const start = await parts.beginProof(context, point);
    let seen: unknown;
    const onTraffic = async (): Promise<void> => {
      seen ??= await parts.watchProof(context, start, point);
    };
    const repeats = await measureAll(context, frame, work, { from: 1, note: '', onTraffic }, collected);
    const bytes = repeats.reduce((sum, { receivedGbps }) => sum + (receivedGbps * 1e9 * point.durationS) / 8, 0);
    const proof = await parts.endProof(context, seen ?? start, point, bytes);
    const { version, notes, logs } = collected;
    const value = { repeats, proof, ...(version !== undefined && { version }), notes, logs };
    return { evidence: `${ratesText(repeats)}; ${proof.verdict}`, value };
  });
}

async function measureAgain(
  context: ApplyContext,
  frame: RunFrame,
  work: PointWork,
  collected: Collected,
): Promise<readonly Repeat[]> {
  return context.act(actOn(context, work, '-again'), async () => {
    const wish = { from: frame.params.repeats + 1, note: 'again, ' };
    const value = await measureAll(context, frame, work, wish, collected);
    return { evidence: ratesText(value), value };
  });
}

async function measureZeroLoss(
  context: ApplyContext,
  frame: RunFrame,
  work: PointWork,
  repeats: readonly Repeat[],
  collected: Collected,
): Promise<Series['zeroLoss']> {
  return context.act(actOn(context, work, '-zero-loss'), async () => {
    const value = await findZeroLoss(context, frame, work, repeats, collected);
    return { evidence: value === undefined ? 'none found' : `${value.gbps.toFixed(2)} Gb/s without loss`, value };
  });
}

function firstName(id: string): string {
  return `${id}-first`;
}

function actOn(
  { runId }: ApplyContext,
  { id, point }: PointWork,
  which: '' | '-again' | '-zero-loss',
): { readonly name: string; readonly text: string; readonly before: object } {
  const texts = { '': 'measure', '-again': 'measure a second time', '-zero-loss': 'look for the rate without loss of' };
  return {
    name: `${id}${which}`,
    text: `${texts[which]} ${pointText(point)}`,
    before: { folders: `${folderPrefix(runId)}${id}` },
  };
}

function ratesText(repeats: readonly Repeat[]): string {
  return `${repeats.map(({ receivedGbps }) => receivedGbps.toFixed(2)).join(', ')} Gb/s`;
}

async function measureAll(
  context: ApplyContext,
  frame: RunFrame,
  work: PointWork,
  { from, note, onTraffic }: { readonly from: number; readonly note: string; readonly onTraffic?: () => Promise<void> },
  collected: Collected,
): Promise<readonly Repeat[]> {
  const { repeats: count } = frame.params;
  const repeats: Repeat[] = [];
  for (let index = 0; index < count; index += 1) {
    const label = `${work.point.direction}, ${note}repeat ${index + 1} of ${count}`;
    const repeat = { number: from + index, index, label, ...(onTraffic && { onTraffic }) };
    repeats.push(await measureOnce(context, frame, work, repeat, collected));
  }
  return repeats;
}
