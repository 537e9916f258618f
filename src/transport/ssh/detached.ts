import type { DetachedOptions, DetachedState } from '../../domain/device-ports.ts';
import { errors } from '../../errors.ts';
import type { Redactor } from '../redact.ts';
import { bootPath, logScript, observeScript, runnerScript, startScript, stopScript } from './detached-scripts.ts';
import type { ExecResult, RunRaw } from './exec.ts';
import { quoteArgv } from './quote.ts';

/** What the detached calls need of a session. */
export interface DetachedDeps {
  readonly host: string;
  readonly runRaw: RunRaw;
  readonly redactor: Redactor;
}

const defaultLogBytes = 64 * 1024;
/** How long a command may take to end by itself after TERM. */
const graceSeconds = 10;

/**
 * Starts argv so that it outlives the connection and the worker, at most once per folder: the folder is made atomically,
 * and where it exists nothing is started and the state of that earlier start is returned. The folder has to be on a disk
 * that survives a reboot. Throws `command-failed` when the folder cannot be made, else as `run` does.
 */
export async function startDetached(
  deps: DetachedDeps,
  folder: string,
  argv: readonly string[],
  options: DetachedOptions,
): Promise<DetachedState> {
  checkFolder(folder);
  const label = `start of ${quoteArgv(argv)}`;
  await runScript(deps, startScript, [folder, bootPath, runnerScript, ...argv], { ...options, label });
  return observeDetached(deps, folder, options);
}

/** What has become of a detached command. Another boot, or no process and no exit file, is `unknown`, never success. */
export async function observeDetached(
  deps: DetachedDeps,
  folder: string,
  options: DetachedOptions,
): Promise<DetachedState> {
  checkFolder(folder);
  const label = `look at ${folder}`;
  const seen = await runScript(deps, observeScript, [folder, bootPath], { ...options, label });
  return parseDetachedState(seen.stdout.toString('utf8'), deps.host, folder);
}

/** Reads the one line of the look-up script. Throws `output-unreadable`. */
export function parseDetachedState(text: string, host: string, folder: string): DetachedState {
  const [, kind, first = '', second = ''] =
    /^(absent|running|exited|unknown)(?: (\S+))?(?: (\S+))?\n$/.exec(text) ?? [];
  const numeric = /^\d{1,15}$/;
  if (kind === 'absent') return { kind };
  if (kind === 'running' && numeric.test(first) && numeric.test(second))
    return { kind, pid: Number(first), logBytes: Number(second) };
  if (kind === 'exited' && /^\d{1,3}$/.test(first) && numeric.test(second))
    return { kind, exitCode: Number(first), logBytes: Number(second) };
  const reason = reasons[first];
  if (kind === 'unknown' && reason !== undefined) return { kind, reason };
  throw errors.outputUnreadable({ target: host, source: `the job folder ${folder}`, problem: 'unexpected state line' });
}

const reasons: Readonly<Record<string, string>> = {
  'not-started': 'the job folder is there, but the command had not been started when the connection ended',
  'other-boot': 'the host was restarted while the command ran, and it left no exit status',
  'process-gone': 'its process is gone and it left no exit status',
  'exit-unreadable': 'its exit file cannot be read',
};

/**
 * Reads the log from a byte on, up to `maxBytes` (default 64 KiB) at a time. Ends at the end of a line where there is
 * one, so that a secret or a character is not split between two reads; `nextByte` is where to go on. Text is redacted.
 */
export async function readDetachedLog(
  deps: DetachedDeps,
  folder: string,
  fromByte: number,
  options: DetachedOptions,
): Promise<{ readonly text: string; readonly nextByte: number }> {
  checkFolder(folder);
  const { maxBytes = defaultLogBytes } = options;
  const label = `read the log in ${folder}`;
  const words = [folder, String(fromByte + 1), String(maxBytes)];
  // Twice as much is kept as is asked for, so that nothing is dropped from the middle.
  const read = await runScript(deps, logScript, words, { ...options, maxBytes: maxBytes * 2, label });
  const whole = read.stdout.subarray(0, wholeLines(read.stdout));
  return { text: deps.redactor.redact(whole.toString('utf8')), nextByte: fromByte + whole.length };
}

/** How many bytes end at a line's end; without one, how many end at a character's end. */
export function wholeLines(bytes: Buffer): number {
  const lineEnd = Math.max(bytes.lastIndexOf(0x0a), bytes.lastIndexOf(0x0d)) + 1;
  if (lineEnd > 0) return lineEnd;
  // A UTF-8 character is at most 4 bytes: its lead byte is among the last 4, or the bytes are no UTF-8.
  for (let back = 1; back <= Math.min(4, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const needs = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return needs > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/**
 * Ends a running detached command with everything it has started: TERM, and KILL for what is left after 10 s. The runner
 * is spared, so that the exit status of the command is still written down. The pid counts only with its start time, so a
 * process that has got the number since is never hit. Returns the state afterwards, as `observeDetached` does; allow it
 * 20 s.
 */
export async function stopDetached(
  deps: DetachedDeps,
  folder: string,
  options: DetachedOptions,
): Promise<DetachedState> {
  const state = await observeDetached(deps, folder, options);
  if (state.kind !== 'running') return state;
  const label = `stop of the command in ${folder}`;
  await runScript(deps, stopScript, [folder, bootPath, String(graceSeconds)], { ...options, label });
  return observeDetached(deps, folder, options);
}

/** Runs one of the constant scripts, as root where the folder is root's. Throws `sudo-refused` or `command-failed`. */
async function runScript(
  deps: DetachedDeps,
  script: string,
  words: readonly string[],
  { asRoot = false, label, ...options }: DetachedOptions & { readonly label: string },
): Promise<ExecResult> {
  const argv = ['sh', '-c', script, 'dpubot-detached', ...words];
  const result = await deps.runRaw(asRoot ? ['sudo', '-n', ...argv] : argv, { ...options, label });
  if (result.exitCode === 0) return result;
  const output = deps.redactor.redact(result.stderr.toString('utf8')).trim().slice(0, 500);
  if (asRoot && /^sudo: /m.test(output)) throw errors.sudoRefused({ host: deps.host, user: 'The SSH user', output });
  throw errors.commandFailed({
    host: deps.host,
    command: deps.redactor.redact(label).slice(0, 160),
    exitCode: result.exitCode,
    output,
  });
}

function checkFolder(folder: string): void {
  if (!/^\/[A-Za-z0-9._/-]+$/.test(folder) || folder.split('/').includes('..'))
    throw new RangeError('a job folder is an absolute path of letters, digits, dots and dashes');
}
