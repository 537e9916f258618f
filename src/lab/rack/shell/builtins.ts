/**
 * Built-in commands of the shell.
 *
 * Source: POSIX.1-2017 XCU 2.14; dash 0.5.11 messages.
 */
import { FileError } from '../files/nodes.ts';
import { normalize } from '../files/paths.ts';
import { kill, trap, wait } from './builtin-signals.ts';
import { out, readLine } from './descriptors.ts';
import { echoText, printfText } from './echo.ts';
import { isInstalled, locationOf, runProgram } from './programs.ts';
import { assign, environmentOf, fatal, shellComplaint } from './shell-state.ts';
import type { Shell } from './shell-state.ts';
import { ExitShell, Jump } from './signals.ts';
import { evaluateTest } from './test-command.ts';
import { immediately } from './types.ts';
import type { Steps } from './types.ts';

type Builtin = (shell: Shell, args: string[]) => Steps<number>;

function plain(run: (shell: Shell, args: string[]) => number): Builtin {
  return (shell, args) => immediately(() => run(shell, args));
}

function changeDirectory(shell: Shell, args: string[]): number {
  const [wanted = shell.variables['HOME'] ?? '/'] = args.filter((arg) => arg !== '--' && arg !== '-P');
  const path = normalize(wanted === '-' ? (shell.variables['OLDPWD'] ?? '/') : wanted, shell.frame.directory);
  if (shell.frame.machine.files.find(path)?.kind !== 'dir') {
    shellComplaint(shell, `cd: can't cd to ${wanted}`);
    return 2;
  }
  shell.variables['OLDPWD'] = shell.frame.directory;
  shell.frame.directory = path;
  shell.variables['PWD'] = path;
  return 0;
}

function exportNames(shell: Shell, args: string[], into: Set<string>): number {
  for (const arg of args.filter((each) => each !== '-p')) {
    const match = /^([A-Za-z_]\w*)(?:=(.*))?$/s.exec(arg);
    if (match?.[1] === undefined) fatal(shell, `export: ${arg}: bad variable name`);
    if (match[2] !== undefined) assign(shell, match[1], match[2]);
    into.add(match[1]);
  }
  if (args.length === 0)
    for (const [name, value] of Object.entries(environmentOf(shell))) out(shell.frame, `export ${name}='${value}'\n`);
  return 0;
}

const optionNames: Record<string, string> = {
  errexit: 'e',
  nounset: 'u',
  xtrace: 'x',
  noglob: 'f',
  allexport: 'a',
  monitor: 'm',
  noclobber: 'C',
};

function setOptions(shell: Shell, args: string[]): number {
  let at = 0;
  for (; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    if (arg === '--') {
      at += 1;
      break;
    }
    const match = /^([-+])([A-Za-z]+)$/.exec(arg);
    if (match?.[2] === undefined) break;
    const letters = match[2] === 'o' ? [optionNames[args[(at += 1)] ?? ''] ?? ''] : match[2].split('');
    if (letters.includes('')) fatal(shell, `set: Illegal option -o ${args[at] ?? ''}`);
    for (const letter of letters) {
      if (match[1] === '-') shell.options.add(letter);
      else shell.options.delete(letter);
    }
  }
  if (at < args.length || args[at - 1] === '--') shell.arguments = args.slice(at);
  return 0;
}

const read: Builtin = function* builtin(shell, args) {
  const raw = args.includes('-r');
  const names = args.filter((arg) => !arg.startsWith('-'));
  let text = '';
  let complete = false;
  for (;;) {
    const got = yield* readLine(shell.frame);
    if (got === null) break;
    text += got.line;
    ({ complete } = got);
    if (raw || !text.endsWith('\\') || !complete) break;
    text = text.slice(0, -1);
  }
  const separators = shell.variables['IFS'] ?? ' \t\n';
  let rest = separators.includes(' ') ? text.trim() : text;
  for (const [index, name] of (names.length === 0 ? ['REPLY'] : names).entries()) {
    if (index >= names.length - 1) {
      assign(shell, name, rest);
      break;
    }
    const at = rest.split('').findIndex((char) => separators.includes(char));
    assign(shell, name, at === -1 ? rest : rest.slice(0, at));
    rest = at === -1 ? '' : rest.slice(at + 1);
    if (separators.includes(' ')) rest = rest.trimStart();
  }
  return complete ? 0 : 1;
};

const command: Builtin = function* builtin(shell, args) {
  const [first = ''] = args;
  if (first !== '-v' && first !== '-V') {
    const argv = first === '-p' ? args.slice(1) : args;
    const builtin = Object.hasOwn(builtins, argv[0] ?? '') ? builtins[argv[0] ?? ''] : undefined;
    if (builtin !== undefined) return yield* builtin(shell, argv.slice(1));
    return yield* runProgram({ ...shell.frame, env: environmentOf(shell) }, argv, (word, reason) =>
      shellComplaint(shell, `${word}: ${reason}`),
    );
  }
  const [, name = ''] = args;
  const found = whereIs(shell, name);
  if (found === null) return 127;
  out(shell.frame, `${found}\n`);
  return 0;
};

function whereIs(shell: Shell, name: string): string | null {
  if (Object.hasOwn(builtins, name) || Object.hasOwn(shell.functions, name)) return name;
  if (name.includes('/')) return shell.frame.machine.files.find(name) === null ? null : name;
  if (isInstalled(shell.frame.machine, name)) return locationOf(name);
  for (const place of ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin']) {
    if (shell.frame.machine.files.find(`${place}/${name}`) !== null) return `${place}/${name}`;
  }
  return null;
}

const dot: Builtin = function* builtin(shell, args) {
  const [name = ''] = args;
  try {
    const text = shell.frame.machine.files.read(normalize(name, shell.frame.directory), shell.frame);
    return yield* shell.runText(shell, text);
  } catch (error) {
    if (error instanceof Jump && error.kind === 'return') return error.status;
    if (!(error instanceof FileError)) throw error;
    return fatal(shell, `.: cannot open ${name}: ${error.code === 'ENOENT' ? 'No such file' : error.message}`);
  }
};

const test: Builtin = plain((shell, args) => {
  const result = evaluateTest(shell.frame, args);
  if (typeof result === 'boolean') return result ? 0 : 1;
  shellComplaint(shell, `test: ${result}`);
  return 2;
});

function jump(kind: 'break' | 'continue'): Builtin {
  return plain((_shell, args) => {
    throw new Jump(kind, Number(args[0] ?? '1'));
  });
}

const status = (shell: Shell, args: string[]): number => (args[0] === undefined ? shell.status : Number(args[0]) & 255);

/** Name -> built-in. */
export const builtins: Record<string, Builtin> = {
  ':': plain(() => 0),
  true: plain(() => 0),
  false: plain(() => 1),
  '.': dot,
  cd: plain(changeDirectory),
  pwd: plain((shell) => {
    out(shell.frame, `${shell.frame.directory}\n`);
    return 0;
  }),
  echo: plain((shell, args) => {
    if (out(shell.frame, echoText(args))) return 0;
    shellComplaint(shell, 'echo: echo: I/O error');
    return 1;
  }),
  printf: plain((shell, args) => {
    const made = printfText(args);
    if ('problem' in made) {
      shellComplaint(shell, `printf: ${made.problem}`);
      return 2;
    }
    if (out(shell.frame, made.text)) return 0;
    shellComplaint(shell, 'printf: printf: I/O error');
    return 1;
  }),
  test,
  '[': function* builtin(shell, args) {
    if (args.at(-1) === ']') return yield* test(shell, args.slice(0, -1));
    shellComplaint(shell, '[: missing ]');
    return 2;
  },
  read,
  wait,
  kill: plain(kill),
  trap: plain(trap),
  command,
  type: plain((shell, [name = '']) => {
    const found = whereIs(shell, name);
    if (found === null) out(shell.frame, `${name}: not found\n`);
    else out(shell.frame, `${name} is ${found}\n`);
    return found === null ? 127 : 0;
  }),
  eval: (shell, args) => shell.runText(shell, args.join(' ')),
  exec: function* builtin(shell, args) {
    throw new ExitShell(
      yield* runProgram({ ...shell.frame, env: environmentOf(shell) }, args, (word, reason) =>
        shellComplaint(shell, `exec: ${word}: ${reason}`),
      ),
    );
  },
  exit: plain((shell, args) => {
    throw new ExitShell(status(shell, args));
  }),
  return: plain((shell, args) => {
    throw new Jump('return', 1, status(shell, args));
  }),
  break: jump('break'),
  continue: jump('continue'),
  export: plain((shell, args) => exportNames(shell, args, shell.exported)),
  readonly: plain((shell, args) => exportNames(shell, args, shell.readonly)),
  unset: plain((shell, args) => {
    for (const name of args.filter((arg) => !arg.startsWith('-'))) {
      if (args.includes('-f')) delete shell.functions[name];
      else delete shell.variables[name];
    }
    return 0;
  }),
  local: plain((shell, args) => {
    for (const arg of args) {
      const [name = '', ...value] = arg.split('=');
      const frame = shell.locals.at(-1);
      if (frame !== undefined && !Object.hasOwn(frame, name)) frame[name] = shell.variables[name];
      if (value.length > 0) assign(shell, name, value.join('='));
    }
    return 0;
  }),
  set: plain(setOptions),
  shift: plain((shell, args) => {
    const count = Number(args[0] ?? '1');
    if (count > shell.arguments.length) fatal(shell, "shift: can't shift that many");
    shell.arguments = shell.arguments.slice(count);
    return 0;
  }),
  umask: plain((shell, args) => {
    if (args[0] === undefined) out(shell.frame, `${shell.frame.umask.toString(8).padStart(4, '0')}\n`);
    else shell.frame.umask = Number.parseInt(args[0], 8);
    return 0;
  }),
  ulimit: plain(() => 0),
  hash: plain(() => 0),
};
