/**
 * /sys/class/net of a machine.
 *
 * Source: sysfs of Linux 6.x on a virtio machine; Documentation/ABI/testing/sysfs-class-net and -bonding.
 */
import type { LiveFiles } from '../files/nodes.ts';
import type { Machine } from '../shell/types.ts';
import type { Rack } from '../state.ts';
import { advanceWire } from '../wire/advance.ts';
import { countersOf } from '../wire/wire.ts';
import { operationalState } from './net.ts';
import { netdevs } from './netdevs.ts';
import type { Netdev } from './netdevs.ts';
import { pciFolder } from './pci.ts';

/** A link target from a directory to a path, as sysfs writes them. */
export function relativeLink(folder: string, target: string): string {
  const from = folder.split('/').slice(1);
  const to = target.split('/').slice(1);
  let same = 0;
  while (same < from.length && from[same] === to[same]) same += 1;
  return [...from.slice(same).map(() => '..'), ...to.slice(same)].join('/');
}

function parentFolder(netdev: Netdev): string | null {
  if (netdev.pci !== null) return pciFolder(netdev.pci);
  if (netdev.driver === 'mlxbf_gige') return '/sys/devices/platform/MLNXBF17:00';
  return netdev.driver === 'virtio_net' ? '/sys/devices/platform/MLNXBF01:00/virtio0' : null;
}

function folderOf(netdev: Netdev): string {
  return `${parentFolder(netdev) ?? '/sys/devices/virtual'}/net/${netdev.name}`;
}

function addClassEntry(files: LiveFiles, folder: string, name: string): void {
  files.set(`/sys/class/net/${name}`, { link: relativeLink('/sys/class/net', folder), text: '' });
  files.set(`${folder}/subsystem`, { link: relativeLink(folder, '/sys/class/net'), text: '' });
}

function addPlainFiles(files: LiveFiles, netdev: Netdev): void {
  const folder = folderOf(netdev);
  const running = netdev.up && netdev.carrier;
  const texts: Record<string, string> = {
    address: netdev.mac,
    mtu: String(netdev.mtu),
    operstate: operationalState(netdev).toLowerCase(),
    carrier: running ? '1' : '0',
    speed: netdev.carrier ? String(netdev.speedMbps) : '-1',
    duplex: netdev.carrier ? 'full' : 'unknown',
    ifindex: String(netdev.index),
    iflink: String(netdev.index),
    type: '1',
    flags: netdev.up ? '0x1003' : '0x1002',
    uevent: `INTERFACE=${netdev.name}\nIFINDEX=${netdev.index}`,
    ...(netdev.portName !== null && { phys_port_name: netdev.portName }),
    ...(netdev.switchId !== null && { phys_switch_id: netdev.switchId }),
  };
  for (const [name, text] of Object.entries(texts)) files.set(`${folder}/${name}`, { text: `${text}\n` });
}

function addStatistics(rack: Rack, machine: Machine, files: LiveFiles, netdev: Netdev): void {
  const { rxBytes, rxPackets, txBytes, txPackets } = countersOf(rack.wire, machine.name, netdev.name);
  const values = { rx_bytes: rxBytes, rx_packets: rxPackets, tx_bytes: txBytes, tx_packets: txPackets };
  for (const [name, value] of Object.entries(values))
    files.set(`${folderOf(netdev)}/statistics/${name}`, { text: `${Math.floor(value)}\n` });
}

function addRelations(files: LiveFiles, netdev: Netdev, all: Netdev[]): void {
  const folder = folderOf(netdev);
  const link = (name: string, target: Netdev): void =>
    void files.set(`${folder}/${name}`, { link: relativeLink(folder, folderOf(target)), text: '' });
  const master = all.find(({ name }) => name === netdev.master);
  if (master !== undefined) link('master', master);
  for (const other of all) {
    const above = other === master || other.made?.lower === netdev.name;
    const below = other.master === netdev.name || netdev.made?.lower === other.name;
    if (above) link(`upper_${other.name}`, other);
    if (below) link(`lower_${other.name}`, other);
  }
  const members = all.filter((each) => each.master === netdev.name);
  if (netdev.kind === 'bond') {
    files.set(`${folder}/bonding/slaves`, { text: `${members.map(({ name }) => name).join(' ')}\n` });
    files.set(`${folder}/bonding/mode`, { text: `${netdev.made?.mode ?? 'balance-rr'} 0\n` });
  }
  if (netdev.kind === 'bridge') {
    files.set(`${folder}/bridge/bridge_id`, { text: `8000.${netdev.mac.replaceAll(':', '')}\n` });
    files.set(`${folder}/brif`, { directory: true, text: '' });
    for (const member of members) {
      const target = `${folderOf(member)}/brport`;
      files.set(`${folder}/brif/${member.name}`, { link: relativeLink(`${folder}/brif`, target), text: '' });
      files.set(`${target}/state`, { text: member.up && member.carrier ? '3\n' : '0\n' });
    }
  }
}

/** Put in what a machine shows of its network devices. */
export function netFiles(rack: Rack, machine: Machine, files: LiveFiles): void {
  const all = netdevs(rack, machine);
  advanceWire(rack);
  for (const netdev of all) {
    const folder = folderOf(netdev);
    const parent = parentFolder(netdev);
    addClassEntry(files, folder, netdev.name);
    addPlainFiles(files, netdev);
    addStatistics(rack, machine, files, netdev);
    addRelations(files, netdev, all);
    if (parent === null) continue;
    files.set(`${folder}/device`, { link: '../../../' + parent.slice(parent.lastIndexOf('/') + 1), text: '' });
    const slot = netdev.pci === null ? '' : `PCI_SLOT_NAME=${netdev.pci}\n`;
    if (machine.kind === 'arm') files.set(`${parent}/uevent`, { text: `DRIVER=${netdev.driver}\n${slot}` });
  }
  const lo = '/sys/devices/virtual/net/lo';
  addClassEntry(files, lo, 'lo');
  const texts = {
    address: '00:00:00:00:00:00',
    mtu: '65536',
    operstate: 'unknown',
    carrier: '1',
    ifindex: '1',
    type: '772',
  };
  for (const [name, text] of Object.entries(texts)) files.set(`${lo}/${name}`, { text: `${text}\n` });
}
