/**
 * What is mounted where, and `findmnt`.
 *
 * Source: output of findmnt (util-linux 2.38) as text and as JSON; mount options of an Ubuntu 22.04 server.
 */
import { complain, out } from '../shell/descriptors.ts';
import { simply } from '../shell/programs.ts';
import type { Frame, Machine, Program } from '../shell/types.ts';
import { at } from './file-tools.ts';
import { parseOptions } from './options.ts';

export interface Mount {
  source: string;
  type: string;
  target: string;
  size: number;
  free: number;
  options: string;
}

const gib = 1_073_741_824;
/** Size of the root file system of a host and of an Arm, and what the system takes of it. */
const disks = {
  host: { bytes: 437 * gib, systemBytes: 58 * gib },
  arm: { bytes: 119 * gib, systemBytes: 13 * gib },
} as const;

/** The root file system of a machine. */
export function rootDisk({ kind }: Machine): { bytes: number; systemBytes: number } {
  return disks[kind];
}

/** Memory of a host. */
const hostMemoryGib = 256;

/** Memory of a machine. */
export function memoryKib({ card }: Machine): number {
  return (card?.hardware.armMemoryGib ?? hostMemoryGib) * 1_048_576;
}

const strict = 'rw,nosuid,nodev,noexec,relatime';

function kernelMount(target: string, source: string, type: string, options: string): Mount {
  return { source, type, target, size: 0, free: 0, options };
}

/** Everything that is mounted, in the order of /proc/self/mountinfo. */
export function mounts(frame: Frame): Mount[] {
  const memory = memoryKib(frame.machine) * 1024;
  const run = Math.floor(memory / 10);
  return [
    kernelMount('/sys', 'sysfs', 'sysfs', strict),
    kernelMount('/proc', 'proc', 'proc', strict),
    kernelMount('/dev', 'udev', 'devtmpfs', `rw,nosuid,relatime,size=${memory / 2048}k,mode=755,inode64`),
    {
      source: 'tmpfs',
      type: 'tmpfs',
      target: '/run',
      size: run,
      free: run - 2_404_352,
      options: `rw,nosuid,nodev,noexec,relatime,size=${Math.floor(run / 1024)}k,mode=755,inode64`,
    },
    {
      source: '/dev/nvme0n1p2',
      type: 'ext4',
      target: '/',
      size: rootDisk(frame.machine).bytes,
      free: frame.rack.freeBytes(frame.machine),
      options: 'rw,relatime',
    },
    {
      source: 'tmpfs',
      type: 'tmpfs',
      target: '/dev/shm',
      size: memory / 2,
      free: memory / 2,
      options: 'rw,nosuid,nodev,inode64',
    },
    kernelMount('/dev/hugepages', 'hugetlbfs', 'hugetlbfs', 'rw,relatime,pagesize=2M'),
    {
      source: '/dev/nvme0n1p1',
      type: 'vfat',
      target: '/boot/efi',
      size: gib,
      free: gib - 6_352_896,
      options: 'rw,relatime,fmask=0022,dmask=0022,codepage=437,iocharset=iso8859-1,shortname=mixed,errors=remount-ro',
    },
  ];
}

/** The mount a path lies in. */
export function mountOf(frame: Frame, path: string): Mount | undefined {
  const all = mounts(frame).sort((left, right) => right.target.length - left.target.length);
  return all.find(({ target }) => target === '/' || path === target || path.startsWith(`${target}/`));
}

const columnsKnown: Record<string, (mount: Mount) => string> = {
  SOURCE: ({ source }) => source,
  TARGET: ({ target }) => target,
  FSTYPE: ({ type }) => type,
  OPTIONS: ({ options }) => options,
  'VFS-OPTIONS': ({ options }) => options.split(',size=')[0] ?? options,
  FSROOT: () => '/',
  PROPAGATION: () => 'shared',
};

/** Rows of cells under titles, each column as wide as its widest cell. */
export function tableText(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_cell, index) => Math.max(...rows.map((row) => (row[index] ?? '').length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, index) => cell.padEnd(widths[index] ?? 0))
          .join(' ')
          .trimEnd()}\n`,
    )
    .join('');
}

function jsonText(rows: Record<string, string>[]): string {
  const items = rows.map(
    (row) =>
      `{\n${Object.entries(row)
        .map(([name, value]) => `         ${JSON.stringify(name)}: ${JSON.stringify(value)}`)
        .join(',\n')}\n      }`,
  );
  return `{\n   "filesystems": [\n      ${items.join(',')}\n   ]\n}\n`;
}

function isWanted(mount: Mount, values: Record<string, string>, words: string[]): boolean {
  const [first, second] = words;
  return (
    (first === undefined || mount.source === first || (second === undefined && mount.target === first)) &&
    (second === undefined || mount.target === second) &&
    (values['S'] === undefined || mount.source === values['S']) &&
    (values['M'] === undefined || mount.target === values['M']) &&
    (values['t'] === undefined || values['t'].split(',').includes(mount.type))
  );
}

/** The program. */
export const findmnt: Program = simply((frame, args) => {
  const options = parseOptions(frame, 'findmnt', args, {
    flags:
      'J json=J n noheadings=n l list=l r raw=r k kernel=k v nofsroot=v f first-only=f R submounts=R e u uniq=U U D b bytes=b',
    values: 'o output=o T target=T S source=S M mountpoint=M t types=t',
  });
  if (options === null) return 1;
  const { flags, values, rest } = options;
  const columns = (values['o'] ?? 'TARGET,SOURCE,FSTYPE,OPTIONS').toUpperCase().split(',');
  const unknown = columns.find((column) => columnsKnown[column] === undefined);
  if (unknown !== undefined) {
    complain(frame, `findmnt: unknown column: ${unknown}\n`);
    return 1;
  }
  const words = rest.map((word) => (word.startsWith('/') ? at(frame, word) : word));
  const inside =
    values['T'] === undefined ? undefined : mountOf(frame, frame.machine.files.resolve(at(frame, values['T'])));
  const found = mounts(frame).filter(
    (mount) => isWanted(mount, values, words) && (values['T'] === undefined || mount.target === inside?.target),
  );
  if (found.length === 0) return 1;
  const shown = (flags.has('f') ? found.slice(0, 1) : found).map((mount) =>
    columns.map((column) => columnsKnown[column]?.(mount) ?? ''),
  );
  if (flags.has('J')) {
    const keyed = shown.map((row) =>
      Object.fromEntries(row.map((cell, index) => [(columns[index] ?? '').toLowerCase(), cell])),
    );
    out(frame, jsonText(keyed));
  } else {
    const rows = flags.has('n') ? shown : [columns, ...shown];
    out(frame, flags.has('r') ? rows.map((row) => `${row.join(' ')}\n`).join('') : tableText(rows));
  }
  return 0;
});
