import type { BenchPoint, Condition, ResultRecord } from '../domain/bench.ts';
import { canonicalHash } from '../domain/canonical.ts';
import { changeTo } from './history.ts';
import { pointText } from './point-text.ts';
import { randomNumbers } from './random.ts';
import { rateText } from './rate-text.ts';
import { judgeAgainst } from './verdict.ts';

/** One setting that both runs have measured, in words. */
export interface ComparedSetting {
  readonly setting: string;
  readonly before: string;
  readonly after: string;
  readonly change: string;
  /** The verdict with its test; where the figures stand on different things, what those are. */
  readonly verdict: string;
}

/** Two runs side by side. */
export interface Comparison {
  readonly settings: readonly ComparedSetting[];
  /** Settings that only one of the runs has measured. */
  readonly alone: readonly { readonly run: number; readonly setting: string }[];
}

/**
 * Holds the figures of a run against those of an earlier one. A verdict there is only for equal keys; where the same setting
 * was measured on something else (firmware, image, offload, pair), that is said instead.
 */
export function compareRuns(before: readonly ResultRecord[], after: readonly ResultRecord[]): Comparison {
  const matches = after.map((record) => ({ record, old: partnerOf(record, before) }));
  const used = new Set(matches.map(({ old }) => old));
  const alone = matches.filter(({ old }) => old === undefined).map(({ record }) => record);
  return {
    settings: matches.flatMap(({ record, old }) => (old === undefined ? [] : [compared(old, record)])),
    alone: [...before.filter((record) => !used.has(record)), ...alone].map(({ run, point }) => ({
      run,
      setting: settingOf(point),
    })),
  };
}

/** "NIC firmware (a): 32.42.1000, then 32.43.2566": conditions that are not the same in both runs. */
export function changedConditions(before: readonly Condition[], after: readonly Condition[]): readonly string[] {
  const keyOf = ({ end, name }: Condition): string => `${end} ${name}`;
  const old = new Map(before.map((condition) => [keyOf(condition), condition]));
  const now = new Map(after.map((condition) => [keyOf(condition), condition]));
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((key) => {
    const [was, is] = [old.get(key), now.get(key)];
    const known = is ?? was;
    if (known === undefined || was?.value === is?.value) return [];
    const place = known.end === 'pair' ? '' : ` (${known.end})`;
    return [`${known.label}${place}: ${was?.value ?? 'not read'}, then ${is?.value ?? 'not read'}`];
  });
}

/** The figure of the same key, else of the same setting. */
function partnerOf(record: ResultRecord, others: readonly ResultRecord[]): ResultRecord | undefined {
  const same = others.find(({ key }) => key === record.key);
  return same ?? others.find(({ point }) => shapeOf(point) === shapeOf(record.point));
}

/** All that was chosen but the time that it took. */
function shapeOf({ durationS: _durationS, ...point }: BenchPoint): string {
  return canonicalHash(point);
}

function compared(before: ResultRecord, after: ResultRecord): ComparedSetting {
  const verdict =
    before.key === after.key
      ? judgeAgainst(before, after.repeatsGbps, randomNumbers(after.run)).text
      : `no verdict: ${differences(before, after).join(', ')}`;
  return {
    setting: settingOf(after.point),
    before: rateText(before.medianGbps),
    after: rateText(after.medianGbps),
    // What is simulated and what is real have nothing to do with each other.
    change: before.stamp === after.stamp ? changeTo(after, before) : '-',
    verdict,
  };
}

function differences(before: ResultRecord, after: ResultRecord): readonly string[] {
  const parts: readonly (readonly [string, string, string])[] = [
    ['pair', before.pair, after.pair],
    ['stamp', before.stamp ?? 'real hardware', after.stamp ?? 'real hardware'],
    ['offload', before.offload.replaceAll('-', ' '), after.offload.replaceAll('-', ' ')],
    ['firmware', before.firmware, after.firmware],
    ['image', before.image, after.image],
    ['duration', `${before.point.durationS} s`, `${after.point.durationS} s`],
  ];
  return parts.flatMap(([label, was, is]) => (was === is ? [] : [`${label} ${was}, then ${is}`]));
}

function settingOf(point: BenchPoint): string {
  return `${point.kind}, ${point.tool}, ${pointText(point)}`;
}
