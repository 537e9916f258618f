/**
 * `npm run check`: format, lint (with import cycles), types, unused code, policy. Runs all of them, says how long each
 * took, prints the output of those that failed. `npm run check -- lint types` runs only the named ones.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { repository } from './lib/children.mjs';
import { Problem, runMain, say, seconds } from './lib/print.mjs';
import { ensureDependencies } from './setup.mjs';

/** Each command is a file of node_modules with its arguments. */
const checks = {
  format: ['prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
  lint: ['oxlint/bin/oxlint', '--type-aware', '--deny-warnings'],
  types: ['typescript/bin/tsc', '--project', 'tsconfig.json'],
  'script-types': ['typescript/bin/tsc', '--project', 'scripts/tsconfig.json'],
  unused: ['knip/bin/knip.js', '--no-progress'],
  policy: ['vitest/vitest.mjs', 'run', '--project', 'policy', '--reporter=dot'],
};

await runMain(async () => {
  const names = process.argv.slice(2);
  const unknown = names.find((name) => !(name in checks));
  if (unknown !== undefined) throw new Problem(`There is no check "${unknown}": ${Object.keys(checks).join(', ')}.`);
  await ensureDependencies();

  let failed = 0;
  const chosen = Object.entries(checks).filter(([name]) => names.length === 0 || names.includes(name));
  for (const [name, [file = '', ...args]] of chosen) {
    const started = performance.now();
    const { code, output } = await run(join(repository, 'node_modules', file), args);
    say(`check ${name.padEnd(12)} ${code === 0 ? 'passed' : 'FAILED'} in ${seconds(started)}`);
    if (code === 0) continue;
    failed += 1;
    say(output.trimEnd());
  }
  say(`${chosen.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
});

/**
 * @param {string} file
 * @param {readonly string[]} args
 * @returns {Promise<{ code: number, output: string }>}
 */
function run(file, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file, ...args], { cwd: repository, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (/** @type {string} */ chunk) => (output += chunk));
    child.once('error', reject).once('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
