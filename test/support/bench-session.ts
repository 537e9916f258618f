import type { CommandResult, DetachedState, HostSession } from '../../src/domain/device-ports.ts';
import { errors } from '../../src/errors.ts';
import { logOf, observe, programOf, start } from './bench-jobs.ts';
import type { BenchWorld, FakeHost, FakeLink } from './bench-world.ts';
import { foldersOf, jobsAt } from './bench-world.ts';
import { fixture } from './fixture.ts';

const ok = (stdout = ''): CommandResult => ({ stdout, stderr: '', exitCode: 0, truncated: false, durationMs: 1 });
const failed = (exitCode: number, stderr: string): CommandResult => ({ ...ok(), exitCode, stderr });

/** The session of a host. */
export function benchSession(world: BenchWorld, host: FakeHost): HostSession {
  const around = async <T>(point: string, work: () => T): Promise<T> => {
    await Promise.resolve();
    world.tick(`before ${point}`);
    const result = work();
    world.tick(`after ${point}`);
    return result;
  };
  const stateOf = (folder: string): DetachedState => observe(world, host, folder);
  return {
    name: host.name,
    read: async ({ argv }) => Promise.resolve(answer(host, argv)),
    run: async (argv, { stdin }) =>
      around(`run ${argv.slice(2, 4).join(' ')}`, () => {
        const isWrite = argv.includes('dpubot-write');
        world.log.push(`${host.name}: ${isWrite ? `write ${argv[6] ?? ''}` : argv.slice(2).join(' ')}`);
        if (isWrite) host.files.set(argv[6] ?? '', String(stdin));
        return isWrite ? ok() : change(host, argv);
      }),
    startDetached: async (folder, argv) =>
      around('start', () => {
        if (!host.jobs.has(folder)) start(world, host, folder, argv);
        return stateOf(folder);
      }),
    observeDetached: async (folder) => Promise.resolve(stateOf(folder)),
    readDetachedLog: async (folder, fromByte, { maxBytes = 64 * 1024 }) => {
      const job = host.jobs.get(folder);
      if (job === undefined) throw errors.commandFailed({ host: host.name, command: 'log', exitCode: 66, output: '' });
      const text = logOf(world, host, job).slice(fromByte, fromByte + maxBytes);
      const whole = text.slice(0, Math.max(text.lastIndexOf('\n') + 1, 0)) || text;
      return Promise.resolve({ text: whole, nextByte: fromByte + whole.length });
    },
    stopDetached: async (folder) =>
      around('stop', () => {
        const job = host.jobs.get(folder);
        if (job && stateOf(folder).kind === 'running') {
          job.stoppedMs = world.clock.nowMs();
          world.log.push(`${host.name}: stop ${folder.slice(jobsAt.length)}`);
        }
        return stateOf(folder);
      }),
    upload: async () => Promise.reject(new Error('nothing is sent here')),
  };
}

/** Commands that only look. */
function answer(host: FakeHost, argv: readonly string[]): CommandResult {
  const words = argv[0] === 'sudo' ? argv.slice(2) : argv;
  const line = words.join(' ');
  if (line === 'lspci -D -vvv -d 15b3:a2dc')
    return ok(fixture('lspci/one-b3240.txt').replaceAll('MT2334XZ0ABC', host.serial));
  if (line === 'ls /sys/bus/pci/devices/0000:e1:00.0/net') return ok('ens3f0np0\n');
  if (line === 'ip -json link')
    return ok(JSON.stringify([...host.links].map(([ifname, { mtu }]) => ({ ifname, mtu, operstate: 'UP' }))));
  if (line === 'ethtool p0') return ok(fixture('ethtool/p0-400g.txt'));
  if (line === 'ip -json addr show') return ok(JSON.stringify([...host.links].map(linkJson)));
  if (line === 'ip -json -4 route show') return ok(JSON.stringify(host.routes));
  if (line === 'cat /sys/bus/pci/devices/0000:e1:00.0/local_cpulist') return ok('0-15\n');
  if (line === 'cat /sys/bus/pci/devices/0000:e1:00.0/numa_node') return ok('0\n');
  if (line === 'ss -Htln') {
    const ports = [...host.jobs.values()].map(({ argv: job }) => programOf(job)).filter(({ isSender }) => !isSender);
    return ok(
      ['LISTEN 0 128 0.0.0.0:22 0.0.0.0:*', ...ports.map(({ port }) => `LISTEN 0      4096   *:${port}   *:*`)].join(
        '\n',
      ),
    );
  }
  if (line.includes('ls -1 /var/lib/dpubot/jobs'))
    return ok(
      [...host.others, ...foldersOf(host).map((folder) => folder.slice(jobsAt.length))]
        .map((name) => `${name}\n`)
        .join(''),
    );
  if (line === 'iperf3 --version') return ok(fixture('iperf3/version.txt'));
  if (line === 'dpdk-testpmd -v -h') return { ...ok(fixture('testpmd/version.txt')), exitCode: 1 };
  return failed(127, `sh: 1: ${words[0] ?? ''}: not found\n`);
}

function linkJson([name, { mac, mtu, up, addresses }]: readonly [string, FakeLink]): object {
  return {
    ifname: name,
    flags: up ? ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP'] : ['BROADCAST', 'MULTICAST'],
    mtu,
    operstate: up ? 'UP' : 'DOWN',
    address: mac,
    addr_info: addresses.map((cidr) => ({
      family: 'inet',
      local: cidr.split('/')[0],
      prefixlen: Number(cidr.split('/')[1]),
    })),
  };
}

/** Commands that change something. */
function change(host: FakeHost, argv: readonly string[]): CommandResult {
  const [, , program = '', ...words] = argv;
  if (program === 'rm') {
    const folder = words.at(-1) ?? '';
    host.jobs.delete(folder);
    for (const path of host.files.keys()) if (path.startsWith(`${folder}/`)) host.files.delete(path);
    return ok();
  }
  const [what, verb, value = '', , dev = ''] = words;
  const link = host.links.get(what === 'link' ? (words[3] ?? '') : what === 'route' ? (words[6] ?? '') : dev);
  if (program !== 'ip' || link === undefined) return failed(1, 'Cannot find device\n');
  if (what === 'link' && words.at(-2) === 'mtu') link.mtu = Number(words.at(-1));
  else if (what === 'link') link.up = words.at(-1) === 'up';
  if (what === 'address' && verb === 'add') {
    if (link.addresses.includes(value)) return failed(2, 'RTNETLINK answers: File exists\n');
    link.addresses.push(value);
  }
  if (what === 'address' && verb === 'del') {
    if (!link.addresses.includes(value)) return failed(2, 'RTNETLINK answers: Cannot assign requested address\n');
    link.addresses = link.addresses.filter((one) => one !== value);
  }
  if (what === 'route') {
    const route = { dst: value, gateway: words[4] ?? '', dev: words[6] ?? '' };
    host.routes = host.routes.filter(({ dst }) => dst !== value);
    if (verb === 'add') host.routes.push(route);
  }
  return ok();
}
