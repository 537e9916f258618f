import type { z } from 'zod';
import type { Problem } from './view.ts';

type Issue = z.core.$ZodIssue;

/** The words for kinds of values, as somebody knows them who writes YAML. */
const KIND: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'a block of settings',
  record: 'a block of names',
  null: 'nothing',
};

/** What the form of a file does not allow, in words. Of unknown keys each has its own line number. */
export function formProblems(issue: Issue, above: Problem['path'] = []): Problem[] {
  const path = [...above, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], text: 'is not a known setting', atKey: true }));
    case 'invalid_key':
      return [{ path, text: `the name does not fit: ${issue.issues[0]?.message ?? issue.message}` }];
    case 'invalid_type':
      return [{ path, text: typeText(issue) }];
    case 'invalid_value':
      return [{ path, text: `must be ${choice(issue.values.map(String))}` }];
    case 'invalid_union':
      return unionProblems(issue, path);
    case 'too_small':
    case 'too_big':
      return [{ path, text: sizeText(issue) }];
    case 'invalid_format':
      return [{ path, text: issue.format === 'url' ? 'must be an address as in https://host/path' : issue.message }];
    case 'custom':
    case 'invalid_element':
    case 'not_multiple_of':
      return [{ path, text: issue.message }];
  }
}

/** Whole numbers and digits of a hash are what YAML takes for a number most often. */
function typeText(issue: Extract<Issue, { readonly code: 'invalid_type' }>): string {
  const received = /received (\w+)$/.exec(issue.message)?.[1] ?? 'undefined';
  if (received === 'undefined') return 'is missing';
  const wanted = KIND[issue.expected] ?? issue.expected;
  const isScalar = ['number', 'boolean', 'null', 'NaN'].includes(received);
  if (issue.expected === 'string' && isScalar)
    return `must be a text, and YAML reads ${KIND[received] ?? received} here: put it into quotes`;
  return `must be ${wanted}, is ${KIND[received] ?? received}`;
}

function sizeText(issue: Extract<Issue, { readonly code: 'too_small' | 'too_big' }>): string {
  const { limit, word } =
    issue.code === 'too_small'
      ? { limit: issue.minimum, word: issue.inclusive === false ? 'more than' : 'at least' }
      : { limit: issue.maximum, word: issue.inclusive === false ? 'less than' : 'at most' };
  if (issue.origin === 'array') return `must have ${word} ${limit} ${Number(limit) === 1 ? 'entry' : 'entries'}`;
  if (issue.origin === 'string')
    return `must have ${word} ${limit} ${Number(limit) === 1 ? 'character' : 'characters'}`;
  return `must be ${word} ${limit}`;
}

/** Of several forms that a value may have, the one it comes closest to says what is wrong. */
function unionProblems(issue: Extract<Issue, { readonly code: 'invalid_union' }>, path: Problem['path']): Problem[] {
  const firsts = issue.errors.flatMap((problems) => problems[0] ?? []);
  const depth = (entry: Issue): number => entry.path.length * 2 + (entry.code === 'invalid_value' ? 0 : 1);
  const closest = firsts.toSorted((a, b) => depth(b) - depth(a))[0];
  return closest === undefined ? [{ path, text: issue.message }] : formProblems(closest, path);
}

function choice(values: readonly string[]): string {
  if (values.length < 2) return values.join('');
  return `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}
