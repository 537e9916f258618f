/**
 * `ovs-appctl` and `ovs-ofctl` for looking: flows of the datapath, what the hardware has of them.
 *
 * Source: lib/dpctl.c and odp-util.c of Open vSwitch 2.17 (`offloaded:`, `dp:` and ufid only with -m; type= filters).
 */
import { createHash } from 'node:crypto';
import type { CardState, Rack } from '../state.ts';
import type { Command } from '../shell/types.ts';
import { failed, ok } from '../shell/types.ts';
import { lookAt } from '../wire/look.ts';
import { advanceWire, crossingsAt } from '../wire/advance.ts';
import type { Crossing, Path } from '../wire/path.ts';
import type { Flow } from '../wire/wire.ts';

/** A flow of the datapath. */
interface DatapathFlow {
  match: string;
  brief: string;
  actions: string;
  briefActions: string;
  packets: number;
  bytes: number;
  offloaded: boolean;
}

function tunnelText({ key, localIp, remoteIp, port }: NonNullable<Path['tunnel']>, incoming: boolean): string {
  const [source, target] = incoming ? [remoteIp, localIp] : [localIp, remoteIp];
  return incoming
    ? `tunnel(tun_id=0x${Number(key).toString(16)},src=${source},dst=${target},ttl=0/0,tp_dst=${port},flags(+key)),`
    : `set(tunnel(tun_id=0x${Number(key).toString(16)},src=${source},dst=${target},ttl=64,tp_dst=${port},flags(df|key))),`;
}

function portNames(
  crossing: Crossing,
  tunnel: Path['tunnel'],
  card: CardState,
): { from: string; to: string; before: string; match: string } {
  const isTunnel = (name: string): boolean =>
    card.armOs.dataPath.ovs.bridges.some(({ ports }) =>
      ports.some((port) => port.name === name && port.type === 'vxlan'),
    );
  const device = (name: string): string => (isTunnel(name) ? `vxlan_sys_${tunnel?.port ?? 4789}` : name);
  const there = tunnel !== null && isTunnel(crossing.outPort) ? tunnelText(tunnel, false) : '';
  // The far side of the tunnel has the addresses the other way round.
  const turned = tunnel === null ? null : { ...tunnel, localIp: tunnel.remoteIp, remoteIp: tunnel.localIp };
  const here = turned !== null && isTunnel(crossing.inPort) ? tunnelText(turned, true) : '';
  return { from: device(crossing.inPort), to: device(crossing.outPort), before: there, match: here };
}

function indexOf(rack: Rack, card: CardState, name: string): number {
  const machine = rack.machines.get(card.name);
  if (machine === undefined) return 0;
  return (
    lookAt(rack)
      .devicesOf(machine)
      .findIndex((each) => each.name === name) + 1
  );
}

function flowOf(
  rack: Rack,
  card: CardState,
  each: { flow: Flow; crossing: Crossing; offloaded: boolean; tunnel: Path['tunnel']; packets: number },
): DatapathFlow {
  const { flow, crossing, offloaded, tunnel, packets } = each;
  const names = portNames(crossing, tunnel, card);
  const eth = `eth(src=${flow.addresses.fromMac},dst=${flow.addresses.toMac}),eth_type(0x0800)`;
  const all = 'skb_priority(0/0),skb_mark(0/0),ct_state(0/0),ct_zone(0/0),ct_mark(0/0),ct_label(0/0)';
  const ip = 'ipv4(src=0.0.0.0/0.0.0.0,dst=0.0.0.0/0.0.0.0,proto=0/0,tos=0/0,ttl=0/0,frag=no)';
  return {
    match: `${all},recirc_id(0),dp_hash(0/0),${names.match}in_port(${names.from}),packet_type(ns=0/0,id=0/0),${eth},${ip}`,
    brief: `recirc_id(0),${names.match}in_port(${indexOf(rack, card, names.from)}),${eth},ipv4(frag=no)`,
    actions: `${names.before}${names.to}`,
    briefActions: `${names.before}${indexOf(rack, card, names.to)}`,
    packets,
    bytes: packets * (flow.packetBytes + 14),
    offloaded,
  };
}

function flowsAt(rack: Rack, card: CardState): DatapathFlow[] {
  const merged = new Map<string, DatapathFlow>();
  for (const { flow, rates, crossing, offloaded } of crossingsAt(rack, card)) {
    const tunnel = rates.path?.tunnel ?? null;
    const packets = Math.floor(flow.passed);
    const made = flowOf(rack, card, { flow, crossing, offloaded, tunnel, packets });
    const known = merged.get(made.match);
    if (known === undefined) merged.set(made.match, made);
    else Object.assign(known, { packets: known.packets + made.packets, bytes: known.bytes + made.bytes });
  }
  return [...merged.values()];
}

function dumpFlows(rack: Rack, card: CardState, args: string[]): string {
  const more = args.some((arg) => arg === '-m' || arg === '--more');
  const types = (args.find((arg) => arg.startsWith('type='))?.slice(5) ?? 'all').split(',');
  const wanted = flowsAt(rack, card).filter(
    ({ offloaded }) =>
      types.includes('all') ||
      types.some((type) => (offloaded ? ['offloaded', 'tc'] : ['ovs', 'non-offloaded']).includes(type)),
  );
  return wanted
    .map((each) => {
      const ufid = createHash('sha256').update(each.match).digest('hex');
      const id = `ufid:${ufid.slice(0, 8)}-${ufid.slice(8, 12)}-${ufid.slice(12, 16)}-${ufid.slice(16, 20)}-${ufid.slice(20, 32)}`;
      const count = `packets:${each.packets}, bytes:${each.bytes}, used:${(0.05 + (each.packets % 90) / 100).toFixed(3)}s`;
      if (!more) return `${each.brief}, ${count}, actions:${each.briefActions}\n`;
      const how = each.offloaded ? 'offloaded:yes, dp:tc' : 'dp:ovs';
      return `${id}, ${each.match}, ${count}, ${how}, actions:${each.actions}\n`;
    })
    .join('');
}

function learnt(rack: Rack, card: CardState, bridge: string): string {
  const rows = crossingsAt(rack, card)
    .filter(({ crossing }) => crossing.bridge === bridge)
    .map(
      ({ flow, crossing }) =>
        `${String(indexOf(rack, card, crossing.inPort)).padStart(5)}     0  ${flow.addresses.fromMac}    0\n`,
    );
  return ` port  VLAN  MAC                Age\n${[...new Set(rows)].join('')}`;
}

/** `ovs-appctl`. */
export const ovsAppctl: Command = ({ rack, machine, root }, args) => {
  const { card } = machine;
  const pidfile = 'ovs-appctl: cannot read pidfile "/var/run/openvswitch/ovs-vswitchd.pid"';
  if (!root || card === null) return failed(1, `${pidfile} (Permission denied)\n`);
  const { ovs } = card.armOs.dataPath;
  if (!ovs.active) return failed(1, `${pidfile} (No such file or directory)\n`);
  const words = args.filter((arg, index) => !arg.startsWith('-') && args[index - 1] !== '-t');
  const [verb = '', ...rest] = words;
  advanceWire(rack);
  switch (verb) {
    case 'dpctl/dump-flows':
      return ok(dumpFlows(rack, card, args));
    case 'dpctl/show': {
      const flows = flowsAt(rack, card).length;
      const ports = [
        'ovs-system',
        ...ovs.bridges.flatMap((each) => [each.name, ...each.ports.map(({ name }) => name)]),
      ];
      const rows = ports.map((name, index) => `  port ${index}: ${name}\n`).join('');
      return ok(
        `system@ovs-system:\n  lookups: hit:0 missed:0 lost:0\n  flows: ${flows}\n  masks: hit:0 total:0 hit/pkt:0.00\n${rows}`,
      );
    }
    case 'dpctl/offload-stats-show': {
      const count = flowsAt(rack, card).filter(({ offloaded }) => offloaded).length;
      return ok(
        `HW Offload stats:\n    Total                  Enqueued offloads:       0\n    Total                  Inserted offloads:       ${count}\n`,
      );
    }
    case 'dpctl/dump-conntrack':
    case 'vlog/set':
      return ok();
    case 'fdb/show':
      return ovs.bridges.some(({ name }) => name === rest[0])
        ? ok(learnt(rack, card, rest[0] ?? ''))
        : failed(2, 'no such bridge\novs-appctl: ovs-vswitchd: server returned an error\n');
    case 'version':
      return ok('ovs-vswitchd (Open vSwitch) 2.17.8\n');
    default:
      return failed(
        2,
        `"${verb}" is not a valid command (use "list-commands" to see a list of valid commands)\novs-appctl: ovs-vswitchd: server returned an error\n`,
      );
  }
};

/** `ovs-ofctl dump-flows BRIDGE`: one flow that forwards as a switch does. */
export const ovsOfctl: Command = ({ machine, root }, args) => {
  const { card } = machine;
  const [verb = '', bridge = ''] = args.filter((arg) => !arg.startsWith('-'));
  if (!root || card === null) return failed(1, `ovs-ofctl: ${bridge}: failed to open socket (Permission denied)\n`);
  const known = card.armOs.dataPath.ovs.bridges.some(({ name }) => name === bridge);
  if (!known || !card.armOs.dataPath.ovs.active) return failed(1, `ovs-ofctl: ${bridge} is not a bridge or a socket\n`);
  if (verb !== 'dump-flows') return failed(1, `ovs-ofctl: unknown command '${verb}'; use --help for help\n`);
  return ok(' cookie=0x0, duration=5237.118s, table=0, n_packets=0, n_bytes=0, priority=0 actions=NORMAL\n');
};
