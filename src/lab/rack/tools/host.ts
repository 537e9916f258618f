/**
 * A host as a machine: its files and commands.
 *
 * Source: Ubuntu 22.04 files; systemd 249 messages.
 */
import type { Command, FileSystem, Machine } from '../shell/types.ts';
import { failed, ok } from '../shell/types.ts';
import type { HostState, Rack } from '../state.ts';
import { cardsOfHost } from '../state.ts';
import { warmRebootHost } from '../power.ts';
import { cat, df, dpkg, dpkgQuery, hostname, id, ls, unameCommand } from './basic.ts';
import { lspci } from './lspci.ts';
import { flint, mlxfwmanager, mst } from './mft.ts';
import { mlxconfig } from './mlxconfig.ts';
import { ip, netdevs } from './net.ts';
import { pciDevices } from './pci.ts';
import { miscText, rshimDevices } from './rshim.ts';

const osRelease = `PRETTY_NAME="Ubuntu 22.04.5 LTS"
NAME="Ubuntu"
VERSION_ID="22.04"
VERSION="22.04.5 LTS (Jammy Jellyfish)"
VERSION_CODENAME=jammy
ID=ubuntu
ID_LIKE=debian
HOME_URL="https://www.ubuntu.com/"
SUPPORT_URL="https://help.ubuntu.com/"
BUG_REPORT_URL="https://bugs.launchpad.net/ubuntu/"
PRIVACY_POLICY_URL="https://www.ubuntu.com/legal/terms-and-policies/privacy-policy"
UBUNTU_CODENAME=jammy
`;

/** Ubuntu 22.04's /etc/os-release, the same on hosts and on stock Arm images. */
export function ubuntuRelease(): string {
  return osRelease;
}

/** `/proc/uptime` for a machine that booted at a device time. */
export function uptimeText(nowMs: number, bootedAtMs: number, cpus: number): string {
  const seconds = Math.max(0, nowMs - bootedAtMs) / 1000;
  return `${seconds.toFixed(2)} ${(seconds * cpus * 0.98).toFixed(2)}\n`;
}

function pciFiles(rack: Rack, host: HostState, files: FileSystem): void {
  for (const device of pciDevices(rack, host)) {
    const folder = `/sys/bus/pci/devices/${device.address}`;
    files.set(`${folder}/numa_node`, { text: `${device.numaNode}\n` });
    files.set(`${folder}/vendor`, { text: `0x${device.vendorId}\n` });
    files.set(`${folder}/device`, { text: `0x${device.deviceId}\n` });
    files.set(`${folder}/class`, { text: `0x${device.classId}00\n` });
  }
}

/** `/sys/class/net/*` of a machine. */
export function netFiles(rack: Rack, machine: Machine, files: FileSystem): void {
  for (const netdev of netdevs(rack, machine)) {
    const folder = `/sys/class/net/${netdev.name}`;
    files.set(`${folder}/address`, { text: `${netdev.mac}\n` });
    files.set(`${folder}/mtu`, { text: `${netdev.mtu}\n` });
    files.set(`${folder}/operstate`, { text: netdev.carrier ? 'up\n' : 'down\n' });
    files.set(`${folder}/carrier`, { text: netdev.carrier ? '1\n' : '0\n' });
    files.set(`${folder}/speed`, { text: netdev.carrier ? `${netdev.speedMbps}\n` : '-1\n' });
    if (netdev.pci === null) continue;
    const pciName = netdev.pci;
    files.set(`${folder}/device/uevent`, { text: `DRIVER=mlx5_core\nPCI_SLOT_NAME=${pciName}\n` });
  }
}

function hostFiles(rack: Rack, host: HostState, machine: Machine): FileSystem {
  const files: FileSystem = new Map([
    ['/etc/os-release', { text: osRelease }],
    ['/etc/hostname', { text: `${host.name}\n` }],
    ['/proc/sys/kernel/random/boot_id', { text: `${host.bootId}\n` }],
    ['/proc/sys/kernel/hostname', { text: `${host.name}\n` }],
    ['/proc/sys/kernel/osrelease', { text: `${host.hardware.kernel}\n` }],
    ['/proc/uptime', { text: uptimeText(rack.nowMs(), host.bootedAtMs, 64) }],
    [
      '/proc/cmdline',
      { text: `BOOT_IMAGE=/boot/vmlinuz-${host.hardware.kernel} root=/dev/nvme0n1p2 ro iommu=pt quiet\n` },
    ],
  ]);
  rshimDevices(rack, host).forEach((card, index) => {
    files.set(`/dev/rshim${index}/misc`, { text: miscText(rack, card), rootOnly: true });
    for (const name of ['boot', 'console', 'rshim'])
      files.set(`/dev/rshim${index}/${name}`, { text: '', rootOnly: true });
  });
  pciFiles(rack, host, files);
  netFiles(rack, machine, files);
  return files;
}

const statusLines = (active: boolean): string =>
  `● rshim.service - rshim driver for BlueField SoC
     Loaded: loaded (/lib/systemd/system/rshim.service; enabled; vendor preset: enabled)
     Active: ${active ? 'active (running)' : 'inactive (dead)'}
       Docs: man:rshim(8)
`;

const systemctl: Command = ({ machine, root, rack }, args) => {
  const words = args.filter((arg) => arg !== '--no-pager' && arg !== '--quiet');
  const [verb = '', unitWord = ''] = words;
  const { host } = machine;
  if (host === null) return failed(1, 'Failed to connect to bus: No such file or directory\n');
  if (verb === 'reboot') {
    if (!root) return failed(1, 'Failed to set wall message, ignoring: Interactive authentication required.\n');
    warmRebootHost(rack, host);
    return ok();
  }
  const unit = unitWord.replace(/\.service$/, '');
  const known = unit === 'rshim' || unit === 'ssh' || unit === 'sshd';
  const active = unit === 'rshim' ? host.rshimServiceActive : known;
  switch (verb) {
    case 'is-active':
      return { stdout: active ? 'active\n' : 'inactive\n', stderr: '', exitCode: active ? 0 : 3 };
    case 'is-enabled':
      return known
        ? ok('enabled\n')
        : failed(1, `Failed to get unit file state for ${unit}.service: No such file or directory\n`);
    case 'status':
      if (!known) return failed(4, `Unit ${unit}.service could not be found.\n`);
      return { stdout: statusLines(active).replaceAll('rshim', unit), stderr: '', exitCode: active ? 0 : 3 };
    case 'start':
    case 'stop':
    case 'restart':
      if (!root) return failed(1, `Failed to ${verb} ${unit}.service: Interactive authentication required.\n`);
      if (unit !== 'rshim') return failed(5, `Failed to ${verb} ${unit}.service: Unit ${unit}.service not found.\n`);
      host.rshimServiceActive = verb !== 'stop';
      return ok();
    default:
      return failed(1, `Unknown command verb ${verb}.\n`);
  }
};

const reboot: Command = ({ machine, root, rack }, args) => {
  if (args.length > 0)
    return failed(1, `reboot: invalid option -- '${(args[0] ?? '').replace(/^-+/, '').charAt(0)}'\n`);
  if (!root) return failed(1, 'Failed to set wall message, ignoring: Interactive authentication required.\n');
  if (machine.host !== null) warmRebootHost(rack, machine.host);
  return ok();
};

/** A host to log in to. */
export function hostMachine(rack: Rack, host: HostState): Machine {
  const machine: Machine = {
    kind: 'host',
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
      cat,
      ls,
      df,
      dpkg,
      'dpkg-query': dpkgQuery,
      lspci,
      ip,
      mst,
      flint,
      mlxfwmanager,
      mlxconfig,
      systemctl,
      reboot,
    },
    files: () => hostFiles(rack, host, machine),
  };
  return machine;
}
