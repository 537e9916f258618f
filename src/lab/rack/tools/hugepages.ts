/**
 * Huge pages of a host: sysfs per node and in all, what programs take of them.
 *
 * Source: Documentation/admin-guide/mm/hugetlbpage.rst and its sysfs tree; the kernel gives fewer pages than asked for when
 * memory is short.
 */
import type { ErrorName, LiveFiles } from '../files/nodes.ts';
import type { Machine } from '../shell/types.ts';
import type { HostState, Rack } from '../state.ts';
import { memoryKib } from './mounts.ts';

/** Sizes in KiB, the default first. */
export const pageSizes = [2_048, 1_048_576];
const nodeCount = 2;
/** Share of a node's memory that huge pages may take. */
const mostShare = 0.8;

function pagesOf(host: HostState, node: number, size: number): number {
  return host.tuning.hugepages[String(node)]?.[String(size)] ?? 0;
}

/** MiB of huge pages on a node, all sizes together. */
export function hugeMib(host: HostState, node: number): number {
  return pageSizes.reduce((sum, size) => sum + (pagesOf(host, node, size) * size) / 1024, 0);
}

/** MiB that programs hold of a node. */
export function usedMib(rack: Rack, host: HostState, node: number): number {
  return rack.wire.hugepages.get(`${host.name} ${node}`) ?? 0;
}

/** A program takes or gives back huge pages. */
export function takeHugepages(rack: Rack, host: HostState, node: number, mib: number): void {
  rack.wire.hugepages.set(`${host.name} ${node}`, Math.max(0, usedMib(rack, host, node) + mib));
}

function freePages(rack: Rack, host: HostState, node: number, size: number): number {
  const total = pagesOf(host, node, size);
  const share = hugeMib(host, node) === 0 ? 0 : usedMib(rack, host, node) / hugeMib(host, node);
  return Math.max(0, total - Math.ceil(total * share));
}

function setPages(machine: Machine, host: HostState, node: number, size: number, text: string): ErrorName | null {
  const wanted = Number(text.trim());
  if (!Number.isInteger(wanted) || wanted < 0) return 'EINVAL';
  const others = hugeMib(host, node) - (pagesOf(host, node, size) * size) / 1024;
  const roomMib = (memoryKib(machine) / 1024 / nodeCount) * mostShare - others;
  const most = Math.max(0, Math.floor((roomMib * 1024) / size));
  (host.tuning.hugepages[String(node)] ??= {})[String(size)] = Math.min(wanted, most);
  return null;
}

/** Pages of all nodes. */
export function allPages(host: HostState, size: number): number {
  return Array.from({ length: nodeCount }, (_each, node) => pagesOf(host, node, size)).reduce(
    (sum, each) => sum + each,
    0,
  );
}

/** Free pages of all nodes. */
export function allFreePages(rack: Rack, host: HostState, size: number): number {
  return Array.from({ length: nodeCount }, (_each, node) => freePages(rack, host, node, size)).reduce(
    (sum, each) => sum + each,
    0,
  );
}

function spread(machine: Machine, host: HostState, size: number, text: string): ErrorName | null {
  const wanted = Number(text.trim());
  if (!Number.isInteger(wanted) || wanted < 0) return 'EINVAL';
  for (let node = 0; node < nodeCount; node += 1) {
    const part = Math.floor(wanted / nodeCount) + (node < wanted % nodeCount ? 1 : 0);
    setPages(machine, host, node, size, String(part));
  }
  return null;
}

/** Put in what a host shows of its huge pages. */
export function hugepageFiles(rack: Rack, machine: Machine, host: HostState, files: LiveFiles): void {
  for (const size of pageSizes) {
    const name = `hugepages-${size}kB`;
    const folder = `/sys/kernel/mm/hugepages/${name}`;
    files.set(`${folder}/nr_hugepages`, {
      text: `${allPages(host, size)}\n`,
      write: (text) => spread(machine, host, size, text),
    });
    files.set(`${folder}/free_hugepages`, { text: `${allFreePages(rack, host, size)}\n` });
    for (let node = 0; node < nodeCount; node += 1) {
      const place = `/sys/devices/system/node/node${node}/hugepages/${name}`;
      files.set(`${place}/nr_hugepages`, {
        text: `${pagesOf(host, node, size)}\n`,
        write: (text) => setPages(machine, host, node, size, text),
      });
      files.set(`${place}/free_hugepages`, { text: `${freePages(rack, host, node, size)}\n` });
      files.set(`${place}/surplus_hugepages`, { text: '0\n' });
    }
  }
}
