import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { parseCpuList } from './local-cpus.ts';
import { expectSuccess } from './read-helpers.ts';

/** Numbers of the nodes, as in `0-1`. Source: kernel sysfs ABI, /sys/devices/system/node. */
export const onlineNodes = defineRead({ name: 'NUMA nodes', argv: ['cat', '/sys/devices/system/node/online'] });

/** Source: kernel sysfs ABI, /sys/devices/system/node/nodeX/cpulist. */
export const nodeCpuList = defineRead({
  name: 'CPUs of a NUMA node',
  argv: ['cat', '{path}'],
  holes: { path: /\/sys\/devices\/system\/node\/node\d{1,3}\/cpulist/ },
});

/** CPUs of each node, by its number. */
export type NumaNodes = ReadonlyMap<number, readonly number[]>;

/** Reads which CPUs are on which node. A node of memory alone has none. Errors: command-failed, output-unreadable. */
export async function readNumaNodes(host: HostReader, signal: AbortSignal): Promise<NumaNodes> {
  const options = { timeoutMs: 15_000, signal };
  const online = await host.read(onlineNodes.bind({}), options);
  expectSuccess(host.name, 'cat /sys/devices/system/node/online', online);
  const nodes = new Map<number, readonly number[]>();
  for (const node of parseCpuList(host.name, online.stdout)) {
    const path = `/sys/devices/system/node/node${node}/cpulist`;
    const list = await host.read(nodeCpuList.bind({ path }), options);
    expectSuccess(host.name, `cat ${path}`, list);
    nodes.set(node, list.stdout.trim() === '' ? [] : parseCpuList(host.name, list.stdout));
  }
  return nodes;
}
