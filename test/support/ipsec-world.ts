import type { CommandResult, HostSession } from '../../src/domain/device-ports.ts';
import { Secret } from '../../src/domain/secret.ts';
import type { ApplyContext, End } from '../../src/domain/step.ts';
import type { BenchMemory } from './bench-context.ts';
import { benchContext } from './bench-context.ts';
import { benchSession } from './bench-session.ts';
import type { BenchWorld } from './bench-world.ts';
import { createBenchWorld } from './bench-world.ts';
import { fixture } from './fixture.ts';

/** strongSwan and bridges of one card. Written from swanctl(8), ovs-vsctl(8) and what both print on the test rack. */
export interface IpsecCard {
  readonly bridges: Map<string, string[]>;
  /** Settings of ports that are more than links. */
  readonly ports: Map<string, string>;
  forwarding: boolean;
  isInstalled: boolean;
  isRunning: boolean;
  /** Its strongSwan has heard of `hw_offload = packet`. */
  knowsPacket: boolean;
  readonly files: Map<string, string>;
  readonly modes: Map<string, string>;
  readonly loaded: Map<string, string>;
  readonly secrets: Set<string>;
  readonly sas: { name: string; child: string; state: string; packetsOut: number }[];
  log: string;
}

export interface IpsecWorld {
  readonly hosts: BenchWorld;
  readonly cards: readonly [IpsecCard, IpsecCard];
  /** Everything that was changed on a card, in order. */
  readonly log: string[];
  /** How bringing up an association fails, instead of not. */
  initiate: string | undefined;
  /** It says that it was well, and nothing is installed. */
  isLying: boolean;
  psk: string;
  /** Credentials with certificates. */
  readonly pem: Record<string, string>;
}

/** A tunnel of somebody else, which is up. */
const foreignFile = '/etc/swanctl/conf.d/backup.conf';
const foreign =
  'connections {\n  backup {\n    children {\n      night {\n      }\n    }\n  }\n}\nsecrets {\n  ike-backup {\n  }\n}\n';

export function createIpsecWorld(change: Partial<IpsecCard> = {}): IpsecWorld {
  const card = (): IpsecCard => ({
    bridges: new Map([['ovsbr1', ['p0', 'pf0hpf', 'en3f0pf0sf0']]]),
    ports: new Map(),
    forwarding: false,
    isInstalled: true,
    isRunning: true,
    knowsPacket: true,
    files: new Map([[foreignFile, foreign]]),
    modes: new Map(),
    loaded: new Map([['backup', foreign]]),
    secrets: new Set(['ike-backup']),
    sas: [{ name: 'backup', child: 'night', state: 'INSTALLED', packetsOut: 17 }],
    log: '',
    ...change,
  });
  return {
    hosts: createBenchWorld(),
    cards: [card(), card()],
    log: [],
    initiate: undefined,
    isLying: false,
    psk: 'a "quoted" \\ secret{}#',
    pem: {},
  };
}

export const transport = { auth: { kind: 'psk', secret: 'ipsec-psk' } };
export const tunnel = { ...transport, mode: 'tunnel', offload: 'no', encap: true, tunnelMtuBytes: 1400 };

/** A life of a step on the pair, whose cards have wire addresses. */
export function ipsecContext(world: IpsecWorld, memory: BenchMemory, ipsec: object | undefined): ApplyContext {
  const base = benchContext(world.hosts, memory, { arms: true, profile: { ...(ipsec && { ipsec }) } });
  const ends = (base.pair?.ends ?? []).map((end, index): End<HostSession> => ({
    ...end,
    entry: { ...end.entry, wireAddress: `10.0.0.${index + 1}/30` },
  }));
  const [a, b] = ends;
  if (a === undefined || b === undefined) throw new Error('a pair has two ends');
  const login: ApplyContext['arm']['login'] = async ({ dpu }) => {
    const index = dpu.name === a.dpu.name ? 0 : 1;
    return Promise.resolve({ state: 'in', session: cardSession(world, index) });
  };
  const named = async (ref: string): Promise<Secret> =>
    Promise.resolve(new Secret(ref === 'ipsec-psk' ? `${world.psk}\n` : (world.pem[ref] ?? '')));
  const credentials = { ...base.credentials, named };
  return { ...base, credentials, arm: { ...base.arm, login }, pair: { name: 'as7-as8', ends: [a, b] } };
}

const ok = (stdout = ''): CommandResult => ({ stdout, stderr: '', exitCode: 0, truncated: false, durationMs: 1 });
const failed = (exitCode: number, stderr: string): CommandResult => ({ ...ok(), exitCode, stderr });

/** The session on the Arm of a card. */
export function cardSession(world: IpsecWorld, index: 0 | 1): HostSession {
  const card = world.cards[index];
  const base = benchSession(world.hosts, world.hosts.arms[index]);
  return {
    ...base,
    read: async (command, options) => looked(card, command.argv) ?? base.read(command, options),
    run: async (argv, options) => {
      const words = argv.slice(2);
      if (words[0] === 'ip') {
        world.log.push(`${base.name}: ${words.join(' ')}`);
        return base.run(argv, options);
      }
      world.hosts.tick(`before run ${words.slice(0, 3).join(' ')}`);
      const { stdin } = options;
      const result = changed(world, index, words, stdin instanceof Secret ? stdin.reveal() : (stdin ?? ''));
      world.hosts.tick(`after run ${words.slice(0, 3).join(' ')}`);
      return Promise.resolve(result);
    },
  };
}

function looked(card: IpsecCard, argv: readonly string[]): CommandResult | undefined {
  const line = (argv[0] === 'sudo' ? argv.slice(2) : argv).join(' ');
  if (line.includes('ovs-vsctl list-br'))
    return ok(
      [...card.bridges].map(([name, ports]) => `=== ${name}\n${ports.map((one) => `${one}\n`).join('')}`).join(''),
    );
  if (line.startsWith('ovs-vsctl --if-exists get')) return ok(line.endsWith('hw-offload') ? '"true"\n' : '\n');
  if (line === 'cat /sys/module/mlx5_core/version' || line.startsWith('modinfo')) return ok('24.10-2.1.8\n');
  if (line.startsWith('mokutil')) return ok('SecureBoot disabled\n');
  if (line === 'cat /proc/sys/net/ipv4/ip_forward') return ok(card.forwarding ? '1\n' : '0\n');
  if (line.startsWith('systemctl show strongswan.service'))
    return ok(`LoadState=${card.isInstalled ? 'loaded' : 'not-found'}\nActiveState=inactive\n`);
  if (line.startsWith('systemctl show')) return ok('LoadState=not-found\nActiveState=inactive\n');
  if (line.startsWith('find /etc/swanctl')) return ok([...filed(card).keys()].map((name) => `${name}\n`).join(''));
  if (line.startsWith('journalctl')) return ok(card.log);
  if (!line.startsWith('swanctl')) return undefined;
  return swanctl(card) ?? (line.includes('--list-conns') ? ok(connectionsText(card)) : ok(sasText(card)));
}

/** What swanctl answers where it cannot do anything. */
function swanctl(card: IpsecCard): CommandResult | undefined {
  if (!card.isInstalled) return failed(1, 'sudo: swanctl: command not found\n');
  return card.isRunning ? undefined : failed(111, fixture('swanctl/no-daemon.txt'));
}

function connectionsText({ loaded }: IpsecCard): string {
  const events = [...loaded.keys()].map((name) => `list-conn event {${name} {version=IKEv2 children {}}}\n`);
  return `${events.join('')}list-conns reply {}\n`;
}

function sasText({ sas }: IpsecCard): string {
  const names = [...new Set(sas.map(({ name }) => name))];
  const events = names.map((name) => {
    const children = sas.filter((sa) => sa.name === name);
    const texts = children.map(
      ({ child, state, packetsOut }, index) =>
        `${child}-${index + 1} {name=${child} uniqueid=${index + 1} state=${state} mode=TUNNEL packets-in=0 packets-out=${packetsOut} local-ts=[10.0.0.1/32[udp]]}`,
    );
    return `list-sa event {${name} {uniqueid=1 state=ESTABLISHED local-id=x child-sas {${texts.join(' ')}}}}\n`;
  });
  return `${events.join('')}list-sas reply {}\n`;
}

/** Connections in the files, with the text of their file. */
function filed({ files }: IpsecCard): Map<string, string> {
  const found = [...files.values()].flatMap((text) =>
    [...text.matchAll(/^connections \{\n {2}([\w-]+) \{$/gm)].map(([, name = '']): [string, string] => [name, text]),
  );
  return new Map(found);
}

function changed(world: IpsecWorld, index: 0 | 1, words: readonly string[], stdin: string): CommandResult {
  const card = world.cards[index];
  const other = world.cards[index === 0 ? 1 : 0];
  const line = words.join(' ');
  const isWrite = words.includes('dpubot-write');
  world.log.push(`${world.hosts.arms[index].name}: ${isWrite ? `write ${words[4]}` : line}`);
  if (isWrite) {
    card.files.set(words[4] ?? '', stdin);
    card.modes.set(words[4] ?? '', words[5] ?? '');
    return ok();
  }
  if (words[0] === 'rm') {
    for (const path of words.slice(2)) card.files.delete(path);
    return ok();
  }
  if (words[0] === 'sysctl') {
    card.forwarding = line.endsWith('=1');
    return ok();
  }
  if (words[0] === 'systemctl') {
    card.isRunning = words[1] === 'start';
    // What was loaded is gone with the daemon; its unit loads the files when it starts.
    card.loaded.clear();
    card.secrets.clear();
    card.sas.length = 0;
    if (card.isRunning) loadAll(card);
    return ok();
  }
  if (words[0] === 'ovs-vsctl') return onBridges(card, words);
  const silent = swanctl(card);
  if (silent !== undefined) return silent;
  if (line.includes('--load-creds')) {
    card.secrets.clear();
    for (const text of card.files.values())
      for (const [, id = ''] of text.matchAll(/^ {2}(ike-[\w-]+) \{$/gm)) card.secrets.add(id);
    return ok();
  }
  if (line.includes('--load-conns')) return loadAll(card);
  const name = words[words.indexOf('--ike') + 1] ?? '';
  if (line.includes('--terminate')) {
    if (!card.sas.some((sa) => sa.name === name))
      return failed(1, 'terminate failed: no matching SAs to terminate found\n');
    for (const one of [card, ...(other.isRunning ? [other] : [])]) {
      const left = one.sas.filter((sa) => sa.name !== name);
      one.sas.splice(0, one.sas.length, ...left);
    }
    return ok(fixture('swanctl/terminate.txt'));
  }
  return initiated(world, index, { name, child: words[words.indexOf('--child') + 1] ?? '' });
}

function initiated(world: IpsecWorld, index: 0 | 1, { name, child }: { name: string; child: string }): CommandResult {
  const [card, other] = index === 0 ? world.cards : world.cards.toReversed();
  if (world.initiate !== undefined)
    return { ...failed(world.initiate.includes('failed') ? 1 : 0, ''), stdout: world.initiate };
  if (!childrenIn(card?.loaded.get(name)).includes(child))
    return { ...failed(1, ''), stdout: fixture('swanctl/initiate-unknown-child.txt') };
  if (!other?.isRunning) return { ...failed(1, ''), stdout: fixture('swanctl/initiate-dead-peer.txt') };
  const secretIn = (one: IpsecCard | undefined): string | undefined =>
    /secret = (.*)/.exec(one?.loaded.get(name) ?? '')?.[1];
  if (secretIn(card) !== secretIn(other))
    return { ...failed(1, ''), stdout: fixture('swanctl/initiate-wrong-psk.txt') };
  if (!world.isLying)
    for (const one of [card, other]) one?.sas.push({ name, child, state: 'INSTALLED', packetsOut: 8 });
  return ok(fixture('swanctl/initiate.txt'));
}

function childrenIn(text = ''): readonly string[] {
  return [...text.matchAll(/^ {6}([\w-]+) \{$/gm)].map(([, name = '']) => name);
}

function loadAll(card: IpsecCard): CommandResult {
  const all = filed(card);
  for (const name of card.loaded.keys()) if (!all.has(name)) card.loaded.delete(name);
  const isRefused = (text: string): boolean => text.includes('hw_offload = packet') && !card.knowsPacket;
  for (const [name, text] of all) if (!isRefused(text)) card.loaded.set(name, text);
  if ([...all.values()].some(isRefused))
    return failed(22, fixture('swanctl/load-all-packet-refused.txt').replaceAll("'wire'", "'dpubot-as7-as8'"));
  return ok([...all.keys()].map((name) => `loaded connection '${name}'\n`).join(''));
}

function onBridges(card: IpsecCard, words: readonly string[]): CommandResult {
  const [, , act, bridge = '', port = '', ...settings] = words;
  const ports = card.bridges.get(bridge) ?? [];
  if (act === 'del-port') {
    card.bridges.set(
      bridge,
      ports.filter((one) => one !== port),
    );
    card.ports.delete(port);
  } else {
    card.bridges.set(bridge, [...new Set([...ports, port])]);
    if (settings.length > 0) card.ports.set(port, settings.join(' '));
  }
  return ok();
}

/** All that may be left on hosts and cards, as text that can be compared. */
export function traces({ hosts, cards }: IpsecWorld): unknown {
  const links = [...hosts.hosts, ...hosts.arms].map((one) => ({
    name: one.name,
    links: [...one.links].map(([name, link]) => ({ name, ...link })),
    routes: one.routes,
  }));
  const state = cards.map(({ bridges, files, loaded, secrets, sas, forwarding, isRunning }) => ({
    bridges: [...bridges].map(([name, ports]) => [name, ports.toSorted()]),
    files: [...files.keys()].toSorted(),
    loaded: [...loaded.keys()].toSorted(),
    secrets: [...secrets].toSorted(),
    sas: sas.map(({ name, child, state: how }) => `${name} ${child} ${how}`),
    forwarding,
    isRunning,
  }));
  return structuredClone({ links, state });
}
