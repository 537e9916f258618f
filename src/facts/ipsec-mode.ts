import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { readIfThere } from './arm-files.ts';
import type { Eswitch, Uplink } from './eswitch.ts';
import { readEswitch } from './eswitch.ts';

/** Settings of the card's boot service. Source: mlnx-tools, mlnx_bf_configure, which reads them as shell variables. */
export const bootSettings = defineRead({ name: 'mlnx-bf.conf', argv: ['cat', '/etc/mellanox/mlnx-bf.conf'] });

/** Files of NVIDIA's out-of-tree driver; the one of the kernel has none. Source: MLNX_OFED, compat/devlink. */
export const compatSetting = defineRead({
  name: 'compat devlink file',
  argv: ['cat', '{path}'],
  holes: { path: /\/sys\/class\/net\/p[01]\/compat\/devlink\/(?:ipsec_mode|steering_mode)/ },
});

const key = 'IPSEC_FULL_OFFLOAD';
const assignment = new RegExp(String.raw`^[ \t]*(?:export[ \t]+)?${key}=(.*)$`, 'gm');

/** How IPsec of an uplink is set up. */
export interface IpsecMode {
  readonly steering: Eswitch['steering'];
  /** `full`: whole packets are left to the hardware. Absent where the driver has no such file. */
  readonly ipsec?: string;
}

/** The text of the settings; undefined where the image has no such file. */
export async function readBootSettings(arm: HostReader, signal: AbortSignal): Promise<string | undefined> {
  return readIfThere(arm, bootSettings.bind({}), signal);
}

/** Is the key set to yes? The last line counts, as in a shell. */
export function isFullOffload(settings: string): boolean {
  const value = [...settings.matchAll(assignment)].at(-1)?.[1] ?? '';
  return /^(["']?)yes\1[ \t]*(?:#.*)?$/.test(value);
}

/** The settings with the key set to yes; every other line as it is. */
export function withFullOffload(settings: string): string {
  const line = `${key}="yes"`;
  if (settings.search(assignment) !== -1) return settings.replace(assignment, line);
  return `${settings === '' || settings.endsWith('\n') ? settings : `${settings}\n`}${line}\n`;
}

/** Reads steering and mode of an uplink: from the driver's own files, else from devlink. Errors: command-failed, output-unreadable. */
export async function readIpsecMode(arm: HostReader, uplink: Uplink, signal: AbortSignal): Promise<IpsecMode> {
  const read = async (name: 'ipsec_mode' | 'steering_mode'): Promise<string | undefined> =>
    readIfThere(arm, compatSetting.bind({ path: `/sys/class/net/${uplink}/compat/devlink/${name}` }), signal);
  const steering = await read('steering_mode');
  const ipsec = (await read('ipsec_mode'))?.trim();
  return {
    steering:
      steering === undefined
        ? (await readEswitch(arm, uplink, signal)).steering
        : parseSteeringFile(arm.name, steering),
    ...(ipsec !== undefined && { ipsec }),
  };
}

/** Parses `dmfs` or `smfs`. */
export function parseSteeringFile(target: string, text: string): 'dmfs' | 'smfs' {
  const value = text.trim();
  if (value === 'dmfs' || value === 'smfs') return value;
  const problem = 'neither dmfs nor smfs';
  throw errors.outputUnreadable({
    target,
    source: 'compat/devlink/steering_mode',
    problem,
    evidence: text.slice(0, 80),
  });
}
