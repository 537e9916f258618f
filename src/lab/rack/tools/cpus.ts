/**
 * Processors and NUMA nodes of a host: `lscpu`, `nproc`, `numactl`, `taskset`, /sys/devices/system/{node,cpu}.
 *
 * Source: util-linux 2.37 lscpu, coreutils nproc, numactl 2.0.14; sysfs of Linux 5.15 on an EPYC 9354P with two nodes.
 */
import type { LiveFiles } from '../files/nodes.ts';
import { complain, out } from '../shell/descriptors.ts';
import { runProgram, simply } from '../shell/programs.ts';
import type { Command, Frame, Process, Program } from '../shell/types.ts';
import { failed, ok } from '../shell/types.ts';
import type { HostState } from '../state.ts';
import { memoryKib } from './mounts.ts';

/** Logical processors of a host, and their nodes. */
export const hostCpus = 64;
const nodes = ['0-15,32-47', '16-31,48-63'];

/** Numbers of a list as `0-3,8`. */
export function cpuList(text: string): number[] {
  return text
    .trim()
    .split(',')
    .filter((each) => each !== '')
    .flatMap((each) => {
      const [first = 0, last = first] = each.split('-').map(Number);
      return Array.from({ length: Math.max(0, last - first + 1) }, (_one, index) => first + index);
    });
}

/** The node of a processor. */
export function nodeOfCpu(cpu: number): number {
  return nodes.findIndex((list) => cpuList(list).includes(cpu));
}

const affinities = new WeakMap<Process, number[]>();

/** Processors that a process was given, itself or through its parents; null when nobody said. */
export function givenCpus({ rack, machine, process }: Pick<Frame, 'rack' | 'machine' | 'process'>): number[] | null {
  const all = rack.scheduler.of(machine);
  for (let each: Process | undefined = process; each !== undefined;) {
    const given = affinities.get(each);
    if (given !== undefined) return given;
    const { parent }: Process = each;
    each = all.find(({ pid }) => pid === parent);
  }
  return null;
}

const shownFlags =
  'fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat sse sse2 ht syscall nx aes avx avx2 vaes vpclmulqdq avx512f';

function hostRows(): [string, string][] {
  return [
    ['Architecture:', 'x86_64'],
    ['CPU op-mode(s):', '32-bit, 64-bit'],
    ['Address sizes:', '52 bits physical, 57 bits virtual'],
    ['Byte Order:', 'Little Endian'],
    ['CPU(s):', String(hostCpus)],
    ['On-line CPU(s) list:', `0-${hostCpus - 1}`],
    ['Vendor ID:', 'AuthenticAMD'],
    ['Model name:', 'AMD EPYC 9354P 32-Core Processor'],
    ['CPU family:', '25'],
    ['Model:', '17'],
    ['Thread(s) per core:', '2'],
    ['Core(s) per socket:', '32'],
    ['Socket(s):', '1'],
    ['CPU max MHz:', '3799.0720'],
    ['Flags:', shownFlags],
    ['NUMA node(s):', String(nodes.length)],
    ...nodes.map((list, index): [string, string] => [`NUMA node${index} CPU(s):`, list]),
  ];
}

/** `lscpu` of a host. */
export const hostLscpu: Command = (_context, args) => {
  const rows = hostRows();
  if (args.includes('-J') || args.includes('--json'))
    return ok(`${JSON.stringify({ lscpu: rows.map(([field, data]) => ({ field, data })) })}\n`);
  const parse = args.find((arg) => /^(-p|--parse)/.test(arg));
  if (parse !== undefined) {
    const lines = Array.from({ length: hostCpus }, (_each, cpu) => `${cpu},${cpu % 32},0,${nodeOfCpu(cpu)}`);
    return ok(
      `# The following is the parsable format, which can be fed to other\n# programs. Each different item in every column has an unique ID\n# starting usually from zero.\n# CPU,Core,Socket,Node\n${lines.join('\n')}\n`,
    );
  }
  if (args.length > 0)
    return failed(
      1,
      `lscpu: invalid option -- '${(args[0] ?? '').replace(/^-+/, '').charAt(0)}'\nTry 'lscpu --help' for more information.\n`,
    );
  return ok(rows.map(([label, value]) => `${label.padEnd(33)}${value}\n`).join(''));
};

/** `nproc`. */
export const nproc: Program = simply((frame, args) => {
  const all = frame.machine.card?.hardware.armCores ?? hostCpus;
  out(frame, `${args.includes('--all') ? all : (givenCpus(frame)?.length ?? all)}\n`);
  return 0;
});

function* pinned(frame: Frame, name: string, argv: string[], cpus: number[] | null): ReturnType<Program> {
  const before = affinities.get(frame.process);
  if (cpus !== null) affinities.set(frame.process, cpus);
  try {
    return yield* runProgram(frame, argv, (word) =>
      complain(frame, `${name}: failed to execute ${word}: No such file or directory\n`),
    );
  } finally {
    if (before === undefined) affinities.delete(frame.process);
    else affinities.set(frame.process, before);
  }
}

/** Processors of a mask as `0x3`. */
function cpusOfMask(text: string): number[] {
  const mask = /^(0x)?[\da-f]+$/i.test(text) ? BigInt(`0x${text.replace(/^0x/i, '')}`) : 0n;
  return Array.from({ length: hostCpus }, (_each, cpu) => cpu).filter((cpu) => (mask >> BigInt(cpu)) & 1n);
}

/** `taskset MASK PROGRAM`, `taskset -c LIST PROGRAM`. */
export const taskset: Program = function* program(frame, args) {
  const [first = ''] = args;
  const isList = first === '-c' || first === '--cpu-list';
  const text = isList ? args[1] : first;
  const argv = args.slice(isList ? 2 : 1);
  if (text === undefined || text === '' || argv.length === 0) {
    complain(frame, "taskset: bad usage\nTry 'taskset --help' for more information.\n");
    return 1;
  }
  const wanted = isList ? cpuList(text) : cpusOfMask(text);
  if (wanted.length === 0 || wanted.some((cpu) => !Number.isInteger(cpu))) {
    complain(frame, `taskset: failed to parse CPU ${isList ? 'list' : 'mask'}: ${text}\n`);
    return 1;
  }
  const cpus = wanted.filter((cpu) => cpu < hostCpus);
  if (cpus.length === 0) {
    complain(frame, `taskset: failed to set pid ${frame.process.pid}'s affinity: Invalid argument\n`);
    return 1;
  }
  return yield* pinned(frame, 'taskset', argv, cpus);
};

function hardware(frame: Frame): string {
  const memory = Math.floor(memoryKib(frame.machine) / 1024 / nodes.length);
  const each = nodes.map(
    (list, index) =>
      `node ${index} cpus: ${cpuList(list).join(' ')}\nnode ${index} size: ${memory} MB\nnode ${index} free: ${Math.floor(memory * 0.75)} MB\n`,
  );
  return `available: ${nodes.length} nodes (0-${nodes.length - 1})\n${each.join('')}node distances:\nnode   0   1 \n  0:  10  12 \n  1:  12  10 \n`;
}

/** `numactl --hardware`, or with nodes or processors and a program. */
export const numactl: Program = function* program(frame, args) {
  if (args.includes('-H') || args.includes('--hardware')) {
    out(frame, hardware(frame));
    return 0;
  }
  let cpus: number[] | null = null;
  let at = 0;
  for (; (args[at] ?? '').startsWith('-'); at += 1) {
    const [option = '', attached] = (args[at] ?? '').split('=');
    if (option === '--') {
      at += 1;
      break;
    }
    if (['--localalloc', '-l', '--show', '-s'].includes(option)) continue;
    const value = attached ?? args[(at += 1)] ?? '';
    if (option === '--cpunodebind' || option === '-N')
      cpus = cpuList(value).flatMap((node) => cpuList(nodes[node] ?? ''));
    if (option === '--physcpubind' || option === '-C') cpus = cpuList(value);
  }
  if (cpus?.length === 0) {
    complain(frame, 'libnuma: Warning: node argument is out of range\n\n<nodes> is invalid\n');
    return 1;
  }
  return yield* pinned(frame, 'numactl', args.slice(at), cpus);
};

let shownCpus: [string, string][] | null = null;

/** The files that never change, made once. */
function steadyFiles(): [string, string][] {
  shownCpus ??= [
    ['/sys/devices/system/node/online', `0-${nodes.length - 1}`],
    ['/sys/devices/system/node/possible', `0-${nodes.length - 1}`],
    ['/sys/devices/system/cpu/online', `0-${hostCpus - 1}`],
    ['/sys/devices/system/cpu/present', `0-${hostCpus - 1}`],
    ['/sys/devices/system/cpu/isolated', ''],
    ...nodes.map((list, index): [string, string] => [`/sys/devices/system/node/node${index}/cpulist`, list]),
    ...nodes.map((_list, index): [string, string] => [
      `/sys/devices/system/node/node${index}/distance`,
      index === 0 ? '10 12' : '12 10',
    ]),
    ...Array.from({ length: hostCpus }, (_each, cpu): [string, string] => [
      `/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`,
      `${cpu % 32},${(cpu % 32) + 32}`,
    ]),
  ];
  return shownCpus;
}

const governors = ['conservative', 'ondemand', 'userspace', 'powersave', 'performance', 'schedutil'];

/** Put in what a host shows of its processors. */
export function cpuFiles(host: HostState, files: LiveFiles): void {
  for (const [path, text] of steadyFiles()) files.set(path, { text: `${text}\n` });
  const { tuning } = host;
  for (let cpu = 0; cpu < hostCpus; cpu += 1) {
    const folder = `/sys/devices/system/cpu/cpu${cpu}/cpufreq`;
    files.set(`${folder}/scaling_driver`, { text: 'acpi-cpufreq\n' });
    files.set(`${folder}/scaling_available_governors`, {
      text: `${governors.join(' ')}\n`,
    });
    files.set(`${folder}/scaling_governor`, {
      text: `${tuning.governor}\n`,
      write: (text) => {
        if (!governors.includes(text.trim())) return 'EINVAL';
        tuning.governor = text.trim();
        return null;
      },
    });
  }
}

/** The processors nearest to a card: their list, as its function tells it. */
export function localCpuList(node: number): string {
  return nodes[node] ?? `0-${hostCpus - 1}`;
}
