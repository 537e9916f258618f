/**
 * The seed with which an image makes its user at the first boot, and what cloud-init does with it.
 *
 * Source: cloud-init docs (NoCloud seed directory, module "Users and Groups"); the seed of BlueField's Ubuntu images.
 */
import type { Files } from '../files/files.ts';

const seedPath = '/var/lib/cloud/seed/nocloud-net/user-data';

/** Folders and files of the seed, as the image brings them. */
export const seedFolders = ['/var/lib/cloud', '/var/lib/cloud/seed', '/var/lib/cloud/seed/nocloud-net'];
export const seedFiles: Record<string, string> = {
  [seedPath]: `#cloud-config
users:
  - name: ubuntu
    lock_passwd: False
    groups: adm, audio, cdrom, dialout, dip, floppy, lxd, netdev, plugdev, sudo, video
    sudo: ALL=(ALL) NOPASSWD:ALL
    shell: /bin/bash
chpasswd:
  list: |
    ubuntu:ubuntu
  expire: True
`,
};

/** The keys that the seed gives to user ubuntu: the list right below `ssh_authorized_keys:` of that user. */
function keysOf(seed: string): string[] {
  const user = /^ {2}- name: ubuntu\n((?: {4}.*\n| {6,}.*\n)*)/m.exec(seed)?.[1] ?? '';
  const list = /^ {4}ssh_authorized_keys:\n((?: {6}- .*\n)*)/m.exec(user)?.[1] ?? '';
  return list
    .split('\n')
    .map((line) => line.replace(/^ {6}- /, '').trim())
    .filter((line) => line !== '');
}

/** The first boot: the user's home gets the keys of the seed, with the modes that sshd wants. */
export function runCloudInit(files: Files): void {
  const root = { user: 'root', root: true };
  if (files.find(seedPath) === null) return;
  const keys = keysOf(files.read(seedPath, root));
  if (keys.length === 0) return;
  const folder = '/home/ubuntu/.ssh';
  const path = `${folder}/authorized_keys`;
  if (files.find(folder) === null) files.makeDirectory(folder, root, 0o700);
  const known = files.find(path) === null ? '' : files.read(path, root);
  files.write(path, `${known}${keys.map((key) => `${key}\n`).join('')}`, root, { mode: 0o600 });
  for (const each of [folder, path]) files.change(each, root, { owner: 'ubuntu', group: 'ubuntu' });
}
