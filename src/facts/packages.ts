import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { readIfThere } from './arm-files.ts';
import { expectSuccess } from './read-helpers.ts';

/** A package as dpkg has it. Packages that were removed are not in the list. */
export interface InstalledPackage {
  readonly version: string;
  /** Unpacked and configured; false: dpkg was interrupted in it, or its scripts failed. */
  readonly complete: boolean;
}

export interface Packages {
  readonly installed: ReadonlyMap<string, InstalledPackage>;
  /** Why dpkg has to be repaired before anything else is installed; undefined when it is in order. */
  readonly interrupted: string | undefined;
}

/** Source: dpkg-query(1), `db:Status-Abbrev`: wanted, state, error; `ii ` is installed, `iF ` half-configured. */
export const packageList = defineRead({
  name: 'installed packages',
  argv: ['dpkg-query', '-W', '-f', '${Package}\\t${Version}\\t${db:Status-Abbrev}\\n'],
});

/** Source: dpkg(1). Prints nothing when all is in order; it ends with 0 either way. */
export const packageAudit = defineRead({ name: 'dpkg audit', argv: ['dpkg', '--audit'] });

/** dpkg's own journal: apt refuses to work while files are left in it. Source: apt-pkg/deb/debsystem.cc. */
export const packageJournal = defineRead({ name: 'dpkg journal', argv: ['ls', '-A', '/var/lib/dpkg/updates'] });

/** A list of package sources that dpubot wrote: shows that it has begun to install from there. */
export const packageSource = defineRead({
  name: 'package source of dpubot',
  argv: ['cat', '{path}'],
  holes: { path: /\/etc\/apt\/sources\.list\.d\/dpubot-[a-z]{1,20}\.list/ },
});

/** Reads packages and the state of dpkg. Errors: command-failed, output-unreadable. */
export async function readPackages(host: HostReader, signal: AbortSignal): Promise<Packages> {
  const options = { timeoutMs: 30_000, signal };
  const list = await host.read(packageList.bind({}), { ...options, maxBytes: 4 * 1024 * 1024 });
  expectSuccess(host.name, 'dpkg-query -W', list);
  if (list.truncated) throw unreadable(host.name, 'the list is not complete', '');
  const audit = await host.read(packageAudit.bind({}), options);
  expectSuccess(host.name, 'dpkg --audit', audit);
  const journal = await host.read(packageJournal.bind({}), options);
  expectSuccess(host.name, 'ls /var/lib/dpkg/updates', journal);
  return {
    installed: parsePackageList(host.name, list.stdout),
    interrupted: interruption(audit.stdout, journal.stdout),
  };
}

/** Does dpubot's list of this name stand on the host? */
export async function hasPackageSource(host: HostReader, path: string, signal: AbortSignal): Promise<boolean> {
  return (await readIfThere(host, packageSource.bind({ path }), signal)) !== undefined;
}

/** Parses `Package TAB Version TAB state`; removed packages whose settings remain (`rc `) are left out. */
export function parsePackageList(hostName: string, text: string): ReadonlyMap<string, InstalledPackage> {
  const packages = new Map<string, InstalledPackage>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, name, version = '', state, problem] =
      /^([a-z0-9][a-z0-9+.-]*)\t(\S*)\t[uihrp]([ncHUFWti])([ R]?)$/.exec(line) ?? [];
    if (name === undefined || state === undefined) throw unreadable(hostName, 'a line that is no package', line);
    if (state === 'n' || state === 'c') continue;
    packages.set(name, { version, complete: (state === 'i' || state === 't' || state === 'W') && problem !== 'R' });
  }
  if (packages.size === 0) throw unreadable(hostName, 'no package at all', text);
  return packages;
}

/** Names what dpkg was interrupted in, from `dpkg --audit` and the file names of its journal. */
export function interruption(audit: string, journal: string): string | undefined {
  const names = [...audit.matchAll(/^ (\S+)/gm)].map((match) => match[1]);
  if (names.length > 0) return `packages that are not configured: ${names.slice(0, 5).join(', ')}`;
  if (audit.trim() !== '') return audit.trim().split('\n')[0];
  return /^\d+$/m.test(journal) ? 'dpkg was interrupted while it wrote its status' : undefined;
}

function unreadable(hostName: string, problem: string, text: string): Error {
  return errors.outputUnreadable({
    target: hostName,
    source: 'dpkg-query -W',
    problem,
    evidence: text.slice(0, 200),
  });
}
