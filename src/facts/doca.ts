import type { HostReader } from '../domain/device-ports.ts';
import { readIfThere } from './arm-files.ts';
import { readPackageSpace } from './disk-space.ts';
import { installedDriver, loadedDriver, parseVersion } from './drivers.ts';
import type { HostPlatform } from './host-platform.ts';
import { hasKernelHeaders, readHostPlatform } from './host-platform.ts';
import type { Packages } from './packages.ts';
import { hasPackageSource, readPackages } from './packages.ts';
import { expectSuccess } from './read-helpers.ts';
import { readRshimService } from './rshim.ts';

/** All that decides whether DOCA has to be installed on a host. */
export interface DocaState {
  readonly host: string;
  readonly platform: HostPlatform;
  /** Version of the loaded mlx5_core; `none`: not loaded, or the kernel's own, which has no version. */
  readonly loaded: string;
  readonly packages: Packages;
  readonly rshim: 'running' | 'stopped' | 'missing';
  readonly hasHeaders: boolean;
  readonly freeBytes: number;
  /** dpubot has begun to install DOCA here: what is half there is its own. */
  readonly isOurs: boolean;
}

/** Reads the state of DOCA on a host, changing nothing. Errors: sudo-refused, command-failed, output-unreadable. */
export async function readDocaState(host: HostReader, listPath: string, signal: AbortSignal): Promise<DocaState> {
  const platform = await readHostPlatform(host, signal);
  return {
    host: host.name,
    platform,
    loaded: await readLoadedDriver(host, signal),
    packages: await readPackages(host, signal),
    rshim: await readRshimService(host, signal),
    hasHeaders: await hasKernelHeaders(host, platform.kernel, signal),
    freeBytes: await readPackageSpace(host, signal),
    isOurs: await hasPackageSource(host, listPath, signal),
  };
}

/** Version of the mlx5_core in the kernel, or `none`. */
export async function readLoadedDriver(host: HostReader, signal: AbortSignal): Promise<string> {
  const text = await readIfThere(host, loadedDriver.bind({}), signal);
  return text === undefined ? 'none' : parseVersion(host.name, 'the loaded mlx5_core', text);
}

/** Version of the mlx5_core that would be loaded, or `none`; a kernel without extra modules has no such file at all. */
export async function readBuiltDriver(host: HostReader, signal: AbortSignal): Promise<string> {
  const result = await host.read(installedDriver.bind({}), { timeoutMs: 20_000, signal });
  if (result.exitCode !== 0 && /Module mlx5_core not found/.test(result.stderr)) return 'none';
  expectSuccess(host.name, 'modinfo mlx5_core', result);
  return parseVersion(host.name, 'modinfo mlx5_core', result.stdout);
}

/** Packages of NVIDIA's driver that MLNX_OFED and DOCA have in common. */
export function ofedPackages(packages: Packages): readonly string[] {
  return [...packages.installed.keys()].filter((name) => /^(?:ofed-scripts|mlnx-(?:ofed|en)-.+)$/.test(name));
}

/** Whole-product packages, whose version is that of DOCA (`2.9.2-...`); those of single libraries count differently. */
export function docaVersions(packages: Packages): readonly string[] {
  const product = /^doca-(?:all|networking|ofed|runtime|sdk|tools|host)$/;
  return [...packages.installed].flatMap(([name, { version }]) => {
    const number = product.test(name) ? /^(?:\d+:)?(\d+\.\d+\.\d+)(?![\d.])/.exec(version)?.[1] : undefined;
    return number === undefined ? [] : [number];
  });
}

/**
 * Compares versions of DOCA or its driver (`2.9.2`, `24.10-2.1.8`) number by number. Undefined when one of them has
 * something else in it: then nothing is said about which is newer.
 */
export function compareReleases(a: string, b: string): number | undefined {
  const numbers = (text: string): readonly number[] | undefined =>
    /^\d+(?:[.-]\d+)*$/.test(text) ? text.split(/[.-]/).map(Number) : undefined;
  const [left, right] = [numbers(a), numbers(b)];
  if (left === undefined || right === undefined) return undefined;
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}

/** Is the driver the wanted one, or a newer one, which is not downgraded? */
export function isAtLeast(driver: string, wanted: string): boolean {
  return driver === wanted || compareReleases(driver, wanted) === 1;
}
