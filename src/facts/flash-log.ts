import { stripVTControlCharacters } from 'node:util';
import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { expectSuccess } from './read-helpers.ts';

/**
 * The newest log of a flash of this card by dpubot, from its job folder, as far as 200,000 bytes from its end; `absent`
 * when there is none. Whoever follows a flash reads this and leaves the rshim alone.
 */
export const ownFlashLog = defineRead({
  name: 'log of the flash',
  argv: [
    'sudo',
    '-n',
    'sh',
    '-c',
    'newest=; for log in /var/lib/dpubot/jobs/run*-install-bfb-"$1"-*/log; do [ -f "$log" ] || continue; if [ -z "$newest" ] || [ "$log" -nt "$newest" ]; then newest=$log; fi; done; if [ -z "$newest" ]; then echo absent; else echo "=== $newest"; tail -c 200000 -- "$newest"; fi',
    'dpubot-look',
    '{serial}',
  ],
  holes: { serial: /[A-Za-z0-9]{1,40}/ },
});

/** The copy that bfb-install itself keeps. Source: Mellanox rshim-user-space, scripts/bfb-install. */
export const foreignFlashLog = defineRead({
  name: 'log of bfb-install',
  argv: ['tail', '-c', '200000', '--', '{path}'],
  holes: { path: /\/tmp\/bfb-install-rshim\d{1,3}\.log/ },
});

export interface FlashLog {
  readonly path: string;
  readonly text: string;
}

/** Log of the flash of a card by dpubot. Undefined when there is none. Errors: sudo-refused, command-failed. */
export async function readOwnFlashLog(
  host: HostReader,
  serial: string,
  signal: AbortSignal,
): Promise<FlashLog | undefined> {
  const result = await host.read(ownFlashLog.bind({ serial }), { timeoutMs: 30_000, signal });
  expectSuccess(host.name, 'tail of the log of the flash', result);
  const [, path, text = ''] = /^=== (\S+)\n([^]*)$/.exec(result.stdout) ?? [];
  return path === undefined ? undefined : { path, text };
}

/** Log that a bfb-install of somebody else keeps of a device. Undefined when there is none, or it cannot be read. */
export async function readForeignFlashLog(
  host: HostReader,
  rshim: string,
  signal: AbortSignal,
): Promise<FlashLog | undefined> {
  const path = `/tmp/bfb-install-${rshim}.log`;
  const result = await host.read(foreignFlashLog.bind({ path }), { timeoutMs: 30_000, signal });
  return result.exitCode === 0 ? { path, text: result.stdout } : undefined;
}

/** The lines of a log as a terminal leaves them: of a line that was overwritten again and again, the last state. */
export function shownLines(text: string): readonly string[] {
  return stripVTControlCharacters(text)
    .split('\n')
    .map((line) => line.split('\r').findLast((part) => part.trim() !== '') ?? '')
    .map((line) =>
      line
        .replaceAll('\t', ' ')
        .replace(/[\p{Cc}\p{Cf}]/gu, '')
        .trimEnd(),
    )
    .filter((line) => line !== '');
}
