import type { HostSession } from '../domain/device-ports.ts';
import type { ApplyContext } from '../domain/step.ts';
import { aptFailure } from './apt-failure.ts';
import { runRootJob } from './apt-job.ts';
import { waitForPackageLock } from './apt-lock.ts';
import type { PackageRepository } from './apt-words.ts';
import { aptEnvironment, aptGet, installWords, keyringOf, sourceListOf, updateWords } from './apt-words.ts';
import type { JobEnd } from './job-watch.ts';
import { writeRootFile } from './remote.ts';

const updateMs = 600_000;

/** Writes the list of the repository; apt trusts the pinned key for it and for nothing else. */
export async function writeSourceList(
  context: ApplyContext,
  session: HostSession,
  repository: PackageRepository,
): Promise<void> {
  const path = sourceListOf(repository.label);
  const content = `deb [signed-by=${keyringOf(repository)}] ${repository.url} ${repository.layout}\n`;
  await context.act({ name: 'write-package-source', text: `name ${repository.url} as a package source` }, async () => {
    await writeRootFile(session, { path, mode: '644', content }, { signal: context.signal });
    return { evidence: `${path}: ${content.trim()}`, value: undefined };
  });
}

/** Finishes what dpkg was interrupted in. It may fail again: what comes next decides whether that matters. */
export async function repairDpkg(
  context: ApplyContext,
  session: HostSession,
  { label }: PackageRepository,
  why: string,
): Promise<void> {
  await waitForPackageLock(context, session);
  const argv = [...aptEnvironment, 'dpkg', '--force-confold', '--configure', '-a'];
  const job = { label, name: 'repair-dpkg', text: `finish ${why}`, argv, limitMs: 1_200_000 };
  await runRootJob(context, session, job);
}

/** Reads all package lists, as far as they can be had: one repository of somebody else that fails does not matter here. */
export async function updateAll(
  context: ApplyContext,
  session: HostSession,
  { label, proxy }: PackageRepository,
): Promise<JobEnd> {
  await waitForPackageLock(context, session);
  const argv = [...aptGet(proxy), 'update'];
  const text = 'read the package lists of the system';
  return runRootJob(context, session, { label, name: 'update-all-lists', text, argv, limitMs: updateMs });
}

/** Reads the lists of this repository. Errors: those of aptFailure. */
export async function updateOwn(
  context: ApplyContext,
  session: HostSession,
  repository: PackageRepository,
): Promise<void> {
  await waitForPackageLock(context, session);
  const text = `read the package lists of ${repository.url}`;
  const job = {
    label: repository.label,
    name: 'update-own-lists',
    text,
    argv: updateWords(repository),
    limitMs: updateMs,
  };
  const end = await runRootJob(context, session, job);
  if (end.exitCode !== 0) throw failure(context, session, repository, 'Reading the package lists', end);
}

/** Installs packages. Errors: those of aptFailure. */
export async function installPackages(
  context: ApplyContext,
  session: HostSession,
  repository: PackageRepository,
  job: { readonly name: string; readonly packages: readonly string[]; readonly limitMs: number },
): Promise<void> {
  await waitForPackageLock(context, session);
  const names = job.packages.join(', ');
  const argv = installWords(job.packages, repository.proxy);
  const { name, limitMs } = job;
  const text = `install ${names}`;
  const end = await runRootJob(context, session, { label: repository.label, name, text, argv, limitMs });
  if (end.exitCode === 0) return;
  await context.snippet(`apt-get install ${names} on ${session.name}`, end.tail);
  throw failure(context, session, repository, `Installing ${names}`, end);
}

function failure(
  context: ApplyContext,
  session: HostSession,
  repository: PackageRepository,
  what: string,
  end: JobEnd,
): Error {
  return aptFailure({
    host: session.name,
    what,
    source: repository.url,
    pinnedKey: repository.keyFingerprint,
    exitCode: end.exitCode,
    log: end.tail,
    run: context.runId,
  });
}
