import { z } from 'zod';
import { defineRead, defineResource } from '../domain/commands.ts';
import type { BmcReader, HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess, parseResource } from './read-helpers.ts';

/** Where a flash by dpubot leaves its mark on the Arm. */
export const imageMarkerPath = '/etc/dpubot-image.json';

/** What a flash by dpubot wrote onto the card. */
export const ImageMarker = z.object({
  image: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  runId: z.int().positive(),
  serial: z.string(),
});
export type ImageMarker = z.infer<typeof ImageMarker>;

/** What an Arm says about its own image; undefined where the file is not there. */
export interface ArmImage {
  readonly marker: ImageMarker | undefined;
  /** First line of /etc/mlnx-release: `bf-bundle-2.9.2-32_25.02_ubuntu-22.04_prod`. */
  readonly release: string | undefined;
}

/** Prints the file, or `absent`. */
export const imageMarker = defineRead({
  name: 'image marker',
  argv: ['sh', '-c', 'if [ -e /etc/dpubot-image.json ]; then cat /etc/dpubot-image.json; else echo absent; fi'],
});

/** Source: Mellanox bfscripts, bfver ("OS Release Version"). */
export const mlnxRelease = defineRead({
  name: 'mlnx-release',
  argv: ['sh', '-c', 'if [ -e /etc/mlnx-release ]; then cat /etc/mlnx-release; else echo absent; fi'],
});

/** Name of the OS image that the BMC was told of; empty before an Arm OS has been up. Source: as `dpu-mode.ts`. */
export const dpuOsResource = defineResource({
  name: 'FirmwareInventory DPU_OS',
  path: '/redfish/v1/UpdateService/FirmwareInventory/DPU_OS',
});

const OsBody = z.object({ Version: z.string() });

/** Reads marker and release on the Arm. Errors: command-failed, output-unreadable. */
export async function readArmImage(arm: HostReader, signal: AbortSignal): Promise<ArmImage> {
  const marker = await arm.read(imageMarker.bind({}), { timeoutMs: 15_000, signal });
  expectSuccess(arm.name, `cat ${imageMarkerPath}`, marker);
  const release = await arm.read(mlnxRelease.bind({}), { timeoutMs: 15_000, signal });
  expectSuccess(arm.name, 'cat /etc/mlnx-release', release);
  return {
    marker: parseImageMarker(arm.name, marker.stdout),
    release: parseMlnxRelease(arm.name, release.stdout),
  };
}

export function parseImageMarker(armName: string, text: string): ImageMarker | undefined {
  if (text.trim() === 'absent') return undefined;
  const parsed = ImageMarker.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  const problem = 'it is not the JSON that a flash by dpubot writes';
  throw errors.outputUnreadable({ target: armName, source: imageMarkerPath, problem, evidence: text.slice(0, 300) });
}

export function parseMlnxRelease(armName: string, text: string): string | undefined {
  const line = text.trim().split('\n')[0]?.trim() ?? '';
  if (line === 'absent') return undefined;
  if (/^[A-Za-z0-9._-]{1,120}$/.test(line)) return line;
  const problem = 'its first line is no name of a release';
  throw errors.outputUnreadable({
    target: armName,
    source: '/etc/mlnx-release',
    problem,
    evidence: text.slice(0, 300),
  });
}

/** What the BMC says runs on the Arm; undefined when it has not been told. */
export async function readDpuOs(bmc: BmcReader, signal: AbortSignal): Promise<string | undefined> {
  return parseDpuOs(bmc.target, await bmc.get(dpuOsResource, { timeoutMs: 30_000, signal }));
}

export function parseDpuOs(target: string, body: unknown): string | undefined {
  const version = parseResource(OsBody, target, `GET ${dpuOsResource.path}`, body).Version.trim();
  return version === '' ? undefined : version;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
