/**
 * The Arm side of a card as a machine: its files and commands.
 *
 * Source: bfb-build images (hostname, mlnx-release), mlnx-tools (lscpu flags of cards without crypto).
 */
import { Files } from '../files/files.ts';
import type { LiveFiles } from '../files/nodes.ts';
import { swanctl } from '../ipsec/swanctl.ts';
import { ovsAppctl, ovsOfctl } from '../ovs/appctl.ts';
import { ovsVsctl } from '../ovs/vsctl.ts';
import { programInstalled } from '../packages/of-machine.ts';
import { fromCommand, isProgramPath } from '../shell/programs.ts';
import type { Command, Machine } from '../shell/types.ts';
import { invalidOption, ok } from '../shell/types.ts';
import type { CardState, Rack } from '../state.ts';
import { shownHardware } from '../state.ts';
import { hostname, id, unameCommand } from './basic.ts';
import { bfrec, bfvcheck, bfver, mokutil } from './bluefield.ts';
import { chpasswd } from './chpasswd.ts';
import { ipmitool } from './ipmitool.ts';
import { passwordPrograms } from './passwd.ts';
import { lslocks } from './locks.ts';
import { commonPrograms } from './common.ts';
import { ethtool } from './ethtool.ts';
import { blockFiles, blockNodes } from './block.ts';
import { devlink } from './devlink.ts';
import { mlnxBfConfigure } from './bf-configure.ts';
import { compatFiles } from './compat-files.ts';
import { docaIp } from './ip.ts';
import { meminfoText } from './free.ts';
import { livePart, uptimeText } from './live-files.ts';
import { flint, mlxfwmanager, mst } from './mft.ts';
import { mlxconfig } from './mlxconfig.ts';
import { mlxfwreset } from './mlxfwreset.ts';
import { processFiles } from './processes.ts';
import { mpstat, statText } from './mpstat.ts';
import { sysctlFiles } from './sysctl.ts';
import { netFiles } from './sysfs-net.ts';

function systemFiles(rack: Rack, card: CardState, machine: Machine, files: LiveFiles): void {
  netFiles(rack, machine, files);
  blockFiles(machine, files);
  compatFiles(rack, card, files);
  files.set('/sys/module/mlx5_core/version', { text: `${card.armOs.driver}\n` });
}

function otherFiles(rack: Rack, card: CardState, machine: Machine, files: LiveFiles): void {
  const { kernel } = card.armOs;
  const texts: Record<string, string> = {
    'sys/kernel/random/boot_id': card.arm.bootId,
    'sys/kernel/hostname': card.armOs.hostname,
    'sys/kernel/osrelease': kernel,
    uptime: uptimeText(rack.nowMs(), card.arm.bootStartedAtMs, card.hardware.armCores),
    cmdline: `BOOT_IMAGE=/boot/vmlinuz-${kernel} root=UUID=f1a0 ro console=hvc0 console=ttyAMA0 earlycon=pl011,0x13010000 fixrtc`,
  };
  for (const [name, text] of Object.entries(texts)) files.set(`/proc/${name}`, { text: `${text.trimEnd()}\n` });
  files.set('/proc/stat', { text: statText(rack, machine, card.arm.bootStartedAtMs) });
  files.set('/proc/meminfo', { text: meminfoText(rack, machine) });
  sysctlFiles(machine, files);
  blockNodes(machine, files);
  processFiles(rack, machine, files);
}

function lscpu(rack: Rack, card: CardState): Command {
  return (_context, args) => {
    if (args.length > 0) return invalidOption('lscpu', args[0] ?? '');
    const hardware = shownHardware(rack, card);
    const crypto = hardware.crypto ? ' aes pmull sha1 sha2' : '';
    const rows: [string, string][] = [
      ['Architecture:', 'aarch64'],
      ['CPU op-mode(s):', '32-bit, 64-bit'],
      ['Byte Order:', 'Little Endian'],
      ['CPU(s):', String(hardware.armCores)],
      ['On-line CPU(s) list:', `0-${hardware.armCores - 1}`],
      ['Vendor ID:', 'ARM'],
      ['Model name:', 'Cortex-A78AE'],
      ['Thread(s) per core:', '1'],
      ['NUMA node(s):', '1'],
      ['Flags:', `fp asimd evtstrm${crypto} crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp`],
    ];
    return ok(rows.map(([label, value]) => `${label.padEnd(33)}${value}\n`).join(''));
  };
}

/** The Arm side of a card to log in to. */
export function armMachine(rack: Rack, card: CardState): Machine {
  const machine: Machine = {
    kind: 'arm',
    name: card.name,
    hostName: () => card.armOs.hostname,
    host: null,
    card,
    cards: [card],
    commands: {
      uname: unameCommand(() => ({
        release: card.armOs.kernel,
        version: '#56-Ubuntu SMP Fri Aug 23 10:31:45 UTC 2024',
        machine: 'aarch64',
      })),
      hostname,
      id,
      whoami: ({ user }) => ok(`${user}\n`),
      mokutil,
      bfver,
      bfvcheck,
      lscpu: lscpu(rack, card),
      mst,
      flint,
      mlxfwmanager,
      ethtool,
      devlink,
      'ovs-vsctl': ovsVsctl,
      'ovs-appctl': ovsAppctl,
      'ovs-ofctl': ovsOfctl,
    },
    programs: {
      ...commonPrograms,
      ...passwordPrograms,
      mlxconfig,
      mlxfwreset,
      chpasswd,
      lslocks,
      ipmitool,
      bfrec,
      swanctl,
      mlnx_bf_configure: mlnxBfConfigure,
      mpstat,
      '/opt/mellanox/iproute2/sbin/ip': docaIp,
      '/opt/mellanox/iproute2/sbin/devlink': fromCommand(devlink),
    },
    // The image brings MFT with it, whatever dpkg lists.
    installed: (name) =>
      ['mst', 'flint', 'mlxfwmanager', 'mlxconfig', 'mlxfwreset', 'mlxlink'].includes(name) ||
      (!['ofed_info', 'bfb-install'].includes(name) && programInstalled(machine, name)),
    files: new Files({
      stored: () => card.armOs.files,
      live: (path) =>
        livePart(
          path,
          (files) => systemFiles(rack, card, machine, files),
          (files) => otherFiles(rack, card, machine, files),
        ),
      nowMs: () => rack.nowMs(),
      freeBytes: () => rack.freeBytes(machine),
      hasProgram: (path) => isProgramPath(machine, path),
    }),
  };
  return machine;
}
