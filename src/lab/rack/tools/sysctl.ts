/**
 * Kernel parameters of the network: `sysctl` and /proc/sys/net.
 *
 * Source: procps 3.3.17 sysctl (texts); defaults of Linux 5.15.
 */
import type { ErrorName, LiveFiles } from '../files/nodes.ts';
import { complain, out } from '../shell/descriptors.ts';
import { simply } from '../shell/programs.ts';
import type { Machine, Program } from '../shell/types.ts';

const defaults: Record<string, string> = {
  'kernel.numa_balancing': '0',
  'net.core.rmem_default': '212992',
  'net.core.rmem_max': '212992',
  'net.core.wmem_default': '212992',
  'net.core.wmem_max': '212992',
  'net.ipv4.conf.all.rp_filter': '2',
  'net.ipv4.conf.default.rp_filter': '2',
  'net.ipv4.conf.default.forwarding': '0',
  'net.ipv4.conf.all.forwarding': '0',
  'net.ipv4.ip_forward': '0',
  'net.ipv4.tcp_rmem': '4096\t131072\t6291456',
  'net.ipv4.tcp_wmem': '4096\t16384\t4194304',
  'vm.nr_hugepages': '0',
};

function valuesOf({ host, card }: Machine): Record<string, string> {
  const set = host?.tuning.sysctl ?? card?.armOs.dataPath.sysctl;
  if (set === undefined) throw new Error('A machine is a host or an Arm.');
  return set;
}

function known(machine: Machine, name: string): boolean {
  const [, device] = /^net\.ipv4\.conf\.([^.]+)\.(rp_filter|forwarding)$/.exec(name) ?? [];
  return Object.hasOwn(defaults, name) || (device !== undefined && device !== '' && machine.name !== '');
}

function valueOf(machine: Machine, name: string): string {
  const set = valuesOf(machine);
  const ofAll = /^net\.ipv4\.conf\.[^.]+\.forwarding$/.test(name) ? set['net.ipv4.ip_forward'] : undefined;
  return set[name] ?? defaults[name] ?? ofAll ?? '0';
}

/** Does a machine pass on what comes in at a device? */
export function forwardsFrom(machine: Machine, device: string): boolean {
  return Number(valueOf(machine, `net.ipv4.conf.${device}.forwarding`)) !== 0;
}

function setValue(machine: Machine, name: string, text: string): ErrorName | null {
  const value = text.trim().replaceAll(/\s+/g, '\t');
  if (!/^-?\d+(\t\d+)*$/.test(value)) return 'EINVAL';
  const set = valuesOf(machine);
  set[name] = value;
  const twins = ['net.ipv4.ip_forward', 'net.ipv4.conf.all.forwarding'];
  // The switch for all is that of every device, also of those that have another value.
  if (!twins.includes(name)) return null;
  for (const each of Object.keys(set)) if (/^net\.ipv4\.conf\.[^.]+\.forwarding$/.test(each)) delete set[each];
  for (const each of [...twins, 'net.ipv4.conf.default.forwarding']) set[each] = value;
  return null;
}

/** `/proc/sys`, as far as it is known here. */
export function sysctlFiles(machine: Machine, files: LiveFiles): void {
  for (const name of new Set([...Object.keys(defaults), ...Object.keys(valuesOf(machine))]))
    files.set(`/proc/sys/${name.replaceAll('.', '/')}`, {
      text: `${valueOf(machine, name)}\n`,
      write: (text) => setValue(machine, name, text),
    });
}

/** The program. */
export const sysctl: Program = simply((frame, args) => {
  const { machine } = frame;
  const words = args.filter((arg) => !arg.startsWith('-'));
  const flags = args.filter((arg) => arg.startsWith('-')).join('');
  const quiet = flags.includes('q');
  let status = 0;
  for (const word of words) {
    const [rawName = '', ...rest] = word.split('=');
    const name = rawName.trim().replaceAll('/', '.');
    if (!known(machine, name)) {
      complain(frame, `sysctl: cannot stat /proc/sys/${name.replaceAll('.', '/')}: No such file or directory\n`);
      status = 255;
      continue;
    }
    if (rest.length > 0) {
      if (!frame.root) {
        complain(frame, `sysctl: permission denied on key "${name}"\n`);
        status = 255;
        continue;
      }
      if (setValue(machine, name, rest.join('=')) !== null) {
        complain(frame, `sysctl: setting key "${name}": Invalid argument\n`);
        status = 255;
        continue;
      }
      if (quiet) continue;
    }
    out(frame, flags.includes('n') ? `${valueOf(machine, name)}\n` : `${name} = ${valueOf(machine, name)}\n`);
  }
  return status;
});
