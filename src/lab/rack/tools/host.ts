/**
 * A host as a machine: its live files and its commands.
 *
 * Source: Ubuntu 22.04 files.
 */
import { Files } from '../files/files.ts';
import type { LiveFiles } from '../files/nodes.ts';
import { programInstalled } from '../packages/of-machine.ts';
import { bfbInstall } from '../rshim/bfb-install.ts';
import { isProgramPath } from '../shell/programs.ts';
import type { Machine } from '../shell/types.ts';
import { ok } from '../shell/types.ts';
import type { HostState, Rack } from '../state.ts';
import { cardsOfHost } from '../state.ts';
import { hostname, id, unameCommand } from './basic.ts';
import { commonPrograms } from './common.ts';
import { benchPrograms } from '../bench/programs.ts';
import { cpuFiles, hostLscpu } from './cpus.ts';
import { ethtool } from './ethtool.ts';
import { blockFiles, blockNodes } from './block.ts';
import { mokutil } from './bluefield.ts';
import { devlink } from './devlink.ts';
import { meminfoText } from './free.ts';
import { livePart, uptimeText } from './live-files.ts';
import { lslocks } from './locks.ts';
import { lspci } from './lspci.ts';
import { flint, mlxfwmanager, mst } from './mft.ts';
import { mlxconfig } from './mlxconfig.ts';
import { mlxfwreset } from './mlxfwreset.ts';
import { hugepageFiles } from './hugepages.ts';
import { statText } from './mpstat.ts';
import { sysctlFiles } from './sysctl.ts';
import { processFiles } from './processes.ts';
import { rshimFiles } from './rshim.ts';
import { netFiles } from './sysfs-net.ts';
import { pciFiles } from './sysfs-pci.ts';

function systemFiles(rack: Rack, host: HostState, machine: Machine, files: LiveFiles): void {
  files.set('/sys/module/mlx5_core/refcnt', { text: '1\n' });
  if (host.driver.loaded !== null) files.set('/sys/module/mlx5_core/version', { text: `${host.driver.loaded}\n` });
  pciFiles(rack, host, files);
  netFiles(rack, machine, files);
  blockFiles(machine, files);
  cpuFiles(host, files);
  hugepageFiles(rack, machine, host, files);
}

function otherFiles(rack: Rack, host: HostState, machine: Machine, files: LiveFiles): void {
  const texts: Record<string, string> = {
    'sys/kernel/random/boot_id': host.bootId,
    'sys/kernel/hostname': host.name,
    'sys/kernel/osrelease': host.hardware.kernel,
    uptime: uptimeText(rack.nowMs(), host.bootedAtMs, 64),
    stat: statText(rack, machine, host.bootedAtMs),
    cmdline: `BOOT_IMAGE=/boot/vmlinuz-${host.hardware.kernel} root=/dev/nvme0n1p2 ro iommu=pt quiet`,
  };
  for (const [name, text] of Object.entries(texts)) files.set(`/proc/${name}`, { text: `${text.trimEnd()}\n` });
  files.set('/proc/meminfo', { text: meminfoText(rack, machine) });
  sysctlFiles(machine, files);
  blockNodes(machine, files);
  rshimFiles(rack, host, files);
  processFiles(rack, machine, files);
}

/** A host to log in to. */
export function hostMachine(rack: Rack, host: HostState): Machine {
  const machine: Machine = {
    kind: 'host',
    name: host.name,
    hostName: () => host.name,
    host,
    card: null,
    cards: cardsOfHost(rack, host.name),
    commands: {
      uname: unameCommand(() => ({
        release: host.hardware.kernel,
        version: '#134-Ubuntu SMP Fri Sep 27 20:20:17 UTC 2024',
        machine: 'x86_64',
      })),
      hostname,
      id,
      whoami: ({ user }) => ok(`${user}\n`),
      lspci,
      mst,
      flint,
      mlxfwmanager,
      ethtool,
      devlink,
      mokutil,
      lscpu: hostLscpu,
    },
    programs: { ...commonPrograms, mlxconfig, mlxfwreset, lslocks, 'bfb-install': bfbInstall, ...benchPrograms },
    installed: (name) => programInstalled(machine, name),
    files: new Files({
      stored: () => host.files,
      live: (path) =>
        livePart(
          path,
          (files) => systemFiles(rack, host, machine, files),
          (files) => otherFiles(rack, host, machine, files),
        ),
      nowMs: () => rack.nowMs(),
      freeBytes: () => rack.freeBytes(machine),
      hasProgram: (path) => isProgramPath(machine, path),
    }),
  };
  return machine;
}
