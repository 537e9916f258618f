import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

export interface HostSystem {
  readonly kernel: string;
  readonly machine: string;
  /** `PRETTY_NAME` of /etc/os-release. */
  readonly os: string;
}

/** May the SSH user become root without a question? Nothing else is run. */
export const sudoTrue = defineRead({ name: 'sudo -n true', argv: ['sudo', '-n', 'true'] });
export const kernelVersion = defineRead({ name: 'uname', argv: ['uname', '-r', '-m'] });
export const osRelease = defineRead({ name: 'os-release', argv: ['cat', '/etc/os-release'] });

/** Proves that SSH and sudo are good, and reads what runs there. Errors: sudo-refused, command-failed, output-unreadable. */
export async function readHostSystem(host: HostReader, signal: AbortSignal): Promise<HostSystem> {
  const options = { timeoutMs: 10_000, signal };
  expectSuccess(host.name, 'sudo -n true', await host.read(sudoTrue.bind({}), options));
  const uname = await host.read(kernelVersion.bind({}), options);
  expectSuccess(host.name, 'uname -r -m', uname);
  const release = await host.read(osRelease.bind({}), options);
  expectSuccess(host.name, 'cat /etc/os-release', release);
  return parseHostSystem(host.name, uname.stdout, release.stdout);
}

/** Parses `uname -r -m` and os-release(5), whose values may stand in either kind of quotes. */
export function parseHostSystem(hostName: string, uname: string, release: string): HostSystem {
  const [kernel, machine] = uname.trim().split(/\s+/);
  const os = /^PRETTY_NAME=(["']?)(.*)\1$/m.exec(release)?.[2];
  if (kernel === undefined || machine === undefined || os === undefined || os === '')
    throw errors.outputUnreadable({
      target: hostName,
      source: 'uname and /etc/os-release',
      problem: 'kernel, machine or PRETTY_NAME is missing',
      evidence: `${uname}\n${release}`.slice(0, 400),
    });
  return { kernel, machine, os };
}
