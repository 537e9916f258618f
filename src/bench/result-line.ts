import type { BaselineVerdict, BenchResult, Series } from '../domain/bench.ts';
import { directionText, pointText, settingText } from './point-text.ts';

/** What the first pair of this kind reached, testpmd over a 400 Gb/s cable. Source: the blog that dpubot comes from. */
const knownGbps = { raw: 390, ipsec: 193 } as const;

/** "Raw throughput of wire1, testpmd". */
export function resultTitle({ kind, pair, tool }: BenchResult): string {
  return `${kind === 'raw' ? 'Raw' : 'IPsec'} throughput of ${pair}, ${tool}`;
}

/**
 * The line to read: the rate and what it is of the line rate, for each direction, whether the hardware did it, and the verdict.
 * Of a sweep: the best setting and how far it is ahead. Ratios to known figures are told of real hardware only.
 */
export function resultLine(result: BenchResult): string {
  const settings = [...new Set(result.series.map(({ point }) => settingText(point)))];
  const groups = settings.map((setting) => {
    const series = result.series.filter(({ point }) => settingText(point) === setting);
    return { setting, series, gbps: lowest(series) };
  });
  const [best, next] = groups.toSorted((a, b) => b.gbps - a.gbps);
  if (best === undefined) return 'nothing was measured';
  const ahead =
    next === undefined
      ? []
      : [
          `best of ${groups.length} settings: ${best.setting}, ${percentAhead(best.gbps, next.gbps)} ahead of ${next.setting}`,
        ];
  return [
    best.series.map((series) => rateText(result, series)).join(', '),
    ...ahead,
    ...offloadText(best.series),
    ...verdictTexts(result, best.series),
    ...ratioText(result, best.gbps),
  ].join('; ');
}

/** One row a series. */
export function resultTable({ series }: BenchResult): {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
} {
  const hasFrames = series.some(({ summary }) => summary.mpps !== undefined);
  const columns = [
    'Setting',
    'Median Gb/s',
    'Interval',
    'Spread',
    ...(hasFrames ? ['L1 Gb/s', 'Mpps'] : []),
    'Line rate',
    'Loss',
    'Baseline',
  ];
  const rows = series.map(({ point, summary, repeats, verdict }) => {
    const lost = repeats.flatMap(({ lossPercent }) => lossPercent ?? []);
    const retransmits = repeats.flatMap((repeat) => repeat.retransmits ?? []);
    const loss =
      lost.length > 0
        ? `${Math.max(...lost).toFixed(2)} %`
        : retransmits.length > 0
          ? `${Math.max(...retransmits)} retransmits`
          : '-';
    return [
      pointText(point),
      figure(summary.medianGbps),
      `${figure(summary.lowGbps)} to ${figure(summary.highGbps)} (${summary.confidencePercent.toFixed(0)} %)`,
      `${summary.spreadPercent.toFixed(1)} %`,
      ...(hasFrames ? [optional(summary.layer1Gbps), optional(summary.mpps)] : []),
      summary.lineRatePercent === undefined ? '-' : `${summary.lineRatePercent.toFixed(1)} %`,
      loss,
      verdict.kind.replaceAll('-', ' '),
    ];
  });
  return { columns, rows };
}

function rateText({ cards }: BenchResult, { point, summary, zeroLoss }: Series): string {
  const { medianGbps, lineRatePercent } = summary;
  const line = lineRatePercent === undefined ? '' : ` (${lineRatePercent.toFixed(1)} % of line rate)`;
  const lossless = zeroLoss === undefined ? '' : `, ${figure(zeroLoss.gbps)} Gb/s without loss`;
  return `${figure(medianGbps)} Gb/s ${directionText(cards, point.direction)}${line}${lossless}`;
}

/** Of both directions the lower one: no more can be promised. */
function lowest(series: readonly Series[]): number {
  return Math.min(...series.map(({ summary }) => summary.medianGbps));
}

function percentAhead(gbps: number, next: number): string {
  return next === 0 ? 'far' : `${((gbps / next - 1) * 100).toFixed(1)} %`;
}

function offloadText(series: readonly Series[]): readonly string[] {
  const verdicts = series.map(({ proof }) => proof.verdict);
  if (verdicts.includes('not-offloaded')) return ['NOT OFFLOADED'];
  if (verdicts.includes('unknown')) return ['offload not proven'];
  return verdicts.includes('offloaded') ? ['offloaded'] : [];
}

/** One text where both directions agree, else each with its direction. */
function verdictTexts({ cards }: BenchResult, series: readonly Series[]): readonly string[] {
  const kinds = new Set<BaselineVerdict['kind']>(series.map(({ verdict }) => verdict.kind));
  const [first] = series;
  if (kinds.size === 1 && first?.verdict.kind === 'no-baseline') return [first.verdict.text];
  return series.map(({ point, verdict }) => `${directionText(cards, point.direction)} ${verdict.text}`);
}

function ratioText({ kind, stamp }: BenchResult, gbps: number): readonly string[] {
  if (stamp !== undefined) return [];
  return [`${(gbps / knownGbps[kind]).toFixed(2)} of the ${knownGbps[kind]} Gb/s that two B3240 have reached`];
}

function figure(value: number): string {
  return value.toFixed(value < 10 ? 2 : 1);
}

function optional(value: number | undefined): string {
  return value === undefined ? '-' : figure(value);
}
