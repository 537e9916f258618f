/** The tools that measure, as a host has them. */
import type { Program } from '../shell/types.ts';
import { numactl, taskset } from '../tools/cpus.ts';
import { ownProcess } from '../tools/own-process.ts';
import { iperf3 } from './iperf3.ts';
import { ss } from './ss.ts';
import { testpmd } from './testpmd.ts';

const dpdk = ownProcess('dpdk-testpmd', testpmd);

/** Name or path -> program; the one in /opt comes with DOCA. */
export const benchPrograms: Record<string, Program> = {
  iperf3: ownProcess('iperf3', iperf3),
  'dpdk-testpmd': dpdk,
  '/opt/mellanox/dpdk/bin/dpdk-testpmd': dpdk,
  ss,
  numactl,
  taskset,
};
