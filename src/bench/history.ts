import type { BaselineKey, HistoryRow, ResultRecord } from '../domain/bench.ts';
import { pointText } from './point-text.ts';
import { changeText, rateText, repeatsText } from './rate-text.ts';

const sparks = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
const mostTrends = 6;
const shownOfTrend = 20;

/** A row a figure, newest first as given. Figures are compared only where their keys are equal. */
export function historyRows(
  records: readonly ResultRecord[],
  baselines: ReadonlyMap<BaselineKey, ResultRecord>,
): readonly HistoryRow[] {
  return records.map((record, index) => {
    const { run, atMs, key, point, medianGbps, repeatsGbps } = record;
    const before = records.slice(index + 1).find((other) => other.key === key && other.run !== run);
    const setting = `${point.kind}, ${point.tool}, ${pointText(point)}`;
    return {
      run,
      atMs,
      setting,
      rate: `${rateText(medianGbps)} (${repeatsText(repeatsGbps.length)})`,
      change: before === undefined ? '-' : `${changeTo(record, before)} to run ${before.run}`,
      baseline: baselineText(record, baselines.get(key)),
      remarks: remarksOf(record),
    };
  });
}

/** How the figures of one key went, oldest first, for keys with two runs or more: "▅▆█ 340.1 to 390.2 Gb/s". */
export function historyTrends(records: readonly ResultRecord[]): readonly string[] {
  const keys = [...new Set(records.map(({ key }) => key))];
  return keys
    .map((key) => records.filter((record) => record.key === key))
    .filter((same) => same.length > 1)
    .slice(0, mostTrends)
    .map((same) => {
      const ordered = same.toSorted((a, b) => a.run - b.run).slice(-shownOfTrend);
      const rates = ordered.map(({ medianGbps }) => medianGbps);
      const [first, last] = [ordered[0], ordered.at(-1)];
      const point = first === undefined ? '' : `${first.point.kind}, ${first.point.tool}, ${pointText(first.point)}`;
      const span = `${rateText(Math.min(...rates))} to ${rateText(Math.max(...rates))}`;
      return `${sparkline(rates)} ${point}: ${span}, runs ${first?.run} to ${last?.run}`;
    });
}

/** From zero, as the charts are: a difference of one percent must not look like one of fifty. */
export function sparkline(rates: readonly number[]): string {
  const highest = Math.max(...rates);
  return rates
    .map((rate) => sparks[highest === 0 ? 0 : Math.min(7, Math.max(0, Math.ceil((rate / highest) * 8) - 1))] ?? '▁')
    .join('');
}

/** Difference of the medians, in percent. */
export function changeTo(after: ResultRecord, before: ResultRecord): string {
  return changeText((after.medianGbps / before.medianGbps - 1) * 100);
}

function baselineText(record: ResultRecord, baseline: ResultRecord | undefined): string {
  if (baseline === undefined) return 'none';
  return baseline.run === record.run ? 'this is it' : `${changeTo(record, baseline)} to run ${baseline.run}`;
}

/** What the figure may not be taken for, and what else it stands on. */
function remarksOf({ stamp, offload, firmware, image }: ResultRecord): string {
  const words = { offloaded: 'offloaded', 'not-offloaded': 'NOT OFFLOADED', 'not-wanted': 'in software', unknown: '' };
  const parts = [stamp ?? '', words[offload], `firmware ${firmware}`, image];
  return parts.filter((part) => part !== '' && !part.endsWith('unknown')).join(', ');
}
