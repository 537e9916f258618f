import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

/** `2048kB` and `1048576kB`: how sysfs names them. Source: kernel docs, admin-guide/mm/hugetlbpage. */
export type HugepageSize = 2 | 1024;

/** Source: kernel sysfs ABI, /sys/bus/pci/devices/.../numa_node. -1: the machine has no nodes, or does not say. */
export const numaNode = defineRead({
  name: 'NUMA node of a PCI function',
  argv: ['cat', '{path}'],
  holes: { path: /\/sys\/bus\/pci\/devices\/[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\/numa_node/ },
});

/** Source: kernel docs, admin-guide/mm/hugetlbpage. */
export const nodeHugepages = defineRead({
  name: 'hugepages of a NUMA node',
  argv: ['cat', '{path}'],
  holes: {
    path: /\/sys\/devices\/system\/node\/node\d{1,3}\/hugepages\/hugepages-(?:2048|1048576)kB\/nr_hugepages/,
  },
});

/** The node of a card; node 0 where the machine has none. Errors: command-failed, output-unreadable. */
export async function readNumaNode(host: HostReader, pciFunction: string, signal: AbortSignal): Promise<number> {
  const path = `/sys/bus/pci/devices/${pciFunction}/numa_node`;
  const text = await readSmall(host, numaNode.bind({ path }), path, signal);
  return Math.max(0, wholeNumber(host.name, path, text));
}

/** How many pages the node has. Errors: command-failed (no such node or size), output-unreadable. */
export async function readHugepages(
  host: HostReader,
  { node, sizeMiB }: { readonly node: number; readonly sizeMiB: HugepageSize },
  signal: AbortSignal,
): Promise<number> {
  const path = hugepagesPath(node, sizeMiB);
  return wholeNumber(host.name, path, await readSmall(host, nodeHugepages.bind({ path }), path, signal));
}

/** The file that says how many there are, and takes how many there should be. */
export function hugepagesPath(node: number, sizeMiB: HugepageSize): string {
  return `/sys/devices/system/node/node${node}/hugepages/hugepages-${sizeMiB * 1024}kB/nr_hugepages`;
}

async function readSmall(
  host: HostReader,
  command: Parameters<HostReader['read']>[0],
  path: string,
  signal: AbortSignal,
): Promise<string> {
  const result = await host.read(command, { timeoutMs: 15_000, signal });
  expectSuccess(host.name, `cat ${path}`, result);
  return result.stdout;
}

function wholeNumber(target: string, source: string, text: string): number {
  const number = /^(-?\d{1,9})\n?$/.exec(text)?.[1];
  if (number !== undefined) return Number(number);
  throw errors.outputUnreadable({ target, source, problem: 'not one whole number', evidence: text.slice(0, 100) });
}
