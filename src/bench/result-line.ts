import type { BaselineVerdict, BenchResult, Series } from '../domain/bench.ts';
import { directionText, settingText } from './point-text.ts';
import { rateText } from './rate-text.ts';

/** What the first pair of this kind reached, testpmd over a 400 Gb/s cable. Source: the blog that dpubot comes from. */
const knownGbps = { raw: 390, ipsec: 193 } as const;

/** A setting in both directions. */
export interface SettingGroup {
  readonly setting: string;
  readonly series: readonly Series[];
  /** Of both directions the lower one: no more can be promised. */
  readonly gbps: number;
}

/** "Raw throughput of wire1, testpmd: MTU 9000, 4 streams"; of a sweep without the setting, which is another in each row. */
export function resultTitle(result: BenchResult): string {
  const { kind, pair, tool } = result;
  const [only, ...others] = settingGroups(result);
  const setting = only === undefined || others.length > 0 ? '' : `: ${only.setting}`;
  return `${kind === 'raw' ? 'Raw' : 'IPsec'} throughput of ${pair}, ${tool}${setting}`;
}

/** The settings of a result, the best one first. */
export function settingGroups({ series }: Pick<BenchResult, 'series'>): readonly SettingGroup[] {
  const settings = [...new Set(series.map(({ point }) => settingText(point)))];
  return settings
    .map((setting) => {
      const own = series.filter(({ point }) => settingText(point) === setting);
      return { setting, series: own, gbps: Math.min(...own.map(({ summary }) => summary.medianGbps)) };
    })
    .toSorted((a, b) => b.gbps - a.gbps);
}

/**
 * The line to read: the rate and what it is of the line rate, for each direction, whether the hardware did it, and the verdict.
 * Of a sweep: the best setting and how far it is ahead. Ratios to known figures are told of real hardware only.
 */
export function resultLine(result: BenchResult): string {
  const groups = settingGroups(result);
  const [best] = groups;
  if (best === undefined) return 'nothing was measured';
  return [
    best.series.map((series) => seriesText(result, series)).join(', '),
    ...aheadText(groups),
    ...offloadText(best.series),
    ...verdictTexts(result, best.series),
    ...ratioText(result, best.gbps),
  ].join('; ');
}

function seriesText({ cards }: BenchResult, { point, summary, zeroLoss }: Series): string {
  const { medianGbps, lineRatePercent } = summary;
  const line = lineRatePercent === undefined ? '' : ` (${lineRatePercent.toFixed(1)} % of line rate)`;
  const lossless = zeroLoss === undefined ? '' : `, ${rateText(zeroLoss.gbps)} without loss`;
  return `${rateText(medianGbps)} ${directionText(cards, point.direction)}${line}${lossless}`;
}

/** Which setting was best, by how much before the next one, and how far apart best and worst are. */
function aheadText(groups: readonly SettingGroup[]): readonly string[] {
  const [best, next] = groups;
  const worst = groups.at(-1);
  if (best === undefined || next === undefined || worst === undefined) return [];
  const far = worst === next ? '' : ` and ${aheadOf(best.gbps, worst.gbps)} the worst (${worst.setting})`;
  return [`best of ${groups.length} settings: ${best.setting}, ${aheadOf(best.gbps, next.gbps)} ${next.setting}${far}`];
}

/** "4.2 % ahead of", "level with", "4.6 times as fast as". */
function aheadOf(gbps: number, other: number): string {
  if (other === 0) return 'far ahead of';
  const ratio = gbps / other;
  if (ratio >= 2) return `${ratio.toFixed(1)} times as fast as`;
  const percent = ((ratio - 1) * 100).toFixed(1);
  return percent === '0.0' ? 'level with' : `${percent} % ahead of`;
}

function offloadText(series: readonly Series[]): readonly string[] {
  const verdicts = series.map(({ proof }) => proof.verdict);
  if (verdicts.includes('not-offloaded')) return ['NOT OFFLOADED'];
  if (verdicts.includes('unknown')) return ['offload not proven'];
  if (verdicts.includes('not-wanted')) return ['in software, as the profile wants it'];
  return verdicts.length > 0 ? ['offloaded'] : [];
}

/** One text where both directions say the same, else each with its direction. */
function verdictTexts({ cards, run }: BenchResult, series: readonly Series[]): readonly string[] {
  const kinds = new Set<BaselineVerdict['kind']>(series.map(({ verdict }) => verdict.kind));
  if (kinds.size === 1 && kinds.has('no-baseline'))
    return [`no baseline yet: \`/dpu bench baseline ${run}\` makes this one it`];
  return series.map(({ point, verdict }) => `${directionText(cards, point.direction)} ${verdict.text}`);
}

function ratioText({ kind, stamp }: BenchResult, gbps: number): readonly string[] {
  if (stamp !== undefined) return [];
  return [`${(gbps / knownGbps[kind]).toFixed(2)} of the ${knownGbps[kind]} Gb/s that two B3240 have reached`];
}
