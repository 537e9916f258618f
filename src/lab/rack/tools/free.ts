/** `free`: memory of a machine, a quarter of it in use. Source: procps 3.3.17 columns. */
import type { Command, Machine } from '../shell/types.ts';
import { invalidOption, ok } from '../shell/types.ts';
import type { Rack } from '../state.ts';
import { allFreePages, allPages, pageSizes } from './hugepages.ts';
import { memoryKib } from './mounts.ts';

const kibOfGib = 1_048_576;

function human(kib: number): string {
  const gib = kib / kibOfGib;
  return gib >= 1 ? `${gib >= 10 ? Math.round(gib) : gib.toFixed(1)}Gi` : `${Math.round(kib / 1024)}Mi`;
}

interface Memory {
  totalKib: number;
  usedKib: number;
  sharedKib: number;
  cacheKib: number;
  freeKib: number;
}

/** Huge pages count as used, whoever holds them. */
function hugeKib({ host }: Machine): number {
  return host === null ? 0 : pageSizes.reduce((sum, size) => sum + allPages(host, size) * size, 0);
}

function memoryOf(machine: Machine): Memory {
  const totalKib = memoryKib(machine);
  const usedKib = Math.round(totalKib * 0.14) + hugeKib(machine);
  const cacheKib = Math.round(totalKib * 0.11);
  return { totalKib, usedKib, sharedKib: 8_872, cacheKib, freeKib: Math.max(0, totalKib - usedKib - cacheKib) };
}

/** `/proc/meminfo`: the rows that tools read; huge pages are counted in those of the default size. Source: proc(5); rows of Linux 5.15. */
export function meminfoText(rack: Rack, machine: Machine): string {
  const { totalKib, sharedKib, cacheKib, freeKib } = memoryOf(machine);
  const row = (name: string, kib: number): string => `${`${name}:`.padEnd(16)}${String(kib).padStart(8)} kB\n`;
  const { host } = machine;
  const [size = 2048] = pageSizes;
  const total = host === null ? 0 : allPages(host, size);
  const free = host === null ? 0 : allFreePages(rack, host, size);
  const count = (name: string, pages = 0): string => `${`${name}:`.padEnd(16)}${String(pages).padStart(8)}\n`;
  return (
    row('MemTotal', totalKib) +
    row('MemFree', freeKib) +
    row('MemAvailable', freeKib + cacheKib) +
    row('Buffers', Math.round(cacheKib / 20)) +
    row('Cached', cacheKib - Math.round(cacheKib / 20)) +
    row('SwapCached', 0) +
    row('SwapTotal', 0) +
    row('SwapFree', 0) +
    row('Shmem', sharedKib) +
    row('AnonHugePages', 0) +
    count('HugePages_Total', total) +
    count('HugePages_Free', free) +
    count('HugePages_Rsvd') +
    count('HugePages_Surp') +
    row('Hugepagesize', 2048) +
    row('Hugetlb', hugeKib(machine))
  );
}

/** The command with -b, -k, -m, -g, -h. */
export const free: Command = ({ machine }, args) => {
  const wrong = args.find((arg) => !/^-[bkmghtw]$|^--(human|bytes|kibi|mebi|gibi)$/.test(arg));
  if (wrong !== undefined) return invalidOption('free', wrong);
  const { totalKib, usedKib, sharedKib, cacheKib, freeKib } = memoryOf(machine);
  const scale: Record<string, number> = { '-b': 1024, '--bytes': 1024, '-m': 1 / 1024, '--mebi': 1 / 1024 };
  const factor =
    args.map((arg) => scale[arg]).find((each) => each !== undefined) ?? (args.includes('-g') ? 1 / kibOfGib : 1);
  const isHuman = args.includes('-h') || args.includes('--human');
  const shown = (kib: number): string =>
    (isHuman ? (kib === 0 ? '0B' : human(kib)) : String(Math.floor(kib * factor))).padStart(12);
  const row = (label: string, values: number[]): string => `${label.padEnd(8)}${values.map(shown).join('')}\n`;
  const title = ['total', 'used', 'free', 'shared', 'buff/cache', 'available']
    .map((name) => name.padStart(12))
    .join('');
  return ok(
    `${' '.repeat(8)}${title}\n` +
      row('Mem:', [totalKib, usedKib, freeKib, sharedKib, cacheKib, freeKib + cacheKib]) +
      row('Swap:', [0, 0, 0]),
  );
};
