/** Programs that give others a terminal, a root directory or a lock: script, chroot, flock. Source: util-linux 2.37. */
import { normalize } from '../files/paths.ts';
import { complain, out } from '../shell/descriptors.ts';
import { runShell } from '../shell/interpret.ts';
import { runProgram } from '../shell/programs.ts';
import type { Descriptor, Program } from '../shell/types.ts';
import { at } from './file-tools.ts';

/** `script -qefc CMD FILE`: a terminal around a command. */
const script: Program = function* program(frame, args) {
  let command = '';
  let file = 'typescript';
  let quiet = false;
  let returns = false;
  for (let index = 0; index < args.length; index += 1) {
    const word = args[index] ?? '';
    const inline = /^--command=(.*)$/s.exec(word);
    if (inline !== null) command = inline[1] ?? '';
    else if (word === '--command' || /^-[qefa]*c$/.test(word)) {
      index += 1;
      command = args[index] ?? '';
    } else if (!word.startsWith('-')) file = word;
    quiet ||= /^-[efac]*q/.test(word) || word === '--quiet';
    returns ||= /^-[qfac]*e/.test(word) || word === '--return';
  }
  if (command === '') {
    complain(frame, 'script: a command is needed here\n');
    return 1;
  }
  const terminal: Descriptor = {
    read: () => frame.descriptors.get(0)?.read() ?? null,
    unread: (text) => frame.descriptors.get(0)?.unread(text),
    write: (text) => {
      const shown = text.replaceAll(/\r?\n/g, '\r\n');
      if (file !== '/dev/null') frame.machine.files.write(at(frame, file), shown, frame, { append: true });
      return frame.descriptors.get(1)?.write(shown) ?? null;
    },
    tty: true,
  };
  const descriptors = new Map([...frame.descriptors, ...[0, 1, 2].map((fd): [number, Descriptor] => [fd, terminal])]);
  if (!quiet) out(frame, `Script started, output log file is '${file}'.\n`);
  const status = yield* runShell({ ...frame, descriptors }, command);
  if (!quiet) out(frame, 'Script done.\n');
  return returns ? status : 0;
};

const chroot: Program = function* program(frame, args) {
  const [root = '/', ...argv] = args.filter((arg) => !arg.startsWith('--'));
  const mounted = frame.rack.chroot?.(frame.machine, normalize(root, frame.directory)) ?? null;
  if (!frame.root || mounted === null) {
    complain(
      frame,
      `chroot: cannot change root directory to '${root}': ${frame.root ? 'No such file or directory' : 'Operation not permitted'}\n`,
    );
    return 125;
  }
  return yield* runProgram({ ...frame, machine: mounted, directory: '/' }, argv, (word) =>
    complain(frame, `chroot: failed to run command '${word}': No such file or directory\n`),
  );
};

const flock: Program = function* program(frame, args) {
  const index = args.findIndex((arg) => !arg.startsWith('-') && Number.isNaN(Number(arg)));
  const [path = '', ...argv] = args.slice(index);
  const { files } = frame.machine;
  const lock = at(frame, path);
  const held = frame.rack.locks;
  const key = `${frame.machine.name}:${lock}`;
  if (files.find(lock) === null) files.write(lock, '', frame);
  if (held.has(key) && (args.includes('-n') || args.includes('--nonblock'))) return 1;
  yield { ready: () => !held.has(key) };
  held.add(key);
  try {
    const command = argv[0] === '-c' ? ['sh', '-c', ...argv.slice(1)] : argv;
    return yield* runProgram(frame, command, (word) =>
      complain(frame, `flock: failed to execute ${word}: No such file or directory\n`),
    );
  } finally {
    held.delete(key);
  }
};

/** Name -> program. */
export const surroundingPrograms: Record<string, Program> = { script, chroot, flock };
