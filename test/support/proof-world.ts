import type { CommandResult } from '../../src/domain/device-ports.ts';
import type { ApplyContext, End } from '../../src/domain/step.ts';
import type { HostSession } from '../../src/domain/device-ports.ts';
import { benchContext, createBenchMemory } from './bench-context.ts';
import { createBenchWorld } from './bench-world.ts';
import { fixture } from './fixture.ts';

/** One card, as its Arm shows it. */
export interface FakeCard {
  /** Ticks that each of two CPUs has worked and rested. */
  cpus: readonly (readonly [busy: number, idle: number])[];
  flows: string;
  sas: string;
  /** Bytes that the card has encrypted and decrypted; undefined: its driver counts none. */
  ipsecBytes: { tx: number; rx: number } | undefined;
  /** Bytes on the wire, the same both ways; undefined: not counted. */
  wireBytes?: number;
  hwOffload: '"true"\n' | '"false"\n' | '\n';
  daemon: string;
  eswitch: 'switchdev' | 'legacy';
  steering: 'dmfs' | 'smfs';
  /** Of our connection; undefined: no strongSwan answers. */
  installed: number | undefined;
  /** Files of an out-of-tree driver; undefined: there are none. */
  ipsecMode: 'full' | 'none' | undefined;
  /** Commands that are refused: by a part of their line. */
  refused: readonly string[];
  /** Every command line that its Arm was sent. */
  readonly asked: string[];
}

export interface ProofWorld {
  readonly cards: readonly [FakeCard, FakeCard];
  readonly context: ApplyContext;
}

const macs = ['a0:88:c2:00:00:01', 'a0:88:c2:00:00:02'] as const;

/** Two flows between the hosts of the pair, one each way, as a card shows them. */
export function flowsText(
  how: string,
  { packets = 5_000_000, hosts = macs }: { packets?: number; hosts?: readonly [string, string] } = {},
): string {
  const line = (from: string, to: string, port: string, action: string): string =>
    `ufid:00000001-d82f-473f-b8b3-40aebe04e33a, recirc_id(0),in_port(${port}),packet_type(ns=0/0,id=0/0),eth(src=${from},dst=${to}),eth_type(0x0800), packets:${packets}, bytes:${packets * 1500}, used:0.180s, ${how}, actions:${action}\n`;
  return line(hosts[0], hosts[1], 'pf0hpf', 'p0') + line(hosts[1], hosts[0], 'p0', 'pf0hpf');
}

/** Two cards that do everything in hardware. */
export function createProofWorld(profile: object = {}, login: { readonly arms?: true } = { arms: true }): ProofWorld {
  const world = createBenchWorld();
  const card = (): FakeCard => ({
    cpus: [
      [100, 900],
      [100, 900],
    ],
    flows: flowsText('offloaded:yes, dp:tc'),
    sas: fixture('ip/xfrm-packet.txt'),
    ipsecBytes: { tx: 1_000, rx: 1_000 },
    hwOffload: '"true"\n',
    daemon: 'started 1795437482.0\n',
    eswitch: 'switchdev',
    steering: 'dmfs',
    installed: 1,
    ipsecMode: undefined,
    refused: [],
    asked: [],
  });
  const cards = [card(), card()] as const;
  const base = benchContext(world, createBenchMemory(), { profile, ...login });
  const ends = (base.pair?.ends ?? []).map((end, index): End<HostSession> => {
    const read: HostSession['read'] = end.host.read.bind(end.host);
    end.host.read = async (command, options) =>
      command.argv.includes('lspci')
        ? answered(fixture('lspci/one-b3240.txt').replaceAll('MT2334XZ0ABC', end.card.serial ?? ''))
        : read(command, options);
    return { ...end, entry: { ...end.entry, wireAddress: `192.168.50.${index + 1}/24` } };
  });
  const [a, b] = ends;
  if (a === undefined || b === undefined) throw new Error('a pair has two ends');
  const arm = {
    ...base.arm,
    login: async (
      ref: Parameters<ApplyContext['arm']['login']>[0],
      options: Parameters<ApplyContext['arm']['login']>[1],
    ) => {
      const found = await base.arm.login(ref, options);
      const own = cards[ref.dpu.name === a.dpu.name ? 0 : 1];
      if (found.state !== 'in') return found;
      return {
        ...found,
        session: { ...found.session, read: async ({ argv }: { argv: readonly string[] }) => answerOf(own, argv) },
      };
    },
  };
  return { cards, context: { ...base, arm, pair: { name: 'as7-as8', ends: [a, b] } } };
}

async function answered(stdout: string, change: Partial<CommandResult> = {}): Promise<CommandResult> {
  return Promise.resolve({ stdout, stderr: '', exitCode: 0, truncated: false, durationMs: 1, ...change });
}

async function answerOf(card: FakeCard, argv: readonly string[]): Promise<CommandResult> {
  const line = argv.join(' ');
  card.asked.push(line);
  if (card.refused.some((part) => line.includes(part)))
    return answered('', { exitCode: 1, stderr: 'refused by the test' });
  if (line.endsWith('/proc/stat'))
    return answered(card.cpus.map(([busy, idle], cpu) => `cpu${cpu} ${busy} 0 0 ${idle} 0 0 0 0 0 0\n`).join(''));
  if (line === 'ip -json link') return answered(JSON.stringify([{ ifname: 'p0', mtu: 9216, operstate: 'UP' }]));
  if (line.includes('dump-flows')) return answered(card.flows);
  if (line.includes('xfrm state')) return answered(card.sas);
  if (line.includes('ethtool -S')) return answered(`NIC statistics:\n     rx_packets: 1\n${counterLines(card)}`);
  if (line.includes('show-log')) return answered(card.daemon);
  if (line.includes('hw-offload')) return answered(card.hwOffload);
  if (line.includes('doca-init')) return answered('\n');
  if (line.includes('eswitch show'))
    return answered(`pci/0000:03:00.0: mode ${card.eswitch} inline-mode none encap-mode basic\n`);
  if (line.includes('flow_steering_mode'))
    return answered(
      `pci/0000:03:00.0:\n  name flow_steering_mode type driver-specific\n    values:\n      cmode runtime value ${card.steering}\n`,
    );
  if (line.includes('compat/devlink')) return compat(card, line);
  if (line.includes('swanctl')) return swanctl(card, line);
  return answered('', { exitCode: 127, stderr: `sh: 1: ${argv[0] ?? ''}: not found\n` });
}

async function compat({ ipsecMode, steering }: FakeCard, line: string): Promise<CommandResult> {
  if (ipsecMode === undefined) return answered('', { exitCode: 1, stderr: 'cat: x: No such file or directory\n' });
  return answered(`${line.endsWith('ipsec_mode') ? ipsecMode : steering}\n`);
}

/** A rekeyed one stays for a while; somebody else has a connection of his own. Source: test/fixtures/swanctl. */
async function swanctl({ installed }: FakeCard, line: string): Promise<CommandResult> {
  if (installed === undefined)
    return answered('', {
      exitCode: 111,
      stderr: "connecting to 'unix:///var/run/charon.vici' failed: Connection refused\n",
    });
  if (line.includes('list-conns'))
    return answered('list-conn event {dpubot-as7-as8 {local_addrs=[192.168.50.1]}}\nlist-conns reply {}\n');
  const child = (index: number, state: string): string =>
    `net-${index} {name=net uniqueid=${index} state=${state} mode=TRANSPORT packets-in=3 packets-out=3}`;
  const own = Array.from({ length: installed }, (_one, index) => child(index + 2, 'INSTALLED')).join(' ');
  const sa = (name: string, children: string): string =>
    `list-sa event {${name} {uniqueid=1 version=2 state=ESTABLISHED child-sas {${children}}}}\n`;
  return answered(
    `${sa('dpubot-as7-as8', `${child(1, 'DELETED')} ${own}`)}${sa('office', child(9, 'INSTALLED'))}list-sas reply {}\n`,
  );
}

function counterLines({ ipsecBytes, wireBytes }: FakeCard): string {
  const wire = wireBytes === undefined ? '' : `     rx_bytes_phy: ${wireBytes}\n     tx_bytes_phy: ${wireBytes}\n`;
  if (ipsecBytes === undefined) return wire;
  const ways = (['tx', 'rx'] as const)
    .map(
      (way) =>
        `     ipsec_${way}_pkts: ${Math.round(ipsecBytes[way] / 1500)}\n     ipsec_${way}_bytes: ${ipsecBytes[way]}\n`,
    )
    .join('');
  return wire + ways;
}
