import type { BenchResult, Measured, Series } from '../domain/bench.ts';
import { directionText, pointText } from './point-text.ts';
import { figureText, rateUnit } from './rate-text.ts';
import { settingGroups } from './result-line.ts';

type Table = Measured['table'];

/**
 * One row a series, of a sweep the best setting first: the figure, and how far to trust it. What is read first stands first,
 * because a phone shows no more: of one setting the direction, because the title has the setting.
 */
export function resultTable(result: Pick<BenchResult, 'series' | 'cards'>): Table {
  const groups = settingGroups(result);
  const isSweep = groups.length > 1;
  const series = groups.flatMap((group) => group.series);
  const hasFrames = series.some(({ summary }) => summary.mpps !== undefined);
  const { unit, text } = rateUnit(Math.max(0, ...series.map(({ summary }) => summary.medianGbps)));
  const columns = [
    isSweep ? 'Setting' : 'Direction',
    `Median ${unit}`,
    'Line rate',
    'Interval',
    'Spread',
    ...(hasFrames ? [`L1 ${unit}`, 'Mpps'] : []),
    'Loss',
    'Baseline',
  ];
  const optional = (value: number | undefined, write: (value: number) => string): string =>
    value === undefined ? '-' : write(value);
  const rows = series.map(({ point, summary, repeats, verdict }) => [
    isSweep ? pointText(point) : directionText(result.cards, point.direction),
    text(summary.medianGbps),
    optional(summary.lineRatePercent, (percent) => `${percent.toFixed(1)} %`),
    `${text(summary.lowGbps)} to ${text(summary.highGbps)} (${confidence(summary.confidencePercent)})`,
    `${summary.spreadPercent.toFixed(1)} %`,
    ...(hasFrames ? [optional(summary.layer1Gbps, text), optional(summary.mpps, figureText)] : []),
    lossOf(repeats),
    verdict.kind.replaceAll('-', ' '),
  ]);
  return { columns, rows };
}

/** The same for a spreadsheet. Source: RFC 4180. */
export function csvOf({ columns, rows }: Table): string {
  const cell = (value: string): string => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  return [columns, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

/** Of one repeat there is no interval. */
function confidence(percent: number): string {
  return percent === 0 ? 'one repeat' : `${percent.toFixed(0)} %`;
}

function lossOf(repeats: Series['repeats']): string {
  const lost = repeats.flatMap(({ lossPercent }) => lossPercent ?? []);
  if (lost.length > 0) return `${Math.max(...lost).toFixed(2)} %`;
  const retransmits = repeats.flatMap((repeat) => repeat.retransmits ?? []);
  return retransmits.length > 0 ? `${Math.max(...retransmits)} retransmits` : '-';
}
