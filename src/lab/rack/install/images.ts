/**
 * The BFB images of the lab: what is in them, their bytes, and how to tell them apart.
 *
 * A real BFB has 1.4 GiB. Fetched by URL it is a virtual file of that size; `labImageBytes` gives a small real file with
 * the same contents for uploads. Either way pushing takes as long as a real one. Source: names of NVIDIA's BFB directory.
 */
import { createHash } from 'node:crypto';

export interface LabImage {
  /** As /etc/mlnx-release and DPU_OS name it. */
  name: string;
  fileName: string;
  platform: 'bf2' | 'bf3';
  signed: boolean;
  kernel: string;
  /** Version of the mlx5 modules in it. */
  driver: string;
  nicFirmware: string;
  bmcFirmware: string;
  atf: string;
  uefi: string;
  bsp: string;
  docaVersion: string;
}

const base292 = {
  platform: 'bf3',
  kernel: '5.15.0-1060-bluefield',
  driver: '24.10-2.1.8',
  nicFirmware: '32.43.2566',
  bmcFirmware: 'BF-24.10-33',
  atf: 'v2.2(release):4.9.2-14-geeb9a6f94',
  uefi: '4.9.2-25-ge0f86cebd6',
  bsp: '4.9.2.13551',
  docaVersion: '2.9.2',
} as const;

/** Every image there is, by file name without `.bfb`. */
export const labImages: Record<string, LabImage> = {
  'bf-bundle-2.9.2-32_25.02_ubuntu-22.04_prod': {
    ...base292,
    name: 'bf-bundle-2.9.2-32_25.02_ubuntu-22.04_prod',
    fileName: 'bf-bundle-2.9.2-32_25.02_ubuntu-22.04_prod.bfb',
    signed: true,
  },
  // The patched image of the quest: kernel modules without NVIDIA's signature.
  'bf-bundle-2.9.2-32_25.02_ubuntu-22.04_patched': {
    ...base292,
    name: 'bf-bundle-2.9.2-32_25.02_ubuntu-22.04_patched',
    fileName: 'bf-bundle-2.9.2-32_25.02_ubuntu-22.04_patched.bfb',
    signed: false,
    driver: '24.10-2.1.8.1',
  },
  'bf-bundle-2.9.0-90_24.10_ubuntu-22.04_prod': {
    ...base292,
    name: 'bf-bundle-2.9.0-90_24.10_ubuntu-22.04_prod',
    fileName: 'bf-bundle-2.9.0-90_24.10_ubuntu-22.04_prod.bfb',
    signed: true,
    kernel: '5.15.0-1054-bluefield',
    driver: '24.10-0.6.8',
    nicFirmware: '32.43.1008',
    bmcFirmware: 'BF-24.10-10',
    atf: 'v2.2(release):4.9.0-25-g0ce57e322',
    uefi: '4.9.0-46-g7e3911bd4d',
    bsp: '4.9.0.13378',
    docaVersion: '2.9.0',
  },
  'bf2-bundle-2.9.2-32_25.02_ubuntu-22.04_prod': {
    ...base292,
    name: 'bf2-bundle-2.9.2-32_25.02_ubuntu-22.04_prod',
    fileName: 'bf2-bundle-2.9.2-32_25.02_ubuntu-22.04_prod.bfb',
    platform: 'bf2',
    signed: true,
  },
};

/** What an image of this name holds; older ones look like 2.9.0. */
export function imageNamed(name: string): LabImage {
  const found = labImages[name] ?? labImages['bf-bundle-2.9.0-90_24.10_ubuntu-22.04_prod'];
  if (found === undefined) throw new Error('The catalogue of images is empty.');
  return { ...found, name };
}

/** 1.41 GiB, the size of a real bundle. */
export const realImageBytes = 1_514_092_544;
const labFileBytes = 1_572_864;

/** SHA-256 of the virtual file that a URL of this image gives. */
export function virtualImageSha256(name: string): string {
  return createHash('sha256').update(`pretend rack image ${name} ${realImageBytes}`).digest('hex');
}

const made = new Map<string, Buffer>();

/** A small file that stands for the image: always the same 1.5 MiB for a name. */
export function labImageBytes(name: string): Buffer {
  const known = made.get(name);
  if (known !== undefined) return known;
  const bytes = Buffer.alloc(labFileBytes);
  bytes.write(`Bf\u0002\u0013PRETEND-RACK-BFB\n${name}\n`, 'latin1');
  let block = createHash('sha256').update(name).digest();
  for (let at = 4096; at < bytes.length; at += block.length) {
    block.copy(bytes, at);
    block = createHash('sha256').update(block).digest();
  }
  made.set(name, bytes);
  return bytes;
}

/** SHA-256 of the small file, lower-case hex. */
export function labImageSha256(name: string): string {
  return createHash('sha256').update(labImageBytes(name)).digest('hex');
}

/** The image whose complete file has this hash; null for a truncated or strange file. */
export function imageBySha256(sha256: string): LabImage | null {
  for (const image of Object.values(labImages)) {
    if (sha256 === virtualImageSha256(image.name) || sha256 === labImageSha256(image.name)) return image;
  }
  return null;
}
