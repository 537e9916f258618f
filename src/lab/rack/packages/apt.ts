/**
 * `apt-get update|install|remove|-f` and `dpkg --configure -a` with locks, signatures, interrupted runs and full disks.
 *
 * Source: apt 2.4 and dpkg 1.21 messages; unattended-upgrades holds the lock as process unattended-upgr.
 */
import { findFault } from '../faults.ts';
import { complain, out } from '../shell/descriptors.ts';
import type { Frame, Program, Steps } from '../shell/types.ts';
import { parseOptions } from '../tools/options.ts';
import { afterInstall } from './after-install.ts';
import { update } from './apt-update.ts';
import { repositoryAt } from './internet.ts';
import { packagesOf } from './of-machine.ts';
import { compareVersions } from './state.ts';

/** Download rate and time to unpack a package, in device time. */
const downloadKibPerMs = 60;
const unpackMs = 400;
const dkmsMs = 45_000;

/** Who holds dpkg's lock, or null. */
export function lockHolder(frame: Frame): string | null {
  const { host } = frame.machine;
  if (host !== null && findFault(frame.rack.state.faults, 'dpkg-lock', [host.name]) !== undefined)
    return '1234 (unattended-upgr)';
  const key = `${frame.machine.name}:dpkg`;
  return frame.rack.locks.has(key) ? '2042 (apt-get)' : null;
}

/** Take the lock, waiting as long as asked; false after the complaint. */
function* takeLock(frame: Frame, waitSeconds: number): Steps<boolean> {
  const untilMs = frame.rack.nowMs() + (waitSeconds < 0 ? 1e12 : waitSeconds * 1000);
  let said = false;
  for (;;) {
    const holder = lockHolder(frame);
    if (holder === null) return true;
    if (frame.rack.nowMs() >= untilMs) {
      complain(
        frame,
        `E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process ${holder}\n` +
          'N: Be aware that removing the lock file is not a solution and may break your system.\n' +
          'E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?\n',
      );
      return false;
    }
    if (!said)
      out(
        frame,
        `Waiting for cache lock: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process ${holder}...\n`,
      );
    said = true;
    yield { untilMs: frame.rack.nowMs() + 1000 };
  }
}

interface Wanted {
  name: string;
  version: string;
  sizeKib: number;
  present: string | null;
}

interface Plan {
  wanted: Wanted[];
  problem: string | null;
}

function planOf(frame: Frame, names: string[], recommends: boolean): Plan {
  const { installed, lists } = packagesOf(frame.machine);
  const wanted = new Map<string, Wanted>();
  const visit = (word: string, asked: boolean): string | null => {
    const [name = '', version] = word.split('=');
    if (wanted.has(name)) return null;
    const offered = [...(lists[name] ?? [])].sort((left, right) => compareVersions(right.version, left.version));
    const chosen = version === undefined ? offered[0] : offered.find((each) => each.version === version);
    const present = installed[name];
    if (chosen === undefined) {
      if (present?.status === 'installed' && version === undefined) return null;
      return version === undefined || offered.length === 0
        ? `E: Unable to locate package ${name}`
        : `E: Version '${version}' for '${name}' was not found`;
    }
    const older = present?.status === 'installed' && compareVersions(chosen.version, present.version) <= 0;
    if (present?.status === 'installed' && (!asked || older) && (version === undefined || present.version === version))
      return null;
    const details = repositoryAt(chosen.url)?.packages[name];
    wanted.set(name, {
      name,
      version: chosen.version,
      sizeKib: details?.sizeKib ?? 14_000,
      present: present?.version ?? null,
    });
    for (const need of [...(details?.needs ?? []), ...(recommends ? (details?.recommends ?? []) : [])]) {
      const problem = visit(need, false);
      if (problem !== null) return problem;
    }
    return null;
  };
  for (const name of names) {
    const problem = visit(name, true);
    if (problem !== null) return { wanted: [], problem };
  }
  return { wanted: [...wanted.values()], problem: null };
}

function head(frame: Frame, plan: Wanted[], asked: string[]): void {
  const news = plan.filter(({ present }) => present === null).map(({ name }) => name);
  const upgrades = plan.filter(({ present }) => present !== null).map(({ name }) => name);
  const extra = plan.filter(({ name }) => !asked.includes(name)).map(({ name }) => name);
  out(frame, 'Reading package lists...\nBuilding dependency tree...\nReading state information...\n');
  if (extra.length > 0) out(frame, `The following additional packages will be installed:\n  ${extra.join(' ')}\n`);
  if (news.length > 0) out(frame, `The following NEW packages will be installed:\n  ${news.join(' ')}\n`);
  if (upgrades.length > 0) out(frame, `The following packages will be upgraded:\n  ${upgrades.join(' ')}\n`);
  out(frame, `${upgrades.length} upgraded, ${news.length} newly installed, 0 to remove and 0 not upgraded.\n`);
}

function* unpack(frame: Frame, plan: Wanted[]): Steps<boolean> {
  const { installed } = packagesOf(frame.machine);
  for (const { name, version, sizeKib } of plan) {
    yield { untilMs: frame.rack.nowMs() + unpackMs };
    if (
      frame.machine.files.find('/var/cache/apt/archives') !== null &&
      frame.rack.freeBytes(frame.machine) < sizeKib * 1024
    ) {
      complain(
        frame,
        `dpkg: error processing archive /var/cache/apt/archives/${name}_${version}_amd64.deb (--unpack):\n cannot copy extracted data for './usr/lib/${name}' to '/usr/lib/${name}.dpkg-new': failed to write (No space left on device)\nE: Sub-process /usr/bin/dpkg returned an error code (1)\n`,
      );
      return false;
    }
    installed[name] = { version, status: 'unpacked' };
    out(frame, `Preparing to unpack .../${name}_${version}_amd64.deb ...\nUnpacking ${name} (${version}) ...\n`);
  }
  return true;
}

/** Configure everything that is only unpacked. */
function* configure(frame: Frame): Steps<number> {
  const { installed } = packagesOf(frame.machine);
  for (const [name, record] of Object.entries(installed)) {
    if (record.status === 'installed' || record.status === 'config-files') continue;
    record.status = 'half-configured';
    out(frame, `Setting up ${name} (${record.version}) ...\n`);
    yield { untilMs: frame.rack.nowMs() + (name.endsWith('-dkms') ? dkmsMs : unpackMs) };
    const problem = afterInstall(frame, name, record.version);
    if (problem !== null) {
      out(frame, problem);
      complain(
        frame,
        `dpkg: error processing package ${name} (--configure):\n installed ${name} package post-installation script subprocess returned error exit status 10\nErrors were encountered while processing:\n ${name}\nE: Sub-process /usr/bin/dpkg returned an error code (1)\n`,
      );
      return 100;
    }
    record.status = 'installed';
  }
  return 0;
}

function interrupted(frame: Frame): boolean {
  return Object.values(packagesOf(frame.machine).installed).some(
    ({ status }) => status === 'half-configured' || status === 'unpacked',
  );
}

function* install(frame: Frame, names: string[], recommends: boolean, simulate: boolean): Steps<number> {
  if (interrupted(frame)) {
    complain(
      frame,
      "E: dpkg was interrupted, you must manually run 'sudo dpkg --configure -a' to correct the problem. \n",
    );
    return 100;
  }
  const plan = planOf(frame, names, recommends);
  if (plan.problem !== null) {
    out(frame, 'Reading package lists...\nBuilding dependency tree...\nReading state information...\n');
    complain(frame, `${plan.problem}\n`);
    return 100;
  }
  head(
    frame,
    plan.wanted,
    names.map((name) => name.split('=')[0] ?? name),
  );
  if (simulate || plan.wanted.length === 0) return 0;
  const kib = plan.wanted.reduce((sum, { sizeKib }) => sum + sizeKib / 3, 0);
  out(frame, `Need to get ${Math.ceil(kib / 1024)} MB of archives.\n`);
  yield { untilMs: frame.rack.nowMs() + Math.ceil(kib / downloadKibPerMs) };
  if (frame.rack.freeBytes(frame.machine) < kib * 4 * 1024) {
    complain(frame, `E: You don't have enough free space in /var/cache/apt/archives/.\n`);
    return 100;
  }
  if (!(yield* unpack(frame, plan.wanted))) return 100;
  return yield* configure(frame);
}

function* remove(frame: Frame, names: string[]): Steps<number> {
  const { installed } = packagesOf(frame.machine);
  for (const name of names) {
    if (installed[name] === undefined) continue;
    yield { untilMs: frame.rack.nowMs() + unpackMs };
    out(frame, `Removing ${name} (${installed[name].version}) ...\n`);
    delete installed[name];
  }
  return 0;
}

/** The program. */
export const aptGet: Program = function* program(frame, args) {
  const options = parseOptions(frame, 'apt-get', args, {
    flags:
      'y yes=y q qq=q assume-yes=y no-install-recommends s simulate=s f fix-broken=f allow-downgrades allow-unauthenticated reinstall no-remove only-upgrade purge',
    values: 'o option=o t target-release=t',
  });
  if (options === null) return 100;
  const [verb = '', ...names] = options.rest;
  if (!frame.root && !options.flags.has('s')) {
    const file = verb === 'update' ? '/var/lib/apt/lists/lock' : '/var/lib/dpkg/lock-frontend';
    complain(
      frame,
      `E: Could not open lock file ${file} - open (13: Permission denied)\nE: Unable to acquire the dpkg frontend lock (${file}), are you root?\n`,
    );
    return 100;
  }
  if (verb === 'clean' || verb === 'autoclean' || verb === 'autoremove') return 0;
  if (verb === 'update') return yield* update(frame);
  const waitSeconds = Number(
    args.map((arg) => /DPkg::Lock::Timeout=(-?\d+)/.exec(arg)?.[1]).find((each) => each !== undefined) ?? '0',
  );
  if (!options.flags.has('s') && !(yield* takeLock(frame, waitSeconds))) return 100;
  const key = `${frame.machine.name}:dpkg`;
  frame.rack.locks.add(key);
  try {
    if (verb === 'install') {
      if (options.flags.has('f') && names.length === 0) return yield* configure(frame);
      return yield* install(frame, names, !options.flags.has('no-install-recommends'), options.flags.has('s'));
    }
    if (verb === 'remove' || verb === 'purge') return yield* remove(frame, names);
    complain(frame, `E: Invalid operation ${verb}\n`);
    return 100;
  } finally {
    frame.rack.locks.delete(key);
  }
};

/** `dpkg --configure -a`. */
export function* dpkgConfigure(frame: Frame): Steps<number> {
  const holder = lockHolder(frame);
  if (holder !== null) {
    complain(
      frame,
      `dpkg: error: dpkg frontend lock was locked by another process with pid ${holder.split(' ')[0] ?? ''}\nNote: removing the lock file is always wrong, and can end up damaging the\nlocked area and the entire system. See <https://wiki.debian.org/Teams/Dpkg/FAQ>.\n`,
    );
    return 2;
  }
  const status = yield* configure(frame);
  return status === 0 ? 0 : 1;
}
