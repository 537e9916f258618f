/**
 * The Arm side of a card as a machine: its files and commands.
 *
 * Source: bfb-build images (hostname, mlnx-release), bfscripts (bfver), ipmitool lib/ipmi_user.c and ipmi_lanp.c,
 * mlnx-tools (mokutil, lscpu flags of cards without crypto).
 */
import { setPasswordByIpmi } from '../accounts.ts';
import { resetArm } from '../card-clock.ts';
import { cardMacs } from '../identity.ts';
import type { Command, FileSystem, Machine } from '../shell/types.ts';
import { failed, invalidOption, ok } from '../shell/types.ts';
import type { CardState, Rack } from '../state.ts';
import { shownHardware } from '../state.ts';
import { cat, df, hostname, id, ls, unameCommand } from './basic.ts';
import { netFiles, ubuntuRelease, uptimeText } from './host.ts';
import { ip } from './net.ts';

const kernel = '5.15.0-1054-bluefield';

function armFiles(rack: Rack, card: CardState, machine: Machine): FileSystem {
  const files: FileSystem = new Map([
    ['/etc/os-release', { text: ubuntuRelease() }],
    ['/etc/mlnx-release', { text: `${card.armOs.image}\n` }],
    ['/proc/sys/kernel/random/boot_id', { text: `${card.arm.bootId}\n` }],
    ['/proc/sys/kernel/osrelease', { text: `${kernel}\n` }],
    ['/proc/uptime', { text: uptimeText(rack.nowMs(), card.arm.bootStartedAtMs, card.hardware.armCores) }],
    [
      '/proc/cmdline',
      {
        text: `BOOT_IMAGE=/boot/vmlinuz-${kernel} root=UUID=f1a0 ro console=hvc0 console=ttyAMA0 earlycon=pl011,0x13010000 fixrtc\n`,
      },
    ],
  ]);
  netFiles(rack, machine, files);
  return files;
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
    return ok(
      '--/dev/mmcblk0boot1\n' +
        'BlueField ATF version: v2.2(release):4.9.0-25-g0ce57e322\n' +
        'BlueField UEFI version: 4.9.0-46-g7e3911bd4d\n' +
        'BlueField BSP version: 4.9.0.13378\n' +
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

function hostnamectl(card: CardState): Command {
  return ({ root }, args) => {
    const [verb = 'status', name = ''] = args;
    if ((verb === 'set-hostname' || verb === 'hostname') && name !== '') {
      if (!root) return failed(1, 'Could not set static hostname: Interactive authentication required.\n');
      card.armOs.hostname = name;
      return ok();
    }
    if (verb !== 'status' || args.length > 1) return failed(1, `Unknown command verb ${verb}.\n`);
    return ok(
      ` Static hostname: ${card.armOs.hostname}\n       Icon name: computer\n         Boot ID: ${card.arm.bootId.replaceAll('-', '')}\n` +
        `Operating System: Ubuntu 22.04.5 LTS\n          Kernel: Linux ${kernel}\n    Architecture: arm64\n`,
    );
  };
}

function reboot(rack: Rack, card: CardState): Command {
  return ({ root }, args) => {
    if (args.length > 0) return failed(1, 'reboot: unrecognized option\n');
    if (!root) return failed(1, 'Failed to set wall message, ignoring: Interactive authentication required.\n');
    resetArm(rack, card);
    return ok();
  };
}

/** The Arm side of a card to log in to. */
export function armMachine(rack: Rack, card: CardState): Machine {
  const machine: Machine = {
    kind: 'arm',
    hostName: () => card.armOs.hostname,
    host: null,
    card,
    cards: [card],
    commands: {
      uname: unameCommand(() => ({
        release: kernel,
        version: '#56-Ubuntu SMP Fri Aug 23 10:31:45 UTC 2024',
        machine: 'aarch64',
      })),
      hostname,
      id,
      cat,
      ls,
      df,
      ip,
      mokutil: mokutil(card),
      bfver: bfver(card),
      ipmitool: ipmitool(rack, card),
      lscpu: lscpu(rack, card),
      hostnamectl: hostnamectl(card),
      reboot: reboot(rack, card),
    },
    files: () => armFiles(rack, card, machine),
  };
  return machine;
}
