/**
 * `devlink dev`: devices, their eSwitches and parameters.
 *
 * Source: iproute2 devlink/devlink.c (one line per device, JSON with -j, `devlink answers:` and the kernel's own words before
 * an error); kernel documents devlink-eswitch-attr and devlink/mlx5 (flow_steering_mode); devlink.c of mlx5 (smfs is refused
 * in switchdev mode).
 */
import type { CardState } from '../state.ts';
import type { Command, ExecResult } from '../shell/types.ts';
import { failed, ok } from '../shell/types.ts';
import { advanceWire } from '../wire/advance.ts';
import { changeEswitch } from './bf-configure.ts';
import { netdevs } from './netdevs.ts';

/** What a call is about. */
interface Subject {
  device: string;
  /** The card whose eSwitch this machine rules, and its port; null on the host of a DPU. */
  card: CardState | null;
  port: number;
  json: boolean;
}

const notPermitted = failed(1, 'devlink answers: Operation not permitted\n');
const notSupported = failed(1, 'Error: mlx5_core: Function not supported.\ndevlink answers: Operation not supported\n');

function json(value: unknown): ExecResult {
  return ok(`${JSON.stringify(value)}\n`);
}

function showEswitch({ device, card, port, json: asJson }: Subject): ExecResult {
  const eswitch = card?.armOs.dataPath.eswitches[port];
  const mode = eswitch?.mode ?? 'legacy';
  const inline = eswitch?.inlineMode ?? 'none';
  const encap = eswitch?.encapMode ?? 'basic';
  if (asJson) return json({ dev: { [device]: { mode, 'inline-mode': inline, 'encap-mode': encap } } });
  return ok(`${device}: mode ${mode} inline-mode ${inline} encap-mode ${encap}\n`);
}

function setEswitch({ card, port }: Subject, words: string[]): ExecResult {
  const eswitch = card?.armOs.dataPath.eswitches[port];
  if (card === null || eswitch === undefined) return notSupported;
  for (let at = 0; at < words.length; at += 2) {
    const [key, value = ''] = [words[at], words[at + 1]];
    if (key === 'mode' && (value === 'switchdev' || value === 'legacy')) changeEswitch(card, port, value);
    else if (key === 'inline-mode') eswitch.inlineMode = value;
    else if (key === 'encap-mode') eswitch.encapMode = value;
    else return failed(1, `Unknown option "${key ?? ''}"\n`);
  }
  return ok();
}

const steering = 'flow_steering_mode';

function showParameter({ device, card, port, json: asJson }: Subject): ExecResult {
  const value = card?.armOs.dataPath.eswitches[port]?.steering ?? 'smfs';
  if (asJson)
    return json({
      param: { [device]: [{ name: steering, type: 'driver-specific', values: [{ cmode: 'runtime', value }] }] },
    });
  return ok(`${device}:\n  name ${steering} type driver-specific\n    values:\n      cmode runtime value ${value}\n`);
}

function setParameter({ card, port }: Subject, value: string): ExecResult {
  const eswitch = card?.armOs.dataPath.eswitches[port];
  if (card === null || eswitch === undefined) return notSupported;
  if (value !== 'dmfs' && value !== 'smfs')
    return failed(
      1,
      'Error: mlx5_core: Bad parameter: supported values are ["dmfs", "smfs"].\ndevlink answers: Invalid argument\n',
    );
  if (value === 'smfs' && eswitch.mode === 'switchdev' && eswitch.steering !== 'smfs')
    return failed(
      1,
      'Error: mlx5_core: Software managed steering is not supported when eswitch offloads enabled.\ndevlink answers: Operation not supported\n',
    );
  eswitch.steering = value;
  return ok();
}

/** The command. */
export const devlink: Command = ({ rack, machine, root }, args) => {
  const asJson = args.some((arg) => /^-\w*j|^--json$/.test(arg));
  const [object = '', ...rest] = args.filter((arg) => !arg.startsWith('-'));
  const own = netdevs(rack, machine).flatMap(({ pci, driver }) =>
    pci === null || driver !== 'mlx5_core' ? [] : [`pci/${pci}`],
  );
  const devices = [...new Set(own)];
  if (object !== 'dev') return failed(1, `Object "${object}" not found\n`);
  const [verb = 'show', action = '', device = '', ...words] = rest;
  if (verb === 'show')
    return asJson
      ? json({ dev: Object.fromEntries(devices.map((each) => [each, {}])) })
      : ok(devices.map((each) => `${each}\n`).join(''));
  if (verb !== 'eswitch' && verb !== 'param') return failed(1, `Command "${verb}" not found\n`);
  if (!devices.includes(device)) return failed(1, 'devlink answers: No such device\n');
  if (!root) return notPermitted;
  advanceWire(rack);
  // The host of a DPU does not manage the eSwitch: its functions are plain ones.
  const rules = machine.card !== null && machine.card.mode.current === 'dpu';
  const subject: Subject = { device, card: rules ? machine.card : null, port: Number(device.slice(-1)), json: asJson };
  if (verb === 'eswitch') return action === 'set' ? setEswitch(subject, words) : showEswitch(subject);
  const option = (name: string): string => words[words.indexOf(name) + 1] ?? '';
  if (option('name') !== steering) return failed(1, 'devlink answers: Invalid argument\n');
  return action === 'set' ? setParameter(subject, option('value')) : showParameter(subject);
};
