/**
 * Finds and runs programs by name or path: the machine's own commands, scripts, and prefixes such as sudo.
 *
 * Source: execve(2) and dash's search rules.
 */
import { FileError, fromBytes, toBytes } from '../files/nodes.ts';
import { normalize } from '../files/paths.ts';
import { complain, out } from './descriptors.ts';
import { immediately } from './types.ts';
import type { Command, Frame, Machine, Program, Steps } from './types.ts';

const systemPrograms = new Set([
  'ip',
  'reboot',
  'rshim',
  'modprobe',
  'insmod',
  'rmmod',
  'lsmod',
  'modinfo',
  'ethtool',
  'shutdown',
  'poweroff',
  'tailscaled',
  'bfb-install',
  'dkms',
  'chronyd',
  'devlink',
  'bfrec',
  'swapon',
  'losetup',
  'chroot',
  'chpasswd',
  'swanctl',
  'sysctl',
  'mlnx_bf_configure',
]);

/** Where a command lies when asked by `which` or called by full path. */
export function locationOf(name: string): string {
  return systemPrograms.has(name) ? `/usr/sbin/${name}` : `/usr/bin/${name}`;
}

/** Is there a program of this name now? */
export function isInstalled(machine: Machine, name: string): boolean {
  const known = Object.hasOwn(machine.programs, name) || Object.hasOwn(machine.commands, name);
  return known && machine.installed(name);
}

/** Is there a program at this path of /bin, /sbin or their /usr twins? */
export function isProgramPath(machine: Machine, path: string): boolean {
  const match = /^(?:\/usr)?\/s?bin\/([^/]+)$/.exec(path);
  if (match?.[1] === undefined) return false;
  const [, name] = match;
  const usual = locationOf(name);
  return isInstalled(machine, name) && (path === usual || path === usual.replace('/usr', ''));
}

function* runCommand(frame: Frame, name: string, args: string[]): Steps<number> {
  frame.process.runs = { program: name, user: frame.user };
  const program = Object.hasOwn(frame.machine.programs, name) ? frame.machine.programs[name] : undefined;
  if (program !== undefined) return yield* program(frame, args);
  const command = frame.machine.commands[name];
  if (command === undefined) return 127;
  const { rack, machine, user, root, env } = frame;
  const result = command({ rack, machine, user, root, env, stdin: '' }, args.map(fromBytes));
  if (result.takesMs !== undefined && result.takesMs > 0) yield { untilMs: rack.nowMs() + result.takesMs };
  complain(frame, toBytes(result.stderr));
  out(frame, toBytes(result.stdout));
  return result.exitCode ?? 0;
}

type NotFound = (word: string, reason: string) => void;

function* runFile(frame: Frame, argv: string[], notFound: NotFound): Steps<number> {
  const [word = '', ...args] = argv;
  const path = normalize(word, frame.directory);
  const { files } = frame.machine;
  try {
    const node = files.get(path, frame);
    if (node.kind === 'dir' || (node.mode & 0o111) === 0) {
      notFound(word, 'Permission denied');
      return 126;
    }
    const special = frame.machine.programs[files.resolve(path)];
    if (special !== undefined) return yield* special(frame, args);
    if (node.kind === 'live') return yield* runCommand(frame, path.slice(path.lastIndexOf('/') + 1), args);
    const sh = frame.machine.programs['sh'];
    return sh === undefined ? 126 : yield* sh(frame, [path, ...args]);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    const missing = error.code === 'ENOENT' || error.code === 'ENOTDIR';
    notFound(word, missing ? 'not found' : error.message);
    return missing ? 127 : 126;
  }
}

/** Run argv as a program. `notFound` says so in the words of whoever called. */
export function* runProgram(frame: Frame, argv: string[], notFound: NotFound): Steps<number> {
  const [word = '', ...args] = argv;
  if (word.includes('/')) return yield* runFile(frame, argv, notFound);
  if (isInstalled(frame.machine, word)) return yield* runCommand(frame, word, args);
  for (const place of ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin']) {
    const node = frame.machine.files.find(`${place}/${word}`);
    if (word !== '' && node !== null && node.kind !== 'dir' && node.kind !== 'live') {
      return yield* runFile(frame, [`${place}/${word}`, ...args], notFound);
    }
  }
  notFound(word, 'not found');
  return 127;
}

/** A program out of a function that only looks at its arguments. */
export function simply(run: (frame: Frame, args: string[]) => number): Program {
  return (frame, args) => immediately(() => run(frame, args));
}

/** A program out of a command that answers at once. */
export function fromCommand(command: Command): Program {
  return simply((frame, args) => {
    const { rack, machine, user, root, env } = frame;
    const result = command({ rack, machine, user, root, env, stdin: '' }, args.map(fromBytes));
    complain(frame, toBytes(result.stderr));
    out(frame, toBytes(result.stdout));
    return result.exitCode ?? 0;
  });
}
