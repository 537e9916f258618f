import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

/** Time daemons that may be there: exactly one is, they exclude each other as packages. */
const daemons = ['systemd-timesyncd', 'ntpsec', 'chrony'] as const;
export type TimeDaemon = (typeof daemons)[number];

/** Source: systemctl(1): one state a line in the order asked, exit code 3 when one of them is not active. */
export const timeDaemons = defineRead({
  name: 'time daemons',
  argv: ['systemctl', 'is-active', ...daemons.map((name) => `${name}.service`)],
});
/** Source: timedatectl(1). It is the kernel's clock discipline, whichever daemon keeps it. */
export const clockSynchronised = defineRead({
  name: 'clock synchronised',
  argv: ['timedatectl', 'show', '-p', 'NTPSynchronized'],
});

/** Which daemon keeps the clock; undefined when none does. Errors: output-unreadable. */
export async function readTimeDaemon(reader: HostReader, signal: AbortSignal): Promise<TimeDaemon | undefined> {
  const result = await reader.read(timeDaemons.bind({}), { timeoutMs: 15_000, signal });
  return parseTimeDaemon(reader.name, result.stdout);
}

/** Parses `systemctl is-active A B C`. */
export function parseTimeDaemon(target: string, text: string): TimeDaemon | undefined {
  const states = text.trimEnd().split('\n');
  const known = /^(?:active|reloading|inactive|failed|activating|deactivating|maintenance|unknown|not-found)$/;
  if (states.length === daemons.length && states.every((state) => known.test(state)))
    return daemons.find((_name, index) => ['active', 'activating', 'reloading'].includes(states[index] ?? ''));
  const problem = `not ${daemons.length} unit states`;
  throw errors.outputUnreadable({ target, source: 'systemctl is-active', problem, evidence: text.slice(0, 200) });
}

/** Has the clock been set by a time server? Errors: command-failed, output-unreadable. */
export async function readClockSynchronised(reader: HostReader, signal: AbortSignal): Promise<boolean> {
  const result = await reader.read(clockSynchronised.bind({}), { timeoutMs: 15_000, signal });
  expectSuccess(reader.name, 'timedatectl show', result);
  return parseClockSynchronised(reader.name, result.stdout);
}

export function parseClockSynchronised(target: string, text: string): boolean {
  const answer = /^NTPSynchronized=(yes|no)$/m.exec(text)?.[1];
  if (answer !== undefined) return answer === 'yes';
  const problem = 'no NTPSynchronized=yes or no';
  throw errors.outputUnreadable({ target, source: 'timedatectl show', problem, evidence: text.slice(0, 200) });
}
