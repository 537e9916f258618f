import type { CommandResult, HostSession } from '../domain/device-ports.ts';
import type { Secret } from '../domain/secret.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from '../facts/read-helpers.ts';

/**
 * Small things that steps do on a host or on an Arm. Nothing here journals: callers wrap it into `act`.
 */
const writeScript =
  'umask 022; mkdir -p -- "${1%/*}" && umask 077 && cat >"$1.dpubot-new" && chmod "$2" "$1.dpubot-new" && mv -f -- "$1.dpubot-new" "$1" ' +
  '|| { code=$?; rm -f -- "$1.dpubot-new"; exit "$code"; }';

/** Words of shells and programs on a full file system (seen of dash 0.5.12, coreutils 9.1, apt 2.6.1), and of a quota. */
export const fullDisk = /No space left on device|Disk quota exceeded/;

/** Runs argv and throws `sudo-refused` or `command-failed` unless it ended with 0. */
export async function runOk(
  session: HostSession,
  argv: readonly string[],
  options: { readonly timeoutMs: number; readonly signal: AbortSignal; readonly stdin?: string | Secret },
): Promise<CommandResult> {
  const result = await session.run(argv, options);
  expectSuccess(session.name, argv.slice(0, 6).join(' ').slice(0, 120), result);
  return result;
}

/**
 * Writes a small file as root: complete or not at all, with the mode it is to have from the first byte on. The content
 * travels on stdin, never in argv. Errors: host-disk-full, sudo-refused, command-failed.
 */
export async function writeRootFile(
  session: HostSession,
  file: { readonly path: string; readonly mode: '600' | '644' | '755'; readonly content: string | Secret },
  options: { readonly signal: AbortSignal; readonly timeoutMs?: number },
): Promise<void> {
  const argv = ['sudo', '-n', 'sh', '-c', writeScript, 'dpubot-write', file.path, file.mode];
  const { signal, timeoutMs = 30_000 } = options;
  const result = await session.run(argv, { timeoutMs, signal, stdin: file.content });
  if (result.exitCode !== 0 && fullDisk.test(result.stderr)) {
    throw errors.hostDiskFull({
      host: session.name,
      file: file.path,
      why: result.stderr.trim().slice(0, 400),
      next: 'Free space or inodes there (`df -h`, `df -i`), then resume the run.',
      // Its folder may have been made; what the step did before certainly was.
      state: 'changed',
    });
  }
  expectSuccess(session.name, `write ${file.path}`, result);
}

/** Job folder of a detached command: the attempt is part of the name, because a folder is never used twice. */
export function jobFolder(job: { runId: number; step: string; subject: string; attempt: number }): string {
  return `/var/lib/dpubot/jobs/run${job.runId}-${job.step}-${job.subject}-${job.attempt}`;
}
