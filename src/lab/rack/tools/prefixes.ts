/**
 * Programs that run other programs: sudo, env, printenv, timeout, nohup, setsid, sh, nice, stdbuf, which.
 *
 * Source: sudo 1.9.9, coreutils 8.32 and util-linux 2.37 messages and exit codes.
 */
import { findFault, useFault } from '../faults.ts';
import { FileError } from '../files/nodes.ts';
import { complain, nothing, out, readAll } from '../shell/descriptors.ts';
import { runShell } from '../shell/interpret.ts';
import { waitFor } from '../shell/subshells.ts';
import { isInstalled, locationOf, runProgram, simply } from '../shell/programs.ts';
import { signalName, statusOf } from '../shell/signals.ts';
import type { Frame, Process, Program, Steps } from '../shell/types.ts';
import { at } from './file-tools.ts';
import { parseOptions } from './options.ts';
import { durationMs } from './text-filters.ts';

const sudoUsage = 'usage: sudo -h | -K | -k | -V\n';

/** Variables sudo lets through. Source: sudoers(5) env_keep and env_reset of Ubuntu. */
const kept = new Set(['LANG', 'LC_ALL', 'TERM', 'PATH', 'DEBIAN_FRONTEND', 'http_proxy', 'https_proxy', 'no_proxy']);

const sudo: Program = function* program(frame, args) {
  let index = 0;
  const set: Record<string, string> = {};
  let user = 'root';
  for (; index < args.length; index += 1) {
    const option = args[index] ?? '';
    const assignment = /^([A-Za-z_]\w*)=(.*)$/s.exec(option);
    if (assignment?.[1] !== undefined) {
      set[assignment[1]] = assignment[2] ?? '';
      continue;
    }
    if (option === '--') {
      index += 1;
      break;
    }
    if (!option.startsWith('-')) break;
    if (option === '-u' || option === '-p') {
      index += 1;
      if (option === '-u') user = args[index] ?? 'root';
    } else if (
      !['-n', '--non-interactive', '-H', '-E', '-S', '-b', '-k', '-i', '-s', '-v', '-l'].includes(option) &&
      !option.startsWith('--preserve-env')
    ) {
      complain(frame, `sudo: invalid option -- '${option.replace(/^-+/, '').charAt(0)}'\n${sudoUsage}`);
      return 1;
    }
  }
  const rest = args.slice(index);
  const { machine, rack } = frame;
  const names = machine.host === null ? [] : [machine.host.name];
  if (!frame.root && findFault(rack.state.faults, 'sudo-password', names) !== undefined) {
    useFault(rack.state.faults, 'sudo-password', names);
    complain(frame, 'sudo: a password is required\n');
    return 1;
  }
  if (rest.length === 0) {
    if (args.includes('-v')) return 0;
    complain(frame, `${sudoUsage}usage: sudo [-ABbEHnPS] [VAR=value] [command]\n`);
    return 1;
  }
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(frame.env)) if (kept.has(name) || args.includes('-E')) env[name] = value;
  const asRoot = user === 'root';
  Object.assign(env, set, {
    HOME: asRoot ? '/root' : `/home/${user}`,
    USER: user,
    LOGNAME: user,
    SUDO_USER: frame.user,
    SUDO_UID: frame.user === 'root' ? '0' : '1000',
    SUDO_GID: frame.user === 'root' ? '0' : '1000',
    SUDO_COMMAND: rest.join(' '),
  });
  let known = true;
  const status = yield* runProgram({ ...frame, root: asRoot, user, env }, rest, (word) => {
    known = false;
    complain(frame, `sudo: ${word}: command not found\n`);
  });
  return known ? status : 1;
};

const env: Program = function* program(frame, args) {
  let values = { ...frame.env };
  let index = 0;
  for (; index < args.length; index += 1) {
    const word = args[index] ?? '';
    if (word === '--') {
      index += 1;
      break;
    }
    const match = /^(\w+)=(.*)$/s.exec(word);
    if (match !== null) values[match[1] ?? ''] = match[2] ?? '';
    else if (word === '-i' || word === '-') values = {};
    else if (word === '-u') {
      index += 1;
      delete values[args[index] ?? ''];
    } else if (word.startsWith('-')) {
      complain(frame, `env: invalid option -- '${word.charAt(1)}'\nTry 'env --help' for more information.\n`);
      return 125;
    } else break;
  }
  const rest = args.slice(index);
  if (rest.length > 0) {
    return yield* runProgram({ ...frame, env: values }, rest, (word, reason) =>
      complain(frame, `env: '${word}': ${reason === 'not found' ? 'No such file or directory' : reason}\n`),
    );
  }
  for (const [name, value] of Object.entries(values)) out(frame, `${name}=${value}\n`);
  return 0;
};

const printenv: Program = simply((frame, args) => {
  const options = parseOptions(frame, 'printenv', args, { flags: '0 null=0', stopsAtOperand: true });
  if (options === null) return 2;
  const end = options.flags.has('0') ? '\0' : '\n';
  const { env } = frame;
  if (options.rest.length === 0)
    out(
      frame,
      Object.entries(env)
        .map(([name, value]) => `${name}=${value}${end}`)
        .join(''),
    );
  const found = options.rest.filter((name) => Object.hasOwn(env, name));
  for (const name of found) out(frame, `${env[name] ?? ''}${end}`);
  return found.length === options.rest.length ? 0 : 1;
});

/** Run argv as a child process of its own. */
function child(frame: Frame, argv: string[], run: (inner: Frame) => Steps<number>, detached = false): Process {
  return frame.rack.scheduler.start(
    {
      machine: frame.machine,
      argv,
      user: frame.user,
      parent: frame.process,
      detached,
      descriptors: () => [...frame.descriptors.values()],
    },
    (process) => run({ ...frame, process }),
  );
}

const timeout: Program = function* program(frame, args) {
  let index = 0;
  let signal = 'TERM';
  let preserves = false;
  for (; (args[index] ?? '').startsWith('-'); index += 1) {
    const option = args[index] ?? '';
    if (option === '-k' || option === '-s') {
      index += 1;
      if (option === '-s') signal = signalName(args[index] ?? '') ?? 'TERM';
    } else if (option.startsWith('--signal=')) signal = signalName(option.slice(9)) ?? 'TERM';
    else if (option === '--preserve-status') preserves = true;
    else if (option !== '--foreground' && option !== '-v' && !option.startsWith('--kill-after=')) {
      complain(
        frame,
        `timeout: ${option.startsWith('--') ? `unrecognized option '${option}'` : `invalid option -- '${option.charAt(1)}'`}\nTry 'timeout --help' for more information.\n`,
      );
      return 125;
    }
  }
  const [duration = '', ...argv] = args.slice(index);
  const limitMs = durationMs(duration);
  if (argv.length === 0) {
    complain(frame, "timeout: missing operand\nTry 'timeout --help' for more information.\n");
    return 125;
  }
  if (limitMs === null) {
    complain(frame, `timeout: invalid time interval '${duration}'\nTry 'timeout --help' for more information.\n`);
    return 125;
  }
  const running = child(frame, argv, (inner) =>
    runProgram(inner, argv, (word) =>
      complain(frame, `timeout: failed to run command '${word}': No such file or directory\n`),
    ),
  );
  const atMs = frame.rack.nowMs() + limitMs;
  try {
    yield { ready: () => running.exitCode !== null, ...(limitMs > 0 && { untilMs: atMs }) };
    if (running.exitCode !== null) return statusOf(running);
    frame.rack.scheduler.kill(running, signal);
    // A process that traps the signal gets a moment, then it is over.
    yield { ready: () => running.exitCode !== null, untilMs: frame.rack.nowMs() + 5000 };
    frame.rack.scheduler.kill(running, 'KILL');
    return preserves ? statusOf(running) : signal === 'KILL' ? 137 : 124;
  } finally {
    frame.rack.scheduler.kill(running, 'TERM');
  }
};

function passing(name: string, skip: (args: string[]) => string[]): Program {
  return (frame, args) =>
    runProgram(frame, skip(args), (word) =>
      complain(frame, `${name}: failed to run command '${word}': No such file or directory\n`),
    );
}

const nohup: Program = function* program(frame, args) {
  frame.process.ignored.add('HUP');
  const descriptors = new Map(frame.descriptors);
  if (descriptors.get(0)?.tty === true) descriptors.set(0, nothing);
  return yield* runProgram({ ...frame, descriptors }, args, (word) =>
    complain(frame, `nohup: failed to run command '${word}': No such file or directory\n`),
  );
};

const setsid: Program = function* program(frame, args) {
  const options = args.filter(
    (arg, index) => arg.startsWith('-') && index < args.findIndex((each) => !each.startsWith('-')),
  );
  const argv = args.slice(options.length);
  const missing = (word: string): void =>
    complain(frame, `setsid: failed to execute ${word}: No such file or directory\n`);
  const { process } = frame;
  const isLeader = process.group === process.pid;
  if (!isLeader && !options.some((option) => option.includes('f'))) {
    process.group = process.pid;
    process.session = process.pid;
    return yield* runProgram(frame, argv, missing);
  }
  // A group leader cannot start a session itself: setsid forks.
  const forked = child(frame, argv, (inner) => runProgram(inner, argv, missing), true);
  const waits = options.some((option) => option.includes('w'));
  return waits ? yield* waitFor(forked) : 0;
};

const sh: Program = function* program(frame, args) {
  let flags = '';
  let index = 0;
  for (; /^-[a-z-]/.test(args[index] ?? ''); index += 1) {
    const word = args[index] ?? '';
    if (word === '--') {
      index += 1;
      break;
    }
    if (word === '--norc' || word === '--noprofile') continue;
    flags += word.slice(1);
    if (word.endsWith('o')) index += 1;
  }
  const rest = args.slice(index);
  const kept = flags.replaceAll(/[^euxfa]/g, '');
  if (flags.includes('c')) {
    const [text = '', name = 'sh', ...more] = rest;
    return yield* runShell(frame, text, { name, args: more, flags: kept });
  }
  const [script, ...more] = rest;
  if (script === undefined || flags.includes('s')) {
    return yield* runShell(frame, yield* readAll(frame), { args: flags.includes('s') ? rest : more, flags: kept });
  }
  try {
    const text = frame.machine.files.read(at(frame, script), frame);
    return yield* runShell(frame, text.replace(/^#!.*\n/, '\n'), { name: script, args: more, flags: kept });
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    complain(frame, `sh: 0: cannot open ${script}: ${error.code === 'ENOENT' ? 'No such file' : error.message}\n`);
    return 2;
  }
};

const which: Program = simply((frame, args) => {
  const found = args.filter((name) => isInstalled(frame.machine, name));
  for (const name of found) out(frame, `${locationOf(name)}\n`);
  return args.length > 0 && found.length === args.length ? 0 : 1;
});

function withoutOptions(args: string[]): string[] {
  const index = args.findIndex((arg, at) => !arg.startsWith('-') && !/^-[nc]$/.test(args[at - 1] ?? ''));
  return index === -1 ? [] : args.slice(index);
}

/** Name -> program. */
export const prefixPrograms: Record<string, Program> = {
  sudo,
  env,
  printenv,
  timeout,
  nohup,
  setsid,
  sh,
  dash: sh,
  bash: sh,
  which,
  nice: passing('nice', withoutOptions),
  ionice: passing('ionice', withoutOptions),
  stdbuf: passing('stdbuf', withoutOptions),
};
