/**
 * Programs compiled ahead. A test run starts bot, worker and lab hundreds of times, and most of such a start is the
 * translation of their TypeScript: so it is done once. A person's `npm run demo` starts the sources as they are.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './children.mjs';

/** What the programs read beside their own code. */
const assets = ['src/lab/rack/capture', 'src/lab/chat/page'];

/**
 * Compiles the programs into a folder that does not exist yet.
 *
 * @param {string} folder
 * @returns {string} The folder, for `DPUBOT_PROGRAMS` of whoever starts them.
 */
export function compilePrograms(folder) {
  const compiler = join(repository, 'node_modules/typescript/bin/tsc');
  const project = join(repository, 'tsconfig.programs.json');
  execFileSync(process.execPath, [compiler, '-p', project, '--outDir', folder], { stdio: 'inherit' });
  for (const asset of assets) cpSync(join(repository, asset), join(folder, asset), { recursive: true });
  copyFileSync(join(repository, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/**
 * Arguments with which Node starts a program of the repository: compiled where somebody has compiled it.
 *
 * @param {string} file  A TypeScript file, relative to the repository.
 * @returns {string[]}
 */
export function programArguments(file) {
  const folder = process.env['DPUBOT_PROGRAMS'];
  return folder === undefined ? ['--import', 'tsx', file] : [join(folder, file.replace(/\.ts$/, '.js'))];
}
