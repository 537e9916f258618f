/**
 * How much the parts of a path can carry. A model for finding mis-settings, no measurement: the figures are those of the
 * public sources, rounded.
 *
 * Source: the quest (390 Gb/s raw, 193 Gb/s IPsec, 100 Gb/s cap of storage controllers); fastSwan's BlueField-3 benchmarks
 * (Arm forwarding 1.2 to 5.2 Gb/s without and with crypto offload, loss with more than 1000 tunnels); PCIe base
 * specification (128b/130b encoding).
 */
import type { ArmDataPath, Offload } from '../data-path.ts';
import { cardFault, cardsOfHost, shownHardware } from '../state.ts';
import type { CardState, Rack } from '../state.ts';
import { linkState } from '../tools/pci.ts';
import { espOverhead } from './path.ts';
import type { Crossing, Path } from './path.ts';

/** Preamble, start of frame, FCS and gap around a frame without FCS. */
export const framingBytes = 24;
/** Ethernet header without VLAN. */
export const ethernetBytes = 14;
const vxlanBytes = 50;

/** Share of the line rate that a port reaches. */
const lineShare = 0.975;
const cryptoGbps = 200;
const controllerGbps = 100;
/** What the TCP of a whole host takes with packets of 1500 and of 9000 bytes. */
const hostTcpGbps = { small: 170, large: 370 };
/** Between the NUMA nodes of a host. */
const remoteNodeGbps = 210;

/** Software path of an Arm: its four queues, and what one core forwards. */
const armQueues = 4;
const armCore = { pps: 120_000, gbps: 2 };
/** One core that does what the hardware left of an SA, or that routes what the hardware has decrypted. */
const saCoreGbps: Record<Offload, number> = { packet: 1.3, crypto: 1.1, no: 0.6 };

/** One thing that all flows through it share. */
export interface Resource {
  /** Flows with the same key share it. */
  key: string;
  gbps: number;
  /** Bytes that one packet costs there. */
  bytes: number;
  /** Too much is thrown away here; elsewhere the sender is held back. */
  drops: boolean;
  /** Cores of this card's Arm that are busy when it is used up. */
  arm?: { card: CardState; cores: number };
}

/** What a part of a flow looks like to the limits. */
export interface FlowShape {
  kind: 'tcp' | 'frames';
  packetBytes: number;
  spread: number;
}

/** Gb/s of the slot of a card. */
function slotGbps(rack: Rack, card: CardState): number {
  const { speedGts, width } = linkState(rack, card);
  return (speedGts * width * 128) / 130;
}

/** Does the switch of the card forward without its Arm? */
export function switchOffloads({ ovs, eswitches }: ArmDataPath, port: number): boolean {
  return ovs.active && ovs.running.hwOffload && eswitches[port]?.mode === 'switchdev';
}

/** The number at the end of a port's name: which eSwitch it belongs to. */
function eswitchOf({ inPort, outPort }: Crossing): number {
  const names = [inPort, outPort].join(' ');
  return Number(/\bpf?(\d)/.exec(names)?.[1] ?? 0);
}

function offloadAt(path: Path, card: CardState): Offload | null {
  const { protection } = path;
  if (protection === null) return null;
  if (protection.source.card === card) return protection.source.sa.offload;
  return protection.sink?.card === card ? protection.sink.sa.offload : null;
}

/** Is what an Arm does with the packets of a path done by its hardware? */
export function crossingOffloaded(path: Path, crossing: Crossing): boolean {
  if (crossing.kind === 'route') return false;
  const { dataPath } = crossing.card.armOs;
  if (!switchOffloads(dataPath, eswitchOf(crossing))) return false;
  return crossing.kind === 'bridge' || (offloadAt(path, crossing.card) ?? 'packet') === 'packet';
}

function armResource(path: Path, crossing: Crossing, { packetBytes, spread }: FlowShape): Resource {
  const { card } = crossing;
  const queues = Math.max(1, Math.min(armQueues, spread));
  const bytes = packetBytes + ethernetBytes;
  const offload = offloadAt(path, card);
  const esp = offload === null || crossing.kind === 'bridge' ? null : saCoreGbps[offload];
  const perCore = Math.min((armCore.pps * bytes * 8) / 1e9, esp ?? armCore.gbps);
  return {
    key: `arm ${card.name}`,
    gbps: perCore * queues,
    bytes,
    drops: true,
    arm: { card, cores: queues },
  };
}

/** Gb/s of the crypto engine of a card: fewer when it has to look up very many SAs. */
function engineGbps(card: CardState): number {
  const count = card.armOs.dataPath.charon.sas.reduce((sum, { children }) => sum + children.length, 0);
  const loss = Math.max(0, count - 1000) * 0.15;
  return Math.max(40, cryptoGbps * lineShare - loss);
}

function cryptoResources(path: Path, { packetBytes }: FlowShape): Resource[] {
  const { protection, tunnel } = path;
  if (protection === null) return [];
  const { source, sink } = protection;
  const bytes = packetBytes + (tunnel === null ? 0 : vxlanBytes) + espOverhead(source.sa) + ethernetBytes;
  const sides = [{ ...source, way: 'out' }, ...(sink === null ? [] : [{ ...sink, way: 'in' }])];
  return sides
    .filter(({ sa }) => sa.offload === 'packet')
    .map(({ card, way }) => ({ key: `crypto ${card.name} ${way}`, gbps: engineGbps(card), bytes, drops: false }));
}

function wireBytes({ protection, tunnel }: Path, { packetBytes }: FlowShape): number {
  const around = (tunnel === null ? 0 : vxlanBytes) + (protection === null ? 0 : espOverhead(protection.source.sa));
  return packetBytes + around + ethernetBytes + framingBytes;
}

function tcpOf(card: CardState, { packetBytes }: FlowShape): Resource {
  const { small, large } = hostTcpGbps;
  const gbps = small + ((packetBytes - 1500) / 7500) * (large - small);
  return { key: `tcp ${card.host}`, gbps, bytes: packetBytes + ethernetBytes, drops: false };
}

/** Everything a flow passes that has a limit, in the order in which it comes there. */
export function resourcesOf(
  rack: Rack,
  path: Path,
  shape: FlowShape,
  remote: { sender: boolean; receiver: boolean },
): Resource[] {
  const [first, last] = [path.wires[0], path.wires.at(-1)];
  if (first === undefined || last === undefined) return [];
  const frame = shape.packetBytes + ethernetBytes;
  const slot = (card: CardState, way: string, drops: boolean): Resource => ({
    key: `slot ${card.name} ${way}`,
    gbps: slotGbps(rack, card),
    bytes: frame,
    drops,
  });
  const node = (card: CardState, way: string): Resource => ({
    key: `node ${card.host} ${way}`,
    gbps: remoteNodeGbps,
    bytes: frame,
    drops: false,
  });
  const controllers = [first.from.card, last.to.card].filter((card) => shownHardware(rack, card).controller);
  const slow = path.crossings.filter((crossing) => !crossingOffloaded(path, crossing));
  const before = slow.filter(({ card }) => card === first.from.card);
  const after = slow.filter(({ card }) => card !== first.from.card);
  const speed = ({ card, port }: typeof first.from): number => shownHardware(rack, card).ports[port]?.speedGbps ?? 0;
  return [
    ...(remote.sender ? [node(first.from.card, 'out')] : []),
    slot(first.from.card, 'out', false),
    ...controllers.map(({ name }) => ({ key: `controller ${name}`, gbps: controllerGbps, bytes: frame, drops: false })),
    ...before.slice(0, 1).map((crossing) => armResource(path, crossing, shape)),
    ...cryptoResources(path, shape),
    ...path.wires.map(({ from, to }) => ({
      key: `cable ${from.card.name} p${from.port}`,
      gbps: Math.min(speed(from), speed(to)) * lineShare,
      bytes: wireBytes(path, shape),
      drops: false,
    })),
    ...after.slice(0, 1).map((crossing) => armResource(path, crossing, shape)),
    slot(last.to.card, 'in', true),
    ...(shape.kind === 'tcp' ? [tcpOf(last.to.card, shape)] : []),
    ...(remote.receiver ? [node(last.to.card, 'in')] : []),
  ];
}

/** The cards of a host whose receive buffers run dry. */
export function losesBuffers(rack: Rack, host: string): boolean {
  return cardsOfHost(rack, host).some((card) => cardFault(rack, card, 'rx-nombuf'));
}
