import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { readIfThere } from './arm-files.ts';
import { expectSuccess } from './read-helpers.ts';

/** Names of a machine: the one the kernel has now, the one kept on disk (absent on a fresh image), and /etc/hosts. */
export interface Hostname {
  readonly now: string;
  readonly kept?: string;
  readonly hosts: string;
}

/** Source: hostname(5), hosts(5), proc(5). */
export const kernelHostname = defineRead({ name: 'kernel hostname', argv: ['cat', '/proc/sys/kernel/hostname'] });
export const staticHostname = defineRead({ name: 'static hostname', argv: ['cat', '/etc/hostname'] });
export const hostsFile = defineRead({ name: 'hosts', argv: ['cat', '/etc/hosts'] });

/** Reads the names. Errors: command-failed, output-unreadable. */
export async function readHostname(reader: HostReader, signal: AbortSignal): Promise<Hostname> {
  const now = await reader.read(kernelHostname.bind({}), { timeoutMs: 15_000, signal });
  expectSuccess(reader.name, 'cat /proc/sys/kernel/hostname', now);
  const kept = await readIfThere(reader, staticHostname.bind({}), signal);
  const hosts = (await readIfThere(reader, hostsFile.bind({}), signal)) ?? '';
  return {
    now: parseHostname(reader.name, now.stdout),
    ...(kept === undefined || kept.trim() === '' ? {} : { kept: parseHostname(reader.name, kept) }),
    hosts,
  };
}

/** One name; comments of hostname(5) are skipped. */
export function parseHostname(target: string, text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const name = lines[0]?.trim();
  if (lines.length === 1 && name !== undefined && /^[A-Za-z0-9._-]{1,253}$/.test(name)) return name;
  throw errors.outputUnreadable({
    target,
    source: 'the hostname',
    problem: 'not one name',
    evidence: text.slice(0, 200),
  });
}

/** Names that 127.0.1.1 stands for in a hosts(5) file, in order. */
export function ownNames(hosts: string): readonly string[] {
  return hosts
    .split('\n')
    .map((line) => line.replace(/#.*$/, '').trim().split(/\s+/))
    .filter((words) => words[0] === '127.0.1.1')
    .flatMap((words) => words.slice(1));
}

/**
 * The hosts(5) file with exactly one line for 127.0.1.1, which names the machine (the Debian way). Everything else stays
 * as it is; doing it twice changes nothing.
 */
export function withOwnName(hosts: string, name: string): string {
  const wanted = `127.0.1.1 ${name}`;
  const lines = hosts.split('\n');
  const isOwn = (line: string): boolean => /^\s*127\.0\.1\.1(\s|$)/.test(line);
  const first = lines.findIndex(isOwn);
  const localhost = lines.findIndex((line) => /^\s*127\.0\.0\.1(\s|$)/.test(line));
  const kept = lines.filter((line, index) => !isOwn(line) || index === first);
  const named =
    first === -1
      ? kept.toSpliced(localhost + 1, 0, wanted)
      : kept.map((line, index) => (index === first ? wanted : line));
  return `${named.join('\n').replace(/\n+$/, '')}\n`;
}
