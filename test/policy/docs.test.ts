import { describe, expect, it } from 'vitest';
import { commandsPage } from '../../commands/page.ts';
import { commands } from '../../commands/registry.ts';
import { proceduresPage } from '../../scripts/lib/procedures.ts';
import { envExample } from '../../src/config-variables.ts';
import { filesBelow, readSource } from './sources.ts';

describe('generated files', () => {
  it('docs/commands.md is what the command table says (`npm run docs` writes it)', () => {
    expect(readSource('docs/commands.md').text).toBe(commandsPage(commands));
  });

  it('docs/procedures.md is what steps and tests say (`npm run docs` writes it)', () => {
    expect(readSource('docs/procedures.md').text).toBe(proceduresPage());
  });

  it('.env.example is what the settings say (`npm run docs` writes it)', () => {
    expect(readSource('.env.example').text).toBe(envExample());
  });
});

describe('architecture decision records', () => {
  const records = filesBelow('docs/adr', /\.md$/).map(readSource);

  it('are numbered without a gap', () => {
    const numbers = records.map(({ path }) => Number(/\/(\d{4})-/.exec(path)?.[1]));

    expect(numbers).toEqual(records.map((_record, index) => index + 1));
    expect(records.length).toBeGreaterThan(0);
  });

  it('have a date, context, decision and consequences on at most a page', () => {
    const wanting = records.filter(
      ({ text }) =>
        !/^Date: \d{4}-\d\d-\d\d$/m.test(text) ||
        !['Context', 'Decision', 'Consequences'].every((title) => text.includes(`\n## ${title}\n`)) ||
        text.split('\n').length > 70,
    );

    expect(wanting.map(({ path }) => path)).toEqual([]);
  });
});

describe('links between documents', () => {
  it('lead to files that exist', () => {
    const documents = [...filesBelow('docs', /\.md$/), 'README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].map(readSource);
    const known = new Set(filesBelow('', /./));

    const broken = documents.flatMap(({ path, text }) =>
      [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
        .map(([, target = '']) => resolvePath(path, target))
        .filter(
          (target) =>
            !known.has(target) && ![...known].some((file) => file.startsWith(`${target.replace(/\/$/, '')}/`)),
        )
        .map((target) => `${path} -> ${target}`),
    );

    expect(broken).toEqual([]);
  });
});

function resolvePath(from: string, target: string): string {
  const parts = target.startsWith('/') ? [] : from.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}
