import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

/** CPUs near a PCI function: on its NUMA node. Source: kernel sysfs ABI, /sys/bus/pci/devices/.../local_cpulist. */
export const localCpuList = defineRead({
  name: 'CPUs near a PCI function',
  argv: ['cat', '{path}'],
  holes: { path: /\/sys\/bus\/pci\/devices\/[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\/local_cpulist/ },
});

/** Source: kernel docs, admin-guide/cputopology. */
export const onlineCpuList = defineRead({ name: 'CPUs', argv: ['cat', '/sys/devices/system/cpu/online'] });

/**
 * The CPUs on which programs that use a PCI function should run; all of the machine where the function is not of this
 * machine's PCI bus. Errors: command-failed, output-unreadable.
 */
export async function readLocalCpus(
  host: HostReader,
  pciFunction: string,
  signal: AbortSignal,
): Promise<readonly number[]> {
  const path = `/sys/bus/pci/devices/${pciFunction}/local_cpulist`;
  const options = { timeoutMs: 15_000, signal };
  const near = await host.read(localCpuList.bind({ path }), options);
  if (near.exitCode === 0) return parseCpuList(host.name, near.stdout);
  if (!near.stderr.includes('No such file or directory')) expectSuccess(host.name, `cat ${path}`, near);
  const all = await host.read(onlineCpuList.bind({}), options);
  expectSuccess(host.name, 'cat /sys/devices/system/cpu/online', all);
  return parseCpuList(host.name, all.stdout);
}

/** Parses `0-15,32-47`. Source: kernel docs, admin-guide/cputopology (list format). */
export function parseCpuList(target: string, text: string): readonly number[] {
  const cpus = text
    .trim()
    .split(',')
    .flatMap((part) => {
      const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part) ?? [];
      const [from, to] = [Number(first), Number(last)];
      if (first === undefined || to < from)
        throw errors.outputUnreadable({
          target,
          source: 'a list of CPUs',
          problem: `"${part.slice(0, 40)}" is neither a number nor a range`,
        });
      return Array.from({ length: to - from + 1 }, (_one, index) => from + index);
    });
  return [...new Set(cpus)].toSorted((a, b) => a - b);
}
