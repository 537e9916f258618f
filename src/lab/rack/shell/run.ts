/**
 * Runs one command line on a pretend machine: words, file name patterns, prefixes (sudo, env, timeout), dispatch.
 *
 * Source: sudo 1.9, coreutils 8.32 and dash messages.
 */
import { findFault, useFault } from '../faults.ts';
import { failed, invalidOption, ok } from './types.ts';
import type { Command, CommandContext, ExecResult, Machine } from './types.ts';
import { patternToRegExp, splitWords } from './words.ts';
import type { Word } from './words.ts';

/** Where commands lie when asked by `which` or called by full path. */
function locationOf(name: string): string {
  if (['lspci', 'ip', 'reboot', 'mst'].includes(name))
    return name === 'lspci' || name === 'mst' ? `/usr/bin/${name}` : `/usr/sbin/${name}`;
  return name === 'rshim' ? '/usr/sbin/rshim' : `/usr/bin/${name}`;
}

const prefixes = ['sudo', 'env', 'timeout'];
const builtins = ['true', 'false', 'command', 'exit'];

function isKnown(machine: Machine, name: string): boolean {
  return Object.hasOwn(machine.commands, name) || prefixes.includes(name);
}

/** The command a word names, by bare name or full path. */
function baseName(machine: Machine, word: string): string | null {
  if (!word.includes('/')) return word;
  const name = word.slice(word.lastIndexOf('/') + 1);
  const places = [locationOf(name), `/bin/${name}`, `/sbin/${name}`, `/usr/sbin/${name}`];
  return isKnown(machine, name) && places.includes(word) ? name : null;
}

function expandPatterns(machine: Machine, words: Word[]): string[] {
  return words.flatMap((word) => {
    if (!word.pattern) return [word.text];
    const pattern = patternToRegExp(word.text);
    const found = new Set<string>();
    for (const path of machine.files().keys()) {
      const parts = path.split('/');
      for (let count = 2; count <= parts.length; count += 1) {
        const prefix = parts.slice(0, count).join('/');
        if (pattern.test(prefix)) found.add(prefix);
      }
    }
    return found.size === 0 ? [word.text] : [...found].sort();
  });
}

function runSudo(context: CommandContext, args: string[]): ExecResult {
  let at = 0;
  while (at < args.length) {
    const option = args[at] ?? '';
    if (option === '--') {
      at += 1;
      break;
    }
    if (!option.startsWith('-')) break;
    if (option === '-u' && args[at + 1] === 'root') at += 1;
    else if (option !== '-n' && option !== '--non-interactive' && option !== '-H') {
      return failed(
        1,
        `sudo: invalid option -- '${option.replace(/^-+/, '').charAt(0)}'\nusage: sudo -h | -K | -k | -V\n`,
      );
    }
    at += 1;
  }
  const rest = args.slice(at);
  if (rest.length === 0)
    return failed(1, 'usage: sudo -h | -K | -k | -V\nusage: sudo [-ABbEHnPS] [VAR=value] [command]\n');
  const names = context.machine.host === null ? [] : [context.machine.host.name];
  if (findFault(context.rack.state.faults, 'sudo-password', names) !== undefined) {
    useFault(context.rack.state.faults, 'sudo-password', names);
    return failed(1, 'sudo: a password is required\n');
  }
  return runArgv({ ...context, root: true, user: 'root' }, rest, (name) =>
    failed(1, `sudo: ${name}: command not found\n`),
  );
}

function runEnv(context: CommandContext, args: string[]): ExecResult {
  const env = { ...context.env };
  let at = 0;
  for (; at < args.length; at += 1) {
    const word = args[at] ?? '';
    const match = /^(\w+)=(.*)$/s.exec(word);
    if (match === null) {
      if (word.startsWith('-')) return invalidOption('env', word, 125);
      break;
    }
    env[match[1] ?? ''] = match[2] ?? '';
  }
  const rest = args.slice(at);
  if (rest.length === 0)
    return ok(
      Object.entries(env)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    );
  return runArgv({ ...context, env }, rest, (name) => failed(127, `env: '${name}': No such file or directory\n`));
}

const unitMs: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, '': 1000 };

function runTimeout(context: CommandContext, args: string[]): ExecResult {
  let at = 0;
  let killed = false;
  for (; (args[at] ?? '').startsWith('-'); at += 1) {
    const option = args[at] ?? '';
    if (option === '-k' || option === '-s') {
      killed ||= args[at + 1] === 'KILL';
      at += 1;
    } else if (option !== '--foreground' && !/^--(kill-after|signal)=/.test(option)) {
      return invalidOption('timeout', option, 125);
    }
  }
  const duration = args[at] ?? '';
  const match = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(duration);
  const rest = args.slice(at + 1);
  if (rest.length === 0) return failed(125, "timeout: missing operand\nTry 'timeout --help' for more information.\n");
  if (match === null) {
    return failed(125, `timeout: invalid time interval '${duration}'\nTry 'timeout --help' for more information.\n`);
  }
  const limitMs = Number(match[1]) * (unitMs[match[2] ?? ''] ?? 1000);
  const result = runArgv(context, rest, (name) =>
    failed(127, `timeout: failed to run command '${name}': No such file or directory\n`),
  );
  if (limitMs === 0 || (result.takesMs ?? 0) <= limitMs) return result;
  return { stdout: '', stderr: '', exitCode: killed ? 137 : 124, takesMs: limitMs };
}

function runCommandBuiltin(context: CommandContext, args: string[]): ExecResult {
  if (args[0] !== '-v') {
    return runArgv(context, args, (name) => failed(127, `sh: 1: ${name}: not found\n`));
  }
  const [, name = ''] = args;
  if (builtins.includes(name)) return ok(`${name}\n`);
  return isKnown(context.machine, name) ? ok(`${locationOf(name)}\n`) : failed(127, '');
}

const which: Command = ({ machine }, args) => {
  const found = args.filter((name) => isKnown(machine, name));
  const stdout = found.map((name) => `${locationOf(name)}\n`).join('');
  return { stdout, stderr: '', exitCode: args.length > 0 && found.length === args.length ? 0 : 1 };
};

type NotFound = (name: string) => ExecResult;

function runArgv(context: CommandContext, argv: string[], notFound: NotFound): ExecResult {
  const [word = '', ...args] = argv;
  const name = baseName(context.machine, word);
  if (name === null) return notFound(word);
  if (name === 'sudo') return runSudo(context, args);
  if (name === 'env') return runEnv(context, args);
  if (name === 'timeout') return runTimeout(context, args);
  if (name === 'true') return ok();
  if (name === 'false') return failed(1, '');
  if (name === 'which') return which(context, args);
  const command = Object.hasOwn(context.machine.commands, name) ? context.machine.commands[name] : undefined;
  return command === undefined ? notFound(word) : command(context, args);
}

/** Run a command line as `sh -c` would. */
export function runLine(context: CommandContext, line: string): ExecResult {
  const split = splitWords(line, context.env);
  if ('error' in split) return failed(2, `sh: 1: ${split.error}\n`);
  const words = expandPatterns(context.machine, split.words);
  const env = { ...context.env };
  let at = 0;
  for (; at < words.length; at += 1) {
    const match = /^([A-Za-z_]\w*)=(.*)$/s.exec(words[at] ?? '');
    if (match === null) break;
    env[match[1] ?? ''] = match[2] ?? '';
  }
  const argv = words.slice(at);
  if (argv.length === 0) return ok();
  const shellContext = { ...context, env };
  if (argv[0] === 'command') return runCommandBuiltin(shellContext, argv.slice(1));
  if (argv[0] === 'exit') return { stdout: '', stderr: '', exitCode: Number(argv[1] ?? '0') & 255 };
  return runArgv(shellContext, argv, (name) => failed(127, `sh: 1: ${name}: not found\n`));
}
