import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { expectSuccess } from './read-helpers.ts';

/** What the driver has written lately: who owns which card, boot timeouts. Source: journalctl(1); rshim-user-space, src/rshim.c. */
export const rshimJournal = defineRead({
  name: 'journal of rshim',
  argv: ['sudo', '-n', 'journalctl', '--unit', 'rshim', '--no-pager', '--lines', '100', '--output', 'short-iso'],
});

/** The last lines, oldest first. Errors: sudo-refused, command-failed. */
export async function readRshimJournal(host: HostReader, signal: AbortSignal): Promise<readonly string[]> {
  const result = await host.read(rshimJournal.bind({}), { timeoutMs: 30_000, signal });
  expectSuccess(host.name, 'journalctl --unit rshim', result);
  return result.stdout.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('-- '));
}

/** Levels and crashes of the boot log of a card. Source: Mellanox rshim-user-space, src/rshim_log.c. */
export function troubleIn(log: readonly string[]): readonly string[] {
  return log.filter((line) => /^(?:ERR|ASSERT)\[|^(?:PANIC|Exception)\(|CRITICAL ERROR|^WARN\[/.test(line));
}
