/**
 * Commands of swanctl and their options.
 *
 * Source: what swanctl 5.9.8 says of each command with a wrong option; getopt_long(3) (values, abbreviations).
 */

interface Shape {
  /** Short name of the command. */
  letter: string;
  usage: string;
  /** Long name -> letter, with `:` when a value follows. */
  options: Record<string, string>;
}

const format = { raw: 'r', pretty: 'P' };
const shared = { help: 'h', debug: 'v:', options: '+:', uri: 'u:' };
const one = { child: 'c:', ike: 'i:' };
const sa = { ...one, 'child-id': 'C:', 'ike-id': 'I:' };
const saUsage = '--child <name> | --ike <name> | --child-id <id> | --ike-id <id>';
const rawUsage = '[--raw|--pretty]';
const file = { file: 'f:' };
const secrets = { clear: 'c', noprompt: 'n' };

function shape(letter: string, usage: string, options: Record<string, string> = {}): Shape {
  return {
    letter,
    usage: `${usage}${usage === '' ? '' : ' '}${rawUsage}`,
    options: { ...shared, ...format, ...options },
  };
}

const shapes: Record<string, Shape> = {
  counters: shape('C', '[--name <name>|--all] [--reset]', { name: 'n:', all: 'a', reset: 'R' }),
  initiate: shape('i', '[--child <name>] [--ike <name>] [--timeout <s>]', { ...one, timeout: 't:', loglevel: 'l:' }),
  terminate: shape('t', `${saUsage} [--timeout <s>]`, { ...sa, force: 'f', timeout: 't:', loglevel: 'l:' }),
  rekey: shape('R', `${saUsage} [--reauth]`, { ...sa, reauth: 'a' }),
  uninstall: shape('u', '--child <name> [--ike <name>]', one),
  install: shape('p', '--child <name> [--ike <name>]', one),
  'list-sas': shape('l', '[--ike <name>|--ike-id <id>] [--child <name>|--child-id <id>]', { ...sa, noblock: 'n' }),
  'list-pols': shape('P', '[--child <name>] [--trap] [--drop] [--pass]', {
    child: 'c:',
    trap: 't',
    drop: 'd',
    pass: 'p',
  }),
  'list-authorities': shape('B', '[--name <name>]', { name: 'n:' }),
  'list-conns': shape('L', ''),
  'list-certs': shape('x', '[--subject <dn/san>] [--pem]', { subject: 's:', type: 't:', flag: 'f:', pem: 'p' }),
  'list-pools': shape('A', '[--leases]', { leases: 'l', name: 'n:' }),
  'flush-certs': shape('f', '[--type <type>]', { type: 't:' }),
  'load-all': shape('q', '[--clear] [--noprompt]', { ...secrets, ...file }),
  'load-authorities': shape('b', '', file),
  'load-conns': shape('c', '', file),
  'load-creds': shape('s', '[--clear] [--noprompt]', { ...secrets, ...file }),
  'load-pools': shape('a', '', file),
  version: shape('v', '', { daemon: 'd' }),
  stats: shape('S', ''),
  'reload-settings': shape('r', ''),
};

/** Version of the strongSwan of the image: the first Ubuntu had with packet offload. */
export const strongSwanVersion = '5.9.14';

/** A command line as swanctl takes it. */
export interface SwanctlCall {
  command: string;
  values: Map<string, string>;
}

/** The one that a long name, whole or begun, stands for. */
function nameOf(names: string[], word: string): string | undefined {
  const begun = names.filter((each) => each.startsWith(word));
  return names.includes(word) ? word : begun.length === 1 ? begun[0] : undefined;
}

/** The command of a call; null when it is none of them. */
export function commandOf([first = '']: string[]): string | null {
  if (first.startsWith('--')) return nameOf(Object.keys(shapes), first.slice(2)) ?? null;
  return Object.keys(shapes).find((name) => first === `-${shapes[name]?.letter ?? ''}`) ?? null;
}

/** Options of a call, or what getopt says of the first wrong one. */
export function optionsOf(command: string, args: string[]): SwanctlCall | string {
  const options = shapes[command]?.options ?? {};
  const values = new Map<string, string>();
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    const [, long, attached] = /^--([\w-]+)(?:=(.*))?$/s.exec(arg) ?? [];
    const letter = long === undefined ? /^-(.)/.exec(arg)?.[1] : undefined;
    if (long === undefined && letter === undefined) continue;
    const name =
      long === undefined
        ? Object.keys(options).find((each) => options[each]?.charAt(0) === letter)
        : nameOf(Object.keys(options), long);
    if (name === undefined)
      return long === undefined
        ? `swanctl: invalid option -- '${letter ?? ''}'`
        : `swanctl: unrecognized option '${arg}'`;
    if (options[name]?.endsWith(':') !== true) {
      values.set(name, '');
      continue;
    }
    const own = attached ?? (long === undefined && arg.length > 2 ? arg.slice(2) : undefined);
    const value = own ?? args[(at += 1)];
    if (value === undefined)
      return long === undefined
        ? `swanctl: option requires an argument -- '${letter ?? ''}'`
        : `swanctl: option '${arg}' requires an argument`;
    values.set(name, value);
  }
  return { command, values };
}

/** How a command, or swanctl itself, is used. */
export function usageText(command: string | null): string {
  const head = `strongSwan ${strongSwanVersion} swanctl\n`;
  if (command !== null) return `${head}usage:\n  swanctl --${command} ${shapes[command]?.usage ?? ''}\n`;
  const rows = Object.entries(shapes).map(([name, { letter }]) => `  swanctl --${name.padEnd(16)} (-${letter})\n`);
  return `${head}usage:\n${rows.join('')}  swanctl --${'help'.padEnd(16)} (-h)\n`;
}
