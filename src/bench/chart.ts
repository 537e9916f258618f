import type { BenchResult, ResultRecord, Series } from '../domain/bench.ts';
import { directions } from '../domain/bench.ts';
import { directionText, pointText, settingText } from './point-text.ts';
import type { ChartHeading, Drawing } from './draw-chart.ts';
import { drawChart } from './draw-chart.ts';
import { rateText } from './rate-text.ts';
import { settingGroups } from './result-line.ts';

/** A picture for the thread. */
export interface Chart {
  readonly png: Uint8Array;
  /** What it shows, in words: for people who cannot see it. */
  readonly altText: string;
}

/** Rate over time, one line a repeat: does it hold, and do the repeats agree? Of several settings the best one is shown. */
export function samplesChart(result: BenchResult): Chart {
  const groups = settingGroups(result);
  const series = groups[0]?.series ?? [];
  const lines = series.flatMap(({ point, repeats }) =>
    repeats.map((repeat, index) => ({
      name: `${directionText(result.cards, point.direction)}, repeat ${index + 1}`,
      points: repeat.samples.map(({ atS, receivedGbps }): [number, number] => [atS, receivedGbps]),
    })),
  );
  const said = series.map(
    ({ point, summary }) =>
      `${nameOf(result, point)}: median ${rateText(summary.medianGbps)}, ${rateText(summary.lowGbps)} to ${rateText(summary.highGbps)}`,
  );
  const best = groups.length > 1 ? `The best of ${groups.length} settings: ` : '';
  const heading = { title: `${title(result)}: rate over time`, subtitle: `${best}${groups[0]?.setting ?? ''}` };
  return chart(result, heading, { kind: 'lines', lines, x: 'Time, s', y: 'Received, Gb/s' }, said);
}

/** Medians of the runs of one key, oldest first, and the baseline as a line across. Undefined with fewer than two runs. */
export function historyChart(records: readonly ResultRecord[], baseline: ResultRecord | undefined): Chart | undefined {
  const [newest] = records;
  if (newest === undefined || records.length < 2) return undefined;
  const ordered = records.toSorted((a, b) => a.run - b.run);
  const drawing: Drawing = {
    kind: 'lines',
    lines: [{ name: 'Median', points: ordered.map(({ medianGbps }, index): [number, number] => [index, medianGbps]) }],
    labels: ordered.map(({ run }) => `run ${run}`),
    x: 'Run',
    y: 'Received, Gb/s',
    ...(baseline && { level: { name: `baseline, run ${baseline.run}`, value: baseline.medianGbps } }),
  };
  const kind = newest.point.kind === 'raw' ? 'Raw' : 'IPsec';
  const heading = {
    title: `${kind} throughput of ${newest.pair}, ${newest.point.tool}: history`,
    subtitle: pointText(newest.point),
  };
  const said = ordered.map(({ run, medianGbps }) => `run ${run}: ${rateText(medianGbps)}`);
  return chart(newest, heading, drawing, said);
}

/**
 * Medians over the settings of a sweep: a heat map of two settings, a line of one. Of three, two are shown where the third is
 * as in the best setting. Undefined where only one was measured.
 */
export function sweepChart(result: BenchResult): Chart | undefined {
  const [first, second, ...others] = sweptSettings(result.series);
  if (first === undefined) return undefined;
  const best = settingGroups(result)[0]?.series[0]?.point;
  const series = result.series.filter(
    ({ point }) => best === undefined || others.every((axis) => axis.of(point) === axis.of(best)),
  );
  const fixed = best === undefined ? [] : others.map((axis) => `${axis.label}: ${axis.of(best)}, the best`);
  const said = series.map(({ point, summary }) => `${pointText(point)}: ${rateText(summary.medianGbps)}`);
  const subtitles = second === undefined ? [] : ['Median received; of both directions the lower one', ...fixed];
  const heading = { title: `${title(result)}: sweep`, subtitle: subtitles.join('. ') };
  if (second === undefined) {
    const lines = directions
      .map((direction) => ({
        name: directionText(result.cards, direction),
        points: series
          .filter(({ point }) => point.direction === direction)
          .map(({ point, summary }): [number, number] => [first.values.indexOf(first.of(point)), summary.medianGbps]),
      }))
      .filter(({ points }) => points.length > 0);
    const labels = first.values.map(String);
    return chart(result, heading, { kind: 'lines', lines, labels, x: first.label, y: 'Median received, Gb/s' }, said);
  }
  const cells = series.map(({ point, summary }): [number, number, number] => [
    first.values.indexOf(first.of(point)),
    second.values.indexOf(second.of(point)),
    summary.medianGbps,
  ]);
  const [x, y] = [first, second].map(({ label, values }) => ({ label, values: values.map(String) }));
  if (x === undefined || y === undefined) return undefined;
  return chart(result, heading, { kind: 'heat', cells: lowestOf(cells), x, y }, said);
}

/** A setting that has more than one value in the series. */
interface Axis {
  readonly label: string;
  readonly values: readonly number[];
  of(point: Series['point']): number;
}

function sweptSettings(series: readonly Series[]): readonly Axis[] {
  const settings: readonly Omit<Axis, 'values'>[] = [
    { label: 'MTU, bytes', of: (point) => point.mtuBytes },
    { label: 'Streams', of: (point) => point.streams },
    { label: 'Security associations', of: (point) => point.sas },
    { label: 'Frame, bytes', of: (point) => point.frameBytes ?? 0 },
  ];
  return settings
    .map((setting) => ({
      ...setting,
      values: [...new Set(series.map(({ point }) => setting.of(point)))].toSorted((a, b) => a - b),
    }))
    .filter(({ values }) => values.length > 1);
}

/** Of several values in one cell (two directions, a third setting) the lowest: a map must not promise more than is there. */
function lowestOf(cells: readonly [number, number, number][]): [number, number, number][] {
  const lowest = new Map<string, [number, number, number]>();
  for (const cell of cells) {
    const key = `${cell[0]} ${cell[1]}`;
    const known = lowest.get(key);
    if (known === undefined || cell[2] < known[2]) lowest.set(key, cell);
  }
  return [...lowest.values()];
}

function nameOf({ cards }: Pick<BenchResult, 'cards'>, point: Series['point']): string {
  return `${directionText(cards, point.direction)}, ${settingText(point)}`;
}

function title({ pair, kind, tool, run }: BenchResult): string {
  return `${kind === 'raw' ? 'Raw' : 'IPsec'} throughput of ${pair}, ${tool}, run ${run}`;
}

function chart(
  { stamp }: Pick<BenchResult, 'stamp'>,
  { title: plain, subtitle }: ChartHeading,
  drawing: Drawing,
  said: readonly string[],
): Chart {
  const stamped = stamp === undefined ? plain : `${stamp}: ${plain}`;
  // Slack takes alt texts of at most 2,000 characters.
  const altText = `${stamped}. ${said.join('; ')}.`.slice(0, 1_900);
  return { png: drawChart({ title: stamped, subtitle }, drawing), altText };
}
