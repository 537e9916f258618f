import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

/** Source: kernel docs, networking/ip-sysctl, ip_forward. */
export const ipForward = defineRead({ name: 'ip_forward', argv: ['cat', '/proc/sys/net/ipv4/ip_forward'] });

/** Does the machine route packets of others? Errors: command-failed, output-unreadable. */
export async function readForwarding(reader: HostReader, signal: AbortSignal): Promise<boolean> {
  const result = await reader.read(ipForward.bind({}), { timeoutMs: 15_000, signal });
  expectSuccess(reader.name, 'cat /proc/sys/net/ipv4/ip_forward', result);
  return parseForwarding(reader.name, result.stdout);
}

/** Parses `0` or `1`. */
export function parseForwarding(target: string, text: string): boolean {
  const value = text.trim();
  if (value === '0' || value === '1') return value === '1';
  throw errors.outputUnreadable({
    target,
    source: 'ip_forward',
    problem: 'neither 0 nor 1',
    evidence: text.slice(0, 80),
  });
}
