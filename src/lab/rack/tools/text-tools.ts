/**
 * Text tools that read files: head, tail, wc, grep.
 *
 * Source: coreutils 8.32 and grep 3.7 behaviour.
 */
import { fromBytes } from '../files/nodes.ts';
import type { Files } from '../files/files.ts';
import { complain, out, readAll } from '../shell/descriptors.ts';
import type { Frame, Program, Steps } from '../shell/types.ts';
import { at, attempt, look } from './file-tools.ts';
import { parseOptions } from './options.ts';
import { posixRegExp } from './regex.ts';

/** Lines without their newlines; a last empty piece is no line. */
export function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Contents of the named files (or standard input); null for those that cannot be read, after a complaint. */
export function* inputs(frame: Frame, tool: string, paths: string[]): Steps<{ name: string; text: string | null }[]> {
  const found: { name: string; text: string | null }[] = [];
  for (const name of paths.length === 0 ? ['-'] : paths) {
    let text: string | null = null;
    if (name === '-') text = yield* readAll(frame);
    else attempt(frame, `${tool}: ${name}`, () => (text = frame.machine.files.read(at(frame, name), frame)));
    found.push({ name, text });
  }
  return found;
}

function withCount(args: string[]): string[] {
  return args.map((arg) => arg.replace(/^-(\d+)$/, '-n$1'));
}

function headOf(text: string, values: Record<string, string>): string {
  if (values['c'] !== undefined) return text.slice(0, Number(values['c']));
  const count = Number(values['n'] ?? '10');
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  return (count < 0 ? lines.slice(0, count) : lines.slice(0, count)).join('');
}

const head: Program = function* program(frame, args) {
  const options = parseOptions(frame, 'head', withCount(args), { flags: 'q v', values: 'n lines=n c bytes=c' });
  if (options === null) return 1;
  const files = yield* inputs(frame, 'head', options.rest);
  for (const { name, text } of files) {
    if (text === null) continue;
    if (files.length > 1 && !options.flags.has('q')) out(frame, `==> ${name} <==\n`);
    out(frame, headOf(text, options.values));
  }
  return files.some(({ text }) => text === null) ? 1 : 0;
};

function tailOf(text: string, values: Record<string, string>): string {
  const { c, n = '10' } = values;
  if (c !== undefined)
    return c.startsWith('+')
      ? text.slice(Number(c) - 1)
      : text.slice(Math.max(0, text.length - Number(c.replace('-', ''))));
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const count = Number(n.replace(/^[-+]/, ''));
  return (n.startsWith('+') ? lines.slice(Math.max(0, count - 1)) : count === 0 ? [] : lines.slice(-count)).join('');
}

/** How often `tail -f` looks, in device time. */
const followEveryMs = 1000;

function textNow(files: Files, path: string): string | null {
  const node = files.find(path);
  return node?.kind === 'file' ? node.text : node?.kind === 'live' ? node.file.text : null;
}

const tail: Program = function* program(frame, args) {
  const options = parseOptions(frame, 'tail', withCount(args), {
    flags: 'f F follow=f q v retry',
    values: 'n lines=n c bytes=c pid=pid s sleep-interval=s',
  });
  if (options === null) return 1;
  const { flags, values, rest } = options;
  const follows = flags.has('f') || flags.has('F');
  const { files } = frame.machine;
  const path = rest[0] === undefined || rest[0] === '-' ? null : at(frame, rest[0]);
  if (path !== null && look(frame, rest[0] ?? '') === null && follows && flags.has('F')) {
    complain(frame, `tail: cannot open '${rest[0] ?? ''}' for reading: No such file or directory\n`);
  } else {
    for (const { text } of yield* inputs(frame, 'tail', rest)) {
      if (text === null) return 1;
      out(frame, tailOf(text, values));
    }
  }
  if (!follows || path === null) return 0;
  const pid = values['pid'] === undefined ? null : Number(values['pid']);
  let seen = textNow(files, path)?.length ?? 0;
  for (;;) {
    const gone = pid !== null && !frame.rack.scheduler.of(frame.machine).some((each) => each.pid === pid);
    const text = textNow(files, path);
    if (text !== null && text.length < seen) {
      complain(frame, `tail: ${rest[0] ?? ''}: file truncated\n`);
      seen = 0;
    }
    if (text !== null && text.length > seen) {
      out(frame, text.slice(seen));
      seen = text.length;
    }
    if (gone) return 0;
    yield { untilMs: frame.rack.nowMs() + followEveryMs };
  }
};

const wc: Program = function* program(frame, args) {
  const options = parseOptions(frame, 'wc', args, { flags: 'l lines=l c bytes=c w words=w m' });
  if (options === null) return 1;
  const { flags, rest } = options;
  let status = 0;
  const wanted = flags.size === 0 ? ['l', 'w', 'c'] : ['l', 'w', 'm', 'c'].filter((flag) => flags.has(flag));
  for (const path of rest.length === 0 ? ['-'] : rest) {
    const [input] = yield* inputs(frame, 'wc', [path]);
    if (input?.text === undefined || input.text === null) {
      status = 1;
      continue;
    }
    const { text } = input;
    const node = path === '-' ? null : look(frame, path);
    const bytes = node === null ? text.length : frame.machine.files.size(node);
    const counts: Record<string, number> = {
      l: text.split('\n').length - 1,
      w: text.split(/\s+/).filter((word) => word !== '').length,
      m: fromBytes(text).length,
      c: bytes,
    };
    const numbers = wanted.map((flag) => String(counts[flag] ?? 0).padStart(wanted.length > 1 ? 7 : 1)).join(' ');
    out(frame, `${numbers}${path === '-' ? '' : ` ${path}`}\n`);
  }
  return status;
};

function grepExpression(frame: Frame, flags: Set<string>, patterns: string[], name: string): RegExp | null {
  const sources = patterns
    .flatMap((pattern) => pattern.split('\n'))
    .map((pattern) => {
      const source = flags.has('F')
        ? pattern.replaceAll(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`)
        : (posixRegExp(pattern, flags.has('E') || name === 'egrep')?.source ?? null);
      if (source === null) return null;
      const word = flags.has('w') ? String.raw`\b(?:${source})\b` : source;
      return flags.has('x') ? `^(?:${word})$` : word;
    });
  if (sources.includes(null)) {
    complain(frame, 'grep: Unmatched [, [^, [:, [., or [=\n');
    return null;
  }
  return new RegExp(sources.map((source) => `(?:${source ?? ''})`).join('|'), flags.has('i') ? 'gi' : 'g');
}

const grep: Program = function* program(frame, args) {
  const options = parseOptions(frame, 'grep', args, {
    flags:
      'E F G i ignore-case=i v invert-match=v q quiet=q silent=q s no-messages=s o only-matching=o c count=c l n w x h H a text=a r line-buffered extended-regexp=E fixed-strings=F P=E',
    values: 'e regexp=e m max-count=m A B C f',
  });
  if (options === null) return 2;
  const { flags, values, rest } = options;
  const several = args.flatMap((arg, index) => (arg === '-e' ? [args[index + 1] ?? ''] : []));
  const patterns = several.length > 1 ? several : [values['e'] ?? rest.shift() ?? ''];
  const expression = grepExpression(frame, flags, patterns, 'grep');
  if (expression === null) return 2;
  const paths = rest.length === 0 && flags.has('r') ? ['.'] : rest;
  const quietFrame = flags.has('s')
    ? { ...frame, descriptors: new Map([...frame.descriptors].filter(([fd]) => fd !== 2)) }
    : frame;
  let found = false;
  let bad = false;
  for (const { name, text } of yield* inputs(quietFrame, 'grep', paths)) {
    if (text === null) {
      bad = true;
      continue;
    }
    const prefix = (paths.length > 1 || flags.has('H')) && !flags.has('h') ? `${name}:` : '';
    const limit = Number(values['m'] ?? 'Infinity');
    const after = Number(values['A'] ?? values['C'] ?? '0');
    let matched = 0;
    let trailing = 0;
    for (const [index, line] of linesOf(text).entries()) {
      expression.lastIndex = 0;
      const hit = expression.test(line) !== flags.has('v');
      if (!hit && trailing > 0) {
        trailing -= 1;
        out(frame, `${prefix.replace(/:$/, '-')}${line}\n`);
      }
      if (!hit) continue;
      if (matched >= limit) break;
      matched += 1;
      trailing = after;
      if (flags.has('q') || flags.has('c') || flags.has('l')) continue;
      const number = flags.has('n') ? `${index + 1}:` : '';
      if (!flags.has('o')) out(frame, `${prefix}${number}${line}\n`);
      else for (const [part] of line.matchAll(expression)) if (part !== '') out(frame, `${prefix}${number}${part}\n`);
    }
    found ||= matched > 0;
    if (flags.has('c')) out(frame, `${prefix}${matched}\n`);
    if (flags.has('l') && matched > 0) out(frame, `${name}\n`);
  }
  return bad && !(found && flags.has('q')) ? 2 : found ? 0 : 1;
};

/** Name -> program. */
export const textTools: Record<string, Program> = {
  head,
  tail,
  wc,
  grep,
  egrep: (frame, args) => grep(frame, ['-E', ...args]),
  fgrep: (frame, args) => grep(frame, ['-F', ...args]),
};
