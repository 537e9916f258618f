/** Long-running children of a script: started behind a guard, ended in reverse order, never left behind. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Problem } from './print.mjs';

const guard = fileURLToPath(new URL('../child.mjs', import.meta.url));
export const repository = fileURLToPath(new URL('../..', import.meta.url));

/**
 * @typedef {object} Child
 * @property {string} name
 * @property {number} pid  Leader of the child's process group.
 * @property {string} log  File with everything it printed.
 * @property {Promise<number>} exited  Exit code; 128 when a signal ended it.
 * @property {() => boolean} running
 */

/** @type {(Child & { stop: () => Promise<void> })[]} */
const children = [];

/**
 * Starts a child behind its guard, both streams into a log file.
 *
 * @param {string} name
 * @param {readonly string[]} argv
 * @param {{ log: string, env: Readonly<Record<string, string>>, graceMs?: number, cwd?: string }} options
 *   `env` is all the child gets: nothing is inherited. `graceMs`: wall time between SIGTERM and SIGKILL.
 * @returns {Child}
 */
export function startChild(name, argv, options) {
  const graceMs = options.graceMs ?? 8_000;
  const log = openSync(options.log, 'a', 0o600);
  const leader = spawn(process.execPath, [guard, String(graceMs), ...argv], {
    cwd: options.cwd ?? repository,
    env: { ...options.env },
    stdio: ['pipe', log, log],
    detached: true,
  });
  closeSync(log);
  const { stdin } = leader;
  if (stdin === null) throw new TypeError('the guard was started without a pipe');
  stdin.on('error', () => undefined);
  /** @type {number | undefined} */
  let code;
  const exited = new Promise((/** @type {(code: number) => void} */ resolve) => {
    leader.once('error', () => resolve((code = 127)));
    leader.once('exit', (status) => {
      killGroup(leader.pid);
      resolve((code = status ?? 128));
    });
  });
  const child = { name, pid: leader.pid ?? 0, log: options.log, exited, running: () => code === undefined };
  const stop = async () => {
    stdin.end();
    const late = setTimeout(() => killGroup(leader.pid), graceMs + 2_000);
    await exited;
    clearTimeout(late);
  };
  children.push({ ...child, stop });
  return child;
}

/** @param {number | undefined} pid */
function killGroup(pid) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of the group is left, which is what was wanted.
  }
}

/** Ends every child, the last started first, each given its grace. Safe to call again. */
export async function stopChildren() {
  for (let child = children.pop(); child !== undefined; child = children.pop()) await child.stop();
}

/**
 * Runs `cleanUp` once when the script is told to end, then exits with the signal's customary code.
 *
 * @param {(signal: string) => Promise<void>} cleanUp
 */
export function onSignal(cleanUp) {
  let ending = false;
  for (const [signal, code] of /** @type {const} */ ([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ]))
    process.on(signal, () => {
      // A second Ctrl-C while cleaning up changes nothing: the guards have limits of their own.
      if (ending) return;
      ending = true;
      void cleanUp(signal).finally(() => process.exit(code));
    });
}

/**
 * Waits until a line of the child's log matches, and returns the match.
 *
 * @param {Child} child
 * @param {RegExp} pattern
 * @param {number} timeoutMs
 * @returns {Promise<RegExpExecArray>}
 */
export async function waitForLine(child, pattern, timeoutMs) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const running = child.running();
    // What stands after the last line break may be half a line: a long one is written in pieces.
    for (const line of readFileSync(child.log, 'utf8').split('\n').slice(0, -1)) {
      const match = pattern.exec(line);
      if (match !== null) return match;
    }
    if (!running) throw new Problem(`${child.name} ended (exit code ${await child.exited}) before it was ready`);
    if (Date.now() > deadline) throw new Problem(`${child.name} was not ready within ${timeoutMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * @param {string} file
 * @param {number} lines
 */
export function tail(file, lines) {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
}
