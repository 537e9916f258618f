import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { kernelVersion, osRelease } from './host-system.ts';
import { expectSuccess } from './read-helpers.ts';

/** What a support matrix asks about: os-release ID and VERSION_ID, `uname -r`, `uname -m`. */
export interface HostPlatform {
  readonly os: string;
  readonly release: string;
  readonly kernel: string;
  readonly machine: string;
}

/** Kernel modules are built against it; the link is there and leads nowhere when the headers were removed. */
export const kernelHeaders = defineRead({
  name: 'kernel headers',
  argv: ['test', '-e', '{makefile}'],
  holes: { makefile: /\/lib\/modules\/[0-9][A-Za-z0-9.+_~-]*\/build\/Makefile/ },
});

/** Which of the programs are there that packages are fetched and checked with. Source: which(1). */
export const fetchTools = defineRead({ name: 'fetch tools', argv: ['which', 'curl', 'wget', 'gpg'] });

/** Reads the platform of a host. Errors: command-failed, output-unreadable. */
export async function readHostPlatform(host: HostReader, signal: AbortSignal): Promise<HostPlatform> {
  const options = { timeoutMs: 10_000, signal };
  const uname = await host.read(kernelVersion.bind({}), options);
  expectSuccess(host.name, 'uname -r -m', uname);
  const release = await host.read(osRelease.bind({}), options);
  expectSuccess(host.name, 'cat /etc/os-release', release);
  return parseHostPlatform(host.name, uname.stdout, release.stdout);
}

/** Parses `uname -r -m` and os-release(5). A rolling release has no VERSION_ID: it is `none` then. */
export function parseHostPlatform(hostName: string, uname: string, osReleaseText: string): HostPlatform {
  const [kernel, machine] = uname.trim().split(/\s+/);
  const field = (name: string): string | undefined =>
    new RegExp(`^${name}=(["']?)([^"'\\n]*)\\1$`, 'm').exec(osReleaseText)?.[2];
  const os = field('ID');
  if (kernel === undefined || machine === undefined || os === undefined || os === '')
    throw errors.outputUnreadable({
      target: hostName,
      source: 'uname and /etc/os-release',
      problem: 'kernel, machine or ID is missing',
      evidence: `${uname}\n${osReleaseText}`.slice(0, 400),
    });
  return { os, release: field('VERSION_ID') ?? 'none', kernel, machine };
}

/** Are the headers of this kernel there? Errors: command-failed. */
export async function hasKernelHeaders(host: HostReader, kernel: string, signal: AbortSignal): Promise<boolean> {
  const command = kernelHeaders.bind({ makefile: `/lib/modules/${kernel}/build/Makefile` });
  const result = await host.read(command, { timeoutMs: 10_000, signal });
  if (result.exitCode === 1 && result.stderr === '') return false;
  expectSuccess(host.name, 'test -e', result);
  return true;
}

/** Names of the programs that are there. `which` ends with 1 when one of them is missing. */
export async function readFetchTools(host: HostReader, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const result = await host.read(fetchTools.bind({}), { timeoutMs: 10_000, signal });
  if (result.exitCode !== 1) expectSuccess(host.name, 'which', result);
  const paths = result.stdout.split('\n').filter((line) => line.startsWith('/'));
  return new Set(paths.map((path) => path.slice(path.lastIndexOf('/') + 1)));
}
