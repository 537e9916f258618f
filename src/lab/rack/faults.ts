/**
 * Failure injection: named rules with a use count, each matching a documented symptom.
 */
import { knownFaults } from './known-faults.ts';
import type { FaultName, KnownFault } from './known-faults.ts';

export type { FaultName } from './known-faults.ts';

/** One active rule. `target` null means every card or host. */
export interface FaultRule {
  name: FaultName;
  target: string | null;
  usesLeft: number | null;
}

/** What a fault hits. */
export function faultScope(name: FaultName): KnownFault['scope'] {
  return knownFaults[name].scope;
}

/** A known fault with what is active of it. */
export interface FaultInfo extends KnownFault {
  name: FaultName;
  active: { target: string | null; usesLeft: number | null }[];
}

/** Is there a fault of that name? */
export function isFaultName(name: string): name is FaultName {
  return Object.hasOwn(knownFaults, name);
}

/** Add a rule, replacing one with the same name and target. */
export function addFault(rules: FaultRule[], name: string, options: { target?: string; uses?: number }): FaultRule {
  if (!isFaultName(name)) throw new Error(`Unknown fault "${name}". Known: ${Object.keys(knownFaults).join(', ')}.`);
  if (options.uses !== undefined && (!Number.isInteger(options.uses) || options.uses < 1)) {
    throw new Error(`The use count of fault "${name}" must be a whole number of at least 1.`);
  }
  const target = options.target ?? null;
  const rule: FaultRule = { name, target, usesLeft: options.uses ?? knownFaults[name].defaultUses };
  const index = rules.findIndex((each) => each.name === name && each.target === target);
  if (index === -1) rules.push(rule);
  else rules[index] = rule;
  return rule;
}

/** Remove all rules of that name, or the one for a target; says how many there were. */
export function removeFault(rules: FaultRule[], name: string, target?: string): number {
  if (!isFaultName(name)) throw new Error(`Unknown fault "${name}".`);
  const before = rules.length;
  for (let index = rules.length - 1; index >= 0; index -= 1) {
    const rule = rules[index];
    if (rule?.name === name && (target === undefined || rule.target === target)) rules.splice(index, 1);
  }
  return before - rules.length;
}

/** The rule that hits one of these targets, if any; does not use it up. */
export function findFault(rules: FaultRule[], name: FaultName, targets: string[]): FaultRule | undefined {
  return rules.find((rule) => rule.name === name && (rule.target === null || targets.includes(rule.target)));
}

/** Like `findFault`, and uses it up once. */
export function useFault(rules: FaultRule[], name: FaultName, targets: string[]): boolean {
  const rule = findFault(rules, name, targets);
  if (rule === undefined) return false;
  if (rule.usesLeft !== null) {
    rule.usesLeft -= 1;
    if (rule.usesLeft <= 0) rules.splice(rules.indexOf(rule), 1);
  }
  return true;
}

/** All known faults, with what is active. */
export function describeFaults(rules: FaultRule[]): FaultInfo[] {
  return Object.entries(knownFaults).flatMap(([name, known]) =>
    isFaultName(name)
      ? [
          {
            name,
            ...known,
            active: rules.filter((rule) => rule.name === name).map(({ target, usesLeft }) => ({ target, usesLeft })),
          },
        ]
      : [],
  );
}
