import type { CommandResult } from '../../src/domain/device-ports.ts';

/** Switches of an Arm by PCI device. Written from devlink-dev(8) and the kernel's documents of devlink and mlx5. */
export interface SwitchWorld {
  mode: 'switchdev' | 'legacy';
  /** Undefined: the driver has no such parameter. */
  steering: 'dmfs' | 'smfs' | undefined;
}

export type DevlinkWorld = Record<string, SwitchWorld>;

export function createDevlinkWorld(): DevlinkWorld {
  return {
    'pci/0000:03:00.0': { mode: 'switchdev', steering: 'smfs' },
    'pci/0000:03:00.1': { mode: 'switchdev', steering: 'smfs' },
  };
}

const ok = (stdout = ''): CommandResult => ({ stdout, stderr: '', exitCode: 0, truncated: false, durationMs: 1 });
const failed = (stderr: string): CommandResult => ({ ...ok(), exitCode: 1, stderr });

/** Undefined: not a call of devlink. */
export function onDevlink(
  world: DevlinkWorld,
  words: readonly string[],
  log: (text: string) => void,
): CommandResult | undefined {
  const [, device = '', rest = ''] = /^devlink dev \w+ \w+ (\S+)(?: (.*))?$/.exec(words.join(' ')) ?? [];
  if (words[0] !== 'devlink') return undefined;
  const found = world[device];
  if (found === undefined) return failed('devlink answers: No such device\n');
  const call = `${words[2]} ${words[3]}`;
  if (call === 'eswitch show') return ok(`${device}: mode ${found.mode} inline-mode none encap-mode basic\n`);
  if (call.startsWith('param') && found.steering === undefined) return failed('devlink answers: Invalid argument\n');
  if (call === 'param show')
    return ok(
      `${device}:\n  name flow_steering_mode type driver-specific\n    values:\n      cmode runtime value ${found.steering}\n`,
    );
  log(words.join(' '));
  if (call === 'eswitch set') found.mode = rest === 'mode legacy' ? 'legacy' : 'switchdev';
  else if (found.mode === 'switchdev')
    return failed('Error: mlx5_core: Software managed steering is not supported when eswitch offloads enabled.\n');
  else found.steering = rest.includes('value dmfs') ? 'dmfs' : 'smfs';
  return ok();
}
