/**
 * coreutils that change files: mkdir, rm, mv, cp, install, ln, touch, chmod, chown, mktemp, tee, truncate, sync.
 *
 * Source: coreutils 8.32 behaviour and messages.
 */
import { FileError } from '../files/nodes.ts';
import type { FoundNode } from '../files/nodes.ts';
import { normalize, parentOf } from '../files/paths.ts';
import { complain, out, readSome } from '../shell/descriptors.ts';
import { simply } from '../shell/programs.ts';
import type { Frame, Program } from '../shell/types.ts';
import { parseOptions } from './options.ts';
import type { Options, OptionSpec } from './options.ts';

/** Do something with a file; a failed operation becomes a complaint and false. */
export function attempt(frame: Frame, prefix: string, run: () => void): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    complain(frame, `${prefix}: ${error.message}\n`);
    return false;
  }
}

/** A path argument as an absolute path. */
export function at(frame: Frame, path: string): string {
  if (!/(^|\/)\.\.(\/|$)/.test(path)) return normalize(path, frame.directory);
  // `..` leaves the directory a link leads to, not the one the link lies in.
  let current = path.startsWith('/') ? '/' : frame.directory;
  for (const part of path.split('/'))
    current = part === '..' ? parentOf(frame.machine.files.resolve(current)) : normalize(part, current);
  return current;
}

/** The node, or null when there is none or it cannot be reached. */
export function look(frame: Frame, path: string, follow = true): FoundNode | null {
  try {
    return frame.machine.files.get(at(frame, path), frame, follow);
  } catch (error) {
    if (error instanceof FileError) return null;
    throw error;
  }
}

/** A program that only looks: all its paths in one look. */
export function looking(run: (frame: Frame, args: string[]) => number): Program {
  return simply((frame, args) => frame.machine.files.look(() => run(frame, args)));
}

/** A tool with options that works on the paths it is given. */
export function tool(name: string, spec: OptionSpec, run: (frame: Frame, options: Options) => boolean): Program {
  return simply((frame, args) => {
    const options = parseOptions(frame, name, args, spec);
    if (options === null) return 1;
    if (options.rest.length > 0) return run(frame, options) ? 0 : 1;
    complain(frame, `${name}: missing operand\nTry '${name} --help' for more information.\n`);
    return 1;
  });
}

/** A mode in numbers or letters; null when it is none. */
export function modeOf(text: string, before: number): number | null {
  if (/^[0-7]{1,4}$/.test(text)) return Number.parseInt(text, 8);
  let mode = before;
  for (const clause of text.split(',')) {
    const match = /^([ugoa]*)([-+=])([rwxXst]*)$/.exec(clause);
    if (match === null) return null;
    const [, who = '', sign, permissions = ''] = match;
    const bits =
      (permissions.includes('r') ? 4 : 0) | (permissions.includes('w') ? 2 : 0) | (/[xX]/.test(permissions) ? 1 : 0);
    const shifts = (who === '' || who.includes('a') ? 'ugo' : who)
      .split('')
      .map((letter) => ({ u: 6, g: 3, o: 0 })[letter] ?? 0);
    for (const shift of shifts) {
      if (sign === '=') mode &= ~(7 << shift);
      if (sign === '-') mode &= ~(bits << shift);
      else mode |= bits << shift;
    }
  }
  return mode;
}

const mkdir = tool('mkdir', { flags: 'p parents=p v', values: 'm mode=m' }, (frame, { flags, values, rest }) => {
  const mode = values['m'] === undefined ? 0o777 & ~frame.umask : (modeOf(values['m'], 0o777) ?? 0o755);
  const { files } = frame.machine;
  return rest
    .map((path) =>
      attempt(frame, `mkdir: cannot create directory '${path}'`, () => {
        if (flags.has('p')) {
          const parts = at(frame, path).split('/').slice(1);
          parts.forEach((_part, index) => {
            const place = `/${parts.slice(0, index + 1).join('/')}`;
            const last = index === parts.length - 1;
            const node = files.find(place);
            if (node === null) files.makeDirectory(place, frame, last ? mode : 0o755);
            else if (node.kind !== 'dir') throw new FileError(last ? 'EEXIST' : 'ENOTDIR');
          });
        } else files.makeDirectory(at(frame, path), frame, mode);
      }),
    )
    .every(Boolean);
});

function removeTree(frame: Frame, path: string): void {
  const { files } = frame.machine;
  if (files.find(path, false)?.kind === 'dir')
    for (const name of files.list(path)) removeTree(frame, `${path}/${name}`);
  files.remove(path, frame);
}

const rm = simply((frame, args) => {
  const options = parseOptions(frame, 'rm', args, { flags: 'r R=r recursive=r f force=f d v' });
  if (options === null) return 1;
  const { flags, rest } = options;
  if (rest.length === 0 && !flags.has('f')) {
    complain(frame, "rm: missing operand\nTry 'rm --help' for more information.\n");
    return 1;
  }
  const done = rest.map((path) => {
    const node = look(frame, path, false);
    if (node === null && flags.has('f')) return true;
    if (node?.kind === 'dir' && !flags.has('r')) {
      complain(frame, `rm: cannot remove '${path}': Is a directory\n`);
      return false;
    }
    return attempt(frame, `rm: cannot remove '${path}'`, () => removeTree(frame, at(frame, path)));
  });
  return done.every(Boolean) ? 0 : 1;
});

const rmdir = tool('rmdir', { flags: 'p ignore-fail-on-non-empty' }, (frame, { rest }) =>
  rest
    .map((path) => {
      const node = look(frame, path, false);
      return attempt(frame, `rmdir: failed to remove '${path}'`, () => {
        if (node !== null && node.kind !== 'dir') throw new FileError('ENOTDIR');
        frame.machine.files.remove(at(frame, path), frame);
      });
    })
    .every(Boolean),
);

const touch = tool('touch', { flags: 'a m c', values: 'd r t' }, (frame, { flags, rest }) =>
  rest
    .map((path) =>
      attempt(frame, `touch: cannot touch '${path}'`, () => {
        const { files } = frame.machine;
        if (look(frame, path) === null) {
          if (!flags.has('c')) files.write(at(frame, path), '', frame, { mode: 0o666 & ~frame.umask });
        } else files.change(at(frame, path), frame, { modifiedAtMs: frame.rack.nowMs() });
      }),
    )
    .every(Boolean),
);

function everyPath(frame: Frame, path: string, recursive: boolean): string[] {
  const { files } = frame.machine;
  if (!recursive || files.find(path)?.kind !== 'dir') return [path];
  return [path, ...files.list(path).flatMap((name) => everyPath(frame, `${path}/${name}`, true))];
}

const chmod = simply((frame, args) => {
  const recursive = args[0] === '-R';
  const [mode = '', ...paths] = recursive ? args.slice(1) : args.filter((arg) => arg !== '--');
  if (modeOf(mode, 0) === null) {
    complain(frame, `chmod: invalid mode: '${mode}'\nTry 'chmod --help' for more information.\n`);
    return 1;
  }
  const done = paths.map((path) =>
    attempt(frame, `chmod: changing permissions of '${path}'`, () => {
      for (const each of everyPath(frame, at(frame, path), recursive)) {
        frame.machine.files.change(each, frame, { mode: modeOf(mode, frame.machine.files.get(each, frame).mode) ?? 0 });
      }
    }),
  );
  return done.every(Boolean) ? 0 : 1;
});

const userNames: Record<string, string> = { '0': 'root', '1000': 'ubuntu' };

const chown = simply((frame, args) => {
  const options = parseOptions(frame, 'chown', args, { flags: 'R recursive=R h v f' });
  if (options === null) return 1;
  const [who = '', ...paths] = options.rest;
  const [owner = '', group] = who
    .split(':')
    .map((name) => (name === '1000' ? (frame.machine.host?.hardware.user ?? 'ubuntu') : (userNames[name] ?? name)));
  const done = paths.map((path) =>
    attempt(frame, `chown: changing ownership of '${path}'`, () => {
      for (const each of everyPath(frame, at(frame, path), options.flags.has('R'))) {
        frame.machine.files.change(each, frame, {
          ...(owner !== '' && { owner }),
          ...(group !== undefined && { group: group === '' ? owner : group }),
        });
      }
    }),
  );
  return done.every(Boolean) ? 0 : 1;
});

const mktemp = simply((frame, args) => {
  const options = parseOptions(frame, 'mktemp', args, { flags: 'd directory=d q t u', values: 'p tmpdir=p suffix' });
  if (options === null) return 1;
  const [template = 'tmp.XXXXXXXXXX'] = options.rest;
  const base = options.values['p'] ?? frame.env['TMPDIR'] ?? '/tmp';
  const placed = template.includes('/')
    ? at(frame, template)
    : options.rest.length > 0 && options.values['p'] === undefined && !options.flags.has('t')
      ? at(frame, template)
      : `${base}/${template}`;
  const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
  let seed = frame.rack.nowMs() + frame.process.pid * 7919;
  const { files } = frame.machine;
  let path: string;
  do {
    path = placed.replace(/X{3,}/, (marks) =>
      marks
        .split('')
        .map(() => letters[(seed = (seed * 48271 + 11) % 2_147_483_647) % letters.length] ?? 'x')
        .join(''),
    );
  } while (files.find(path) !== null);
  const made = attempt(
    frame,
    `mktemp: failed to create ${options.flags.has('d') ? 'directory' : 'file'} via template '${template}'`,
    () => {
      if (options.flags.has('d')) files.makeDirectory(path, frame, 0o700);
      else files.write(path, '', frame, { mode: 0o600 });
    },
  );
  if (made) out(frame, `${path}\n`);
  return made ? 0 : 1;
});

const tee: Program = function* program(frame, args) {
  const append = args.includes('-a') || args.includes('--append');
  const paths = args.filter((arg) => arg === '-' || !arg.startsWith('-'));
  let good = true;
  const write = (path: string, text: string, appending: boolean): boolean =>
    path === '/dev/null' ||
    attempt(frame, `tee: ${path}`, () =>
      frame.machine.files.write(at(frame, path), text, frame, { append: appending, mode: 0o666 & ~frame.umask }),
    );
  const open = paths.filter((path) => {
    const node = look(frame, path);
    const opened = node?.kind === 'live' ? true : write(path, '', append);
    good &&= opened;
    return opened;
  });
  for (;;) {
    const text = yield* readSome(frame);
    if (text === null) return good ? 0 : 1;
    out(frame, text);
    for (const path of open) good = write(path, text, true) && good;
  }
};

const truncate = tool('truncate', { flags: 'c', values: 's size=s' }, (frame, { values, rest }) =>
  rest
    .map((path) =>
      attempt(frame, `truncate: cannot open '${path}' for writing`, () => {
        const size = Number(values['s'] ?? '0');
        const before = look(frame, path) === null ? '' : frame.machine.files.read(at(frame, path), frame);
        frame.machine.files.write(at(frame, path), before.slice(0, size).padEnd(size, '\0'), frame);
      }),
    )
    .every(Boolean),
);

/** Name -> program. */
export const fileTools: Record<string, Program> = {
  mkdir,
  rm,
  rmdir,
  unlink: rm,
  touch,
  chmod,
  chown,
  chgrp: simply(() => 0),
  mktemp,
  tee,
  truncate,
  sync: simply(() => 0),
};
