/** One hand at a time on what all scripts of a machine share: node_modules, the package manager, a quiet moment. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Problem, say } from './print.mjs';

const waitLimitMs = 600_000;

/**
 * Runs `work` while holding a lock named by `name`. A lock whose owner is not alive any more is taken over.
 *
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @param {string} [waiting]  Said once when somebody else holds it.
 * @returns {Promise<T>}
 */
export async function withLock(name, work, waiting = 'Waiting for another script of dpubot that is installing ...') {
  const user = process.getuid?.() ?? 0;
  const folder = join(tmpdir(), `dpubot-${user}-${createHash('sha256').update(name).digest('hex').slice(0, 16)}.lock`);
  const deadline = Date.now() + waitLimitMs;
  let told = false;
  while (!take(folder)) {
    if (Date.now() > deadline)
      throw new Problem(`Another script has held ${folder} for 10 min; remove it if none runs.`);
    if (!told) say(waiting);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  const release = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    release();
    process.off('exit', release);
  }
}

/** @param {string} folder */
function take(folder) {
  try {
    mkdirSync(folder, { mode: 0o700 });
    writeFileSync(join(folder, 'pid'), String(process.pid));
    return true;
  } catch {
    if (!ownerAlive(folder)) rmSync(folder, { recursive: true, force: true });
    return false;
  }
}

/** @param {string} folder */
function ownerAlive(folder) {
  try {
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
    // Between mkdir and write the file is missing or empty: that owner is alive.
    if (pid === 0) return true;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'ENOENT' || code === 'EPERM';
  }
}
