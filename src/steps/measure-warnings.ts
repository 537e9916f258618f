import type { LimitFacts } from '../bench/limits.ts';
import { limitsOf } from '../bench/limits.ts';
import type { Series } from '../domain/bench.ts';

/** What is wrong with the proof comes first: a figure that software made looks like one of the hardware. Then why it is slow. */
export function warningsOf(facts: LimitFacts): readonly string[] {
  const { conditions, series } = facts;
  const limits = limitsOf(facts);
  const proofs = series.flatMap(({ proof }) => {
    if (proof.verdict === 'not-offloaded')
      return [`NOT OFFLOADED: ${proof.cause ?? `${failedChecks(proof)}. The cause is not known`}.`];
    if (proof.verdict === 'unknown')
      return [`It could not be seen whether the hardware did the work: ${failedChecks(proof)}.`];
    return [];
  });
  const looks = conditions.flatMap(({ end, name, label, value, warning }) =>
    warning === undefined || limits.some(({ about }) => about === name)
      ? []
      : [`${label}${end === 'pair' ? '' : ` (${end})`} is ${value}: ${warning}`],
  );
  const said = mergeAlike(series.flatMap(({ repeats }) => repeats.flatMap(({ warnings }) => warnings)));
  return [
    ...new Set(
      [...proofs, ...limits.map(({ text }) => text), ...looks, ...said].map((text) => text.replace(/\.+$/, '.')),
    ),
  ];
}

/** Every repeat says the same of itself with other numbers: one of them is enough, with how many there are. */
export function mergeAlike(warnings: readonly string[]): readonly string[] {
  const kinds = new Map<string, string[]>();
  for (const warning of new Set(warnings)) {
    const kind = warning.replace(/\d+(?:\.\d+)?/g, '#');
    kinds.set(kind, [...(kinds.get(kind) ?? []), warning]);
  }
  return [...kinds.values()].map(([first = '', ...others]) =>
    others.length === 0 ? first : `${first} (and ${others.length} more like it, in the JSON file)`,
  );
}

function failedChecks({ checks }: Series['proof']): string {
  const failed = checks.filter(({ pass }) => pass !== true).map(({ label, saw }) => `${label}: ${saw}`);
  return failed.length === 0 ? 'no check could be made' : failed.join('; ');
}
