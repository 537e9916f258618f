/**
 * Small standard tools that hosts and Arms share: uname, hostname, id, cat, ls, df, dpkg.
 *
 * Source: coreutils 8.32, hostname 3.23, dpkg 1.21 (Ubuntu 22.04) output formats.
 */
import type { Command, CommandContext, ExecResult, FileSystem } from '../shell/types.ts';
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

function isDirectory(files: FileSystem, path: string): boolean {
  const prefix = path === '/' ? '/' : `${path}/`;
  return [...files.keys()].some((each) => each.startsWith(prefix));
}

function clean(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') : path;
}

/** `cat` of virtual files and standard input. */
export const cat: Command = (context, args) => {
  const files = context.machine.files();
  const paths = args.filter((arg) => arg !== '--');
  const option = paths.find((arg) => arg.startsWith('-') && arg !== '-');
  if (option !== undefined) return invalidOption('cat', option);
  if (paths.length === 0) return ok(context.stdin);
  const result: ExecResult = { stdout: '', stderr: '', exitCode: 0 };
  for (const path of paths) {
    const file = files.get(path);
    if (path === '-') result.stdout += context.stdin;
    else if (file !== undefined && (context.root || file.rootOnly !== true)) result.stdout += file.text;
    else {
      result.exitCode = 1;
      const why =
        file !== undefined
          ? 'Permission denied'
          : isDirectory(files, clean(path))
            ? 'Is a directory'
            : 'No such file or directory';
      result.stderr += `cat: ${path}: ${why}\n`;
    }
  }
  return result;
};

function entriesOf(files: FileSystem, path: string): string[] {
  const prefix = path === '/' ? '/' : `${path}/`;
  const names = new Set<string>();
  for (const each of files.keys())
    if (each.startsWith(prefix)) names.add(each.slice(prefix.length).split('/')[0] ?? '');
  return [...names].sort();
}

/** One name as `ls` prints it; with -l the times are those of the boot. */
function listed(files: FileSystem, path: string, name: string, long: boolean): string {
  if (!long) return `${name}\n`;
  const file = files.get(path);
  const mode = file === undefined ? 'drwxr-xr-x' : file.rootOnly === true ? 'crw-------' : '-r--r--r--';
  const size = file === undefined ? '    0' : file.rootOnly === true ? '235, 1' : ' 4096';
  return `${mode} 1 root root ${size} Sep  1 12:00 ${name}\n`;
}

/** `ls` of virtual files, one name a line; -l, -d, -a. */
export const ls: Command = ({ machine }, args) => {
  const files = machine.files();
  const options = args.filter((arg) => arg.startsWith('-') && arg !== '--');
  const bad = options.find((arg) => !/^-[1aAdl]+$/.test(arg));
  if (bad !== undefined) {
    return invalidOption('ls', bad.startsWith('--') ? bad : `-${bad.replaceAll(/[-1aAdl]/g, '')}`, 2);
  }
  const itself = options.some((arg) => arg.includes('d'));
  const long = options.some((arg) => arg.includes('l'));
  const paths = args.filter((arg) => !options.includes(arg) && arg !== '--').map(clean);
  const result: ExecResult = { stdout: '', stderr: '', exitCode: 0 };
  const blocks: string[] = [];
  const plain: string[] = [];
  for (const path of paths.length === 0 ? ['/root'] : paths) {
    if (files.has(path) || (itself && isDirectory(files, path))) plain.push(listed(files, path, path, long));
    else if (isDirectory(files, path)) {
      const names = entriesOf(files, path).map((name) => listed(files, `${path}/${name}`, name, long));
      const block = `${long ? 'total 0\n' : ''}${names.join('')}`;
      blocks.push(paths.length > 1 ? `${path}:\n${block}` : block);
    } else {
      result.exitCode = 2;
      result.stderr += `ls: cannot access '${path}': No such file or directory\n`;
    }
  }
  result.stdout = [plain.join(''), ...blocks].filter((part) => part !== '').join('\n');
  return result;
};

/** `df` of one root file system. */
export const df: Command = (_context, args) => {
  const bad = args.find((arg) => arg.startsWith('-') && !['-k', '-P', '-B1', '-Pk', '-h', '-m'].includes(arg));
  if (bad !== undefined) return invalidOption('df', bad);
  const sizeKib = 458_850_804;
  const usedKib = 61_273_712;
  const scale = args.includes('-B1') ? 1024 : 1;
  if (args.includes('-h')) {
    return ok('Filesystem      Size  Used Avail Use% Mounted on\n/dev/nvme0n1p2  438G   59G  357G  15% /\n');
  }
  const title = args.includes('-B1')
    ? '1B-blocks'
    : args.includes('-P') || args.includes('-Pk')
      ? '1024-blocks'
      : '1K-blocks';
  const numbers = [sizeKib, usedKib, sizeKib - usedKib - 23_000_000].map((kib) => String(kib * scale));
  const use = args.some((arg) => arg.startsWith('-P')) ? 'Capacity' : 'Use%';
  return ok(
    `Filesystem     ${title}     Used Available ${use} Mounted on\n/dev/nvme0n1p2 ${numbers.join(' ')}  15% /\n`,
  );
};

const basePackages: Record<string, string> = {
  pciutils: '1:3.7.0-6',
  iproute2: '5.15.0-1ubuntu2',
  ethtool: '1:5.16-1ubuntu0.1',
};

function packagesOf({ machine }: CommandContext): Record<string, string> {
  return { ...basePackages, ...machine.host?.hardware.packages };
}

function listLine(name: string, version: string): string {
  return `ii  ${name.padEnd(14)} ${version.padEnd(24)} amd64        package ${name}\n`;
}

const listHead =
  'Desired=Unknown/Install/Remove/Purge/Hold\n' +
  '| Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend\n' +
  '|/ Err?=(none)/Waiting/Reinst-required (Status,Err: uppercase=bad)\n' +
  '||/ Name           Version                  Architecture Description\n' +
  '+++-==============-========================-============-=================================\n';

/** `dpkg -l` and `dpkg -s`. */
export const dpkg: Command = (context, args) => {
  const packages = packagesOf(context);
  const [action = '', ...names] = args;
  if (action === '-l' || action === '--list') {
    const unknown = names.filter((name) => packages[name] === undefined);
    const shown = Object.entries(packages).filter(([name]) => names.length === 0 || names.includes(name));
    const stderr = unknown.map((name) => `dpkg-query: no packages found matching ${name}\n`).join('');
    const body = shown.map(([name, version]) => listLine(name, version)).join('');
    return { stdout: body === '' ? '' : listHead + body, stderr, exitCode: unknown.length > 0 ? 1 : 0 };
  }
  if (action === '-s' || action === '--status') {
    const [name = ''] = names;
    const version = packages[name];
    if (version === undefined) {
      return failed(
        1,
        `dpkg-query: package '${name}' is not installed and no information is available\nUse dpkg --info (= dpkg-deb --info) to examine archive files.\n`,
      );
    }
    return ok(`Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n`);
  }
  return failed(
    2,
    `dpkg: error: unknown option ${action}\n\nType dpkg --help for help about installing and deinstalling packages [*];\n`,
  );
};

/** `dpkg-query -W` with a format. */
export const dpkgQuery: Command = (context, args) => {
  const packages = packagesOf(context);
  const [action = '', ...rest] = args;
  if (action !== '-W' && action !== '--show') return failed(2, `dpkg-query: error: unknown option ${action}\n`);
  const formatArg = rest.find(
    (arg) => arg.startsWith('-f=') || arg.startsWith('-f') || arg.startsWith('--showformat='),
  );
  const format = formatArg?.replace(/^(-f=?|--showformat=)/, '') ?? '${Package}\\t${Version}\\n';
  const names = rest.filter((arg) => !arg.startsWith('-'));
  const unknown = names.filter((name) => packages[name] === undefined);
  const stdout = Object.entries(packages)
    .filter(([name]) => names.length === 0 || names.includes(name))
    .map(([name, version]) =>
      format
        .replaceAll(/\$\{(binary:)?Package\}/g, name)
        .replaceAll('${Version}', version)
        .replaceAll('${Status}', 'install ok installed')
        .replaceAll('${db:Status-Abbrev}', 'ii ')
        .replaceAll('${db:Status-Status}', 'installed')
        .replaceAll('${Architecture}', 'amd64')
        .replaceAll('\\n', '\n')
        .replaceAll('\\t', '\t'),
    )
    .join('');
  const stderr = unknown.map((name) => `dpkg-query: no packages found matching ${name}\n`).join('');
  return { stdout, stderr, exitCode: unknown.length > 0 ? 1 : 0 };
};
