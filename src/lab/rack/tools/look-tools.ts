/**
 * Tools that show files: cat, ls, stat, readlink, realpath, basename, dirname, sha256sum, find, du, df.
 *
 * Source: coreutils 8.32 and findutils 4.8 formats.
 */
import { FileError } from '../files/nodes.ts';
import type { FoundNode } from '../files/nodes.ts';
import { nameOf, normalize, parentOf, patternToRegExp } from '../files/paths.ts';
import { complain, openFile, out, readAll, readSome } from '../shell/descriptors.ts';
import { simply } from '../shell/programs.ts';
import type { Frame, Program, Steps } from '../shell/types.ts';
import { at, attempt, look } from './file-tools.ts';
import { parseOptions } from './options.ts';
import { lsLine, statFormat } from './node-text.ts';

const cat: Program = function* program(frame, args) {
  const options = parseOptions(frame, 'cat', args, { flags: 'n u A' });
  if (options === null) return 1;
  let good = true;
  for (const path of options.rest.length === 0 ? ['-'] : options.rest) good = (yield* catOne(frame, path)) && good;
  return good ? 0 : 1;
};

function* catOne(frame: Frame, path: string): Steps<boolean> {
  let inner = frame;
  if (path !== '-') {
    const descriptors = new Map(frame.descriptors);
    const opened = attempt(frame, `cat: ${path}`, () =>
      descriptors.set(
        0,
        openFile(frame.machine.files, at(frame, path), frame, '<', (each) =>
          frame.rack.openStream(frame.machine, each),
        ),
      ),
    );
    if (!opened) return false;
    inner = { ...frame, descriptors };
  }
  for (;;) {
    const text = yield* readSome(inner);
    if (text === null) return true;
    out(frame, text);
  }
}

const ls: Program = simply((frame, args) => {
  const options = parseOptions(frame, 'ls', args, { flags: '1 a A d directory=d l t r h n i' });
  if (options === null) return 2;
  const { flags, rest } = options;
  const { files } = frame.machine;
  const long = flags.has('l');
  let status = 0;
  const plain: string[] = [];
  const blocks: string[] = [];
  const line = (node: FoundNode, name: string): string => (long ? lsLine(frame, node, name) : `${name}\n`);
  const paths = rest.length === 0 ? [frame.directory] : rest;
  for (const path of paths) {
    const node = look(frame, path, !long || !flags.has('d'));
    if (node === null) {
      const reason = files.find(at(frame, path)) === null ? 'No such file or directory' : 'Permission denied';
      complain(frame, `ls: cannot access '${path}': ${reason}\n`);
      status = 2;
    } else if (node.kind !== 'dir' || flags.has('d'))
      plain.push(line(node, path.length > 1 ? path.replace(/\/+$/, '') : path));
    else if (!files.allows(node, frame, 4)) {
      complain(frame, `ls: cannot open directory '${path}': Permission denied\n`);
      status = 2;
    } else {
      const names = files
        .list(at(frame, path))
        .filter((name) => flags.has('a') || flags.has('A') || !name.startsWith('.'));
      const lines = names.map((name) => {
        const child = files.find(`${at(frame, path)}/${name}`, false);
        return child === null ? '' : line(child, name);
      });
      blocks.push(`${paths.length > 1 ? `${path}:\n` : ''}${long ? 'total 0\n' : ''}${lines.join('')}`);
    }
  }
  out(frame, [plain.join(''), ...blocks].filter((part) => part !== '').join('\n'));
  return status;
});

const stat: Program = simply((frame, args) => {
  const options = parseOptions(frame, 'stat', args, {
    flags: 'L dereference=L t f',
    values: 'c format=c printf=printf',
  });
  if (options === null) return 1;
  let status = 0;
  for (const path of options.rest) {
    const node = look(frame, path, options.flags.has('L'));
    if (node === null) {
      const reason =
        frame.machine.files.find(at(frame, path), false) === null ? 'No such file or directory' : 'Permission denied';
      complain(frame, `stat: cannot statx '${path}': ${reason}\n`);
      status = 1;
      continue;
    }
    if (options.flags.has('f'))
      out(frame, path.startsWith('/dev/shm') || path.startsWith('/run') ? 'tmpfs\n' : 'ext2/ext3\n');
    else if (options.values['printf'] !== undefined) {
      out(
        frame,
        statFormat(frame, node, path, options.values['printf'])
          .replaceAll(String.raw`\n`, '\n')
          .replaceAll(String.raw`\t`, '\t'),
      );
    } else
      out(
        frame,
        `${statFormat(frame, node, path, options.values['c'] ?? '  File: %n\n  Size: %s\t\tBlocks: %b\nAccess: (%a/%A)  Uid: (%u/%U)   Gid: (%g/%G)\nModify: %y')}\n`,
      );
  }
  return status;
});

const readlink: Program = simply((frame, args) => {
  const options = parseOptions(frame, 'readlink', args, { flags: 'f e m n canonicalize=f' });
  const [path = ''] = options?.rest ?? [];
  if (options === null) return 1;
  if (options.flags.has('f') || options.flags.has('e') || options.flags.has('m')) {
    const real = frame.machine.files.resolve(at(frame, path));
    if (!options.flags.has('m') && frame.machine.files.find(options.flags.has('e') ? real : parentOf(real)) === null)
      return 1;
    out(frame, `${real}\n`);
    return 0;
  }
  const node = look(frame, path, false);
  if (node?.kind !== 'link') return 1;
  out(frame, `${node.target}\n`);
  return 0;
});

const sha256sum: Program = function* program(frame, args) {
  const options = parseOptions(frame, 'sha256sum', args, { flags: 'b t c check=c status quiet strict z' });
  if (options === null) return 1;
  const { flags, rest } = options;
  const { files, host } = frame.machine;
  const hash = (path: string): string => files.sha256(at(frame, path), frame);
  if (flags.has('c')) {
    const [list = '-'] = rest;
    const text = list === '-' ? yield* readAll(frame) : files.read(at(frame, list), frame);
    let bad = 0;
    for (const entry of text.split('\n').filter((each) => each !== '')) {
      const match = /^([0-9a-f]{64}) [ *](.+)$/.exec(entry);
      const good = match?.[2] !== undefined && look(frame, match[2]) !== null && hash(match[2]) === match[1];
      if (!flags.has('status') && !(good && flags.has('quiet')))
        out(frame, `${match?.[2] ?? entry}: ${good ? 'OK' : 'FAILED'}\n`);
      if (!good) bad += 1;
    }
    if (bad > 0 && !flags.has('status'))
      complain(frame, `sha256sum: WARNING: ${bad} computed checksum${bad === 1 ? '' : 's'} did NOT match\n`);
    return bad > 0 ? 1 : 0;
  }
  let good = true;
  for (const path of rest.length === 0 ? ['-'] : rest) {
    const node = path === '-' ? null : look(frame, path);
    // A modern CPU hashes about 1.5 GB a second.
    if (node !== null && host !== null) yield { untilMs: frame.rack.nowMs() + Math.ceil(files.size(node) / 1_500_000) };
    good =
      attempt(frame, `sha256sum: ${path}`, () => {
        if (node?.kind === 'dir') throw new FileError('EISDIR');
        out(frame, `${hash(path)}  ${path}\n`);
      }) && good;
  }
  return good ? 0 : 1;
};

const find: Program = simply((frame, args) => {
  const { files } = frame.machine;
  const value = (name: string): string | undefined => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
  const paths = args.slice(
    0,
    args.findIndex((arg) => arg.startsWith('-')) === -1 ? args.length : args.findIndex((arg) => arg.startsWith('-')),
  );
  const maxDepth = Number(value('-maxdepth') ?? '99');
  const minDepth = Number(value('-mindepth') ?? '0');
  const name = value('-name');
  const pattern = name === undefined ? null : patternToRegExp(name, true);
  const type = value('-type');
  let status = 0;
  const visit = (path: string, depth: number): void => {
    const node = files.find(path, false);
    if (node === null) return;
    const kind = node.kind === 'dir' ? 'd' : node.kind === 'link' ? 'l' : 'f';
    const shown =
      depth >= minDepth && (pattern === null || pattern.test(nameOf(path))) && (type === undefined || type === kind);
    if (node.kind === 'dir' && depth < maxDepth)
      for (const child of files.list(path)) visit(`${path === '/' ? '' : path}/${child}`, depth + 1);
    if (!shown) return;
    if (args.includes('-delete')) attempt(frame, `find: cannot delete '${path}'`, () => files.remove(path, frame));
    else out(frame, `${path}\n`);
  };
  for (const path of paths.length === 0 ? ['.'] : paths) {
    if (look(frame, path) === null) {
      complain(frame, `find: '${path}': No such file or directory\n`);
      status = 1;
    } else visit(at(frame, path), 0);
  }
  return status;
});

const du: Program = simply((frame, args) => {
  const paths = args.filter((arg) => !arg.startsWith('-'));
  for (const path of paths) {
    const node = look(frame, path);
    if (node === null) continue;
    const bytes = frame.machine.files.size(node);
    out(frame, `${args.some((arg) => arg.includes('b')) ? bytes : Math.ceil(bytes / 1024)}\t${path}\n`);
  }
  return 0;
});

/** Name -> program. */
export const lookTools: Record<string, Program> = {
  cat,
  ls,
  stat,
  readlink,
  realpath: simply((frame, args) => {
    const [path = ''] = args.filter((arg) => !arg.startsWith('-'));
    out(frame, `${frame.machine.files.resolve(at(frame, path))}\n`);
    return 0;
  }),
  basename: simply((frame, [path = '', suffix = '']) => {
    const name = nameOf(normalize(path));
    out(frame, `${suffix !== '' && name.endsWith(suffix) && name !== suffix ? name.slice(0, -suffix.length) : name}\n`);
    return 0;
  }),
  dirname: simply((frame, [path = '']) => {
    const trimmed = path.replace(/(.)\/+$/, '$1');
    out(frame, `${trimmed.includes('/') ? parentOf(trimmed) : '.'}\n`);
    return 0;
  }),
  sha256sum,
  find,
  du,
};
