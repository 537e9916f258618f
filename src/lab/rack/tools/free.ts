/** `free`: memory of a machine, a quarter of it in use. Source: procps 3.3.17 columns. */
import type { Command } from '../shell/types.ts';
import { invalidOption, ok } from '../shell/types.ts';

const hostMemoryGib = 256;
const kibOfGib = 1_048_576;

function human(kib: number): string {
  const gib = kib / kibOfGib;
  return gib >= 1 ? `${gib >= 10 ? Math.round(gib) : gib.toFixed(1)}Gi` : `${Math.round(kib / 1024)}Mi`;
}

/** The command with -b, -k, -m, -g, -h. */
export const free: Command = ({ machine }, args) => {
  const wrong = args.find((arg) => !/^-[bkmghtw]$|^--(human|bytes|kibi|mebi|gibi)$/.test(arg));
  if (wrong !== undefined) return invalidOption('free', wrong);
  const totalKib = (machine.card?.hardware.armMemoryGib ?? hostMemoryGib) * kibOfGib;
  const usedKib = Math.round(totalKib * 0.14);
  const sharedKib = 8_872;
  const cacheKib = Math.round(totalKib * 0.11);
  const freeKib = totalKib - usedKib - cacheKib;
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
