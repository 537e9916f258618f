/**
 * `ip` for looking: addr, link and route, as JSON (-json) or text.
 *
 * Source: iproute2 5.15 ip/ipaddress.c, ip/iproute.c, lib/json_print.c.
 */
import { cardMacs, macPlus } from '../identity.ts';
import type { CommandContext, ExecResult, Machine } from '../shell/types.ts';
import { failed, ok } from '../shell/types.ts';
import type { NetworkState, Rack } from '../state.ts';
import { rshimDevices, tmfifoHasPeer } from './rshim.ts';

interface Netdev {
  index: number;
  name: string;
  mac: string;
  mtu: number;
  up: boolean;
  carrier: boolean;
  speedMbps: number;
  address: { local: string; prefix: number } | null;
  /** PCI address of the device under it, if any. */
  pci: string | null;
}

/** Name of a host port as udev gives it: slot 3 onwards, PF number, port name. */
export function portName(cardIndex: number, port: number): string {
  return `ens${3 + cardIndex}f${port}np${port}`;
}

function device(index: number, name: string, mac: string, rest: Partial<Netdev>): Netdev {
  return { index, name, mac, mtu: 1500, up: true, carrier: true, speedMbps: 1000, address: null, pci: null, ...rest };
}

function hostNetdevs(rack: Rack, machine: Machine): Netdev[] {
  const { host } = machine;
  if (host === null) return [];
  const devices = [
    device(2, 'eno1', macPlus('3c:ec:ef:70:00:00', Number(host.hardware.address.split('.').at(-1) ?? 0)), {
      address: { local: host.hardware.address, prefix: 24 },
      pci: '0000:41:00.0',
    }),
  ];
  machine.cards.forEach((card, cardIndex) => {
    card.hardware.ports.forEach(({ speedGbps }, port) => {
      const mac = macPlus(card.hardware.baseMac, port);
      const linked = card.hardware.links[`p${port}`] !== undefined;
      devices.push(
        device(devices.length + 2, portName(cardIndex, port), mac, {
          carrier: linked,
          speedMbps: speedGbps * 1000,
          pci: `${card.hardware.pcie.address}.${port}`,
        }),
      );
    });
  });
  rshimDevices(rack, host).forEach((card, index) => {
    const peerMac = `00:1a:ca:ff:ff:${(2 + index * 2).toString(16).padStart(2, '0')}`;
    const carrier = tmfifoHasPeer(rack, card);
    devices.push(device(devices.length + 2, `tmfifo_net${index}`, peerMac, { carrier, up: true, speedMbps: 10 }));
  });
  return devices;
}

function armNetdevs(machine: Machine): Netdev[] {
  const { card } = machine;
  if (card === null) return [];
  const macs = cardMacs(card.hardware);
  const ports = card.hardware.ports.map(({ name, speedGbps }, port) =>
    device(4 + port, name, macPlus(macs.base, 8 + port), {
      carrier: card.hardware.links[name] !== undefined,
      speedMbps: speedGbps * 1000,
      pci: `0000:03:00.${port}`,
    }),
  );
  return [
    device(2, 'tmfifo_net0', '00:1a:ca:ff:ff:01', { address: { local: '192.168.100.2', prefix: 30 } }),
    device(3, 'oob_net0', macs.oob, { address: { local: card.hardware.arm.address, prefix: 24 } }),
    ...ports,
  ];
}

/** What somebody set on a link by hand; made when there is nothing yet. */
export function linkOf(machine: Machine, name: string): NetworkState['links'][string] {
  const links = machine.host?.network.links ?? {};
  return (links[name] ??= { namespace: '', addresses: [], up: true, mtu: null });
}

function withSettings(machine: Machine, netdev: Netdev): Netdev {
  const set = machine.host?.network.links[netdev.name];
  const mtu = set?.mtu ?? machine.card?.armOs.mtus[netdev.name] ?? netdev.mtu;
  const [local, prefix] = (set?.addresses[0] ?? '').split('/');
  const address = local === undefined || local === '' ? netdev.address : { local, prefix: Number(prefix) };
  return { ...netdev, mtu, up: set?.up ?? netdev.up, address };
}

/** Network devices of a machine besides `lo`, in its own or another network namespace. */
export function netdevs(rack: Rack, machine: Machine, namespace = ''): Netdev[] {
  const all = machine.kind === 'host' ? hostNetdevs(rack, machine) : armNetdevs(machine);
  const links = machine.host?.network.links ?? {};
  return all
    .filter(({ name }) => (links[name]?.namespace ?? '') === namespace)
    .map((each) => withSettings(machine, each));
}

function linkJson(netdev: Netdev): Record<string, unknown> {
  const running = netdev.carrier && netdev.up;
  const flags = !netdev.up
    ? ['BROADCAST', 'MULTICAST']
    : running
      ? ['BROADCAST', 'MULTICAST', 'UP', 'LOWER_UP']
      : ['NO-CARRIER', 'BROADCAST', 'MULTICAST', 'UP'];
  return {
    ifindex: netdev.index,
    ifname: netdev.name,
    flags,
    mtu: netdev.mtu,
    qdisc: netdev.name.startsWith('tmfifo') ? 'pfifo_fast' : 'mq',
    operstate: running ? 'UP' : 'DOWN',
    linkmode: 'DEFAULT',
    group: 'default',
    txqlen: 1000,
    link_type: 'ether',
    address: netdev.mac,
    broadcast: 'ff:ff:ff:ff:ff:ff',
  };
}

const loopback = {
  ifindex: 1,
  ifname: 'lo',
  flags: ['LOOPBACK', 'UP', 'LOWER_UP'],
  mtu: 65536,
  qdisc: 'noqueue',
  operstate: 'UNKNOWN',
  linkmode: 'DEFAULT',
  group: 'default',
  txqlen: 1000,
  link_type: 'loopback',
  address: '00:00:00:00:00:00',
  broadcast: '00:00:00:00:00:00',
};

function addressInfo(local: string, prefix: number, name: string): Record<string, unknown> {
  const scope = name === 'lo' ? 'host' : 'global';
  return {
    family: 'inet',
    local,
    prefixlen: prefix,
    ...(name === 'lo' ? {} : { broadcast: `${local.split('.').slice(0, 3).join('.')}.255` }),
    scope,
    label: name,
    valid_life_time: 4_294_967_295,
    preferred_life_time: 4_294_967_295,
  };
}

function withAddresses(link: Record<string, unknown>, netdev: Netdev | null): Record<string, unknown> {
  const { linkmode: _linkmode, ...rest } = link;
  if (netdev === null) return { ...rest, addr_info: [addressInfo('127.0.0.1', 8, 'lo')] };
  const { address } = netdev;
  return { ...rest, addr_info: address === null ? [] : [addressInfo(address.local, address.prefix, netdev.name)] };
}

interface Route {
  dst: string;
  gateway?: string;
  dev: string;
  protocol: string;
  scope?: string;
  prefsrc?: string;
  metric?: number;
  flags: string[];
}

function routes(context: CommandContext, devices: Netdev[]): Route[] {
  const found: Route[] = [];
  for (const { name, address } of devices) {
    if (address === null) continue;
    const gateway = context.rack.state.management.gateway;
    if (!name.startsWith('tmfifo'))
      found.unshift({ dst: 'default', gateway, dev: name, protocol: 'static', metric: 100, flags: [] });
    const net = address.prefix === 24 ? `${address.local.split('.').slice(0, 3).join('.')}.0/24` : '192.168.100.0/30';
    found.push({ dst: net, dev: name, protocol: 'kernel', scope: 'link', prefsrc: address.local, flags: [] });
  }
  return found;
}

function linkText(link: Record<string, unknown>): string {
  const flags = Array.isArray(link['flags']) ? link['flags'].join(',') : '';
  return (
    `${String(link['ifindex'])}: ${String(link['ifname'])}: <${flags}> mtu ${String(link['mtu'])} qdisc ${String(link['qdisc'])} ` +
    `state ${String(link['operstate'])} mode DEFAULT group default qlen 1000\n` +
    `    link/${String(link['link_type'])} ${String(link['address'])} brd ${String(link['broadcast'])}\n`
  );
}

function routeText(route: Route): string {
  const via = route.gateway === undefined ? '' : ` via ${route.gateway}`;
  const rest = route.prefsrc === undefined ? ' metric 100 ' : ` scope link src ${route.prefsrc} `;
  return `${route.dst}${via} dev ${route.dev} proto ${route.protocol}${rest}\n`;
}

function print<Item>(json: boolean, items: Item[], text: (item: Item) => string): ExecResult {
  return ok(json ? `${JSON.stringify(items)}\n` : items.map(text).join(''));
}

function addressText(item: Record<string, unknown>): string {
  const infos = Array.isArray(item['addr_info']) ? (item['addr_info'] as Record<string, unknown>[]) : [];
  return (
    linkText(item).replace(' mode DEFAULT', '') +
    infos
      .map(
        (info) =>
          `    inet ${String(info['local'])}/${String(info['prefixlen'])} scope ${String(info['scope'])} ${String(info['label'])}\n       valid_lft forever preferred_lft forever\n`,
      )
      .join('')
  );
}

function objectOf(word: string): 'address' | 'link' | 'route' | null {
  for (const name of ['address', 'link', 'route'] as const) if (word !== '' && name.startsWith(word)) return name;
  return null;
}

/** The device named in `show [dev] NAME`, '' for all, or an error. */
function shownDevice(object: string, args: string[]): string | ExecResult {
  const words = args[0] === 'show' || args[0] === 'list' || args[0] === 'sh' || args[0] === 'ls' ? args.slice(1) : args;
  const name = words[0] === 'dev' ? words[1] : words[0];
  if (words.length === 0) return '';
  if (words[0] === 'dev' ? words.length === 2 : words.length === 1 && args.length === 2) return name ?? '';
  return failed(255, `Command "${args[0] ?? ''}" is unknown, try "ip ${object} help".\n`);
}

/** `ip` for looking. */
export function showIp(context: CommandContext, args: string[], namespace: string): ExecResult {
  let at = 0;
  let json = false;
  for (; (args[at] ?? '').startsWith('-'); at += 1) {
    const option = args[at] ?? '';
    if (option === '-json' || option === '-j') json = true;
    else if (!['-4', '-details', '-d', '-s', '-statistics', '-p', '-pretty'].includes(option)) {
      return failed(255, `Option "${option}" is unknown, try "ip -help".\n`);
    }
  }
  const object = objectOf(args[at] ?? '');
  if (object === null) return failed(1, `Object "${args[at] ?? ''}" is unknown, try "ip help".\n`);
  const name = shownDevice(object, args.slice(at + 1));
  if (typeof name !== 'string') return name;
  const devices = netdevs(context.rack, context.machine, namespace);
  if (object === 'route')
    return print(
      json,
      routes(context, devices).filter((each) => name === '' || each.dev === name),
      routeText,
    );
  const wanted = devices.filter((each) => name === '' || each.name === name);
  if (name !== '' && name !== 'lo' && wanted.length === 0) return failed(1, `Device "${name}" does not exist.\n`);
  const showsLoopback = name === '' || name === 'lo';
  if (object === 'link') {
    return print(json, [...(showsLoopback ? [loopback] : []), ...wanted.map(linkJson)], linkText);
  }
  const items = wanted.map((each) => withAddresses(linkJson(each), each));
  return print(json, [...(showsLoopback ? [withAddresses(loopback, null)] : []), ...items], addressText);
}
