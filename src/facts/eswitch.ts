import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

/** `p0` and `p1`: each has a switch of its own. */
export type Uplink = 'p0' | 'p1';

/** How the switch of an uplink is run. */
export interface Eswitch {
  /** `legacy` has no representors: nothing for Open vSwitch to put into a bridge. */
  readonly mode: 'switchdev' | 'legacy';
  /** Who writes the rules: firmware (`dmfs`) or driver (`smfs`). `unknown`: the driver has no such parameter. */
  readonly steering: 'dmfs' | 'smfs' | 'unknown';
}

const device = /pci\/0000:03:00\.[01]/;

/** Mode of an embedded switch; the card is `0000:03:00` on its own Arm. Source: devlink-dev(8); mlnx-tools. */
export const eswitchMode = defineRead({
  name: 'devlink dev eswitch show',
  argv: ['sudo', '-n', 'devlink', 'dev', 'eswitch', 'show', '{device}'],
  holes: { device },
});

/** Source: kernel docs, networking/devlink/mlx5, flow_steering_mode; devlink-dev(8). */
export const steeringMode = defineRead({
  name: 'devlink dev param show flow_steering_mode',
  argv: ['sudo', '-n', 'devlink', 'dev', 'param', 'show', '{device}', 'name', 'flow_steering_mode'],
  holes: { device },
});

/** The device of an uplink on the Arm, as devlink names it. */
export function eswitchDevice(uplink: Uplink): string {
  return `pci/0000:03:00.${uplink.slice(1)}`;
}

/** Reads mode and steering of the switch of an uplink. Errors: command-failed (no such device), output-unreadable. */
export async function readEswitch(arm: HostReader, uplink: Uplink, signal: AbortSignal): Promise<Eswitch> {
  const bound = { device: eswitchDevice(uplink) };
  const options = { timeoutMs: 30_000, signal };
  const shown = await arm.read(eswitchMode.bind(bound), options);
  expectSuccess(arm.name, `devlink dev eswitch show ${bound.device}`, shown);
  const mode = parseEswitch(arm.name, shown.stdout);
  const parameter = await arm.read(steeringMode.bind(bound), options);
  if (isNoParameter(parameter.stderr)) return { mode, steering: 'unknown' };
  expectSuccess(arm.name, `devlink dev param show ${bound.device}`, parameter);
  return { mode, steering: parseSteering(arm.name, parameter.stdout) };
}

/** How the kernel says that a driver has no such parameter. Source: devlink_nl_param_get_doit, EINVAL; EOPNOTSUPP where it has none. */
function isNoParameter(stderr: string): boolean {
  return /^(?:devlink|kernel) answers: (?:Invalid argument|Operation not supported)$/m.test(stderr);
}

/** Parses `pci/0000:03:00.0: mode switchdev inline-mode none encap-mode basic`. */
export function parseEswitch(target: string, text: string): Eswitch['mode'] {
  const mode = /^pci\/\S+: mode (switchdev|legacy)\b/m.exec(text)?.[1];
  if (mode === 'switchdev' || mode === 'legacy') return mode;
  throw unreadable(target, 'devlink dev eswitch show', 'no mode switchdev or legacy', text);
}

/** Parses the value that runs: `cmode runtime value dmfs`. */
export function parseSteering(target: string, text: string): Eswitch['steering'] {
  const value = /^\s+cmode runtime value (dmfs|smfs)\s*$/m.exec(text)?.[1];
  if (value === 'dmfs' || value === 'smfs') return value;
  throw unreadable(target, 'devlink dev param show', 'no running value dmfs or smfs', text);
}

function unreadable(target: string, source: string, problem: string, text: string): Error {
  return errors.outputUnreadable({ target, source, problem, evidence: text.slice(0, 400) });
}
