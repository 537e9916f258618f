/**
 * /sys/bus/pci of a host: what a device is, what drives it, and how drivers and virtual functions are changed.
 *
 * Source: sysfs of Linux 6.x; Documentation/ABI/testing/sysfs-bus-pci (bind, unbind, driver_override, sriov_numvfs).
 */
import type { ErrorName, LiveFiles } from '../files/nodes.ts';
import type { FunctionSettings } from '../network-state.ts';
import type { HostState, Rack } from '../state.ts';
import { localCpuList } from './cpus.ts';
import { pciDevices, pciFolder } from './pci.ts';
import type { PciDevice } from './pci.ts';
import { relativeLink } from './sysfs-net.ts';

const drivers = ['igb', 'mlx5_core', 'nvme', 'pcieport', 'vfio-pci'];

function settingsOf(host: HostState, address: string): FunctionSettings {
  const functions = (host.network.functions ??= {});
  return (functions[address] ??= {});
}

/** Which drivers know a device by its ids. */
function matches(host: HostState, device: PciDevice, driver: string): boolean {
  const override = host.network.functions?.[device.address]?.override ?? '';
  if (override !== '') return override === driver;
  return driver === 'mlx5_core' && device.card !== null && device.classId === '0200';
}

function bind(rack: Rack, host: HostState, driver: string, text: string): ErrorName | null {
  const device = pciDevices(rack, host).find(({ address }) => address === text.trim());
  if (device === undefined || device.driver !== null || !matches(host, device, driver)) return 'ENODEV';
  settingsOf(host, device.address).driver = driver;
  return null;
}

function unbind(rack: Rack, host: HostState, driver: string, text: string): ErrorName | null {
  const device = pciDevices(rack, host).find(({ address }) => address === text.trim());
  if (device?.driver !== driver) return 'ENODEV';
  Object.assign(settingsOf(host, device.address), { driver: null, virtualFunctions: 0 });
  return null;
}

function mostVirtual(device: PciDevice): number {
  const current: Record<string, string> = device.card?.nvconfig.current ?? {};
  return current['SRIOV_EN'] === 'True(1)' ? Number(current['NUM_OF_VFS'] ?? 0) : 0;
}

function setVirtual(host: HostState, device: PciDevice, text: string): ErrorName | null {
  const count = Number(text.trim());
  const settings = settingsOf(host, device.address);
  if (!Number.isInteger(count) || count < 0 || count > mostVirtual(device)) return 'EINVAL';
  if (count > 0 && (settings.virtualFunctions ?? 0) > 0) return 'EBUSY';
  settings.virtualFunctions = count;
  return null;
}

function addDevice(host: HostState, device: PciDevice, all: PciDevice[], files: LiveFiles): void {
  const { address, driver } = device;
  const folder = pciFolder(address);
  const link = (name: string, target: string): void =>
    void files.set(`${folder}/${name}`, { link: relativeLink(folder, target), text: '' });
  const text = (name: string, value: string): void => void files.set(`${folder}/${name}`, { text: `${value}\n` });
  const devices = '/sys/bus/pci/devices';
  files.set(`${devices}/${address}`, { link: relativeLink(devices, folder), text: '' });
  text('numa_node', String(device.numaNode));
  text('local_cpulist', localCpuList(device.numaNode));
  text('vendor', `0x${device.vendorId}`);
  text('device', `0x${device.deviceId}`);
  text('class', `0x${device.classId}00`);
  text('revision', `0x${device.revision}`);
  text('enable', driver === null ? '0' : '1');
  const ids = `${device.vendorId}:${device.deviceId}`.toUpperCase();
  text(
    'uevent',
    `${driver === null ? '' : `DRIVER=${driver}\n`}PCI_CLASS=${`${device.classId}00`.replace(/^0/, '')}\nPCI_ID=${ids}\nPCI_SLOT_NAME=${address}`,
  );
  link('subsystem', '/sys/bus/pci');
  const override = host.network.functions?.[address]?.override ?? '';
  files.set(`${folder}/driver_override`, {
    text: `${override === '' ? '(null)' : override}\n`,
    write: (value) => {
      settingsOf(host, address).override = value.trim();
      return null;
    },
  });
  if (driver !== null) {
    const place = `/sys/bus/pci/drivers/${driver}`;
    link('driver', place);
    files.set(`${place}/${address}`, { link: relativeLink(place, folder), text: '' });
  }
  if (device.virtual !== null) link('physfn', pciFolder(device.virtual.of));
  for (const each of all)
    if (each.virtual?.of === address) link(`virtfn${each.virtual.number}`, pciFolder(each.address));
  if (device.card === null || device.virtual !== null || driver !== 'mlx5_core') return;
  text('sriov_totalvfs', String(mostVirtual(device)));
  files.set(`${folder}/sriov_numvfs`, {
    text: `${host.network.functions?.[address]?.virtualFunctions ?? 0}\n`,
    write: (value) => setVirtual(host, device, value),
  });
}

/** Put in what a host shows of its PCI devices. */
export function pciFiles(rack: Rack, host: HostState, files: LiveFiles): void {
  const all = pciDevices(rack, host);
  for (const driver of drivers) {
    const place = `/sys/bus/pci/drivers/${driver}`;
    files.set(`${place}/bind`, { text: '', rootOnly: true, write: (text) => bind(rack, host, driver, text) });
    files.set(`${place}/unbind`, { text: '', rootOnly: true, write: (text) => unbind(rack, host, driver, text) });
  }
  for (const device of all) addDevice(host, device, all, files);
}
