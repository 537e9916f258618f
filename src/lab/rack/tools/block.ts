/**
 * The drives of a machine: as data, in /dev and in /sys/class/block.
 *
 * Source: sysfs of Linux 6.x; NVMe drives carry major number 259.
 */
import type { LiveFiles } from '../files/nodes.ts';
import type { Machine } from '../shell/types.ts';
import { rootDisk } from './mounts.ts';
import { pciFolder, rootDrive } from './pci.ts';
import { relativeLink } from './sysfs-net.ts';

export interface BlockDevice {
  name: string;
  type: 'disk' | 'part';
  sizeBytes: number;
  /** Major and minor number. */
  number: string;
  parent: string | null;
  fstype: string | null;
  mountpoint: string | null;
  model: string | null;
  folder: string;
}

const gib = 1_073_741_824;
const armDrive = '0000:06:00.0';

/** The drive and its partitions, in the order the kernel found them. */
export function blockDevices(machine: Machine): BlockDevice[] {
  const isHost = machine.host !== null;
  const folder = `${pciFolder(isHost ? rootDrive.address : armDrive)}/nvme/nvme0/nvme0n1`;
  const rootBytes = rootDisk(machine).bytes;
  const part = (index: number, sizeBytes: number, fstype: string, mountpoint: string): BlockDevice => ({
    name: `nvme0n1p${index}`,
    type: 'part',
    sizeBytes,
    number: `259:${index}`,
    parent: 'nvme0n1',
    fstype,
    mountpoint,
    model: null,
    folder: `${folder}/nvme0n1p${index}`,
  });
  const efi = part(1, gib, 'vfat', '/boot/efi');
  const disk: BlockDevice = {
    name: 'nvme0n1',
    type: 'disk',
    sizeBytes: rootBytes + efi.sizeBytes + 2 * 1_048_576,
    number: '259:0',
    parent: null,
    fstype: null,
    mountpoint: null,
    model: isHost ? 'SAMSUNG MZQL2480HCJR-00A07' : 'KBG40ZPZ128G',
    folder,
  };
  return [disk, efi, part(2, rootBytes, 'ext4', '/')];
}

/** Put the device nodes in. */
export function blockNodes(machine: Machine, files: LiveFiles): void {
  for (const { name } of blockDevices(machine))
    files.set(`/dev/${name}`, { text: '', rootOnly: true, device: true, block: true });
}

/** Put in what sysfs shows of drives. */
export function blockFiles(machine: Machine, files: LiveFiles): void {
  for (const device of blockDevices(machine)) {
    const { folder, name } = device;
    const link = (from: string, target: string): void =>
      void files.set(from, { link: relativeLink(from.slice(0, from.lastIndexOf('/')), target), text: '' });
    link(`/sys/class/block/${name}`, folder);
    link(`/sys/dev/block/${device.number}`, folder);
    link(`${folder}/subsystem`, '/sys/class/block');
    const [major = '', minor = ''] = device.number.split(':');
    const texts: Record<string, string> = {
      dev: device.number,
      size: String(device.sizeBytes / 512),
      ro: '0',
      uevent: `MAJOR=${major}\nMINOR=${minor}\nDEVNAME=${name}\nDEVTYPE=${device.type === 'part' ? 'partition' : 'disk'}`,
      ...(device.type === 'part' ? { partition: minor } : { removable: '0', 'queue/rotational': '0' }),
    };
    for (const [file, text] of Object.entries(texts)) files.set(`${folder}/${file}`, { text: `${text}\n` });
    for (const place of ['holders', ...(device.type === 'disk' ? ['slaves'] : [])])
      files.set(`${folder}/${place}`, { directory: true, text: '' });
    if (device.type === 'part') continue;
    const controller = folder.slice(0, folder.lastIndexOf('/'));
    const pci = controller.replace(/\/nvme\/nvme0$/, '');
    link(`/sys/block/${name}`, folder);
    link(`${folder}/device`, controller);
    link('/sys/class/nvme/nvme0', controller);
    link(`${controller}/device`, pci);
    files.set(`${controller}/model`, { text: `${(device.model ?? '').padEnd(40)}\n` });
    files.set(`${controller}/address`, { text: `${pci.slice(pci.lastIndexOf('/') + 1)}\n` });
  }
}
