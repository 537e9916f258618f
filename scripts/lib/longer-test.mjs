/** Runs tests of `npm test` for longer than usual, with what they report about themselves. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { repository } from './children.mjs';
import { Problem } from './print.mjs';

/**
 * Runs the tests and returns the lines of JSON they wrote into the file that `reportVariable` names to them.
 *
 * @param {{ layer: string, files: readonly string[], reportVariable: string, env: Readonly<Record<string, string>> }} wanted
 * @returns {Promise<unknown[]>}
 */
export async function runLonger({ layer, files, reportVariable, env }) {
  const folder = mkdtempSync(join(tmpdir(), 'dpubot-longer-'));
  const report = join(folder, 'report.jsonl');
  try {
    const code = await run(['--layer', layer, ...files], { ...process.env, ...env, [reportVariable]: report });
    if (code !== 0) throw new Problem('The tests failed; nothing was written.');
    return readFileSync(report, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<number>}
 */
function run(args, env) {
  const child = spawn(process.execPath, [join(repository, 'scripts/test.mjs'), ...args], {
    cwd: repository,
    env,
    stdio: 'inherit',
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('exit', (code) => resolve(code ?? 1));
  });
}

/** When, on what: the sentence below each table of figures. */
export function whenAndWhere() {
  const day = new Date().toISOString().slice(0, 10);
  return `${day}, Node ${process.versions.node}, ${cpus().length} cores of ${cpus()[0]?.model.trim() ?? 'unknown'}`;
}

/**
 * A table in the form that the formatter gives it.
 *
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 */
export function markdownTable(head, rows) {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (/** @type {readonly string[]} */ cells) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rows.map(line)].join('\n');
}
