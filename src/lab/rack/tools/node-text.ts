/**
 * How `ls -l` and `stat` show a file.
 *
 * Source: coreutils 8.32 formats.
 */
import type { FoundNode } from '../files/nodes.ts';
import type { Frame } from '../shell/types.ts';
import { dateText } from './dates.ts';

function modeText(node: FoundNode): string {
  const type =
    node.kind === 'dir'
      ? 'd'
      : node.kind === 'link'
        ? 'l'
        : node.kind === 'live' && node.file.device === true
          ? node.file.block === true
            ? 'b'
            : 'c'
          : '-';
  const bits = 'rwxrwxrwx'.split('').map((letter, index) => ((node.mode & (1 << (8 - index))) === 0 ? '-' : letter));
  return type + bits.join('');
}

/** A line of `ls -l`. */
export function lsLine(frame: Frame, node: FoundNode, name: string): string {
  const { files } = frame.machine;
  const size = node.kind === 'live' && node.file.device === true ? '235, 1' : String(files.size(node)).padStart(5);
  const when = dateText(node.modifiedAtMs === 0 ? 1_788_264_000_000 : node.modifiedAtMs, '%b %e %H:%M').replace(
    / {2}/,
    '  ',
  );
  const target = node.kind === 'link' ? ` -> ${node.target}` : '';
  return `${modeText(node)} 1 ${node.owner} ${node.group} ${size} ${when} ${name}${target}\n`;
}

const types: Record<string, string> = {
  dir: 'directory',
  link: 'symbolic link',
  file: 'regular file',
  virtual: 'regular file',
  live: 'regular file',
};

/** What `stat -c` prints. */
export function statFormat(frame: Frame, node: FoundNode, path: string, format: string): string {
  const { files } = frame.machine;
  const seconds = Math.floor(node.modifiedAtMs / 1000);
  const size = files.size(node);
  const uid = (name: string): string => (name === 'root' ? '0' : '1000');
  const device = node.kind === 'live' && node.file.device === true;
  const fields: Record<string, string> = {
    n: path,
    N: `'${path}'`,
    s: String(size),
    b: String(Math.ceil(size / 512)),
    B: '512',
    a: (node.mode & 0o7777).toString(8),
    A: modeText(node),
    f: (node.mode | (node.kind === 'dir' ? 0o040000 : 0o100000)).toString(16),
    F: device
      ? 'character special file'
      : node.kind === 'file' && size === 0
        ? 'regular empty file'
        : (types[node.kind] ?? ''),
    U: node.owner,
    u: uid(node.owner),
    G: node.group,
    g: uid(node.group),
    Y: String(seconds),
    X: String(seconds),
    Z: String(seconds),
    W: '0',
    y: dateText(node.modifiedAtMs, '%Y-%m-%d %H:%M:%S.000000000 +0000'),
    h: '1',
    i: '1311',
    d: '66306',
    '%': '%',
  };
  return format.replaceAll(/%[-0]?\d*([a-zA-Z%])/g, (whole, letter: string) => fields[letter] ?? whole);
}
