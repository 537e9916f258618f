/**
 * `$filter` on collections: comparisons joined by `and` or `or`, without parentheses.
 *
 * Source: DSP0266 section 7.3.4.
 */
import { isJsonObject } from './types.ts';
import type { Json, JsonObject } from './types.ts';

type Comparison = (member: JsonObject) => boolean;

function propertyOf(member: JsonObject, path: string): Json | undefined {
  let value: Json | undefined = member;
  for (const part of path.split('/')) value = isJsonObject(value) ? value[part] : undefined;
  return value;
}

function literal(text: string): Json | undefined {
  if (/^'.*'$/.test(text)) return text.slice(1, -1);
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (text === 'true' || text === 'false') return text === 'true';
  return text === 'null' ? null : undefined;
}

function compare(left: Json | undefined, operator: string, right: Json): boolean {
  if (left === undefined) return false;
  if (operator === 'eq') return left === right;
  if (operator === 'ne') return left !== right;
  if (typeof left !== typeof right || (typeof left !== 'number' && typeof left !== 'string')) return false;
  if (typeof right !== 'number' && typeof right !== 'string') return false;
  if (operator === 'gt') return left > right;
  if (operator === 'ge') return left >= right;
  if (operator === 'lt') return left < right;
  return left <= right;
}

function parseComparison(text: string): Comparison | null {
  const match = /^\s*([\w/@.]+)\s+(eq|ne|gt|ge|lt|le)\s+('[^']*'|\S+)\s*$/.exec(text);
  const right = literal(match?.[3] ?? '');
  if (match === null || right === undefined) return null;
  const [, path = '', operator = ''] = match;
  return (member) => compare(propertyOf(member, path), operator, right);
}

/** A test for members, or null when the expression is not understood. */
export function memberFilter(text: string): Comparison | null {
  const alternatives = text.split(/\sor\s/).map((part) => part.split(/\sand\s/).map(parseComparison));
  if (alternatives.some((all) => all.includes(null))) return null;
  return (member) => alternatives.some((all) => all.every((test) => test?.(member) ?? false));
}
