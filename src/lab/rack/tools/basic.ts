/**
 * Small standard tools that hosts and Arms share: uname, hostname, id.
 *
 * Source: coreutils 8.32 and hostname 3.23 (Ubuntu 22.04) output formats.
 */
import type { Command, CommandContext } from '../shell/types.ts';
import { failed, invalidOption, ok } from '../shell/types.ts';

interface UnameFields {
  release: string;
  version: string;
  machine: string;
}

/** `uname` for a given kernel. */
export function unameCommand(fields: (context: CommandContext) => UnameFields): Command {
  return (context, args) => {
    const { release, version, machine } = fields(context);
    const values: [string, string][] = [
      ['s', 'Linux'],
      ['n', context.machine.hostName()],
      ['r', release],
      ['v', version],
      ['m', machine],
      ['p', machine],
      ['i', machine],
      ['o', 'GNU/Linux'],
    ];
    const wanted = new Set<string>();
    for (const arg of args) {
      if (!/^-[a-z]+$/.test(arg)) {
        return arg.startsWith('-')
          ? invalidOption('uname', arg)
          : failed(1, `uname: extra operand '${arg}'\nTry 'uname --help' for more information.\n`);
      }
      for (const flag of arg.slice(1)) {
        if (flag !== 'a' && !values.some(([name]) => name === flag)) return invalidOption('uname', `-${flag}`);
        for (const name of flag === 'a' ? 'snrvmpio' : flag) wanted.add(name);
      }
    }
    if (wanted.size === 0) wanted.add('s');
    return ok(
      `${values
        .filter(([name]) => wanted.has(name))
        .map(([, value]) => value)
        .join(' ')}\n`,
    );
  };
}

/** `hostname` with -s, -f, -I. */
export const hostname: Command = ({ machine, root }, args) => {
  const [arg] = args;
  if (arg === undefined || arg === '-s' || arg === '--short') return ok(`${machine.hostName()}\n`);
  if (arg === '-f' || arg === '--fqdn') return ok(`${machine.hostName()}\n`);
  if (arg === '-I' && machine.host !== null) return ok(`${machine.host.hardware.address} \n`);
  if (arg === '-I' && machine.card !== null) return ok(`${machine.card.hardware.arm.address} 192.168.100.2 \n`);
  if (arg.startsWith('-'))
    return failed(4, `hostname: invalid option -- '${arg.slice(1, 2)}'\nUsage: hostname [-b] {hostname|-F file}\n`);
  return root
    ? failed(1, 'hostname: the specified hostname is not changed here\n')
    : failed(1, 'hostname: you must be root to change the host name\n');
};

/** `id` with -u, -un, -g, -gn. */
export const id: Command = ({ user, root }, args) => {
  const uid = root ? 0 : 1000;
  const [arg] = args;
  if (arg === undefined)
    return ok(`uid=${uid}(${user}) gid=${uid}(${user}) groups=${uid}(${user})${root ? '' : ',27(sudo)'}\n`);
  if (arg === '-un' || arg === '-nu' || arg === '-gn' || arg === '-ng') return ok(`${user}\n`);
  if (arg === '-u' || arg === '-g') return ok(`${uid}\n`);
  if (!arg.startsWith('-')) return failed(1, `id: '${arg}': no such user\n`);
  return args.join(' ') === '-u -n' ? ok(`${user}\n`) : invalidOption('id', arg);
};
