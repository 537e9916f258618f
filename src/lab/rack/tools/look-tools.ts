/**
 * Tools that show files: cat, ls, stat, readlink, realpath, basename, dirname, sha256sum, du.
 *
 * Source: coreutils 8.32 and findutils 4.8 formats.
 */
import { FileError } from '../files/nodes.ts';
import type { FoundNode } from '../files/nodes.ts';
import { nameOf, normalize, parentOf } from '../files/paths.ts';
import { complain, openFile, out, readAll, readSome } from '../shell/descriptors.ts';
import { simply } from '../shell/programs.ts';
import type { Descriptor, Frame, Program, Steps } from '../shell/types.ts';
import { at, attempt, look, looking } from './file-tools.ts';
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
    const { files } = frame.machine;
    const descriptors = new Map(frame.descriptors);
    const open = (): Descriptor =>
      openFile(files, at(frame, path), frame, '<', (each) => frame.rack.openStream(frame.machine, each));
    const opened = attempt(frame, `cat: ${path}`, () => descriptors.set(0, files.look(open)));
    if (!opened) return false;
    inner = { ...frame, descriptors };
  }
  for (;;) {
    const text = yield* readSome(inner);
    if (text === null) return true;
    out(frame, text);
  }
}

const ls: Program = looking((frame, args) => {
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
    // Links on the command line are followed to directories only, and not when they are what is asked about.
    const follows = path.endsWith('/') || !(long || flags.has('d'));
    const node = look(frame, path, follows) ?? (path.endsWith('/') ? null : look(frame, path, false));
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

const stat: Program = looking((frame, args) => {
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

const readlink: Program = looking((frame, args) => {
  const options = parseOptions(frame, 'readlink', args, {
    flags:
      'f canonicalize=f e canonicalize-existing=e m canonicalize-missing=m n no-newline=n v verbose=v q quiet=q s silent=q z zero=z',
  });
  if (options === null) return 1;
  const { flags, rest } = options;
  const { files } = frame.machine;
  if (rest.length === 0) {
    complain(frame, "readlink: missing operand\nTry 'readlink --help' for more information.\n");
    return 1;
  }
  const real = (path: string): string | null => {
    if (path === '') return null;
    const resolved = files.resolve(at(frame, path));
    if (flags.has('m')) return resolved;
    return files.find(flags.has('e') ? resolved : parentOf(resolved)) === null ? null : resolved;
  };
  const target = (path: string): string | null => {
    const node = look(frame, path, false);
    return node?.kind === 'link' ? node.target : null;
  };
  const follows = flags.has('f') || flags.has('e') || flags.has('m');
  const end = flags.has('z') ? '\0' : flags.has('n') && rest.length === 1 ? '' : '\n';
  let status = 0;
  for (const path of rest) {
    const found = follows ? real(path) : target(path);
    if (found !== null) {
      out(frame, `${found}${end}`);
      continue;
    }
    status = 1;
    const reason = look(frame, path, false) === null ? 'No such file or directory' : 'Invalid argument';
    if (flags.has('v')) complain(frame, `readlink: ${path}: ${reason}\n`);
  }
  return status;
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
  realpath: looking((frame, args) => {
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
  du,
};
