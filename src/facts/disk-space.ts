import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

/** Where packages go: what is downloaded under /var, what is unpacked under /usr. Source: df(1). */
export const packageSpace = defineRead({
  name: 'free space for packages',
  argv: ['df', '-B1', '--output=avail', '/', '/usr', '/var'],
});

/** Bytes that are free on the fullest file system packages go to. Errors: command-failed, output-unreadable. */
export async function readPackageSpace(host: HostReader, signal: AbortSignal): Promise<number> {
  const result = await host.read(packageSpace.bind({}), { timeoutMs: 15_000, signal });
  expectSuccess(host.name, 'df', result);
  return parseFreeBytes(host.name, result.stdout);
}

/** Parses the column `Avail` and takes the smallest value. */
export function parseFreeBytes(hostName: string, text: string): number {
  const [heading, ...rows] = text.trim().split('\n');
  const bytes = rows.map((row) => (/^\s*\d+\s*$/.test(row) ? Number(row) : Number.NaN));
  if (heading?.trim() === 'Avail' && bytes.length > 0 && bytes.every((value) => Number.isSafeInteger(value)))
    return Math.min(...bytes);
  throw errors.outputUnreadable({
    target: hostName,
    source: 'df --output=avail',
    problem: 'not a column of numbers',
    evidence: text.slice(0, 200),
  });
}
