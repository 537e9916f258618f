/**
 * What the pretend machines reach on the internet: files and package repositories by URL.
 *
 * Source: addresses and version names of NVIDIA's public DOCA, BFB and OFED repositories and of Ubuntu's and Tailscale's.
 */
import { createHash } from 'node:crypto';
import { labImages, realImageBytes, virtualImageSha256 } from '../install/images.ts';

export interface WebFile {
  /** Content of a small file, as a binary string. */
  text?: string;
  /** A file of which only size and hash are known. */
  virtual?: { id: string; size: number; sha256: string };
}

export interface Repository {
  /** As it stands in sources.list, without the trailing slash. */
  url: string;
  origin: string;
  /** Fingerprint of its signing key. */
  key: string;
  /** Package -> version, and what it needs. */
  packages: Record<string, { version: string; needs?: string[]; recommends?: string[]; sizeKib: number }>;
}

export interface SigningKey {
  fingerprint: string;
  user: string;
  /** Exactly what the web server gives. */
  armored: string;
}

function key(name: string, tail: string, user: string): SigningKey {
  const digest = createHash('sha1').update(name).digest('hex').toUpperCase();
  const fingerprint = digest.slice(0, 40 - tail.length) + tail;
  const body = createHash('sha512')
    .update(name)
    .digest('base64')
    .replaceAll(/.{1,64}/g, '$&\n');
  const armored = `-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: ${fingerprint}\n\n${body}=LAB0\n-----END PGP PUBLIC KEY BLOCK-----\n`;
  return { fingerprint, user, armored };
}

const mellanoxKey = key(
  'mellanox',
  'A024F6F0E6D6A281',
  'Mellanox Technologies (Mellanox Technologies - Signing Key v2) <support@mellanox.com>',
);
const strangerKey = key('stranger', '0BADC0DE0BADC0DE', 'Somebody Else <root@mirror.example>');
const tailscaleKey = key(
  'tailscale',
  '458CA832957F5868',
  'Tailscale Inc. (Package repository signing key) <info@tailscale.com>',
);
const ubuntuKey = key(
  'ubuntu',
  '871920D1991BC93C',
  'Ubuntu Archive Automatic Signing Key (2018) <ftpmaster@ubuntu.com>',
);

/** Signing keys by fingerprint. */
const signingKeys: Record<string, SigningKey> = Object.fromEntries(
  [mellanoxKey, strangerKey, tailscaleKey, ubuntuKey].map((each) => [each.fingerprint, each]),
);

/** Fingerprint of the key that signs the DOCA repositories of the lab. */
export const docaKeyFingerprint = mellanoxKey.fingerprint;
/** Fingerprint of the key that signs the Tailscale repository of the lab. */
export const tailscaleKeyFingerprint = tailscaleKey.fingerprint;

/** Address of the DOCA 2.9.2 repository for Ubuntu 22.04 hosts. */
export const docaUrl =
  'https://linux.mellanox.com/public/repo/doca/2.9.2-4.9.2-13551_OVS-DOCA_update/ubuntu22.04/x86_64';
/** Address of the DOCA key. */
export const docaKeyUrl = 'https://linux.mellanox.com/public/repo/doca/GPG-KEY-Mellanox.pub';
/** Directory of the BFBs. */
export const imagesUrl = 'https://content.mellanox.com/BlueField/BFBs/Ubuntu22.04';

function docaPackages(doca: string, ofed: string, rshim: string, mft: string): Repository['packages'] {
  const [year = '', build = ''] = ofed.split('-');
  const driver = `${year}.OFED.${year}.${build}.1-1`;
  const needs = [
    'doca-ofed',
    'doca-runtime',
    'rshim',
    'mft',
    'mlnx-tools',
    'mlnx-ofed-kernel-dkms',
    'mlnx-ofed-kernel-utils',
  ];
  const version = `${doca}-1`;
  return {
    'doca-all': { version, needs: [...needs, 'doca-sdk', 'doca-devel', 'mlnx-dpdk'], sizeKib: 12 },
    'doca-networking': { version, needs, sizeKib: 12 },
    'doca-ofed': { version, needs: ['mlnx-ofed-kernel-dkms', 'mlnx-ofed-kernel-utils', 'mlnx-tools'], sizeKib: 12 },
    'doca-runtime': { version, sizeKib: 410_000 },
    'doca-sdk': { version, sizeKib: 290_000 },
    'doca-devel': { version, sizeKib: 1200 },
    'mlnx-dpdk': { version: '22.11.0-2410.1.0', sizeKib: 54_000 },
    'mlnx-ofed-kernel-dkms': { version: driver, needs: ['dkms', 'mlnx-ofed-kernel-utils'], sizeKib: 22_000 },
    'mlnx-ofed-kernel-utils': { version: driver, sizeKib: 220 },
    'mlnx-tools': { version: '24.10-0.2410123', sizeKib: 340 },
    rshim: { version: rshim, recommends: ['pv'], sizeKib: 180 },
    mft: { version: mft, sizeKib: 96_000 },
  };
}

const archive: Repository = {
  url: 'http://archive.ubuntu.com/ubuntu',
  origin: 'jammy',
  key: ubuntuKey.fingerprint,
  packages: {
    pv: { version: '1.6.6-1build2', sizeKib: 123 },
    socat: { version: '1.7.4.1-3ubuntu4', sizeKib: 1400 },
    screen: { version: '4.9.0-1', sizeKib: 1000 },
    chrony: { version: '4.2-2ubuntu2', sizeKib: 700 },
    dkms: { version: '2.8.7-2ubuntu2.2', needs: ['gcc', 'make'], sizeKib: 300 },
    gcc: { version: '4:11.2.0-1ubuntu1', sizeKib: 90_000 },
    make: { version: '4.3-4.1build1', sizeKib: 426 },
    curl: { version: '7.81.0-1ubuntu1.18', sizeKib: 440 },
    gnupg: { version: '2.2.27-3ubuntu2.1', sizeKib: 430 },
    'ca-certificates': { version: '20240203~22.04.1', sizeKib: 370 },
    'linux-headers-generic': { version: '5.15.0.124.124', sizeKib: 20 },
  },
};

/** Repositories there are. */
const repositories: Repository[] = [
  archive,
  { ...archive, url: 'http://ports.ubuntu.com/ubuntu-ports' },
  {
    url: docaUrl,
    origin: 'DOCA',
    key: mellanoxKey.fingerprint,
    packages: docaPackages('2.9.2', '24.10-2.1.8', '2.1.12', '4.30.1-1210'),
  },
  {
    url: 'https://linux.mellanox.com/public/repo/doca/2.9.0/ubuntu22.04/x86_64',
    origin: 'DOCA',
    key: mellanoxKey.fingerprint,
    packages: docaPackages('2.9.0', '24.10-0.6.8', '2.1.8', '4.30.0-139'),
  },
  {
    url: 'https://linux.mellanox.com/public/repo/doca/3.0.0/ubuntu22.04/x86_64',
    origin: 'DOCA',
    key: mellanoxKey.fingerprint,
    packages: docaPackages('3.0.0', '25.04-0.6.1', '2.3.8', '4.32.0-120'),
  },
  {
    url: 'https://pkgs.tailscale.com/stable/ubuntu',
    origin: 'Tailscale',
    key: tailscaleKey.fingerprint,
    packages: {
      tailscale: { version: '1.78.1', needs: ['tailscale-archive-keyring'], sizeKib: 58_000 },
      'tailscale-archive-keyring': { version: '1.35.181', sizeKib: 12 },
    },
  },
];

const files: Record<string, WebFile> = {
  [docaKeyUrl]: { text: mellanoxKey.armored },
  'https://linux.mellanox.com/public/repo/doca/2.9.2-4.9.2-13551_OVS-DOCA_update/ubuntu22.04/x86_64/GPG-KEY-Mellanox.pub':
    { text: mellanoxKey.armored },
  'https://mirror.example/GPG-KEY-Mellanox.pub': { text: strangerKey.armored },
  'https://pkgs.tailscale.com/stable/ubuntu/jammy.noarmor.gpg': { text: `\u0099\u0002${tailscaleKey.armored}` },
  'https://pkgs.tailscale.com/stable/ubuntu/jammy.tailscale-keyring.list': {
    text: 'deb [signed-by=/usr/share/keyrings/tailscale-archive-keyring.gpg] https://pkgs.tailscale.com/stable/ubuntu jammy main\n',
  },
};
for (const image of Object.values(labImages)) {
  files[`${imagesUrl}/${image.fileName}`] = {
    virtual: { id: image.name, size: realImageBytes, sha256: virtualImageSha256(image.name) },
  };
}

/** Hosts that have an address at all. */
const reachable =
  /^https?:\/\/([^/:]*\.)?(mellanox\.com|ubuntu\.com|tailscale\.com|nvidia\.com|mirror\.example)(:\d+)?(\/|$)/;

/** A file by URL: `unreachable` when there is no such host, null for a 404. */
export function fetchFile(url: string): WebFile | 'unreachable' | null {
  if (!reachable.test(url)) return 'unreachable';
  const found = files[url.replace(/\?.*$/, '')];
  if (found !== undefined) return found;
  const repository = repositories.find((each) => url.startsWith(`${each.url}/`));
  return repository !== undefined && /\/(In)?Release$/.test(url) ? { text: `Origin: ${repository.origin}\n` } : null;
}

/** Fingerprints of the keys in a keyring file, armoured or not. */
export function keysIn(text: string): SigningKey[] {
  return Object.values(signingKeys).filter((each) => text.includes(each.fingerprint));
}

/** The repository of a sources line. */
export function repositoryAt(url: string): Repository | null {
  const wanted = url.replace(/\/+$/, '');
  return repositories.find((each) => each.url === wanted) ?? null;
}
