import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { filesBelow, readSource, root } from './sources.ts';

const reviewedFile = 'test/policy/fact-commands.txt';

/** One line per read-only command and resource that a fact can send to a device: file, name, words or path. */
async function declaredReads(): Promise<string[]> {
  const lines: string[] = [];
  for (const path of filesBelow('src/facts', /\.ts$/)) {
    const exported = (await import(pathToFileURL(join(root, path)).href)) as Readonly<Record<string, unknown>>;
    for (const value of Object.values(exported)) {
      const read = readText(value);
      if (read !== undefined) lines.push(`${path}: ${read}`);
    }
  }
  return lines.toSorted();
}

function readText(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if ('template' in value && hasPath(value.template)) return `GET ${value.template.path}`;
  if ('template' in value) {
    const { argv, holes } = value.template as { argv: readonly string[]; holes: Readonly<Record<string, RegExp>> };
    const patterns = Object.entries(holes).map(([name, pattern]) => `  {${name}} = ${pattern.source}`);
    return `ssh ${JSON.stringify(argv)}${patterns.join('')}`;
  }
  if ('kind' in value && value.kind === 'read-resource' && 'path' in value) return `GET ${String(value.path)}`;
  return undefined;
}

function hasPath(template: unknown): template is { readonly path: string } {
  return typeof template === 'object' && template !== null && 'path' in template;
}

function reviewedReads(): string[] {
  const { text } = readSource(reviewedFile);
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('facts', () => {
  it('can send exactly the commands and requests that were reviewed', async () => {
    const declared = await declaredReads();

    expect(declared.length).toBeGreaterThan(0);
    expect(declared, `review the change, then write it to ${reviewedFile}`).toEqual(reviewedReads());
  });

  it('never have a hole that could become a second word, an option or a path upwards', async () => {
    const patterns = (await declaredReads()).flatMap((line) => [...line.matchAll(/ {2}\{\w+\} = (.+?)(?= {2}\{|$)/g)]);

    for (const [line, pattern = ''] of patterns)
      for (const value of ['', 'a b', '-x', '--help', '../x', '$(id)', ';id', 'a\nb'])
        expect(new RegExp(`^(?:${pattern})$`).test(value), `${line} accepts ${JSON.stringify(value)}`).toBe(false);
  });
});
