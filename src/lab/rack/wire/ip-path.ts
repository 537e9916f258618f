/**
 * The way of an IP packet from a machine to an address: routes, neighbours, forwarding Arms, IPsec in tunnel mode.
 *
 * Source: ip-route(8); RFC 4301; NVIDIA's examples of IPsec in tunnel mode between two Arms.
 */
import type { ChildSa } from '../data-path.ts';
import type { Machine } from '../shell/types.ts';
import type { CardState } from '../state.ts';
import { networkOf } from '../tools/netdevs.ts';
import type { Netdev } from '../tools/netdevs.ts';
import { forwardsFrom } from '../tools/sysctl.ts';
import { inNetwork, selects } from './addresses.ts';
import type { PacketKind } from './addresses.ts';
import { bridgeOf } from './look.ts';
import type { Look } from './look.ts';
import { espOverhead, noPath, outOfRepresentor, outOfUplink, pathsFromHost } from './path.ts';
import type { Path, PathEnd } from './path.ts';
import { childrenOf, protectionOf, trapped } from './protection.ts';
import type { Place } from './wire.ts';

/** A route that a packet takes. */
interface Hop {
  device: Netdev;
  /** Address that the packet leaves from. */
  source: string;
  /** Who gets it next. */
  next: string;
}

/** What was found out about an address. */
export interface IpWay {
  hop: Hop;
  /** Null: nobody answers there, or the packet leaves over a network that is not modelled. */
  path: Path | null;
}

function prefixOf(network: string): number {
  return network === 'default' ? -1 : Number(network.split('/')[1] ?? 32);
}

/** The route a machine has to an address; null when it has none. `device` asks for one device only. */
export function hopTo(look: Look, machine: Machine, to: string, device?: string): Hop | null {
  const devices = look.devicesOf(machine);
  const connected = devices
    .filter(({ up }) => up)
    .flatMap((each) =>
      each.addresses
        .filter(({ local, prefix }) => !local.includes(':') && prefix < 32)
        .map(({ local, prefix }) => ({ dst: `${local}/${prefix}`, gateway: undefined, dev: each.name, source: local })),
    );
  const set = (networkOf(machine).routes ?? []).map((route) => ({ ...route, gateway: route.gateway, source: '' }));
  const [best] = [...connected, ...set]
    .filter(({ dst, dev }) => inNetwork(dst, to) && (device === undefined || dev === device))
    .sort((left, right) => prefixOf(right.dst) - prefixOf(left.dst));
  const out = devices.find(({ name, up }) => name === best?.dev && up);
  if (best === undefined || out === undefined) return null;
  const next = best.gateway ?? to;
  const own = out.addresses.filter(({ local }) => !local.includes(':'));
  // The address in the network of whoever gets the packet next is preferred.
  const near = own.find(({ local, prefix }) => inNetwork(`${local}/${prefix}`, next)) ?? own[0];
  return { device: out, source: best.source || (near?.local ?? ''), next };
}

function owns(device: Netdev | undefined, address: string): boolean {
  return device?.up === true && device.addresses.some(({ local }) => local === address);
}

function ownsAtEnd(look: Look, end: PathEnd | null, address: string): boolean {
  if (end === null) return false;
  return owns(end.kind === 'host' ? look.hostDevice(end) : look.armDevice(end.card, end.device), address);
}

/** Out of a device of an Arm that is no port of a bridge. */
function outOfArm(look: Look, card: CardState, device: string, path: Path): Path[] {
  if (bridgeOf(card, device) !== undefined) return [];
  const [, uplink] = /^p(\d)$/.exec(device) ?? [];
  if (uplink !== undefined) return outOfUplink(look, { card, port: Number(uplink) }, path);
  const [, representor] = /^pf(\d)hpf$/.exec(device) ?? [];
  return representor === undefined ? [] : outOfRepresentor(look, { card, port: Number(representor) }, path);
}

function armMachine(look: Look, card: CardState): Machine | undefined {
  return look.rack.machines.get(card.name);
}

/** An Arm passes a packet on: protected into a tunnel, or as its routes say. */
function forwarded(look: Look, card: CardState, from: string, to: string, path: Path, depth: number): Path | null {
  const machine = armMachine(look, card);
  const inPort = path.end?.kind === 'arm' ? path.end.device : '';
  if (machine === undefined || !forwardsFrom(machine, inPort) || depth > 4) return null;
  const kind: PacketKind = { protocol: 'any', port: null };
  const tunnels = (): ChildSa[] => childrenOf(card).filter(({ mode }) => mode === 'TUNNEL');
  // Who expects packets out of a tunnel takes none in clear.
  const isClear = path.wires.length > 0 && path.protection === null;
  if (
    isClear &&
    tunnels().some(({ localTs, remoteTs }) => selects({ localTs: remoteTs, remoteTs: localTs }, from, to, kind))
  )
    return { ...path, lost: true };
  const isTaken = (): boolean => tunnels().some((sa) => selects(sa, from, to, kind));
  const trap = isTaken() ? undefined : trapped({ card, from, to, kind });
  if (trap !== undefined) look.rack.hooks.acquire(card, trap.name);
  if (trap !== undefined && !isTaken()) return { ...path, lost: true };
  if (isTaken()) return intoTunnel(look, card, { from, to, inPort }, path, depth);
  const hop = hopTo(look, machine, to);
  if (hop === null) return null;
  const next: Path = {
    ...path,
    crossings: [...path.crossings, { card, kind: 'route', inPort, outPort: hop.device.name, bridge: null }],
  };
  return arrived(look, outOfArm(look, card, hop.device.name, next), hop.next, from, to, depth);
}

/** Around the packet comes the header of a tunnel between the two ends of an IKE SA. */
function intoTunnel(
  look: Look,
  card: CardState,
  packet: { from: string; to: string; inPort: string },
  path: Path,
  depth: number,
): Path | null {
  const { from, to, inPort } = packet;
  const kind: PacketKind = { protocol: 'any', port: null };
  const ike = card.armOs.dataPath.charon.sas.find(({ children }) => children.some((sa) => selects(sa, from, to, kind)));
  const sa = ike?.children.find((each) => selects(each, from, to, kind));
  if (ike === undefined || sa === undefined) return null;
  const under = protectionOf(look, {
    card,
    from: ike.local.host,
    to: ike.remote.host,
    kind: { protocol: 'esp', port: null },
  });
  if (under === null) return null;
  const { far, port } = under;
  const sink = childrenOf(far.card).find(({ spiIn }) => spiIn === sa.spiOut);
  const next: Path = {
    ...path,
    crossings: [...path.crossings, { card, kind: 'route', inPort, outPort: `p${port}`, bridge: null }],
    protection: {
      source: { card, port, sa },
      sink: sink === undefined ? null : { card: far.card, port: far.port, sa: sink },
    },
  };
  const [over] = outOfUplink(look, { card, port }, next, espOverhead(sa)).filter(
    ({ end }) => end?.kind === 'arm' && end.card === far.card,
  );
  if (over === undefined) return null;
  if (sink === undefined) return { ...over, lost: true };
  return forwarded(look, far.card, from, to, over, depth + 1);
}

/** The path whose end has the address a packet is for, going on where an Arm is only on the way. */
function arrived(look: Look, paths: Path[], next: string, from: string, to: string, depth: number): Path | null {
  const path = paths.find(({ end }) => ownsAtEnd(look, end, next)) ?? null;
  if (path === null) return paths.find(({ lost }) => lost) ?? null;
  if (next === to || path.lost) return path;
  return path.end?.kind === 'arm' ? forwarded(look, path.end.card, from, to, path, depth + 1) : null;
}

/** The function of a card that a device of a host is. */
function placeOf(look: Look, machine: Machine, device: Netdev): Place | null {
  for (const card of machine.cards) {
    const port = card.hardware.ports.findIndex(
      (_each, index) => look.hostDevice({ card, port: index })?.name === device.name,
    );
    if (port !== -1) return { card, port };
  }
  return null;
}

/** Is this one of the machine's own addresses? */
export function isOwnAddress(look: Look, machine: Machine, address: string): boolean {
  return address.startsWith('127.') || look.devicesOf(machine).some((device) => owns(device, address));
}

/** The way of a packet from a machine to an address. Null: it has no route. */
export function wayTo(
  look: Look,
  machine: Machine,
  to: string,
  wish: { from?: string | undefined; device?: string | undefined; kind?: PacketKind } = {},
): IpWay | null {
  const hop = hopTo(look, machine, to, wish.device);
  if (hop === null) return null;
  const from = wish.from ?? hop.source;
  if (machine.card !== null) {
    const { card } = machine;
    const kind = wish.kind ?? { protocol: 'icmp', port: null };
    const under = protectionOf(look, { card, from, to: hop.next, kind });
    const paths = outOfArm(look, card, hop.device.name, noPath()).map((path) =>
      under === null ? path : { ...path, protection: under.protection, lost: under.lost },
    );
    return { hop, path: arrived(look, paths, hop.next, from, to, 0) };
  }
  const place = placeOf(look, machine, hop.device);
  if (place === null) return { hop, path: null };
  return { hop, path: arrived(look, pathsFromHost(look, place), hop.next, from, to, 0) };
}

/** The machine at the end of a path. */
export function machineAt(look: Look, end: PathEnd): Machine | undefined {
  return look.rack.machines.get(end.kind === 'host' ? end.card.host : end.card.name);
}

/** A way there and the way of the answer. */
export interface BothWays {
  hop: IpWay['hop'];
  from: string;
  there: Path | null;
  back: Path | null;
}

/** Both ways between a machine and an address. Null: it has no route there. */
export function bothWays(
  look: Look,
  machine: Machine,
  to: string,
  wish: { from?: string | undefined; device?: string | undefined } = {},
): BothWays | null {
  const way = wayTo(look, machine, to, wish);
  if (way === null) return null;
  const from = wish.from ?? way.hop.source;
  const { path } = way;
  const far = path === null || path.end === null ? undefined : machineAt(look, path.end);
  const answers = path !== null && far !== undefined && isOwnAddress(look, far, to);
  return {
    hop: way.hop,
    from,
    there: answers || path?.lost === true ? path : null,
    back: answers && far !== undefined ? (wayTo(look, far, from, { from: to })?.path ?? null) : null,
  };
}
