/**
 * What `find -printf` prints.
 *
 * Source: output of findutils 4.9 for every directive here; find(1).
 */
import type { FoundNode } from '../files/nodes.ts';
import { complain } from '../shell/descriptors.ts';
import type { Frame } from '../shell/types.ts';
import { toBytes } from '../files/nodes.ts';
import { look } from './file-tools.ts';
import { statFormat } from './node-text.ts';

/** The letter of `-type`. */
export function typeLetter(node: FoundNode): string {
  if (node.kind === 'dir') return 'd';
  if (node.kind === 'link') return 'l';
  if (node.kind !== 'live' || node.file.device !== true) return 'f';
  return node.file.block === true ? 'b' : 'c';
}

const escapes: Record<string, string> = {
  n: '\n',
  t: '\t',
  '0': '\0',
  '\\': '\\',
  a: '\u0007',
  r: '\r',
  f: '\f',
  v: '\v',
};

/** Last part and directory of a path; a slash at the end belongs to the last part. */
function parts(path: string): { name: string; folder: string } {
  const end = path.replace(/(.)\/+$/, '$1');
  const at = end.lastIndexOf('/');
  if (at === -1) return { name: path, folder: '.' };
  return { name: path.slice(at + 1) || '/', folder: path.slice(0, at) };
}

interface Shown {
  path: string;
  start: string;
  depth: number;
  node: FoundNode;
}

function directive(frame: Frame, { path, start, depth, node }: Shown, letter: string): string | null {
  switch (letter) {
    case 'p':
      return path;
    case 'f':
      return parts(path).name;
    case 'h':
      return parts(path).folder;
    case 'P':
      return path.slice(start.length).replace(/^\//, '');
    case 'H':
      return start;
    case 'l':
      return node.kind === 'link' ? node.target : '';
    case 'd':
      return String(depth);
    case 'y':
      return typeLetter(node);
    case 'Y': {
      const reached = node.kind === 'link' ? look(frame, path) : node;
      return reached === null ? 'N' : typeLetter(reached);
    }
    case 'm':
      return statFormat(frame, node, path, '%a');
    case 'M':
      return statFormat(frame, node, path, '%A');
    case 'n':
      return '1';
    case 's':
    case 'i':
    case 'b':
      return statFormat(frame, node, path, `%${letter}`);
    case 'u':
      return node.owner;
    case 'g':
      return node.group;
    case 'U':
    case 'G':
      return statFormat(frame, node, path, `%${letter.toLowerCase()}`);
    case '%':
      return '%';
    default:
      return null;
  }
}

/** The text of a format for one file. */
export function findFormat(frame: Frame, shown: Shown, format: string): string {
  return format.replaceAll(/\\(0\d{0,2}|.)|%([-0]?\d*)(T@|.)/g, (whole, escape?: string, width = '', letter = '') => {
    if (escape !== undefined) return escapes[escape] ?? whole;
    if (letter === 'T@') return (shown.node.modifiedAtMs / 1000).toFixed(10);
    const text = directive(frame, shown, letter);
    if (text === null) {
      complain(frame, toBytes(`find: warning: unrecognized format directive \`%${letter}'\n`));
      return whole;
    }
    const columns = Number(width.replace('-', ''));
    return width.startsWith('-') ? text.padEnd(columns) : text.padStart(columns);
  });
}
