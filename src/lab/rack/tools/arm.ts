/**
 * The Arm side of a card as a machine: its files and commands.
 *
 * Source: bfb-build images (hostname, mlnx-release), bfscripts (bfver), ipmitool lib/ipmi_user.c and ipmi_lanp.c,
 * mlnx-tools (mokutil, lscpu flags of cards without crypto).
 */
import { setPasswordByIpmi } from '../accounts.ts';
import { cardMacs } from '../identity.ts';
import { Files } from '../files/files.ts';
import type { LiveFiles } from '../files/nodes.ts';
import { imageNamed } from '../install/images.ts';
import { programInstalled } from '../packages/of-machine.ts';
import { isProgramPath } from '../shell/programs.ts';
import type { Command, Machine } from '../shell/types.ts';
import { failed, invalidOption, ok } from '../shell/types.ts';
import type { CardState, Rack } from '../state.ts';
import { shownHardware } from '../state.ts';
import { hostname, id, unameCommand } from './basic.ts';
import { chpasswd } from './chpasswd.ts';
import { lslocks } from './locks.ts';
import { commonPrograms } from './common.ts';
import { ethtool } from './ethtool.ts';
import { blockFiles, blockNodes } from './block.ts';
import { livePart, uptimeText } from './live-files.ts';
import { flint, mlxfwmanager, mst } from './mft.ts';
import { mlxconfig } from './mlxconfig.ts';
import { mlxfwreset } from './mlxfwreset.ts';
import { processFiles } from './processes.ts';
import { netFiles } from './sysfs-net.ts';

function systemFiles(rack: Rack, card: CardState, machine: Machine, files: LiveFiles): void {
  netFiles(rack, machine, files);
  blockFiles(machine, files);
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
  blockNodes(machine, files);
  processFiles(rack, machine, files);
}

function mokutil(card: CardState): Command {
  return (_context, args) => {
    if (args.join(' ') !== '--sb-state') return failed(255, 'Usage:\n  mokutil OPTIONS [ARGS...]\n');
    return ok(`SecureBoot ${card.secureBoot.currentBoot ? 'enabled' : 'disabled'}\n`);
  };
}

function bfver(card: CardState): Command {
  return ({ root }, args) => {
    if (args.length > 0) return failed(1, 'Usage: bfver [--help] [--device /dev/mmcblkX]\n');
    if (!root) return failed(1, 'bfver: must be run as root\n');
    const image = imageNamed(card.armOs.image);
    return ok(
      '--/dev/mmcblk0boot1\n' +
        `BlueField ATF version: ${image.atf}\n` +
        `BlueField UEFI version: ${image.uefi}\n` +
        `BlueField BSP version: ${image.bsp}\n` +
        `OS Release Version: ${card.armOs.image}\n`,
    );
  };
}

function lanPrint(rack: Rack, card: CardState): string {
  const rows: [string, string][] = [
    ['Set in Progress', 'Set Complete'],
    ['Auth Type Support', ''],
    ['Auth Type Enable', 'Callback : '],
    ['', 'User     : '],
    ['', 'Operator : '],
    ['', 'Admin    : '],
    ['', 'OEM      : '],
    ['IP Address Source', 'DHCP Address'],
    ['IP Address', card.hardware.bmc.address],
    ['Subnet Mask', '255.255.255.0'],
    ['MAC Address', cardMacs(card.hardware).bmc],
    ['Default Gateway IP', rack.state.management.gateway],
    ['Default Gateway MAC', '00:00:00:00:00:00'],
    ['802.1q VLAN ID', 'Disabled'],
    ['RMCP+ Cipher Suites', '17'],
    ['Cipher Suite Priv Max', 'Not Available'],
    ['Bad Password Threshold', 'Not Available'],
  ];
  return rows.map(([label, value]) => `${label.padEnd(24)}: ${value}\n`).join('');
}

function ipmitool(rack: Rack, card: CardState): Command {
  return ({ root }, args) => {
    if (!root) {
      return failed(
        1,
        'Could not open device at /dev/ipmi0 or /dev/ipmi/0 or /dev/ipmidev/0: No such file or directory\n',
      );
    }
    const words = args[0] === '-I' && args[1] === 'open' ? args.slice(2) : args;
    if (words[0]?.startsWith('-')) return failed(1, `ipmitool: invalid option -- '${words[0].slice(1, 2)}'\n`);
    if (rack.nowMs() < card.bmc.downUntilMs) return failed(1, 'Get Device ID command failed: Node busy\n');
    const command = words.join(' ');
    if (command === 'lan print 1' || command === 'lan print') return ok(lanPrint(rack, card));
    if (command === 'mc selftest') return ok('Selftest: not implemented\n');
    if (words.slice(0, 3).join(' ') === 'user set password' && words.length === 5) {
      const [, , , userId = '', password = ''] = words;
      if (Buffer.byteLength(password) > 20) return failed(1, 'Password is too long (> 20 bytes)\n');
      if (userId !== '1') return failed(1, `Set User Password command failed (user ${userId})\n`);
      setPasswordByIpmi(card, password);
      return ok(`Set User Password command successful (user ${userId})\n`);
    }
    return failed(1, `Invalid command: ${command}\n`);
  };
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
      mokutil: mokutil(card),
      bfver: bfver(card),
      ipmitool: ipmitool(rack, card),
      lscpu: lscpu(rack, card),
      mst,
      flint,
      mlxfwmanager,
      ethtool,
    },
    programs: { ...commonPrograms, mlxconfig, mlxfwreset, chpasswd, lslocks },
    // The image brings MFT with it, whatever dpkg lists.
    installed: (name) =>
      ['mst', 'flint', 'mlxfwmanager', 'mlxconfig', 'mlxfwreset'].includes(name) ||
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
