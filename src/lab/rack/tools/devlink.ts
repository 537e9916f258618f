/**
 * `devlink dev` for looking at the eSwitch of a card.
 *
 * Source: iproute2 5.15 devlink (one line per device; `devlink answers:` before an error of the kernel), kernel document
 * devlink-eswitch-attr; mlnx-tools mlnx_bf_configure (the Arm of a DPU runs its eSwitch in switchdev mode).
 */
import type { Command } from '../shell/types.ts';
import { failed, ok } from '../shell/types.ts';
import { netdevs } from './netdevs.ts';

/** The command. */
export const devlink: Command = ({ rack, machine, root }, args) => {
  const [object = '', ...rest] = args.filter((arg) => !arg.startsWith('-'));
  const own = netdevs(rack, machine).flatMap(({ pci, driver }) =>
    pci === null || driver !== 'mlx5_core' ? [] : [`pci/${pci}`],
  );
  const devices = [...new Set(own)];
  if (object !== 'dev') return failed(1, `Object "${object}" not found\n`);
  const [verb = 'show', action = '', device = ''] = rest;
  if (verb === 'show') return ok(devices.map((each) => `${each}\n`).join(''));
  if (verb !== 'eswitch' || action !== 'show') return failed(1, `Command "${verb}" not found\n`);
  if (!devices.includes(device)) return failed(1, 'devlink answers: No such device\n');
  if (!root) return failed(1, 'devlink answers: Operation not permitted\n');
  // The host of a DPU does not manage the eSwitch: its functions are plain ones.
  const mode = machine.kind === 'arm' && machine.card?.mode.current === 'dpu' ? 'switchdev' : 'legacy';
  return ok(`${device}: mode ${mode} inline-mode none encap-mode basic\n`);
};
