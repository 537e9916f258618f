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
import { ethtool } from './ethtool.ts';
import { netFiles, uptimeText } from './live-files.ts';
import { lspci } from './lspci.ts';
import { flint, mlxfwmanager, mst } from './mft.ts';
import { mlxconfig } from './mlxconfig.ts';
import { mlxfwreset } from './mlxfwreset.ts';
import { pciDevices } from './pci.ts';
import { processFiles } from './processes.ts';
import { rshimFiles } from './rshim.ts';

function pciFiles(rack: Rack, host: HostState, files: LiveFiles): void {
  for (const device of pciDevices(rack, host)) {
    const folder = `/sys/bus/pci/devices/${device.address}`;
    files.set(`${folder}/numa_node`, { text: `${device.numaNode}\n` });
    files.set(`${folder}/vendor`, { text: `0x${device.vendorId}\n` });
    files.set(`${folder}/device`, { text: `0x${device.deviceId}\n` });
    files.set(`${folder}/class`, { text: `0x${device.classId}00\n` });
  }
}

function hostFiles(rack: Rack, host: HostState, machine: Machine): LiveFiles {
  const files: LiveFiles = new Map([
    ['/proc/sys/kernel/random/boot_id', { text: `${host.bootId}\n` }],
    ['/proc/sys/kernel/hostname', { text: `${host.name}\n` }],
    ['/proc/sys/kernel/osrelease', { text: `${host.hardware.kernel}\n` }],
    ['/proc/uptime', { text: uptimeText(rack.nowMs(), host.bootedAtMs, 64) }],
    ['/proc/stat', { text: `cpu  0 0 0 0 0 0 0 0 0 0\nbtime ${Math.floor(host.bootedAtMs / 1000)}\n` }],
    [
      '/proc/cmdline',
      { text: `BOOT_IMAGE=/boot/vmlinuz-${host.hardware.kernel} root=/dev/nvme0n1p2 ro iommu=pt quiet\n` },
    ],
  ]);
  files.set('/sys/module/mlx5_core/refcnt', { text: '1\n' });
  if (host.driver.loaded !== null) files.set('/sys/module/mlx5_core/version', { text: `${host.driver.loaded}\n` });
  rshimFiles(rack, host, files);
  pciFiles(rack, host, files);
  netFiles(rack, machine, files);
  processFiles(rack, machine, files);
  return files;
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
    },
    programs: { ...commonPrograms, mlxconfig, mlxfwreset, 'bfb-install': bfbInstall },
    installed: (name) => programInstalled(machine, name),
    files: new Files({
      stored: () => host.files,
      live: () => hostFiles(rack, host, machine),
      nowMs: () => rack.nowMs(),
      freeBytes: () => rack.freeBytes(machine),
      hasProgram: (path) => isProgramPath(machine, path),
    }),
  };
  return machine;
}
