import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { expectSuccess } from './read-helpers.ts';

/** Where detached commands have their folders. */
export const jobsFolder = '/var/lib/dpubot/jobs';

/** Job folders on a machine, of whichever run; nothing where there has never been one. */
export const jobFolders = defineRead({
  name: 'job folders',
  argv: ['sudo', '-n', 'sh', '-c', `[ ! -d ${jobsFolder} ] || ls -1 ${jobsFolder}`],
});

/** Absolute paths of the job folders whose names begin like that. Errors: command-failed, sudo-refused. */
export async function readJobFolders(
  host: HostReader,
  prefix: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const result = await host.read(jobFolders.bind({}), { timeoutMs: 15_000, signal });
  expectSuccess(host.name, `ls of ${jobsFolder}`, result);
  return result.stdout
    .split('\n')
    .filter((name) => name.startsWith(prefix) && /^[A-Za-z0-9._-]+$/.test(name))
    .map((name) => `${jobsFolder}/${name}`);
}
