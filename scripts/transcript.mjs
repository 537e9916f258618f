/**
 * `npm run transcript`: has the demo flash a card anew, once rejected and once approved by a second person, and writes the
 * thread as the person who asked reads it to docs/transcripts/reflash.md. Takes about a minute.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './lib/children.mjs';
import { Problem, runMain, say } from './lib/print.mjs';

const line = '/dpu reflash as7 --image bf-2.9.2';
const args = [
  '--say',
  '/dpu provision as7',
  '--approve',
  '--say',
  line,
  '--reject',
  '--say',
  line,
  '--approve',
  '--exit',
];

await runMain(async () => {
  const demo = join(repository, 'scripts/demo.mjs');
  const { stdout, status } = spawnSync(process.execPath, [demo, ...args, '--timeout', '5m'], {
    cwd: repository,
    encoding: 'utf8',
    timeout: 600_000,
    maxBuffer: 32 * 1024 * 1024,
  });
  // The rejected run is no good end, so the demo ends with 1.
  const begin = stdout.indexOf(`  ana     ${line}`);
  if (begin === -1 || !stdout.includes('Exit code 1.'))
    throw new Problem(`The demo ended with ${status}:\n${stdout.slice(-2000)}`);
  const from = stdout.lastIndexOf('\n', begin) + 1;
  const thread = stdout.slice(from, stdout.indexOf('\nended after')).trimEnd();
  const folder = join(repository, 'docs/transcripts');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'reflash.md'), page(thread));
  say(`docs/transcripts/reflash.md  ${thread.split('\n').length} lines`);
  return 0;
});

/** @param {string} thread */
function page(thread) {
  return `# A reflash, rejected and then approved

Written by \`npm run transcript\` from the demo: SIMULATED, pretend devices and a pretend Slack. Messages of a thread are
indented; \`(edited)\` is a message that was changed in place. Ana asks, Ben answers.

\`\`\`text
${thread.replaceAll('```', "'''")}
\`\`\`
`;
}
