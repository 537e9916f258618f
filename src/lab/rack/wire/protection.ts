/**
 * What happens to packets that an Arm itself sends to another one over the cable: in clear, protected by an SA, or lost
 * because the two do not agree.
 *
 * Source: RFC 4301 (SPD and SAD); strongSwan's policies without a fall-back to clear text.
 */
import type { ChildConfig, ChildSa } from '../data-path.ts';
import type { CardState, Rack } from '../state.ts';
import { selects } from './addresses.ts';
import type { PacketKind } from './addresses.ts';
import { bridgeOf } from './look.ts';
import type { Look } from './look.ts';
import type { Path } from './path.ts';

/** A packet that an Arm sends from one of its addresses. */
export interface ArmPacket {
  card: CardState;
  from: string;
  to: string;
  kind: PacketKind;
}

/** How it gets to the other Arm. */
export interface UnderWay {
  /** The uplink it leaves through. */
  port: number;
  far: { card: CardState; device: string; port: number };
  protection: Path['protection'];
  lost: boolean;
}

/** SAs of a card, all connections together. */
export function childrenOf({ armOs }: CardState): ChildSa[] {
  return armOs.dataPath.charon.sas.flatMap(({ children }) => children);
}

/** The uplink of a card that owns an address and is up, outside of any bridge: there the address answers. */
export function uplinkWith(look: Look, card: CardState, address: string): number | null {
  const index = card.hardware.ports.findIndex((_port, number) => {
    const device = look.armDevice(card, `p${number}`);
    const owns = device?.addresses.some(({ local }) => local === address) === true;
    return owns && device.up && bridgeOf(card, device.name) === undefined;
  });
  return index === -1 ? null : index;
}

/** The card at the other end of an uplink's cable. */
function farEnd(rack: Rack, card: CardState, port: number): { card: CardState; port: number; device: string } | null {
  const [name = '', device = ''] = (card.hardware.links[`p${port}`] ?? '').split('/');
  const far = rack.state.cards.find((each) => each.name === name);
  return far === undefined ? null : { card: far, device, port: Number(device.slice(1)) };
}

/** Which SA takes a packet out, and which takes it in; `blocked` when one side wants one and the other has none. */
function agreed(
  rack: Rack,
  packet: ArmPacket,
  port: number,
  far: UnderWay['far'],
): Pick<UnderWay, 'protection' | 'lost'> {
  const { card, from, to, kind } = packet;
  const find = (): ChildSa | undefined => childrenOf(card).find((each) => selects(each, from, to, kind));
  const trap = find() === undefined ? trapped(packet) : undefined;
  if (trap !== undefined) rack.hooks.acquire(card, trap.name);
  const sa = find();
  const theirs = childrenOf(far.card);
  if (sa === undefined) {
    const wanted = theirs.some((each) => selects({ localTs: each.remoteTs, remoteTs: each.localTs }, from, to, kind));
    return { protection: null, lost: wanted || trap !== undefined };
  }
  const sink = theirs.find(({ spiIn }) => spiIn === sa.spiOut);
  const protection = {
    source: { card, port, sa },
    sink: sink === undefined ? null : { card: far.card, port: far.port, sa: sink },
  };
  return { protection, lost: sink === undefined };
}

/** A policy without an SA: the packet asks for one. */
export function trapped({ card, from, to, kind }: ArmPacket): ChildConfig | undefined {
  const { connections, traps } = card.armOs.dataPath.charon;
  return connections
    .flatMap(({ children }) => children)
    .find((child) => traps.includes(child.name) && selects(child, from, to, kind));
}

/** The way of a packet between two Arms; null when it does not leave, or nobody there has the address. */
export function protectionOf(look: Look, packet: ArmPacket): UnderWay | null {
  const { rack } = look;
  const { card, from, to } = packet;
  const port = uplinkWith(look, card, from);
  if (port === null) return null;
  const far = farEnd(rack, card, port);
  if (far === null || uplinkWith(look, far.card, to) !== far.port) return null;
  return { port, far, ...agreed(rack, packet, port, far) };
}
