/** Paths of the pretend file systems. */
import { remember } from '../remember.ts';

/** An absolute path without `.`, `..`, double or trailing slashes. */
export function normalize(path: string, workingDirectory = '/'): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${workingDirectory}/${path}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** The directory a path lies in. */
export function parentOf(path: string): string {
  const at = path.lastIndexOf('/');
  return at <= 0 ? '/' : path.slice(0, at);
}

/** The last part of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** A shell pattern as a regular expression; `*` and `?` match slashes only when told so. */
export function patternToRegExp(pattern: string, crossesSlashes = false): RegExp {
  return crossesSlashes ? acrossSlashes(pattern) : withinSlashes(pattern);
}

const withinSlashes = remember((pattern) => toRegExp(pattern, '[^/]'));
const acrossSlashes = remember((pattern) => toRegExp(pattern, '[^]'));

function toRegExp(pattern: string, any: string): RegExp {
  let body = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern[at] ?? '';
    if (char === '*') body += `${any}*`;
    else if (char === '?') body += any;
    else if (char === '[' && pattern.indexOf(']', at + 2) !== -1) {
      const end = pattern.indexOf(']', at + 2);
      const inside = pattern
        .slice(at + 1, end)
        .replace(/^!/, '^')
        .replaceAll('\\', '\\\\');
      body += `[${inside.replace(/\[:(\w+):\]/g, (_whole, name: string) => classes[name] ?? '')}]`;
      at = end;
    } else if (char === '\\' && at + 1 < pattern.length) {
      at += 1;
      body += escapeRegExp(pattern[at] ?? '');
    } else body += escapeRegExp(char);
  }
  return new RegExp(`^${body}$`);
}

/** Character classes of POSIX, as the inside of brackets. */
export const classes: Record<string, string> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\s',
  blank: ' \\t',
  punct: '!-\\/:-@\\[-`{-~',
  xdigit: '0-9A-Fa-f',
  print: ' -~',
  cntrl: '\\x00-\\x1f',
};

/** A character that means itself in a regular expression. */
function escapeRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`);
}
