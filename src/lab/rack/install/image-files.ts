/** Files of a freshly flashed Arm system. Source: bfb-build Ubuntu images. */
import type { StoredFiles, StoredNode } from '../files/nodes.ts';
import { dataPathFiles, dataPathFolders, dataPathPrograms } from '../data-path.ts';
import { seedFiles, seedFolders } from './cloud-init.ts';
import { imageNamed } from './images.ts';

/** Ubuntu 22.04's /etc/os-release, the same on hosts and on stock Arm images. */
export const ubuntuRelease = `PRETTY_NAME="Ubuntu 22.04.5 LTS"
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

const folders = [
  '/etc',
  '/etc/apt',
  '/etc/apt/sources.list.d',
  '/etc/apt/trusted.gpg.d',
  '/etc/apt/keyrings',
  '/etc/apt/apt.conf.d',
  '/etc/init.d',
  '/etc/ssh',
  '/etc/sudoers.d',
  '/etc/systemd',
  '/etc/systemd/system',
  '/etc/modprobe.d',
  '/etc/netplan',
  '/etc/default',
  '/etc/chrony',
  '/home',
  '/mnt',
  '/lib',
  '/lib/modules',
  '/opt',
  '/root',
  '/run',
  '/srv',
  '/tmp',
  '/etc/tmpfiles.d',
  '/etc/sysctl.d',
  '/etc/udev',
  '/etc/udev/rules.d',
  '/usr',
  '/usr/bin',
  '/usr/lib',
  '/usr/local',
  '/usr/local/bin',
  '/usr/local/sbin',
  '/usr/local/lib',
  '/usr/sbin',
  '/usr/share',
  '/usr/share/keyrings',
  '/usr/src',
  '/var',
  '/var/cache',
  '/var/cache/apt',
  '/var/cache/apt/archives',
  '/var/lib',
  '/var/lib/apt',
  '/var/lib/apt/lists',
  '/var/lib/dpkg',
  '/var/lib/dpkg/updates',
  '/var/log',
  '/var/tmp',
  '/dev/shm',
];

/** Directories and files every machine has. */
export function baseFiles(user: string, kernel: string, extra: Record<string, string>): StoredFiles {
  const node = { owner: 'root', group: 'root', modifiedAtMs: 0 };
  const files: StoredFiles = {};
  const directory = (path: string, mode = 0o755, owner = 'root'): void => {
    files[path] = { kind: 'dir', mode, owner, group: owner, modifiedAtMs: 0 };
  };
  directory('/');
  for (const path of [...folders, ...seedFolders]) directory(path);
  for (const path of ['/tmp', '/var/tmp', '/dev/shm']) directory(path, 0o1777);
  directory('/root', 0o700);
  directory(`/home/${user}`, 0o755, user);
  directory(`/lib/modules/${kernel}`);
  for (const [path, text] of Object.entries(extra)) files[path] = { kind: 'file', text, mode: 0o644, ...node };
  files['/etc/init.d/openibd'] = { kind: 'file', text: '#!/bin/bash\n# openibd\n', mode: 0o755, ...node };
  return files;
}

const capsules = ['EnrollKeysCap', 'MmcBootCap', 'boot_update2.cap'];
const capsuleFolders = ['', '/mellanox', '/mellanox/boot', '/mellanox/boot/capsule'].map(
  (path) => `/lib/firmware${path}`,
);

/** The system that an image installs: no /etc/hostname, no keys, its own versions. */
export function imageFiles(imageName: string, authorizedKeys: string[]): StoredFiles {
  const image = imageNamed(imageName);
  const node = { mode: 0o755, owner: 'root', group: 'root', modifiedAtMs: 0 };
  const files = baseFiles('ubuntu', image.kernel, {
    '/etc/os-release': ubuntuRelease,
    '/etc/mlnx-release': `${imageName}\n`,
    '/etc/hosts':
      '127.0.0.1 localhost\n\n# The following lines are desirable for IPv6 capable hosts\n::1 ip6-localhost ip6-loopback\n',
    '/etc/resolv.conf': 'nameserver 192.168.100.1\n',
    ...seedFiles,
    ...dataPathFiles,
    ...Object.fromEntries(capsules.map((name) => [`/lib/firmware/mellanox/boot/capsule/${name}`, `capsule ${name}\n`])),
    '/etc/apt/sources.list': 'deb http://ports.ubuntu.com/ubuntu-ports jammy main restricted universe\n',
  });
  for (const path of [...capsuleFolders, ...dataPathFolders]) files[path] = { kind: 'dir', ...node };
  for (const path of dataPathPrograms) files[path] = { kind: 'file', text: '\u007fELF', ...node };
  const own: Pick<StoredNode, 'owner' | 'group' | 'modifiedAtMs'> = {
    owner: 'ubuntu',
    group: 'ubuntu',
    modifiedAtMs: 0,
  };
  if (authorizedKeys.length > 0) {
    files['/home/ubuntu/.ssh'] = { kind: 'dir', mode: 0o700, ...own };
    files['/home/ubuntu/.ssh/authorized_keys'] = {
      kind: 'file',
      mode: 0o600,
      text: authorizedKeys.map((line) => `${line}\n`).join(''),
      ...own,
    };
  }
  return files;
}
