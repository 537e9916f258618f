import { stripVTControlCharacters } from 'node:util';
import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { readIfThere } from './arm-files.ts';
import { expectSuccess } from './read-helpers.ts';

/**
 * The driver of the network card. `loaded`: version of the module in the kernel; `none` when it is not loaded, or is the
 * kernel's own one, which has no version. `installed`: version of the file that would be loaded.
 */
export interface Drivers {
  readonly loaded: string;
  readonly installed: string;
  /** As the running boot has it. `unsupported`: a machine that does not boot by UEFI. */
  readonly secureBoot: 'enabled' | 'disabled' | 'unsupported';
}

/** Source: kernel sysfs ABI, /sys/module/<name>/version. */
export const loadedDriver = defineRead({ name: 'loaded mlx5_core', argv: ['cat', '/sys/module/mlx5_core/version'] });
/** Source: modinfo(8). Prints an empty line for a module without a version. */
export const installedDriver = defineRead({
  name: 'installed mlx5_core',
  argv: ['modinfo', '-F', 'version', 'mlx5_core'],
});
/** Source: mokutil(1); mlnx-tools asks the same. */
export const secureBootState = defineRead({ name: 'mokutil', argv: ['mokutil', '--sb-state'] });

/** Reads what is loaded, what is installed, and Secure Boot. Errors: command-failed, output-unreadable. */
export async function readDrivers(reader: HostReader, signal: AbortSignal): Promise<Drivers> {
  const versions = await readDriverVersions(reader, signal);
  const mokutil = await reader.read(secureBootState.bind({}), { timeoutMs: 20_000, signal });
  return { ...versions, secureBoot: parseSecureBootState(reader.name, `${mokutil.stdout}\n${mokutil.stderr}`) };
}

/** Reads what is loaded and what is installed. Errors: command-failed, output-unreadable. */
export async function readDriverVersions(
  reader: HostReader,
  signal: AbortSignal,
): Promise<Pick<Drivers, 'loaded' | 'installed'>> {
  const loaded = await readIfThere(reader, loadedDriver.bind({}), signal);
  const installed = await reader.read(installedDriver.bind({}), { timeoutMs: 20_000, signal });
  expectSuccess(reader.name, 'modinfo mlx5_core', installed);
  return {
    loaded: loaded === undefined ? 'none' : parseVersion(reader.name, 'the loaded mlx5_core', loaded),
    installed: parseVersion(reader.name, 'modinfo mlx5_core', installed.stdout),
  };
}

/** `24.10-2.1.8`; an empty line means a module without a version (`none`). */
export function parseVersion(target: string, source: string, text: string): string {
  const version = /^([A-Za-z0-9._-]{1,60})?\n?$/.exec(text);
  if (version) return version[1] ?? 'none';
  throw errors.outputUnreadable({
    target,
    source,
    problem: 'not one version in one line',
    evidence: text.slice(0, 200),
  });
}

/** `SecureBoot enabled` or `SecureBoot disabled`, sometimes with a second line about the setup mode. */
export function parseSecureBootState(target: string, text: string): Drivers['secureBoot'] {
  if (/^EFI variables are not supported on this system/m.test(text)) return 'unsupported';
  const state = /^SecureBoot (enabled|disabled)$/m.exec(text)?.[1];
  if (state === 'enabled' || state === 'disabled') return state;
  throw errors.outputUnreadable({
    target,
    source: 'mokutil --sb-state',
    problem: 'neither enabled nor disabled',
    evidence: text.trim().slice(0, 200),
  });
}

/** What `/etc/init.d/openibd restart` said, line by line. */
export interface DriverRestart {
  readonly lines: readonly { readonly text: string; readonly ok: boolean }[];
  /** Everything that explains a failure: `modprobe: ERROR`, `rmmod: ERROR`, `Key was rejected by service`. */
  readonly complaints: readonly string[];
}

/**
 * Parses the output of openibd. Verdicts stand behind the text, after blanks or a cursor movement of the terminal:
 * `Loading HCA driver and Access Layer:  [  OK  ]`. Source: mlnx-ofa_kernel openibd; public logs.
 */
export function parseDriverRestart(text: string): DriverRestart {
  const lines: { text: string; ok: boolean }[] = [];
  const complaints: string[] = [];
  // A carriage return begins a line anew, but for a verdict that stands behind it.
  for (const line of stripVTControlCharacters(text).split(/\n|\r(?![ \t]*\[)/)) {
    const verdict = /^\s*(\S.*?):?\s*\[\s*(OK|FAILED)\s*\]\s*$/.exec(line);
    if (verdict?.[1] !== undefined) lines.push({ text: verdict[1].replace(/:$/, ''), ok: verdict[2] === 'OK' });
    else if (/ERROR|rejected by service|in use|[Pp]lease (?:unload|close)/.test(line)) complaints.push(line.trim());
  }
  return { lines, complaints };
}
