import type { BenchResult, Measured, Series } from '../domain/bench.ts';
import { pointText } from './point-text.ts';
import { figureText, rateUnit } from './rate-text.ts';
import { settingGroups } from './result-line.ts';

type Table = Measured['table'];

/** One row a series, of a sweep the best setting first: the figure, and how far to trust it. */
export function resultTable(result: Pick<BenchResult, 'series'>): Table {
  const series = settingGroups(result).flatMap((group) => group.series);
  const hasFrames = series.some(({ summary }) => summary.mpps !== undefined);
  const { unit, text } = rateUnit(Math.max(0, ...series.map(({ summary }) => summary.medianGbps)));
  const columns = [
    'Setting',
    `Median ${unit}`,
    'Interval',
    'Spread',
    ...(hasFrames ? [`L1 ${unit}`, 'Mpps'] : []),
    'Line rate',
    'Loss',
    'Baseline',
  ];
  const optional = (value: number | undefined, write: (value: number) => string): string =>
    value === undefined ? '-' : write(value);
  const rows = series.map(({ point, summary, repeats, verdict }) => [
    pointText(point),
    text(summary.medianGbps),
    `${text(summary.lowGbps)} to ${text(summary.highGbps)} (${confidence(summary.confidencePercent)})`,
    `${summary.spreadPercent.toFixed(1)} %`,
    ...(hasFrames ? [optional(summary.layer1Gbps, text), optional(summary.mpps, figureText)] : []),
    optional(summary.lineRatePercent, (percent) => `${percent.toFixed(1)} %`),
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
