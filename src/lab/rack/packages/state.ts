/** Packages of a machine as dpkg knows them. */

export interface PackageRecord {
  version: string;
  status: 'installed' | 'half-configured' | 'unpacked' | 'config-files';
}

export interface PackageState {
  installed: Record<string, PackageRecord>;
  /** Versions that `apt-get update` has seen: package -> version -> repository URL. */
  lists: Record<string, { version: string; url: string }[]>;
}

/** Packages every machine has. */
const base: Record<string, string> = {
  pciutils: '1:3.7.0-6',
  iproute2: '5.15.0-1ubuntu2',
  ethtool: '1:5.16-1ubuntu0.1',
  curl: '7.81.0-1ubuntu1.18',
  wget: '1.21.2-2ubuntu1.1',
  gnupg: '2.2.27-3ubuntu2.1',
  socat: '1.7.4.1-3ubuntu4',
  screen: '4.9.0-1',
  psmisc: '23.4-2build3',
  openssl: '3.0.2-0ubuntu1.18',
  'openssh-client': '1:8.9p1-3ubuntu0.10',
  'ca-certificates': '20240203~22.04.1',
  'systemd-timesyncd': '249.11-0ubuntu3.12',
};

/** The package database of a machine with these packages besides the base system. */
export function initialPackages(extra: Record<string, string>): PackageState {
  const installed: Record<string, PackageRecord> = {};
  for (const [name, version] of Object.entries({ ...base, ...extra }))
    installed[name] = { version, status: 'installed' };
  return { installed, lists: {} };
}

/** Package that brings a program; programs not named here are always there. */
export const packageOfProgram: Record<string, string> = {
  mst: 'mft',
  flint: 'mft',
  mlxfwmanager: 'mft',
  mlxconfig: 'mft',
  mlxfwreset: 'mft',
  mlxlink: 'mft',
  rshim: 'rshim',
  'bfb-install': 'rshim',
  pv: 'pv',
  socat: 'socat',
  screen: 'screen',
  fuser: 'psmisc',
  openssl: 'openssl',
  tailscale: 'tailscale',
  tailscaled: 'tailscale',
  ofed_info: 'mlnx-ofed-kernel-utils',
  chronyc: 'chrony',
  dkms: 'dkms',
};

/** Compare Debian versions well enough for the packages there are: numbers count as numbers. */
export function compareVersions(left: string, right: string): number {
  const parts = (text: string): string[] => text.replace(/^\d+:/, '').match(/\d+|[^\d]+/g) ?? [];
  const [a, b] = [parts(left), parts(right)];
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const [x = '', y = ''] = [a[index], b[index]];
    const difference = /^\d/.test(x) && /^\d/.test(y) ? Number(x) - Number(y) : x < y ? -1 : x > y ? 1 : 0;
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}
