/**
 * Writes what is made from the code: docs/commands.md, docs/procedures.md and .env.example. With --check nothing is written and the exit
 * code is 1 when a file differs.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { commandsPage } from '../commands/page.ts';
import { commands } from '../commands/registry.ts';
import { envExample } from '../src/config-variables.ts';
import { proceduresPage } from './lib/procedures.ts';

const files = [
  { path: 'docs/commands.md', text: commandsPage(commands) },
  { path: 'docs/procedures.md', text: proceduresPage() },
  { path: '.env.example', text: envExample() },
];
const onlyCheck = process.argv.includes('--check');

for (const { path, text } of files) {
  const url = new URL(`../${path}`, import.meta.url);
  if (!onlyCheck) {
    writeFileSync(url, text);
    process.stdout.write(`${path} written\n`);
  } else if (read(url) !== text) {
    process.stdout.write(`${path} is not what the code says; run npm run docs\n`);
    process.exitCode = 1;
  }
}

function read(url: URL): string | undefined {
  try {
    return readFileSync(url, 'utf8');
  } catch {
    return undefined;
  }
}
