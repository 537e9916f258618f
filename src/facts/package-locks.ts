import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

/** Who holds one of the locks of dpkg and apt. */
export interface LockHolder {
  readonly pid: number;
  readonly command: string;
  readonly path: string;
}

/** All file locks of the host; as root, else the paths of other users' locks are missing. Source: lslocks(8). */
export const fileLocks = defineRead({
  name: 'file locks',
  argv: ['sudo', '-n', 'lslocks', '--notruncate', '--raw', '--noheadings', '--output', 'PID,COMMAND,PATH'],
});

/**
 * `apt-get` waits for the first two by itself (DPkg::Lock::Timeout) and gives up at once on the others, which the daily
 * update of a host takes too. Seen with apt 2.6.1.
 */
const packageLocks = [
  '/var/lib/dpkg/lock-frontend',
  '/var/lib/dpkg/lock',
  '/var/lib/apt/lists/lock',
  '/var/cache/apt/archives/lock',
];

/** Reads who holds a lock of dpkg or apt right now. Errors: sudo-refused, command-failed, output-unreadable. */
export async function readPackageLocks(host: HostReader, signal: AbortSignal): Promise<readonly LockHolder[]> {
  const result = await host.read(fileLocks.bind({}), { timeoutMs: 15_000, signal });
  expectSuccess(host.name, 'lslocks', result);
  if (result.truncated) throw unreadable(host.name, 'the list is not complete', result.stdout);
  return parsePackageLocks(host.name, result.stdout);
}

/** Parses `PID COMMAND PATH`, where blanks are written `\x20` and a path may be missing; one entry a program. */
export function parsePackageLocks(hostName: string, text: string): readonly LockHolder[] {
  const holders = new Map<number, LockHolder>();
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const [, pid, command = '', path = ''] = /^(-?\d+) (\S*) ?(\S*)$/.exec(line) ?? [];
    if (pid === undefined) throw unreadable(hostName, 'a line without a process', line);
    const holder = { pid: Number(pid), command: command.replaceAll('\\x20', ' ') || 'unknown', path };
    if (packageLocks.includes(path) && !holders.has(holder.pid)) holders.set(holder.pid, holder);
  }
  return [...holders.values()];
}

/** `unattended-upgr (process 1234)`, for people. */
export function lockText(holders: readonly LockHolder[]): string {
  return holders.map((holder) => `${holder.command} (process ${holder.pid})`).join(', ');
}

function unreadable(hostName: string, problem: string, text: string): Error {
  return errors.outputUnreadable({ target: hostName, source: 'lslocks', problem, evidence: text.slice(0, 200) });
}
