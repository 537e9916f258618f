import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commandsPage } from '../../../commands/page.ts';
import { commands } from '../../../commands/registry.ts';

const root = new URL('../../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

test('docs/commands.md is what the command table says (`npm run docs` writes it)', () => {
  expect(read('docs/commands.md')).toBe(commandsPage(commands));
});

test('the sudoers sample grants every command that facts run with sudo, word for word', () => {
  const granted = read('examples/sudoers').replaceAll('\\:', ':');
  const sources = readdirSync(new URL('src/facts/', root)).map((file) => read(`src/facts/${file}`));
  const asked = sources.flatMap((text) =>
    [...text.matchAll(/argv: \['sudo', '-n', ([^\]]+)\]/g)].map(([, words = '']) =>
      words
        .split(',')
        .map((word) => word.trim().replaceAll("'", ''))
        .filter((word) => word !== '')
        .join(' '),
    ),
  );

  expect(asked.length).toBeGreaterThan(1);
  for (const command of asked) expect(granted).toMatch(new RegExp(`(/usr)?/s?bin/${command}(,|$)`, 'm'));
});
