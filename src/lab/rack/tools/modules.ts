/**
 * Kernel modules: modinfo, lsmod, modprobe, ofed_info and /etc/init.d/openibd.
 *
 * Source: kmod 29 formats; the quest's openibd lines; generic Linux text for rejected signatures.
 */
import { findFault } from '../faults.ts';
import { complain, out } from '../shell/descriptors.ts';
import { simply } from '../shell/programs.ts';
import type { Machine, Program } from '../shell/types.ts';
import type { Rack } from '../state.ts';

const openibdMs = 12_000;

function kernelOf(machine: Machine): string {
  return machine.host?.hardware.kernel ?? machine.card?.armOs.kernel ?? '';
}

/** Version of the module file on disk; null for the kernel's own. */
function installedDriver(machine: Machine): string | null {
  return machine.host === null ? (machine.card?.armOs.driver ?? null) : machine.host.driver.installed;
}

/** Version of the module in memory; null for the kernel's own. */
export function loadedDriver(machine: Machine): string | null {
  return machine.host === null ? (machine.card?.armOs.driver ?? null) : machine.host.driver.loaded;
}

/** Does the kernel refuse the modules because of their signature? */
function rejected(rack: Rack, machine: Machine): boolean {
  const { host, card } = machine;
  const names = [host?.name ?? '', card?.name ?? '', card?.host ?? ''];
  if (findFault(rack.state.faults, 'modules-rejected', names) !== undefined) return true;
  return card !== null && !card.armOs.signedImage && card.secureBoot.currentBoot;
}

const modinfo: Program = simply((frame, args) => {
  const at = args.indexOf('-F');
  const field = at === -1 ? args.find((arg) => arg.startsWith('--field='))?.slice(8) : args[at + 1];
  const name = args.filter((arg, index) => !arg.startsWith('-') && args[index - 1] !== '-F').at(-1) ?? '';
  if (!['mlx5_core', 'mlx5_ib', 'ib_core', 'mlx_compat'].includes(name)) {
    complain(frame, `modinfo: ERROR: Module ${name} not found.\n`);
    return 1;
  }
  const driver = installedDriver(frame.machine);
  const kernel = kernelOf(frame.machine);
  const place = driver === null ? 'kernel/drivers/net/ethernet/mellanox/mlx5/core' : 'updates/dkms';
  const signed = frame.machine.card === null || frame.machine.card.armOs.signedImage;
  const rows: [string, string][] = [
    ['filename', `/lib/modules/${kernel}/${place}/${name}.ko`],
    ...(driver === null ? [] : ([['version', driver]] satisfies [string, string][])),
    ['license', 'Dual BSD/GPL'],
    ['description', 'Mellanox 5th generation network adapters (ConnectX series) core driver'],
    ['author', 'Eli Cohen <eli@mellanox.com>'],
    ['vermagic', `${kernel} SMP mod_unload modversions `],
    ...(signed ? ([['signer', 'Canonical Ltd. Kernel Module Signing']] satisfies [string, string][]) : []),
  ];
  if (field !== undefined) {
    const found = rows.find(([label]) => label === field);
    if (found !== undefined) out(frame, `${found[1]}\n`);
    return 0;
  }
  out(frame, rows.map(([label, value]) => `${`${label}:`.padEnd(16)}${value}\n`).join(''));
  return 0;
});

const openibd: Program = function* program(frame, args) {
  const [verb = ''] = args;
  if (verb === 'status') {
    out(frame, '\n  HCA driver loaded\n');
    return 0;
  }
  if (!['restart', 'start', 'stop'].includes(verb)) {
    out(frame, 'Usage: /etc/init.d/openibd {start|force-start|stop|force-stop|restart|force-restart|status}\n');
    return 1;
  }
  if (!frame.root) {
    complain(frame, 'openibd: must be root\n');
    return 1;
  }
  const { machine, rack } = frame;
  yield { untilMs: rack.nowMs() + openibdMs / 3 };
  if (verb !== 'start') out(frame, 'Unloading HCA driver: [ OK ]\n');
  if (verb === 'stop') return 0;
  yield { untilMs: rack.nowMs() + openibdMs };
  if (rejected(rack, machine)) {
    complain(frame, "modprobe: ERROR: could not insert 'mlx5_core': Key was rejected by service\n");
    out(frame, 'Loading HCA driver and Access Layer: [FAILED]\n');
    return 1;
  }
  if (machine.host !== null) machine.host.driver.loaded = machine.host.driver.installed;
  out(frame, 'Loading HCA driver and Access Layer: [ OK ]\n');
  return 0;
};

const modprobe: Program = simply((frame, args) => {
  const names = args.filter((arg) => !arg.startsWith('-'));
  if (!frame.root) {
    complain(frame, `modprobe: ERROR: could not insert '${names[0] ?? ''}': Operation not permitted\n`);
    return 1;
  }
  if (names.some((name) => name.startsWith('mlx5')) && rejected(frame.rack, frame.machine)) {
    complain(frame, `modprobe: ERROR: could not insert '${names[0] ?? ''}': Key was rejected by service\n`);
    return 1;
  }
  return 0;
});

/** Name -> program. */
export const modulePrograms: Record<string, Program> = {
  modinfo,
  modprobe,
  lsmod: simply((frame) => {
    out(
      frame,
      'Module                  Size  Used by\nmlx5_ib               475136  0\nmlx5_core            2203648  1 mlx5_ib\nib_core               442368  1 mlx5_ib\n',
    );
    return 0;
  }),
  ofed_info: simply((frame, args) => {
    const driver = installedDriver(frame.machine);
    out(frame, args.includes('-n') ? `${driver ?? ''}.0\n` : `OFED-internal-${driver ?? ''}:\n`);
    return 0;
  }),
  '/etc/init.d/openibd': openibd,
};
