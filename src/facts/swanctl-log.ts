import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';

/** What strongSwan wrote last. Source: journalctl(1). */
export const strongswanLog = defineRead({
  name: 'log of strongSwan',
  argv: [
    'sudo',
    '-n',
    'journalctl',
    '--unit',
    'strongswan',
    '--unit',
    'strongswan-starter',
    '--no-pager',
    '--lines',
    '60',
    '--output',
    'cat',
  ],
});

/** The newest lines; empty where the machine keeps no log: it only explains what is known to have failed. */
export async function readStrongswanLog(arm: HostReader, signal: AbortSignal): Promise<string> {
  const result = await arm.read(strongswanLog.bind({}), { timeoutMs: 15_000, signal });
  return result.exitCode === 0 ? result.stdout : '';
}
