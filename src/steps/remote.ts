import type { CommandResult, HostSession } from '../domain/device-ports.ts';
import type { Secret } from '../domain/secret.ts';
import { expectSuccess } from '../facts/read-helpers.ts';

/**
 * Small things that steps do on a host or on an Arm. Nothing here journals: callers wrap it into `act`.
 */
const writeScript =
  'umask 022; mkdir -p -- "${1%/*}" && umask 077 && cat >"$1.dpubot-new" && chmod "$2" "$1.dpubot-new" && mv -f -- "$1.dpubot-new" "$1"';

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
 * travels on stdin, never in argv.
 */
export async function writeRootFile(
  session: HostSession,
  file: { readonly path: string; readonly mode: '600' | '644' | '755'; readonly content: string | Secret },
  options: { readonly signal: AbortSignal; readonly timeoutMs?: number },
): Promise<void> {
  const argv = ['sudo', '-n', 'sh', '-c', writeScript, 'dpubot-write', file.path, file.mode];
  await runOk(session, argv, {
    timeoutMs: options.timeoutMs ?? 30_000,
    signal: options.signal,
    stdin: file.content,
  });
}

/** Job folder of a detached command: the attempt is part of the name, because a folder is never used twice. */
export function jobFolder(job: { runId: number; step: string; subject: string; attempt: number }): string {
  return `/var/lib/dpubot/jobs/run${job.runId}-${job.step}-${job.subject}-${job.attempt}`;
}
