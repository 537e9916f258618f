/**
 * CHILD_SAs: agreeing on selectors and algorithms, and what both kernels and cards make of it.
 *
 * Source: RFC 7296 2.9 (narrowing); strongSwan 5.9 child_create.c (messages).
 */
import type { ChildConfig, ChildSa, ConnectionConfig, IkeSa, Selector } from '../data-path.ts';
import { randomHex } from '../random.ts';
import type { CardState, Rack } from '../state.ts';
import { inNetwork } from '../wire/addresses.ts';
import { installOffload } from './offload.ts';
import { cipherOf } from './proposals.ts';

/** The daemon at the other end, and the connection that it answers with. */
export interface Peer {
  card: CardState;
  /** Own uplink, and its. */
  port: number;
  farPort: number;
  connection: ConnectionConfig;
}

function intersect(mine: Selector[], theirs: Selector[]): Selector[] {
  return mine.flatMap((one) =>
    theirs.flatMap((other) => {
      const address = (each: Selector): string => each.network.split('/')[0] ?? '';
      const narrow = inNetwork(one.network, address(other))
        ? other
        : inNetwork(other.network, address(one))
          ? one
          : null;
      const clash =
        (one.protocol !== null && other.protocol !== null && one.protocol !== other.protocol) ||
        (one.port !== null && other.port !== null && one.port !== other.port);
      if (narrow === null || clash) return [];
      return [{ network: narrow.network, protocol: one.protocol ?? other.protocol, port: one.port ?? other.port }];
    }),
  );
}

/** A selector as strongSwan prints it. */
export function selectorText({ network, protocol, port }: Selector): string {
  return protocol === null ? network : `${network}[${protocol}${port === null ? '' : `/${port}`}]`;
}

/** The far side's half of an IKE SA. */
export function twin(peer: CardState, ike: IkeSa): IkeSa | undefined {
  return peer.armOs.dataPath.charon.sas.find(({ initiatorSpi }) => initiatorSpi === ike.initiatorSpi);
}

/** What both sides have agreed on. */
interface Agreement {
  theirs: ChildConfig;
  localTs: Selector[];
  remoteTs: Selector[];
  proposal: string;
}

/** What became of a child; `answer` is what the other side's message held. */
export interface MadeChild {
  isMade: boolean;
  answer: string;
  lines: string[];
}

const refusedBy = (notify: 'NO_PROPOSAL_CHOSEN' | 'TS_UNACCEPTABLE'): MadeChild => ({
  isMade: false,
  answer: `N(${notify === 'TS_UNACCEPTABLE' ? 'TS_UNACCEPT' : 'NO_PROP'}) `,
  lines: [`[IKE] received ${notify} notify, no CHILD_SA built`],
});

function agree(child: ChildConfig, peer: Peer): Agreement | MadeChild {
  const fits = peer.connection.children
    .map((theirs) => ({
      theirs,
      localTs: intersect(child.localTs, theirs.remoteTs),
      remoteTs: intersect(child.remoteTs, theirs.localTs),
      proposal: child.espProposals.find((each) => theirs.espProposals.includes(each)) ?? '',
    }))
    .filter(({ localTs, remoteTs, theirs }) => localTs.length > 0 && remoteTs.length > 0 && theirs.mode === child.mode);
  const good = fits.filter(({ proposal }) => proposal !== '');
  const found = good.find(({ theirs }) => theirs.name === child.name) ?? good[0];
  return found ?? refusedBy(fits.length > 0 ? 'NO_PROPOSAL_CHOSEN' : 'TS_UNACCEPTABLE');
}

function numbered(owner: CardState, name: string): Pick<ChildSa, 'id' | 'reqid' | 'name'> {
  const { next, sas } = owner.armOs.dataPath.charon;
  const known = sas.flatMap(({ children }) => children).find((each) => each.name === name);
  const numbers = { id: next.child, reqid: known?.reqid ?? next.reqid, name };
  next.child += 1;
  if (known === undefined) next.reqid += 1;
  return numbers;
}

/** What charon says of an SA that the kernel or the card did not take, one direction after the other. */
function refusalLines(refusal: string, spis: string[]): string[] {
  const isAnswer = refusal.includes('netlink');
  return [
    ...spis.flatMap((spi) => [
      `[KNL] ${refusal}`,
      ...(isAnswer ? [`[KNL] unable to add SAD entry with SPI ${spi} (FAILED)`] : []),
    ]),
    '[IKE] unable to install inbound and outbound IPsec SA (SAD) in kernel',
  ];
}

/** Make the two halves of a CHILD_SA below an IKE SA, or say why not. */
export function makeChild(rack: Rack, card: CardState, ike: IkeSa, child: ChildConfig, peer: Peer): MadeChild {
  const agreed = agree(child, peer);
  if ('isMade' in agreed) return agreed;
  const twinIke = twin(peer.card, ike);
  const { localTs, remoteTs, theirs, proposal } = agreed;
  const cipher = cipherOf(proposal);
  const [spiIn, spiOut] = [`c${randomHex(rack.state, 7)}`, `c${randomHex(rack.state, 7)}`];
  const far = installOffload(rack, peer.card, peer.farPort, theirs.hwOffload, cipher);
  if (twinIke === undefined || 'refusal' in far) return refusedBy('NO_PROPOSAL_CHOSEN');
  const answer = 'SA TSi TSr ';
  const mine = installOffload(rack, card, peer.port, child.hwOffload, cipher);
  if ('refusal' in mine) return { isMade: false, answer, lines: refusalLines(mine.refusal, [spiIn, spiOut]) };
  const encap = peer.connection.encap || connectionOf(card, ike)?.encap === true;
  const counts = { bytesIn: 0, packetsIn: 0, bytesOut: 0, packetsOut: 0, installedAtMs: rack.nowMs() };
  const common = { mode: child.mode, encap, cipher, ...counts };
  const made = { ...common, ...numbered(card, child.name), offload: mine.offload, spiIn, spiOut, localTs, remoteTs };
  const turned = { spiIn: spiOut, spiOut: spiIn, localTs: remoteTs, remoteTs: localTs };
  ike.children.push(made);
  twinIke.children.push({ ...common, ...numbered(peer.card, theirs.name), offload: far.offload, ...turned });
  const ts = (list: Selector[]): string => list.map(selectorText).join(' ');
  const lines = [
    `[CFG] selected proposal: ESP:${cipher.name}_${cipher.bits}/${cipher.esn ? 'EXT_SEQ' : 'NO_EXT_SEQ'}`,
    `[IKE] CHILD_SA ${child.name}{${made.id}} established with SPIs ${spiIn}_i ${spiOut}_o and TS ${ts(localTs)} === ${ts(remoteTs)}`,
  ];
  return { isMade: true, answer, lines };
}

function connectionOf(card: CardState, { name }: IkeSa): ConnectionConfig | undefined {
  return card.armOs.dataPath.charon.connections.find((each) => each.name === name);
}
