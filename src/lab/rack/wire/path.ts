/**
 * Where packets go: out of a host's function, over bridges, tunnels and routes of Arms and over the cable, as far as the
 * configuration of all machines lets them.
 *
 * Source: NVIDIA's kernel representors model; Open vSwitch's NORMAL action; RFC 7348 (50 bytes of VXLAN over IPv4),
 * RFC 4303 and 4106 (ESP with AES-GCM: 8 of header, 8 of IV, 2 to 5 of trailer, 16 of check value).
 */
import type { ChildSa, OvsBridge, OvsPort } from '../data-path.ts';
import { hasCable } from '../state.ts';
import type { CardState } from '../state.ts';
import type { Netdev } from '../tools/netdevs.ts';
import { armForwards, bridgeOf } from './look.ts';
import type { Look } from './look.ts';
import { protectionOf } from './protection.ts';
import type { Place } from './wire.ts';

/** A device that packets pass, and what is around them there. */
interface Link {
  machine: string;
  device: string;
  mtu: number;
  overheadBytes: number;
}

/** An Arm that packets pass, and what it does with them. */
export interface Crossing {
  card: CardState;
  kind: 'bridge' | 'vxlan' | 'route';
  inPort: string;
  outPort: string;
  bridge: string | null;
}

/** Who protects the packets on the cable. `sink` is null when the far Arm does not know the SA. */
interface Protection {
  source: { card: CardState; port: number; sa: ChildSa };
  sink: { card: CardState; port: number; sa: ChildSa } | null;
}

/** Where a path ends: a function of a host, or a device of an Arm. */
export type PathEnd = ({ kind: 'host' } & Place) | { kind: 'arm'; card: CardState; device: string };

/** A way from one end to another. */
export interface Path {
  links: Link[];
  crossings: Crossing[];
  /** Cables in the order they are passed. */
  wires: { from: Place; to: Place }[];
  protection: Protection | null;
  /** The VXLAN tunnel around the packets. */
  tunnel: { key: string; localIp: string; remoteIp: string; port: number } | null;
  /** Packets leave and never arrive: nobody can decrypt them, or nobody takes them in clear. */
  lost: boolean;
  end: PathEnd | null;
}

/** Nothing passed yet. */
export function noPath(): Path {
  return { links: [], crossings: [], wires: [], protection: null, tunnel: null, lost: false, end: null };
}

const espBytes = 36;
const vxlanBytes = 50;
const udpBytes = 8;
const outerIpBytes = 20;

/** Bytes that ESP adds to a packet. */
export function espOverhead(sa: ChildSa): number {
  return espBytes + (sa.encap ? udpBytes : 0) + (sa.mode === 'TUNNEL' ? outerIpBytes : 0);
}

function passed(path: Path, machine: string, device: Netdev, overheadBytes = 0): Path {
  return { ...path, links: [...path.links, { machine, device: device.name, mtu: device.mtu, overheadBytes }] };
}

function crossed(path: Path, crossing: Crossing): Path {
  return { ...path, crossings: [...path.crossings, crossing] };
}

/** Over the cable of an uplink to whatever is behind it. */
function overCable(look: Look, place: Place, path: Path, overheadBytes: number): Path[] {
  const { rack } = look;
  const { card, port } = place;
  const [farName = '', farPort = ''] = (card.hardware.links[`p${port}`] ?? '').split('/');
  const far = rack.state.cards.find(({ name }) => name === farName);
  const number = Number(farPort.slice(1));
  if (far === undefined || !hasCable(rack, card, port) || !hasCable(rack, far, number)) return [];
  const next = { ...path, wires: [...path.wires, { from: place, to: { card: far, port: number } }] };
  if (far.mode.current === 'nic') return toHost(look, { card: far, port: number }, next);
  const device = look.armDevice(far, farPort);
  if (!armForwards(rack, far) || device === undefined || !device.up) return [];
  return intoArm(look, far, farPort, passed(next, far.name, device, overheadBytes));
}

/** Out of an uplink. */
export function outOfUplink(look: Look, place: Place, path: Path, overheadBytes = 0): Path[] {
  const device = look.armDevice(place.card, `p${place.port}`);
  if (device === undefined || !device.up) return [];
  return overCable(look, place, passed(path, place.card.name, device, overheadBytes), overheadBytes);
}

/** Into a function of a host. */
function toHost(look: Look, place: Place, path: Path): Path[] {
  const device = look.hostDevice(place);
  if (device === undefined || !device.up) return [];
  return [{ ...passed(path, place.card.host, device), end: { kind: 'host', ...place } }];
}

/** Out of a representor to its host. */
export function outOfRepresentor(look: Look, place: Place, path: Path): Path[] {
  const device = look.armDevice(place.card, `pf${place.port}hpf`);
  if (device === undefined || !device.up) return [];
  return toHost(look, place, passed(path, place.card.name, device));
}

/** Through a tunnel port to the bridge at its other end. */
function throughTunnel(look: Look, card: CardState, port: OvsPort, path: Path, depth: number): Path[] {
  const { local_ip: localIp = '', remote_ip: remoteIp = '', key = '0', dst_port: dstPort = '4789' } = port.options;
  const number = Number(dstPort);
  const under = protectionOf(look, { card, from: localIp, to: remoteIp, kind: { protocol: 'udp', port: number } });
  if (under === null) return [];
  const overhead = vxlanBytes + (under.protection === null ? 0 : espOverhead(under.protection.source.sa));
  const before = { ...path, protection: under.protection, tunnel: { key, localIp, remoteIp, port: number } };
  return outOfUplink(look, { card, port: under.port }, before, overhead).flatMap((next) => {
    if (next.end?.kind !== 'arm' || next.end.device !== under.far.device || next.end.card !== under.far.card) return [];
    if (under.lost) return [{ ...next, lost: true }];
    const far = next.end.card;
    const peer = far.armOs.dataPath.ovs.bridges
      .flatMap((bridge) => bridge.ports.map((each) => ({ bridge, each })))
      .find(
        ({ each: { type, options } }) =>
          type === 'vxlan' &&
          options['remote_ip'] === localIp &&
          (options['local_ip'] ?? remoteIp) === remoteIp &&
          (options['key'] ?? '0') === key &&
          Number(options['dst_port'] ?? '4789') === number,
      );
    return peer === undefined ? [] : throughBridge(look, far, peer.bridge, peer.each.name, next, depth + 1);
  });
}

/** From one port of a bridge to all others: what the NORMAL action does with an address it has not learnt. */
function throughBridge(
  look: Look,
  card: CardState,
  bridge: OvsBridge,
  inPort: string,
  path: Path,
  depth: number,
): Path[] {
  if (!card.armOs.dataPath.ovs.active || depth > 3) return [];
  const inTunnel = bridge.ports.some(({ name, type }) => name === inPort && type === 'vxlan');
  const ways = bridge.ports.flatMap((port) => {
    if (port.name === inPort) return [];
    const kind = port.type === 'vxlan' || inTunnel ? 'vxlan' : 'bridge';
    const next = crossed(path, { card, kind, inPort, outPort: port.name, bridge: bridge.name });
    if (port.type === 'vxlan') return throughTunnel(look, card, port, next, depth);
    const [, uplink] = /^p(\d)$/.exec(port.name) ?? [];
    if (uplink !== undefined) return outOfUplink(look, { card, port: Number(uplink) }, next);
    const [, representor] = /^pf(\d)hpf$/.exec(port.name) ?? [];
    return representor === undefined ? [] : outOfRepresentor(look, { card, port: Number(representor) }, next);
  });
  return [...ways, { ...path, end: { kind: 'arm', card, device: bridge.name } }];
}

/** Into a device of an Arm: a port of a bridge, or the Arm itself. */
function intoArm(look: Look, card: CardState, device: string, path: Path): Path[] {
  const bridge = bridgeOf(card, device);
  if (bridge === undefined) return [{ ...path, end: { kind: 'arm', card, device } }];
  return throughBridge(look, card, bridge, device, path, path.crossings.length);
}

/** Everywhere that a frame of a host's function gets to. */
export function pathsFromHost(look: Look, place: Place): Path[] {
  const { rack } = look;
  const { card, port } = place;
  const device = look.hostDevice(place);
  if (device === undefined || !device.up) return [];
  const start = passed(noPath(), card.host, device);
  if (card.mode.current === 'nic') return overCable(look, place, start, 0);
  const representor = look.armDevice(card, `pf${port}hpf`);
  if (!armForwards(rack, card) || representor === undefined || !representor.up) return [];
  return intoArm(look, card, representor.name, passed(start, card.name, representor));
}

/** The largest IP packet that passes all of a path. */
export function pathMtu({ links }: Path): number {
  return Math.min(...links.map(({ mtu, overheadBytes }) => mtu - overheadBytes));
}
