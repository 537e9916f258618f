import type { OpsError } from '../errors.ts';
import { errors } from '../errors.ts';
import { fullDisk } from './remote.ts';

/** What apt or dpkg was doing when it failed, and what it said. */
export interface AptFailure {
  readonly host: string;
  readonly what: string;
  /** Address of the repository it is about. */
  readonly source: string;
  readonly pinnedKey: string;
  readonly exitCode: number;
  readonly log: string;
  readonly run: number;
}

/**
 * Names the cause from what apt printed (with LC_ALL=C). Lines seen with apt 2.6.1 and dpkg 1.21.22: `E: Could not get
 * lock ... held by process`, `NO_PUBKEY`, `E: Failed to fetch`, `E: You don't have enough free space`. Errors: dpkg-locked,
 * host-disk-full, repo-key-mismatch, download-failed, package-install-failed.
 */
export function aptFailure(failure: AptFailure): OpsError {
  const { host, source, run, log } = failure;
  const line = (pattern: RegExp): string | undefined => log.split('\n').findLast((text) => pattern.test(text));
  const full = line(fullDisk) ?? line(/don't have enough free space/);
  if (full !== undefined)
    return errors.hostDiskFull({ host, why: clean(full), next: 'Free space on / and /var.', run, state: 'changed' });
  const locked = line(/Could not get lock|Unable to acquire the dpkg frontend lock|Unable to lock directory/);
  if (locked !== undefined) {
    const holder = /held by (process \d+ \([^)]*\))/.exec(log)?.[1] ?? 'another program';
    return errors.dpkgLocked({ host, holder, run, state: 'changed' });
  }
  const unsigned = line(/NO_PUBKEY|EXPKEYSIG|REVKEYSIG|BADSIG/) ?? line(/^E: The repository .* is not signed/);
  if (unsigned !== undefined)
    return errors.repoKeyMismatch({
      host,
      source,
      pinned: failure.pinnedKey,
      why: clean(unsigned),
      state: 'changed',
    });
  const lost = line(/^E: Failed to fetch|^E: The repository .* does not have a Release file|Hash Sum mismatch/);
  if (lost !== undefined) return errors.downloadFailed({ host, from: source, why: clean(lost), run, state: 'changed' });
  return installFailed(failure, line(/^E: |^Error! |^dpkg: error|is not configured yet/));
}

function installFailed(failure: AptFailure, line: string | undefined): OpsError {
  const { host, what, exitCode, log, run } = failure;
  const isBuild = /Bad return status for module build|DKMS.*(?:failed|error)/i.test(log);
  const makeLog = /\/var\/lib\/dkms\/\S+\/make\.log/.exec(log)?.[0];
  return errors.packageInstallFailed({
    host,
    what,
    why: isBuild
      ? `The kernel modules could not be built for the running kernel${makeLog === undefined ? '' : `; ${makeLog} says why`}.`
      : `It ended with ${exitCode}${line === undefined ? '' : `: ${clean(line)}`}.`,
    ...(isBuild && { next: `Boot a kernel that the profile and DOCA support, with its headers, on ${host}.` }),
    evidence: log.slice(-800),
    run,
  });
}

/** `E: ` and `W: ` are apt's own words for how bad it is. */
function clean(line: string): string {
  return line
    .trim()
    .replace(/^[EW]: /, '')
    .slice(0, 300);
}
