import type { HostSession } from '../domain/device-ports.ts';
import type { ApplyContext } from '../domain/step.ts';
import { readFetchTools } from '../facts/host-platform.ts';
import { readPackages } from '../facts/packages.ts';
import { awaitRunningJobs } from './apt-job.ts';
import { trustRepositoryKey } from './apt-key.ts';
import { installPackages, repairDpkg, updateAll, updateOwn, writeSourceList } from './apt-repository.ts';
import type { PackageRepository } from './apt-words.ts';

/**
 * Brings dpkg into order, and a repository of the profile among apt's sources. `needed`: packages of the distribution that
 * have to be there first. Errors: dpkg-locked, host-disk-full, repo-key-mismatch, download-failed, package-install-failed.
 */
export async function addRepository(
  context: ApplyContext,
  session: HostSession,
  repository: PackageRepository,
  needed: readonly string[],
): Promise<void> {
  const { signal } = context;
  await awaitRunningJobs(context, session, repository.label);
  const { interrupted } = await readPackages(session, signal);
  if (interrupted !== undefined) await repairDpkg(context, session, repository, interrupted);
  await updateAll(context, session, repository);
  const tools = await readFetchTools(session, signal);
  const packages = [
    ...needed,
    ...(tools.has('gpg') ? [] : ['gnupg']),
    ...(tools.has('curl') || tools.has('wget') ? [] : ['curl']),
  ];
  const prerequisites = { name: 'install-prerequisites', packages, limitMs: 600_000 };
  if (packages.length > 0) await installPackages(context, session, repository, prerequisites);
  await trustRepositoryKey(context, session, repository);
  await writeSourceList(context, session, repository);
  await updateOwn(context, session, repository);
}
