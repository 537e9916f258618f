/**
 * The IKE daemon of an Arm agrees on SAs with the daemon at the other end of the cable, and ends them.
 *
 * Source: strongSwan 5.9 (charon's messages, the IKE SA that stays when a CHILD_SA cannot be installed); RFC 7296 (shared
 * keys by identity, deletes).
 */
import { armStage } from '../card-clock.ts';
import type { ChildConfig, ChildSa, ConnectingSa, ConnectionConfig, IkeSa } from '../data-path.ts';
import { randomHex } from '../random.ts';
import { hasCable } from '../state.ts';
import type { CardState, Rack } from '../state.ts';
import { inNetwork } from '../wire/addresses.ts';
import { advanceWire } from '../wire/advance.ts';
import { lookAt } from '../wire/look.ts';
import { uplinkWith } from '../wire/protection.ts';
import { makeChild, twin } from './child-sa.ts';
import type { MadeChild, Peer } from './child-sa.ts';
import { proposalWords } from './proposals.ts';
import {
  authLines,
  childLines,
  establishedLines,
  initLines,
  noProposalLines,
  proposalLines,
  refusedLines,
} from './transcript.ts';
import type { Talk } from './transcript.ts';

function secretFor(card: CardState, ids: string[]): string | undefined {
  const { secrets } = card.armOs.dataPath.charon;
  const fits = secrets.filter((each) => each.ids.length === 0 || each.ids.every((id) => ids.includes(id)));
  return fits.sort((left, right) => right.ids.length - left.ids.length)[0]?.secret;
}

/** What an attempt came to; `lines` are what the daemon says meanwhile. */
export interface Attempt {
  lines: string[];
  /** Whom it was tried with. */
  talk?: Talk;
  outcome: 'done' | 'failed' | 'no-answer' | 'not-found';
}

/** The daemon that answers at the far address, or null when nobody does. */
function farDaemon(
  rack: Rack,
  card: CardState,
  from: string,
  to: string,
): { card: CardState; port: number; farPort: number } | null {
  const look = lookAt(rack);
  const port = uplinkWith(look, card, from);
  if (port === null || !hasCable(rack, card, port)) return null;
  const [name = '', device = ''] = (card.hardware.links[`p${port}`] ?? '').split('/');
  const far = rack.state.cards.find((each) => each.name === name);
  const farPort = Number(device.slice(1));
  if (far === undefined || !hasCable(rack, far, farPort) || uplinkWith(look, far, to) !== farPort) return null;
  return armStage(rack, far) === 'OsIsRunning' && far.armOs.dataPath.charon.active
    ? { card: far, port, farPort }
    : null;
}

function answering(far: CardState, from: string, to: string): ConnectionConfig[] {
  const any = (list: string[], address: string): boolean =>
    list.length === 0 ||
    list.some((each) => each === '%any' || each === address || (each.includes('/') && inNetwork(each, address)));
  return far.armOs.dataPath.charon.connections.filter(
    (each) => any(each.localAddresses, to) && any(each.remoteAddresses, from),
  );
}

/** How long the daemon asks a peer that does not answer. */
const askingMs = 165_060;

/** IKE SAs whose peer has not answered yet. */
export function connectingOf(rack: Rack, { armOs }: CardState): ConnectingSa[] {
  const { charon } = armOs.dataPath;
  charon.connecting = charon.connecting.filter(({ untilMs }) => untilMs > rack.nowMs());
  return charon.connecting;
}

/** Somebody begins to talk to the other daemon. Gives the number of the IKE SA. */
function begin(rack: Rack, card: CardState, { name }: ConnectionConfig, talk: Talk, lines: string[]): number {
  const { charon } = card.armOs.dataPath;
  const known = connectingOf(rack, card).find((each) => each.name === name);
  if (known !== undefined) return known.id;
  const id = charon.next.ike;
  charon.next.ike += 1;
  const initiatorSpi = randomHex(rack.state, 16);
  const untilMs = rack.nowMs() + askingMs;
  charon.connecting.push({ id, name, local: talk.from, remote: talk.to, initiatorSpi, untilMs });
  lines.push(...initLines(talk, name, id));
  return id;
}

/** Both daemons and their connections, when they agree on how to talk. */
interface Pairing {
  peer: Peer;
  proposal: string;
}

/** The IKE SA of a connection is agreed on now. */
function agreeOnIke(
  rack: Rack,
  card: CardState,
  connection: ConnectionConfig,
  talk: Talk,
  child: string | null,
  lines: string[],
): Pairing | Attempt['outcome'] {
  const far = farDaemon(rack, card, talk.from, talk.to);
  if (far === null) return 'no-answer';
  const { charon } = card.armOs.dataPath;
  charon.connecting = charon.connecting.filter(({ name }) => name !== connection.name);
  const candidates = answering(far.card, talk.from, talk.to);
  const common = candidates.filter(({ proposals }) => proposals.some((each) => connection.proposals.includes(each)));
  const [first] = common;
  if (first === undefined) {
    lines.push(...noProposalLines(talk));
    return 'failed';
  }
  const proposal = connection.proposals.find((each) => first.proposals.includes(each)) ?? 'default';
  lines.push(...proposalLines(talk, proposalWords(proposal) ?? []));
  const mine = [connection.local.id, connection.remote.id];
  const isShared = connection.local.auth === 'psk';
  const own = secretFor(card, mine);
  if (isShared && own === undefined) {
    lines.push(`[IKE] no shared key found for '${mine[0]}' - '${mine[1]}'`);
    return 'failed';
  }
  lines.push(...authLines(talk, connection.local.id, child));
  const theirs = common.find(({ local, remote }) => local.id === mine[1] && [mine[0], '%any'].includes(remote.id));
  const agrees = theirs?.local.auth === connection.local.auth && (!isShared || secretFor(far.card, mine) === own);
  if (theirs === undefined || !agrees) {
    lines.push(...refusedLines(talk));
    return 'failed';
  }
  return { peer: { ...far, connection: theirs }, proposal };
}

/** The two halves of an IKE SA, the own one first. */
function newIke(
  rack: Rack,
  card: CardState,
  id: number,
  connection: ConnectionConfig,
  { peer, proposal }: Pairing,
): IkeSa {
  const [from = '', to = ''] = [connection.localAddresses[0], connection.remoteAddresses[0]];
  const spis = { initiatorSpi: randomHex(rack.state, 16), responderSpi: randomHex(rack.state, 16) };
  const make = (owner: CardState, number: number, config: ConnectionConfig, initiator: boolean): IkeSa => {
    const [local, remote] = initiator ? [from, to] : [to, from];
    const sa: IkeSa = {
      id: number,
      name: config.name,
      local: { host: local, id: config.local.id },
      remote: { host: remote, id: initiator ? config.remote.id : connection.local.id },
      initiator,
      ...spis,
      proposal: proposalWords(proposal) ?? [],
      rekeySeconds: config.rekeySeconds,
      establishedAtMs: rack.nowMs(),
      children: [],
    };
    owner.armOs.dataPath.charon.sas.push(sa);
    return sa;
  };
  const ike = make(card, id, connection, true);
  const { next } = peer.card.armOs.dataPath.charon;
  make(peer.card, next.ike, peer.connection, false);
  next.ike += 1;
  return ike;
}

/** What somebody wants up: a child, an IKE SA, or a child of a named one. */
interface Wish {
  child?: string | undefined;
  ike?: string | undefined;
}

function wished(
  card: CardState,
  { child, ike }: Wish,
): { connection: ConnectionConfig; child: ChildConfig | null } | null {
  const { connections } = card.armOs.dataPath.charon;
  const connection = connections.find(
    ({ name, children }) =>
      (ike === undefined || name === ike) && (child === undefined || children.some((each) => each.name === child)),
  );
  const config = connection?.children.find(({ name }) => name === child) ?? null;
  return connection === undefined || (child === undefined && ike === undefined) ? null : { connection, child: config };
}

/** Bring up a CHILD_SA with the IKE SA that it needs, or an IKE SA alone. */
export function initiate(rack: Rack, card: CardState, wish: Wish): Attempt {
  advanceWire(rack);
  const found = wished(card, wish);
  if (found === null) return { lines: [], outcome: 'not-found' };
  const { connection, child } = found;
  const { charon } = card.armOs.dataPath;
  const talk = { from: connection.localAddresses[0] ?? '', to: connection.remoteAddresses[0] ?? '' };
  const lines: string[] = [];
  const existing = charon.sas.find(({ name }) => name === connection.name);
  if (existing !== undefined) {
    const far = farDaemon(rack, card, talk.from, talk.to);
    const theirs = far === null ? undefined : twin(far.card, existing);
    const config = far?.card.armOs.dataPath.charon.connections.find(({ name }) => name === theirs?.name);
    if (child === null) return { lines, outcome: 'done' };
    if (far === null || config === undefined) return { lines, talk, outcome: 'no-answer' };
    return addChild(rack, card, existing, child, { ...far, connection: config }, lines);
  }
  const id = begin(rack, card, connection, talk, lines);
  const title = child === null ? null : `${child.name}{${charon.next.child}}`;
  const agreed = agreeOnIke(rack, card, connection, talk, title, lines);
  if (typeof agreed === 'string') return { lines, talk, outcome: agreed };
  const ike = newIke(rack, card, id, connection, agreed);
  if (child === null) {
    lines.push(...establishedLines(talk, ike, ''));
    return { lines, outcome: 'done' };
  }
  const made = makeChild(rack, card, ike, child, agreed.peer);
  lines.push(...establishedLines(talk, ike, made.answer), ...made.lines);
  return childDone(made, lines);
}

function addChild(rack: Rack, card: CardState, ike: IkeSa, child: ChildConfig, peer: Peer, lines: string[]): Attempt {
  const talk = { from: ike.local.host, to: ike.remote.host };
  const title = `${child.name}{${card.armOs.dataPath.charon.next.child}}`;
  const made = makeChild(rack, card, ike, child, peer);
  lines.push(...childLines(talk, title, made.answer), ...made.lines);
  return childDone(made, lines);
}

function childDone({ isMade }: MadeChild, lines: string[]): Attempt {
  if (isMade) return { lines, outcome: 'done' };
  lines.push('[IKE] failed to establish CHILD_SA, keeping IKE_SA');
  return { lines, outcome: 'failed' };
}

/** A packet met a policy without an SA. */
export function acquire(rack: Rack, card: CardState, child: string): void {
  if (card.armOs.dataPath.charon.active) initiate(rack, card, { child });
}

/** End an IKE SA or one of its children. Gives whether the far daemon heard of it. */
export function endSa(rack: Rack, card: CardState, ike: IkeSa, child?: ChildSa): boolean {
  advanceWire(rack);
  const { charon } = card.armOs.dataPath;
  const far = farDaemon(rack, card, ike.local.host, ike.remote.host);
  const other = far === null ? undefined : twin(far.card, ike);
  if (child === undefined) {
    charon.sas = charon.sas.filter((each) => each !== ike);
    if (far !== null) {
      const theirs = far.card.armOs.dataPath.charon;
      theirs.sas = theirs.sas.filter((each) => each !== other);
    }
    return far !== null;
  }
  ike.children = ike.children.filter((each) => each !== child);
  if (other !== undefined) other.children = other.children.filter(({ spiIn }) => spiIn !== child.spiOut);
  return far !== null;
}
