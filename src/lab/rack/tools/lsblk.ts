/**
 * `lsblk`: the tree of drives, or what lies under one of them (-s).
 *
 * Source: output of lsblk (util-linux 2.38) as text and as JSON; misc-utils/lsblk.c: the parent of a line is the one
 * above it in the tree, so that -s turns PKNAME round, and the whole disk for a partition at the top.
 */
import { toBytes } from '../files/nodes.ts';
import { complain, out } from '../shell/descriptors.ts';
import { simply } from '../shell/programs.ts';
import type { Program } from '../shell/types.ts';
import { blockDevices } from './block.ts';
import type { BlockDevice } from './block.ts';
import { parseOptions } from './options.ts';

interface Line {
  device: BlockDevice;
  parent: string | null;
  children: Line[];
}

type Cell = string | boolean | null | (string | null)[];

function human(bytes: number): string {
  const units = 'BKMGTP';
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number(value.toFixed(1))}${units[unit] ?? ''}`;
}

interface Shown {
  bytes: boolean;
  paths: boolean;
}

const columnsKnown: Record<string, (line: Line, shown: Shown) => Cell> = {
  NAME: ({ device }, { paths }) => (paths ? `/dev/${device.name}` : device.name),
  KNAME: ({ device }, { paths }) => (paths ? `/dev/${device.name}` : device.name),
  PATH: ({ device }) => `/dev/${device.name}`,
  'MAJ:MIN': ({ device }) => device.number,
  FSTYPE: ({ device }) => device.fstype,
  MOUNTPOINT: ({ device }) => device.mountpoint,
  MOUNTPOINTS: ({ device }) => [device.mountpoint],
  SIZE: ({ device }, { bytes }) => (bytes ? String(device.sizeBytes) : human(device.sizeBytes)),
  RO: () => false,
  RM: () => false,
  ROTA: () => false,
  TYPE: ({ device }) => device.type,
  PKNAME: ({ parent }, { paths }) => (parent !== null && paths ? `/dev/${parent}` : parent),
  MODEL: ({ device }) => device.model,
  TRAN: () => 'nvme',
};

function linesOf(
  all: BlockDevice[],
  device: BlockDevice,
  parent: string | null,
  options: { inverse: boolean; alone: boolean },
): Line {
  const next = all.filter((each) => (options.inverse ? each.name === device.parent : each.parent === device.name));
  return {
    device,
    parent: parent ?? device.parent,
    children: options.alone ? [] : next.map((each) => linesOf(all, each, device.name, options)),
  };
}

function jsonCell(cell: Cell, indent: string): string {
  if (!Array.isArray(cell)) return JSON.stringify(cell);
  return `[\n${indent}    ${cell.map((each) => JSON.stringify(each)).join(', ')}\n${indent}]`;
}

function jsonLines(lines: Line[], columns: string[], shown: Shown, flat: boolean, indent: string): string {
  const inner = `${indent}   `;
  return lines
    .map((line) => {
      const fields = columns.map((column) => {
        const cell = columnsKnown[column]?.(line, shown) ?? null;
        return `${inner}"${column.toLowerCase()}": ${jsonCell(cell, inner)}`;
      });
      if (line.children.length > 0 && !flat)
        fields.push(
          `${inner}"children": [\n${inner}   ${jsonLines(line.children, columns, shown, flat, `${inner}   `)}\n${inner}]`,
        );
      return `{\n${fields.join(',\n')}\n${indent}}`;
    })
    .join(',');
}

function plainCell(cell: Cell): string {
  if (typeof cell === 'boolean') return cell ? '1' : '0';
  return (Array.isArray(cell) ? cell.join('') : cell) ?? '';
}

function flattened(lines: Line[]): Line[] {
  return lines.flatMap((line) => [line, ...flattened(line.children)]);
}

/** Rows of text; the first column carries the tree. */
function textRows(lines: Line[], columns: string[], shown: Shown, depth = 0): string[][] {
  return lines.flatMap((line, index) => {
    const branch = depth === 0 ? '' : `${'  '.repeat(depth - 1)}${index === lines.length - 1 ? '└─' : '├─'}`;
    const cells = columns.map((column) => plainCell(columnsKnown[column]?.(line, shown) ?? null));
    return [[`${branch}${cells[0] ?? ''}`, ...cells.slice(1)], ...textRows(line.children, columns, shown, depth + 1)];
  });
}

const rightAligned = new Set(['MAJ:MIN', 'SIZE', 'RO', 'RM', 'ROTA']);

function table(rows: string[][], columns: string[]): string {
  const widths = columns.map((_column, index) => Math.max(...rows.map((row) => (row[index] ?? '').length)));
  return rows
    .map((row) => {
      const cells = row.map((cell, index) => {
        if (index === columns.length - 1 && !rightAligned.has(columns[index] ?? '')) return cell;
        const width = widths[index] ?? 0;
        return rightAligned.has(columns[index] ?? '') ? cell.padStart(width) : cell.padEnd(width);
      });
      return `${cells.join(' ')}\n`;
    })
    .join('');
}

/** The program. */
export const lsblk: Program = simply((frame, args) => {
  const options = parseOptions(frame, 'lsblk', args, {
    flags: 'J json=J s inverse=s n noheadings=n d nodeps=d p paths=p b bytes=b l list=l r raw=r a all=a i ascii=i',
    values: 'o output=o e exclude=e I include=I x sort=x',
  });
  if (options === null) return 1;
  const { flags, values, rest } = options;
  const columns = (values['o'] ?? 'NAME,MAJ:MIN,RM,SIZE,RO,TYPE,MOUNTPOINTS').toUpperCase().split(',');
  const unknown = columns.find((column) => columnsKnown[column] === undefined);
  if (unknown !== undefined) {
    complain(frame, `lsblk: unknown column: ${unknown}\n`);
    return 1;
  }
  const all = blockDevices(frame.machine);
  const inverse = flags.has('s');
  let missing = 0;
  const chosen = rest.flatMap((path) => {
    const found = all.find(({ name }) => path === `/dev/${name}`);
    if (found !== undefined) return [found];
    complain(frame, `lsblk: ${path}: not a block device\n`);
    missing += 1;
    return [];
  });
  const ends = all.filter((each) => (inverse ? !all.some(({ parent }) => parent === each.name) : each.parent === null));
  const tree = { inverse, alone: flags.has('d') };
  const lines = (rest.length > 0 ? chosen : ends).map((each) => linesOf(all, each, null, tree));
  const shown = { bytes: flags.has('b'), paths: flags.has('p') };
  const flat = flags.has('l') || flags.has('r') || !columns.includes('NAME');
  const printed = flat ? flattened(lines).map((line) => ({ ...line, children: [] })) : lines;
  if (flags.has('J')) {
    const text = jsonLines(printed, columns, shown, flat, '      ');
    out(frame, `{\n   "blockdevices": [\n${text === '' ? '' : `      ${text}`}\n   ]\n}\n`);
  } else if (printed.length > 0) {
    const rows = [...(flags.has('n') ? [] : [columns]), ...textRows(printed, columns, shown)];
    out(frame, toBytes(table(rows, columns)));
  }
  return missing === 0 ? 0 : missing === rest.length ? 32 : 64;
});
