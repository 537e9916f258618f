import { z } from 'zod';
import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

/** A network link of a host or of the Arm. */
export interface Link {
  readonly name: string;
  readonly mtuBytes: number;
}

/** Source: ip-link(8). */
export const networkLinks = defineRead({ name: 'ip link', argv: ['ip', '-json', 'link'] });

/** The network devices of one PCI function, as its driver has made them. Source: kernel sysfs ABI. */
export const functionLinks = defineRead({
  name: 'links of a PCI function',
  argv: ['ls', '{directory}'],
  holes: {
    directory: /\/sys\/bus\/pci\/devices\/[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\/net/,
  },
});

const Links = z.array(z.object({ ifname: z.string().min(1), mtu: z.number().int().positive() }));

/** Reads all links of the default namespace. Errors: command-failed, output-unreadable. */
export async function readLinks(reader: HostReader, signal: AbortSignal): Promise<readonly Link[]> {
  const result = await reader.read(networkLinks.bind({}), { timeoutMs: 15_000, signal });
  expectSuccess(reader.name, 'ip -json link', result);
  return parseLinks(reader.name, result.stdout);
}

/** Parses `ip -json link`. */
export function parseLinks(target: string, text: string): readonly Link[] {
  let parsed: z.infer<typeof Links>;
  try {
    parsed = Links.parse(JSON.parse(text));
  } catch {
    const problem = 'no JSON list of links with name and MTU';
    throw errors.outputUnreadable({ target, source: 'ip -json link', problem, evidence: text.slice(0, 400) });
  }
  return parsed.map((link) => ({ name: link.ifname, mtuBytes: link.mtu }));
}

/** Names of the links of a PCI function (`0000:e1:00.0`); none when it does not exist or has no network driver. */
export async function readFunctionLinks(
  host: HostReader,
  pciFunction: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const command = functionLinks.bind({ directory: `/sys/bus/pci/devices/${pciFunction}/net` });
  const result = await host.read(command, { timeoutMs: 15_000, signal });
  if (result.exitCode === 2 && result.stderr.includes('No such file or directory')) return [];
  expectSuccess(host.name, `ls of the links of ${pciFunction}`, result);
  return result.stdout.split(/\s+/).filter((name) => name !== '');
}
