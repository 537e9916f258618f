import type { ArmAccess, ArmLogin, ConsoleDialogue, PasswordTry } from '../../src/domain/arm-ports.ts';
import type { CardRecord, CommandResult, DetachedState, HostSession } from '../../src/domain/device-ports.ts';
import { noBench } from './no-bench.ts';
import type { DevlinkWorld } from './devlink-world.ts';
import { createDevlinkWorld, onDevlink } from './devlink-world.ts';
import type { OvsWorld } from './ovs-world.ts';
import { createOvsWorld, onOvs } from './ovs-world.ts';
import { DpuEntry } from '../../src/domain/inventory.ts';
import { Profile } from '../../src/domain/profile.ts';
import type { Secret } from '../../src/domain/secret.ts';
import type { ActionRecord, ApplyContext } from '../../src/domain/step.ts';
import { errors, OpsError } from '../../src/errors.ts';
import { fixture } from './fixture.ts';
import { createMemoryEscrow } from './memory/secrets.ts';
import { createFakeClock } from './rack-devices.ts';

/**
 * One host and the Arm of its card, as small as the steps on the Arm need them, written from the manuals of the commands.
 * Everything may be set before a step runs and looked at afterwards.
 */
export interface ArmWorld {
  readonly serial: string;
  readonly arm: {
    /** sshd answers after so many looks. */
    silentLooks: number;
    hostKey: string;
    machine: string;
    password: string;
    mustChange: boolean;
    takesPasswords: boolean;
    keys: string[];
    oob: 'up' | 'down';
    readonly files: Map<string, string>;
    hostname: string;
    loaded: string;
    installed: string;
    restartLog: string;
    restarts: number;
    ipmi: boolean;
    bmcAddress: string;
    secureBoot: string;
    release: string;
    daemon: 'systemd-timesyncd' | 'ntpsec' | 'chrony' | undefined;
    readonly links: Map<string, number>;
    readonly jobs: Map<string, DetachedState>;
    readonly ovs: OvsWorld;
    readonly switches: DevlinkWorld;
  };
  readonly host: {
    socat: boolean;
    rshim: string;
    /** Links in the host's own namespace, with their MTU. */
    readonly links: Map<string, number>;
    readonly namespaces: Map<string, Map<string, { up: boolean; addresses: string[] }>>;
    readonly files: Map<string, string>;
    firmware: string;
    hugepages: number;
    /** The most that its memory still gives. */
    hugepagesMost: number;
  };
  readonly pins: Map<string, string>;
  readonly records: Map<string, CardRecord>;
  readonly passwords: Map<'pending' | 'current' | 'previous', Secret>;
  readonly escrow: ReturnType<typeof createMemoryEscrow>;
  /** Everything that was changed, in order. */
  readonly log: string[];
  readonly snippets: string[];
  /** Wrong passwords that reached the Arm. */
  wrongTries: number;
}

export const worldSerial = 'MT2334XZ0ABC';
export const ourKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOurs dpubot';
/** What ssh-keyscan prints of it, and its fingerprint, both of the capture. */
export const capturedKey = fixture('ssh-keyscan/three-keys.txt').trimEnd().split('\n').at(-1) ?? '';
export const capturedFingerprint = 'SHA256:tUAKWZ6SpBakLsYHwOnJJ30BUpKh0MMwaXMQCU35Bdg';

const misc = (pci: string): string =>
  `=== rshim0\nDISPLAY_LEVEL   0 (0:basic)\nDROP_MODE       0 (0:normal)\nDEV_NAME        ${pci}\n`;

export function createArmWorld(change: Partial<ArmWorld['arm']> = {}): ArmWorld {
  return {
    serial: worldSerial,
    arm: {
      silentLooks: 0,
      hostKey: capturedKey,
      machine: 'aarch64',
      password: 'ubuntu',
      mustChange: true,
      takesPasswords: true,
      keys: [],
      oob: 'up',
      files: new Map([['/etc/hosts', '127.0.0.1 localhost\n']]),
      hostname: 'localhost',
      loaded: '24.10-2.1.8',
      installed: '24.10-2.1.8',
      restartLog: fixture('openibd/restart-ok.txt'),
      restarts: 0,
      ipmi: false,
      bmcAddress: '10.20.0.2',
      secureBoot: 'SecureBoot disabled',
      release: 'bf-bundle-2.9.2',
      daemon: 'ntpsec',
      links: new Map([
        ['p0', 1500],
        ['p1', 1500],
        ['pf0hpf', 1500],
        ['pf1hpf', 1500],
      ]),
      jobs: new Map(),
      ovs: createOvsWorld(),
      switches: createDevlinkWorld(),
      ...change,
    },
    host: {
      socat: true,
      rshim: misc('pcie-0000:e1:00.2'),
      links: new Map([
        ['tmfifo_net0', 1500],
        ['ens3f0np0', 1500],
        ['ens3f1np1', 1500],
      ]),
      namespaces: new Map(),
      files: new Map(),
      firmware: 'FW Version:            32.43.2566\n',
      hugepages: 0,
      hugepagesMost: 100_000,
    },
    pins: new Map(),
    records: new Map(),
    passwords: new Map(),
    escrow: createMemoryEscrow(),
    log: [],
    snippets: [],
    wrongTries: 0,
  };
}

const ok = (stdout = ''): CommandResult => ({ stdout, stderr: '', exitCode: 0, truncated: false, durationMs: 1 });
const failed = (exitCode: number, stderr: string): CommandResult => ({ ...ok(), exitCode, stderr });
const noFile = (path: string): CommandResult => failed(1, `cat: ${path}: No such file or directory\n`);

/** `stdin` of a write, revealed as only the Arm sees it. */
function textOf(stdin: string | Secret | undefined): string {
  return stdin === undefined ? '' : typeof stdin === 'string' ? stdin : stdin.reveal();
}

function cat(files: ReadonlyMap<string, string>, path: string): CommandResult {
  const content = files.get(path);
  return content === undefined ? noFile(path) : ok(content);
}

function linksJson(links: ReadonlyMap<string, number>): CommandResult {
  return ok(JSON.stringify([...links].map(([ifname, mtu]) => ({ ifname, mtu }))));
}

function setMtu(links: Map<string, number>, words: readonly string[]): CommandResult {
  const [name = '', mtu] = [words[4], Number(words[6])];
  if (!links.has(name)) return failed(1, `Cannot find device "${name}"\n`);
  if (mtu > 9978) return failed(2, 'Error: mtu greater than device maximum.\n');
  links.set(name, mtu);
  return ok();
}

function onArm(world: ArmWorld, argv: readonly string[], stdin: string | Secret | undefined): CommandResult {
  const { arm } = world;
  const words = argv[0] === 'sudo' ? argv.slice(2) : argv;
  const line = words.join(' ');
  const log = (text: string): number => world.log.push(`arm: ${text}`);
  const switched = onOvs(arm.ovs, words, log) ?? onDevlink(arm.switches, words, log);
  if (switched !== undefined) return switched;
  if (line === 'uname -m') return ok(`${arm.machine}\n`);
  if (words[0] === 'sh' && words[3] === 'dpubot-write') {
    arm.files.set(words[4] ?? '', textOf(stdin));
    world.log.push(`arm: write ${words[4]}`);
    return ok();
  }
  if (words[0] === 'sh' && line.includes('/etc/mlnx-release')) return ok(`${arm.release}\n`);
  if (words[0] === 'sh' && line.includes('dpubot-image.json')) return ok('absent\n');
  if (words[0] === 'sh' && line.includes('authorized_keys')) {
    arm.keys = [...new Set([...arm.keys, textOf(stdin).trim()])];
    world.log.push('arm: authorized_keys');
    return ok();
  }
  if (line === 'chpasswd') {
    arm.password = textOf(stdin).trimEnd().split(':').slice(1).join(':');
    world.log.push('arm: chpasswd');
    return ok();
  }
  if (line === 'cat /proc/sys/kernel/hostname') return ok(`${arm.hostname}\n`);
  if (line === 'cat /sys/module/mlx5_core/version') return arm.loaded === 'none' ? noFile('x') : ok(`${arm.loaded}\n`);
  if (words[0] === 'cat') return cat(arm.files, words[1] ?? '');
  if (line.startsWith('modinfo')) return ok(`${arm.installed}\n`);
  if (line.startsWith('mokutil')) return ok(`${arm.secureBoot}\n`);
  if (line.startsWith('hostnamectl set-hostname')) {
    arm.hostname = words[2] ?? '';
    arm.files.set('/etc/hostname', `${arm.hostname}\n`);
    world.log.push(`arm: ${line}`);
    return ok();
  }
  if (line === 'bfver') return ok(fixture('bfver/bsp-4.9.1.txt'));
  if (line.startsWith('modprobe')) {
    arm.ipmi = true;
    world.log.push(`arm: ${line}`);
    return ok();
  }
  if (line.includes('ipmitool'))
    return arm.ipmi
      ? ok(fixture('ipmitool/lan-print-dhcp.txt').replace('10.20.0.2', arm.bmcAddress))
      : failed(1, 'Could not open device at /dev/ipmi0 or /dev/ipmi/0: No such file or directory\n');
  if (line.startsWith('systemctl is-active')) {
    const states = words.slice(2).map((unit) => (unit === `${arm.daemon}.service` ? 'active' : 'inactive'));
    return { ...ok(`${states.join('\n')}\n`), exitCode: 3 };
  }
  if (line.startsWith('timedatectl')) return ok(fixture('timedatectl/show.txt'));
  if (line.startsWith('systemctl restart') || line.startsWith('chmod 755')) {
    world.log.push(`arm: ${line}`);
    return ok();
  }
  if (line === 'ip -json link') return linksJson(arm.links);
  if (line.startsWith('ip link set dev')) {
    world.log.push(`arm: ${line}`);
    return setMtu(arm.links, words);
  }
  return failed(127, `${words[0]}: command not found\n`);
}

function onHost(world: ArmWorld, argv: readonly string[], stdin: string | Secret | undefined): CommandResult {
  const { host } = world;
  const words = argv[0] === 'sudo' ? argv.slice(2) : argv;
  const line = words.join(' ');
  if (words[0] === 'lspci') return ok(fixture('lspci/one-b3240.txt'));
  if (words[0] === 'socat') return host.socat ? ok('socat version 1.7.4.1\n') : failed(127, 'sh: socat: not found\n');
  if (words[0] === 'sh' && words[3] === 'dpubot-write') {
    host.files.set(words[4] ?? '', textOf(stdin));
    world.log.push(`host: write ${words[4]}`);
    return ok();
  }
  if (words[0] === 'sh') return ok(host.rshim);
  if (words[0] === 'systemd-tmpfiles') {
    const wanted = / (\d+)\n$/.exec(host.files.get(words[2] ?? '') ?? '')?.[1];
    host.hugepages = Math.min(Number(wanted), host.hugepagesMost);
    world.log.push(`host: ${words.join(' ')}`);
    return ok();
  }
  if (words[1]?.endsWith('/numa_node')) return ok('1\n');
  if (words[1]?.endsWith('node1/hugepages/hugepages-2048kB/nr_hugepages')) return ok(`${host.hugepages}\n`);
  if (words[0] === 'cat') return cat(host.files, words[1] ?? '');
  if (words[0] === 'flint') return ok(host.firmware);
  if (words[0] === 'ls') {
    const port = words[1]?.includes('e1:00.0') === true ? 'ens3f0np0' : 'ens3f1np1';
    return host.links.has(port) ? ok(`${port}\n`) : failed(2, 'ls: cannot access: No such file or directory\n');
  }
  if (line.includes('ssh-keyscan')) return keyscan(world, words[3] ?? '');
  if (line === 'ip -json link') return linksJson(host.links);
  if (words[0] === 'ip') return ip(world, words.slice(1));
  return failed(127, `${words[0]}: command not found\n`);
}

/** sshd answers only where the card's link is, up and with the host's address. */
function keyscan(world: ArmWorld, namespace: string): CommandResult {
  const link = world.host.namespaces.get(namespace)?.get('tmfifo_net0');
  if (link?.up !== true || !link.addresses.includes('192.168.100.1/30')) return failed(1, '');
  world.arm.silentLooks -= 1;
  return world.arm.silentLooks >= 0 ? failed(1, '') : ok(`${world.arm.hostKey}\n`);
}

function ip(world: ArmWorld, words: readonly string[]): CommandResult {
  const { host } = world;
  const line = words.join(' ');
  if (line === 'netns list') return ok([...host.namespaces.keys()].map((name) => `${name} (id: 0)\n`).join(''));
  if (words[0] === '-json') {
    const inside = [...(host.namespaces.get(words[2] ?? '') ?? [])].map(([ifname, { up, addresses }]) => ({
      ifname,
      flags: up ? ['UP'] : [],
      addr_info: addresses.map((address) => ({
        family: 'inet',
        local: address.split('/')[0],
        prefixlen: Number(address.split('/')[1]),
      })),
    }));
    return ok(JSON.stringify(inside));
  }
  world.log.push(`host: ip ${line}`);
  if (words[0] === 'netns' && words[1] === 'add') host.namespaces.set(words[2] ?? '', new Map());
  else if (words[0] === 'netns') host.namespaces.delete(words[2] ?? '');
  else if (words[0] === 'link' && words[4] === 'netns') {
    if (!host.links.delete(words[3] ?? '')) return failed(1, 'Cannot find device\n');
    host.namespaces.get(words[5] ?? '')?.set(words[3] ?? '', { up: false, addresses: [] });
  } else if (words[0] === 'link') return setMtu(host.links, ['ip', ...words]);
  else return inNamespace(world, words[1] ?? '', words.slice(2));
  return ok();
}

function inNamespace(world: ArmWorld, namespace: string, words: readonly string[]): CommandResult {
  const inside = world.host.namespaces.get(namespace);
  const name = words[0] === 'addr' ? words[4] : words[3];
  const link = inside?.get(name ?? '');
  if (inside === undefined || link === undefined) return failed(1, 'Cannot find device\n');
  if (words[0] === 'addr' && words[1] === 'add') link.addresses.push(words[2] ?? '');
  else if (words[0] === 'addr') link.addresses = link.addresses.filter((address) => address !== words[2]);
  else if (words[4] === 'up') link.up = true;
  else if (words[4] === 'netns' && words[5] === '1') {
    inside.delete(name ?? '');
    world.host.links.set(name ?? '', 1500);
  } else return failed(255, 'unknown words\n');
  return ok();
}

function sessionOn(
  world: ArmWorld,
  name: string,
  shell: (world: ArmWorld, argv: readonly string[], stdin: string | Secret | undefined) => CommandResult,
  tick: (point: string) => void,
): HostSession {
  const { jobs } = world.arm;
  return {
    name,
    read: async ({ argv }) => Promise.resolve(shell(world, argv, undefined)),
    run: async (argv, { stdin }) => {
      tick(`before ${argv.join(' ').slice(0, 60)}`);
      const result = shell(world, argv, stdin);
      tick(`after ${argv.join(' ').slice(0, 60)}`);
      return Promise.resolve(result);
    },
    startDetached: async (folder) => {
      const known = jobs.get(folder);
      if (known) return Promise.resolve(known);
      world.arm.restarts += 1;
      world.log.push('arm: openibd restart');
      const isRejected = world.arm.restartLog.includes('FAILED');
      if (!isRejected) world.arm.loaded = world.arm.installed;
      jobs.set(folder, { kind: 'exited', exitCode: isRejected ? 1 : 0, logBytes: 1 });
      return Promise.resolve({ kind: 'running', pid: 7, logBytes: 0 });
    },
    observeDetached: async (folder) => Promise.resolve(jobs.get(folder) ?? { kind: 'absent' }),
    readDetachedLog: async () => Promise.resolve({ text: world.arm.restartLog, nextByte: 1 }),
    stopDetached: async () => Promise.reject(new Error('nothing is stopped here')),
    upload: async () => Promise.reject(new Error('nothing is sent here')),
  };
}

function armAccess(world: ArmWorld, tick: (point: string) => void): ArmAccess {
  const { arm } = world;
  const session = sessionOn(world, 'as7-dpu0', onArm, tick);
  const isThere = (route: { kind: string; namespace?: string }): boolean =>
    route.kind === 'oob'
      ? arm.oob === 'up'
      : world.host.namespaces.get(route.namespace ?? '')?.has('tmfifo_net0') === true;
  const unreachable = (): ArmLogin => ({
    state: 'unreachable',
    failure: errors.sshUnreachable({ host: 'as7-dpu0', address: 'x', cause: new Error('no route') }).failure,
  });
  const checkKey = (pinned: string): void => {
    if (pinned !== (arm.hostKey === capturedKey ? capturedFingerprint : 'other'))
      throw errors.sshHostKeyChanged({ host: 'as7-dpu0', seen: 'other' });
  };
  return {
    login: async (card, { route }) => {
      const pinned = world.pins.get('as7-dpu0');
      const way =
        route ?? (card.dpu.arm ? { kind: 'oob' as const } : { kind: 'tmfifo' as const, namespace: 'dpubot-as7-dpu0' });
      if (pinned === undefined) return { state: 'unpinned' };
      if (!isThere(way) || arm.silentLooks > 0) return unreachable();
      checkKey(pinned);
      return Promise.resolve(arm.keys.includes(ourKey) ? { state: 'in', session } : { state: 'refused' });
    },
    loginWithPassword: async (_card, attempt: PasswordTry) => {
      checkKey(attempt.hostKey);
      if (!arm.takesPasswords) throw errors.armPasswordNotOffered({ target: 'as7-dpu0', offered: ['publickey'] });
      world.log.push(`arm: password ${attempt.password.reveal() === 'ubuntu' ? 'factory' : 'other'}`);
      if (attempt.password.reveal() !== arm.password) {
        world.wrongTries += 1;
        return { state: 'refused' };
      }
      if (!arm.mustChange) return Promise.resolve({ state: 'in', session });
      arm.password = attempt.newPassword.reveal();
      arm.mustChange = false;
      tick('the reply to a changed password');
      return { state: 'changed' };
    },
    publicKey: async () => Promise.resolve(`${ourKey}\n`),
    console: async () => Promise.resolve(consoleOf(world, tick)),
    forget: () => undefined,
    close: async () => Promise.resolve(),
  };
}

/** A getty and a shell, with prompts as login(1) and bash print them. Answers are queued at once, as a terminal shows them. */
function consoleOf(world: ArmWorld, tick: (point: string) => void): ConsoleDialogue {
  const { arm } = world;
  let shown = '';
  let place: 'login' | 'password' | 'current' | 'new' | 'retype' | 'shell' = 'login';
  const prompts = {
    login: '\nlocalhost login: ',
    password: 'Password: ',
    current: 'Current password: ',
    new: 'New password: ',
    retype: 'Retype new password: ',
    shell: '\nubuntu@localhost:~$ ',
  };
  const next = (line: string): typeof place => {
    if (place === 'login') return line === '' ? 'login' : 'password';
    if (place === 'password') {
      if (line === arm.password) return arm.mustChange ? 'current' : 'shell';
      world.wrongTries += 1;
      shown += '\nLogin incorrect\n';
      return 'login';
    }
    if (place === 'current') return 'new';
    if (place === 'new') return 'retype';
    if (place === 'retype') {
      arm.password = line;
      arm.mustChange = false;
      tick('a password changed at the console');
      return 'shell';
    }
    if (line === 'exit') return 'login';
    if (line.includes('chage -d 0 ubuntu')) {
      arm.mustChange = true;
      tick('a change of the password demanded at the console');
    }
    const key = /echo '(\S+ \S+) dpubot'/.exec(line)?.[1];
    if (key !== undefined) tick('before a key is added at the console');
    if (key !== undefined) arm.keys = [...new Set([...arm.keys, `${key} dpubot`])];
    shown += 'dpubot-end:0\n';
    return 'shell';
  };
  return {
    send: async (line) => {
      if (place === 'password') world.log.push('arm: console password');
      // The terminal echoes what is typed, but at prompts for passwords.
      shown += place === 'login' || place === 'shell' ? `${String(line)}\n` : '\n';
      place = next(typeof line === 'string' ? line : line.reveal());
      shown += prompts[place];
      return Promise.resolve();
    },
    expect: async (patterns, timeoutMs) => {
      for (let end = 1; end <= shown.length; end += 1) {
        const index = patterns.findIndex((pattern) => pattern.test(shown.slice(0, end)));
        if (index < 0) continue;
        const text = shown.slice(0, end);
        shown = shown.slice(end);
        return Promise.resolve({ index, text });
      }
      throw errors.consoleSilent({ target: 'as7-dpu0', device: '/dev/rshim0/console', timeoutMs, said: shown });
    },
    screen: async () => Promise.resolve({ lines: shown.split('\n'), receivedBytes: shown.length }),
    close: async () => Promise.resolve(),
  };
}

/** A context of run 7. `tick` is called around every act and may throw; `actions` are those of an earlier life. */
export function contextOf(
  world: ArmWorld,
  options: {
    readonly tick?: (point: string) => void;
    readonly actions?: ActionRecord[];
    readonly oobAddress?: string;
    readonly profile?: object;
    readonly laterMs?: number;
  } = {},
): ApplyContext {
  const { tick = () => undefined, actions = [] } = options;
  const dpu = DpuEntry.parse({
    name: 'as7-dpu0',
    bmc: { address: 'auto' },
    ...(options.oobAddress === undefined ? {} : { arm: { address: options.oobAddress } }),
  });
  const profile = Profile.parse({ arm: { key: 'arm-key' }, ...options.profile });
  const slice = { name: 'as7', recipient: 'age1test', images: {} };
  const clock = createFakeClock(1_800_000_000_000 + (options.laterMs ?? 0));
  const bmcBody = (path: string): unknown => ({
    Version:
      { DPU_ATF: 'v2.2(release):4.9.1-21-gfc25b08d9', DPU_UEFI: '4.9.1-36-g0c3239837a' }[
        path.split('/').at(-1) ?? ''
      ] ?? 'x',
  });
  const context: Omit<ApplyContext, 'slice' | 'bmc' | 'hostBmc'> = {
    ...noBench,
    runId: 7,
    card: { slice: undefined as never, dpu, serial: world.serial },
    dpu,
    profile,
    cards: [],
    host: sessionOn(world, 'as7', onHost, tick),
    arm: armAccess(world, tick),
    pins: {
      get: async (_kind, target) => Promise.resolve(world.pins.get(target)),
      set: async (_kind, target, sha256) => {
        tick('pin');
        world.pins.set(target, sha256);
        return Promise.resolve();
      },
    },
    checkCredential: async () => Promise.resolve(),
    records: {
      get: async (serial) => Promise.resolve(world.records.get(serial)),
      put: async (serial, record) => {
        tick('record');
        world.records.set(serial, record);
        return Promise.resolve();
      },
    },
    credentials: {
      named: async () => Promise.reject(new Error('not asked here')),
      bmc: async () => Promise.resolve([...world.passwords].map(([slot, secret]) => ({ slot, secret, savedAtMs: 0 }))),
      savePending: async (_key, secret) => {
        tick('pending');
        world.passwords.set('pending', secret);
        world.log.push('store: pending');
        return Promise.resolve();
      },
      promote: async () => {
        tick('promote');
        const pending = world.passwords.get('pending');
        const current = world.passwords.get('current');
        if (pending) world.passwords.set('current', pending);
        if (pending && current) world.passwords.set('previous', current);
        world.passwords.delete('pending');
        return Promise.resolve();
      },
      retire: () => Promise.reject(new Error('nothing is put aside here')),
      rekey: async () => Promise.reject(new Error('not asked here')),
    },
    escrow: {
      write: async (entry) => {
        world.log.push('escrow');
        return world.escrow.write(entry);
      },
    },
    random: { bytes: (count) => Uint8Array.from({ length: count }, (_one, index) => (index * 37 + 11) % 256) },
    clock,
    signal: new AbortController().signal,
    actions: actions.map((action) => ({ ...action })),
    act: async ({ name, before }, fn) => {
      tick(`before ${name}`);
      const record = { action: name, before, done: false, atMs: clock.nowMs() };
      actions.push(record);
      tick(`intent ${name}`);
      const { value } = await fn();
      tick(`acted ${name}`);
      record.done = true;
      return value;
    },
    progress: async () => Promise.resolve(),
    snippet: async (title, text) => {
      world.snippets.push(`${title}\n${text}`);
      return Promise.resolve();
    },
  };
  const bmcSession = { target: 'as7-dpu0', get: async ({ path }: { path: string }) => Promise.resolve(bmcBody(path)) };
  const bmc = {
    login: async () => Promise.resolve({ state: 'in', slot: 'current', mustChange: false, session: bmcSession }),
  };
  return { ...context, slice, bmc } as unknown as ApplyContext;
}

/** The code of what is thrown, or 'no error'. */
export async function codeOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
  } catch (error) {
    return error instanceof OpsError ? error.code : String(error);
  }
  return 'no error';
}
