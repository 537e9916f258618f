/**
 * `ip` for looking: addr and link, as JSON (-json) or text.
 *
 * Source: output of iproute2 6.1 for bridges, veth and virtio devices, without the fields that 5.15 does not know;
 * ip/ipaddress.c and ip/iplink_bond_slave.c.
 */
import { failed, ok } from '../shell/types.ts';
import type { CommandContext, ExecResult } from '../shell/types.ts';
import { advanceWire } from '../wire/advance.ts';
import { countersOf } from '../wire/wire.ts';
import { lookOptions } from './ip-options.ts';
import { linkDetails } from './link-details.ts';
import { netdevs } from './netdevs.ts';
import type { Netdev } from './netdevs.ts';
import { showRoutes } from './routes.ts';

type Json = Record<string, unknown>;

function flagsOf(netdev: Netdev, all: Netdev[]): string[] {
  const slave = all.some((each) => each.name === netdev.master && each.kind === 'bond');
  const lowerDown = netdev.made?.lower !== undefined && !netdev.carrier;
  return [
    ...(netdev.up && !netdev.carrier ? ['NO-CARRIER'] : []),
    'BROADCAST',
    ...(netdev.kind === 'dummy' ? ['NOARP'] : ['MULTICAST']),
    ...(netdev.kind === 'bond' ? ['MASTER'] : []),
    ...(slave ? ['SLAVE'] : []),
    ...(netdev.up ? ['UP'] : []),
    ...(netdev.up && netdev.carrier ? ['LOWER_UP'] : []),
    ...(lowerDown ? ['M-DOWN'] : []),
  ];
}

/** State as the kernel names it: a tap or dummy device never knows. */
export function operationalState(netdev: Netdev): string {
  if (!netdev.up) return 'DOWN';
  if (!netdev.carrier) return netdev.made?.lower === undefined ? 'DOWN' : 'LOWERLAYERDOWN';
  return netdev.kind === 'tun' || netdev.kind === 'dummy' ? 'UNKNOWN' : 'UP';
}

function queueing(netdev: Netdev): string {
  if (netdev.made !== null) return netdev.up ? 'noqueue' : 'noop';
  if (netdev.kind === 'tun') return 'fq_codel';
  return netdev.driver === 'virtio_net' ? 'pfifo_fast' : 'mq';
}

function linkJson(netdev: Netdev, all: Netdev[], details: boolean, linkOnly: boolean): Json {
  return {
    ifindex: netdev.index,
    ...(netdev.made?.lower !== undefined && { link: netdev.made.lower }),
    ifname: netdev.name,
    flags: flagsOf(netdev, all),
    mtu: netdev.mtu,
    qdisc: queueing(netdev),
    ...(netdev.master !== null && { master: netdev.master }),
    operstate: operationalState(netdev),
    ...(linkOnly && { linkmode: 'DEFAULT' }),
    group: 'default',
    txqlen: 1000,
    link_type: 'ether',
    address: netdev.mac,
    broadcast: 'ff:ff:ff:ff:ff:ff',
    ...(details && linkDetails(netdev, all, linkOnly)),
    ...(netdev.altNames.length > 0 && { altnames: netdev.altNames }),
  };
}

/** Counters as `-s` adds them. */
function statistics(context: CommandContext, name: string): Json {
  advanceWire(context.rack);
  const { rxBytes, rxPackets, txBytes, txPackets } = countersOf(context.rack.wire, context.machine.name, name);
  const rx = { bytes: Math.floor(rxBytes), packets: Math.floor(rxPackets), errors: 0, dropped: 0 };
  const tx = { bytes: Math.floor(txBytes), packets: Math.floor(txPackets), errors: 0, dropped: 0 };
  return { stats64: { rx: { ...rx, over_errors: 0, multicast: 0 }, tx: { ...tx, carrier_errors: 0, collisions: 0 } } };
}

function loopback(details: boolean, linkOnly: boolean): Json {
  return {
    ifindex: 1,
    ifname: 'lo',
    flags: ['LOOPBACK', 'UP', 'LOWER_UP'],
    mtu: 65536,
    qdisc: 'noqueue',
    operstate: 'UNKNOWN',
    ...(linkOnly && { linkmode: 'DEFAULT' }),
    group: 'default',
    txqlen: 1000,
    link_type: 'loopback',
    address: '00:00:00:00:00:00',
    broadcast: '00:00:00:00:00:00',
    ...(details && linkDetails(null, [], linkOnly)),
  };
}

const forever = { valid_life_time: 4_294_967_295, preferred_life_time: 4_294_967_295 };

/** Last address of an IPv4 network. */
function broadcastOf(local: string, prefix: number): string {
  const bytes = local.split('.').map(Number);
  return bytes.map((byte, index) => byte | (0xff >> Math.min(8, Math.max(0, prefix - index * 8)))).join('.');
}

function addressInfo({ local, prefix, configured }: Netdev['addresses'][number], name: string): Json {
  if (local.includes(':')) {
    const scope = local.startsWith('fe80:') ? 'link' : 'global';
    return { family: 'inet6', local, prefixlen: prefix, scope, ...forever };
  }
  const broadcast = configured ? { broadcast: broadcastOf(local, prefix) } : {};
  return { family: 'inet', local, prefixlen: prefix, ...broadcast, scope: 'global', label: name, ...forever };
}

const loopbackAddresses: Json[] = [
  { family: 'inet', local: '127.0.0.1', prefixlen: 8, scope: 'host', label: 'lo', ...forever },
  { family: 'inet6', local: '::1', prefixlen: 128, scope: 'host', ...forever },
];

/** A field with words around it, or nothing when it is not there. */
function word(before: string, value: unknown, after = ''): string {
  return typeof value === 'string' ? `${before}${value}${after}` : '';
}

function linkText(link: Json): string {
  const flags = Array.isArray(link['flags']) ? link['flags'].join(',') : '';
  const below = word('@', link['link']);
  const master = word('master ', link['master'], ' ');
  const mode = link['linkmode'] === undefined ? '' : 'mode DEFAULT ';
  const names = Array.isArray(link['altnames']) ? link['altnames'].map((name) => `    altname ${name}\n`).join('') : '';
  return (
    `${String(link['ifindex'])}: ${String(link['ifname'])}${below}: <${flags}> mtu ${String(link['mtu'])} ` +
    `qdisc ${String(link['qdisc'])} ${master}state ${String(link['operstate'])} ${mode}group default qlen 1000\n` +
    `    link/${String(link['link_type'])} ${String(link['address'])} brd ${String(link['broadcast'])}\n${names}`
  );
}

function infoText(info: Json): string {
  const broadcast = word(' brd ', info['broadcast']);
  const label = word('', info['label']);
  return (
    `    ${String(info['family'])} ${String(info['local'])}/${String(info['prefixlen'])}${broadcast} ` +
    `scope ${String(info['scope'])} ${label}\n       valid_lft forever preferred_lft forever\n`
  );
}

function itemText(item: Json): string {
  const infos = Array.isArray(item['addr_info']) ? (item['addr_info'] as Json[]) : [];
  return linkText(item) + infos.map(infoText).join('');
}

interface Selection {
  name: string;
  master: string | null;
  kind: string | null;
  onlyUp: boolean;
}

/** The words after `show`, or an error. */
function selection(object: string, args: string[], all: Netdev[]): Selection | ExecResult {
  const [verb = 'show', ...words] = args;
  if (!['show', 'list', 'sh', 'ls', 'lst'].includes(verb))
    return failed(255, `Command "${verb}" is unknown, try "ip ${object} help".\n`);
  const chosen: Selection = { name: '', master: null, kind: null, onlyUp: false };
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (word === 'up') {
      chosen.onlyUp = true;
      continue;
    }
    if (['dev', 'master', 'type'].includes(word)) at += 1;
    const value = words[at] ?? '';
    if (word === 'type') chosen.kind = value;
    else if (word === 'master') {
      if (!all.some(({ name }) => name === value))
        return failed(255, `Error: argument "${value}" is wrong: Device does not exist\n\n`);
      chosen.master = value;
    } else if (chosen.name === '') chosen.name = value;
    else return failed(255, `Error: either "dev" is duplicate, or "${value}" is a garbage.\n`);
  }
  return chosen;
}

function isChosen(netdev: Netdev, chosen: Selection): boolean {
  const named = chosen.name === '' || netdev.name === chosen.name || netdev.altNames.includes(chosen.name);
  return (
    named &&
    (chosen.master === null || netdev.master === chosen.master) &&
    (chosen.kind === null || netdev.kind === chosen.kind) &&
    (!chosen.onlyUp || netdev.up)
  );
}

function objectOf(word: string): 'address' | 'link' | 'route' | null {
  for (const name of ['address', 'link', 'route'] as const) if (word !== '' && name.startsWith(word)) return name;
  return null;
}

/** `ip` for looking. */
export function showIp(context: CommandContext, args: string[], namespace: string): ExecResult {
  const parsed = lookOptions(args);
  if ('exitCode' in parsed) return parsed;
  const { options, words } = parsed;
  const [named = '', ...rest] = words;
  const object = objectOf(named);
  if (object === null) return failed(1, `Object "${named}" is unknown, try "ip help".\n`);
  const all = netdevs(context.rack, context.machine, namespace);
  if (object === 'route') return showRoutes(context, all, options, rest);
  const chosen = selection(object, rest, all);
  if ('exitCode' in chosen) return chosen;
  const linkOnly = object === 'link';
  // Asked for one family, `ip address` leaves out devices that have none of it.
  const hasFamily = ({ addresses }: Netdev): boolean =>
    linkOnly ||
    options.family === null ||
    addresses.some(({ local }) => options.family === (local.includes(':') ? 6 : 4));
  const wanted = all.filter((each) => isChosen(each, chosen) && hasFamily(each));
  const { name } = chosen;
  if (name !== '' && name !== 'lo' && !all.some((each) => each.name === name || each.altNames.includes(name)))
    return failed(1, `Device "${name}" does not exist.\n`);
  const items = wanted.map((each): Json => {
    const counted = options.statistics ? statistics(context, each.name) : {};
    const link = { ...linkJson(each, all, options.details, linkOnly), ...counted };
    if (linkOnly) return link;
    const shown = each.addresses.filter(({ local }) => options.family !== (local.includes(':') ? 4 : 6));
    return { ...link, addr_info: shown.map((address) => addressInfo(address, each.name)) };
  });
  if ((name === '' || name === 'lo') && chosen.master === null && chosen.kind === null) {
    const lo = loopback(options.details, linkOnly);
    items.unshift(linkOnly ? lo : { ...lo, addr_info: loopbackAddresses });
  }
  if (options.json) return ok(`${JSON.stringify(items)}\n`);
  const text = items.map(itemText).join('');
  return ok(options.oneLine ? text.replaceAll(/\n(?= )/g, '\\') : text);
}
