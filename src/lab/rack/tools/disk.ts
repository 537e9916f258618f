/** `df` of a machine's file systems. Source: coreutils 8.32 df columns. */
import { complain, out } from '../shell/descriptors.ts';
import { simply } from '../shell/programs.ts';
import type { Frame, Program } from '../shell/types.ts';
import { at, look } from './file-tools.ts';
import { mountOf, mounts } from './mounts.ts';
import type { Mount } from './mounts.ts';
import { parseOptions } from './options.ts';

const gib = 1_073_741_824;
/** Share of the disk only root may fill. Source: ext4's default. */
const reservedShare = 0.05;

/** What `df` shows without being asked: file systems with a size, of the wanted types. */
function sized(frame: Frame, types: readonly string[], unwanted: readonly string[]): Mount[] {
  return mounts(frame).filter(
    ({ size, type }) => size > 0 && (types.length === 0 || types.includes(type)) && !unwanted.includes(type),
  );
}

/** Values of an option that may be given again and again: `-x TYPE`, `-xTYPE`, `--long=TYPE`, `--long TYPE`. */
function repeated(args: readonly string[], letter: string, long: string): string[] {
  return args.flatMap((arg, index) => {
    const inline = new RegExp(`^(?:-${letter}|--${long}=)(.+)$`).exec(arg);
    const before = args[index - 1];
    return before === `-${letter}` || before === `--${long}` ? [arg] : inline?.[1] === undefined ? [] : [inline[1]];
  });
}

function fields(mount: Mount): Record<string, number | string> {
  const reserved = mount.type === 'ext4' ? Math.floor(mount.size * reservedShare) : 0;
  const used = Math.max(0, mount.size - reserved - mount.free);
  const percent = `${Math.ceil((used * 100) / Math.max(1, used + mount.free))}%`;
  return {
    source: mount.source,
    fstype: mount.type,
    size: mount.size,
    used,
    avail: mount.free,
    pcent: percent,
    target: mount.target,
  };
}

const titles: Record<string, string> = {
  source: 'Filesystem',
  fstype: 'Type',
  used: 'Used',
  avail: 'Avail',
  pcent: 'Use%',
  target: 'Mounted on',
};

/** The program. */
export const df: Program = simply((frame, args) => {
  const options = parseOptions(frame, 'df', args, {
    flags: 'k P portability=P h human-readable=h m T print-type=T l a i',
    values: 'B block-size=B output=output t type=t x exclude-type=x',
  });
  if (options === null) return 1;
  const { flags, values, rest } = options;
  const unit =
    flags.has('m') || values['B'] === 'M'
      ? 1_048_576
      : values['B'] === undefined || values['B'] === 'K'
        ? 1024
        : Number(values['B']);
  const columns = values['output']?.split(',') ?? [
    'source',
    ...(flags.has('T') ? ['fstype'] : []),
    'size',
    'used',
    'avail',
    'pcent',
    'target',
  ];
  const chosen: Mount[] = [];
  let status = 0;
  for (const path of rest) {
    const mount = look(frame, path) === null ? undefined : mountOf(frame, at(frame, path));
    if (mount === undefined) {
      complain(frame, `df: ${path}: No such file or directory\n`);
      status = 1;
    } else chosen.push(mount);
  }
  if (rest.length > 0 && chosen.length === 0) return 1;
  const listed = sized(frame, repeated(args, 't', 'type'), repeated(args, 'x', 'exclude-type'));
  if (rest.length === 0 && listed.length === 0) {
    complain(frame, 'df: no file systems processed\n');
    return 1;
  }
  const human = (bytes: number): string =>
    bytes >= gib ? `${Math.ceil(bytes / gib)}G` : `${Math.ceil(bytes / 1_048_576)}M`;
  const size = flags.has('h')
    ? 'Size'
    : unit === 1
      ? '1B-blocks'
      : unit === 1_048_576
        ? '1M-blocks'
        : flags.has('P')
          ? '1024-blocks'
          : '1K-blocks';
  const head = columns.map((column) =>
    column === 'size'
      ? size
      : flags.has('P') && column === 'pcent'
        ? 'Capacity'
        : column === 'avail' && !flags.has('h') && values['output'] === undefined
          ? 'Available'
          : (titles[column] ?? column),
  );
  const rows = (rest.length === 0 ? listed : chosen).map((mount) => {
    const all = fields(mount);
    return columns.map((column) => {
      const value = all[column] ?? '-';
      return typeof value === 'string' ? value : flags.has('h') ? human(value) : String(Math.floor(value / unit));
    });
  });
  const widths = columns.map((_column, index) => Math.max(...[head, ...rows].map((row) => (row[index] ?? '').length)));
  for (const row of [head, ...rows]) {
    const cells = row.map((cell, index) =>
      ['source', 'fstype', 'target'].includes(columns[index] ?? '')
        ? cell.padEnd(widths[index] ?? 0)
        : cell.padStart(widths[index] ?? 0),
    );
    out(frame, `${cells.join(' ').trimEnd()}\n`);
  }
  return status;
});
