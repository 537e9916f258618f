import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commandsPage } from '../../../commands/page.ts';
import { commands } from '../../../commands/registry.ts';

const root = new URL('../../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

test('docs/commands.md is what the command table says (`npm run docs` writes it)', () => {
  expect(read('docs/commands.md')).toBe(commandsPage(commands));
});

test('the sudoers sample names every program that facts and steps run with sudo, and grants root', () => {
  const sample = read('examples/sudoers');
  const sources = ['src/facts/', 'src/steps/'].flatMap((folder) =>
    readdirSync(new URL(folder, root)).map((file) => read(`${folder}${file}`)),
  );
  const programs = new Set(
    sources.flatMap((text) => [...text.matchAll(/'sudo',\s*'-n',\s*'([\w.-]+)'/g)].map(([, program = '']) => program)),
  );

  expect(programs.size).toBeGreaterThan(10);
  for (const program of programs) expect(sample).toMatch(new RegExp(`^#   .*\\b${program}\\b`, 'm'));
  expect(sample).toMatch(/^dpubot ALL=\(root\) NOPASSWD: ALL$/m);
});
