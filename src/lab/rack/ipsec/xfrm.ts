/**
 * `ip xfrm state|policy` for looking: what charon has put into the kernel.
 *
 * Source: iproute2 ip/ipxfrm.c and its output on a real kernel; 5.15 prints the offload line without a mode, the newer one
 * of DOCA in /opt/mellanox/iproute2 with it; policies without a direction in that line.
 */
import { createHash } from 'node:crypto';
import type { ChildSa, IkeSa, Selector } from '../data-path.ts';
import { complain, out } from '../shell/descriptors.ts';
import type { Frame } from '../shell/types.ts';
import { advanceWire } from '../wire/advance.ts';

interface Sa {
  ike: IkeSa;
  child: ChildSa;
  way: 'out' | 'in';
}

/** How the caller wants it. */
interface XfrmLook {
  statistics: boolean;
  /** `nokeys` behind the command. */
  hidden?: boolean;
  /** The iproute2 of DOCA. */
  newer: boolean;
}

function sasOf(frame: Frame): Sa[] {
  const sas = frame.machine.card?.armOs.dataPath.charon.sas ?? [];
  return sas.flatMap((ike) =>
    ike.children.flatMap((child) => [
      { ike, child, way: 'out' as const },
      { ike, child, way: 'in' as const },
    ]),
  );
}

/** Name of the uplink that has the address of an IKE SA. */
function uplinkOf(frame: Frame, { local }: IkeSa): string {
  const links = frame.machine.card?.armOs.dataPath.network.links ?? {};
  const found = Object.entries(links).find(([, link]) =>
    link.addresses.some((each) => each.startsWith(`${local.host}/`)),
  );
  return found?.[0] ?? 'p0';
}

/** Never the key itself: one that belongs to nobody. */
function madeUpKey({ spiIn, cipher }: ChildSa, { hidden, statistics }: XfrmLook): string {
  if (hidden === true) return '<<Keys hidden>>';
  const bits = cipher.bits + 32;
  const key = createHash('sha512')
    .update(spiIn)
    .digest('hex')
    .slice(0, bits / 4);
  return `0x${key}${statistics ? ` (${bits} bits)` : ''}`;
}

function offloadLine(frame: Frame, { ike, child, way }: Sa, look: XfrmLook): string {
  if (child.offload === 'no') return '';
  const mode = look.newer ? ` mode ${child.offload}` : '';
  return `\tcrypto offload parameters: dev ${uplinkOf(frame, ike)} dir ${way}${mode}\n`;
}

function stateText(frame: Frame, sa: Sa, look: XfrmLook): string {
  const { ike, child, way } = sa;
  const [from, to] = way === 'out' ? [ike.local.host, ike.remote.host] : [ike.remote.host, ike.local.host];
  const spi = way === 'out' ? child.spiOut : child.spiIn;
  const [bytes, packets] = way === 'out' ? [child.bytesOut, child.packetsOut] : [child.bytesIn, child.packetsIn];
  const flags = `af-unspec${child.cipher.esn ? ' esn' : ''}`;
  const isGcm = child.cipher.name.startsWith('AES_GCM');
  const algorithm = isGcm
    ? `\taead rfc4106(gcm(aes)) ${madeUpKey(child, look)} 128\n`
    : `\tauth-trunc hmac(sha256) ${madeUpKey(child, look)} 128\n\tenc cbc(aes) ${madeUpKey(child, look)}\n`;
  const replay = child.cipher.esn
    ? `\tanti-replay esn context:\n\t seq-hi 0x0, seq 0x${way === 'in' ? Math.floor(packets).toString(16) : '0'}, oseq-hi 0x0, oseq 0x${way === 'out' ? Math.floor(packets).toString(16) : '0'}\n\t replay_window 32, bitmap-length 1\n\t 00000000 \n`
    : `\tanti-replay context: seq 0x${way === 'in' ? Math.floor(packets).toString(16) : '0'}, oseq 0x${way === 'out' ? Math.floor(packets).toString(16) : '0'}, bitmap 0x00000000\n`;
  const count = look.statistics
    ? `\tlifetime config:\n\t  limit: soft (INF)(bytes), hard (INF)(bytes)\n\t  limit: soft (INF)(packets), hard (INF)(packets)\n\t  expire add: soft 3300(sec), hard 3960(sec)\n\t  expire use: soft 0(sec), hard 0(sec)\n\tlifetime current:\n\t  ${Math.floor(bytes)}(bytes), ${Math.floor(packets)}(packets)\n\t  add ${stamp(child.installedAtMs)} use ${packets > 0 ? stamp(child.installedAtMs) : '-'}\n\tstats:\n\t  replay-window 0 replay 0 failed 0\n`
    : '';
  const head = look.statistics
    ? `spi 0x${spi}(${Number.parseInt(spi, 16)}) reqid ${child.reqid}(0x${child.reqid.toString(16).padStart(8, '0')})`
    : `spi 0x${spi} reqid ${child.reqid}`;
  return (
    `src ${from} dst ${to}\n\tproto esp ${head} mode ${child.mode.toLowerCase()}\n` +
    `\treplay-window ${way === 'in' && !child.cipher.esn ? 32 : 0} flag ${flags}\n` +
    `${algorithm}${child.encap ? '\tencap type espinudp sport 4500 dport 4500 addr 0.0.0.0\n' : ''}${replay}${offloadLine(frame, sa, look)}${count}`
  );
}

function stamp(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

function selectorText({ network, protocol, port }: Selector, key: 'sport' | 'dport'): [string, string] {
  return [network, port === null ? '' : ` ${protocol === null ? '' : `proto ${protocol} `}${key} ${port}`];
}

/** A policy of a child: for packets that leave, that come, or that are passed on. */
interface Policy {
  selectors: Pick<ChildSa, 'localTs' | 'remoteTs' | 'mode'>;
  ends: [string, string];
  reqid: number;
  way: 'out' | 'fwd' | 'in';
  /** Of the SA that takes the packets, when there is one. */
  spi: string | null;
  offload: string;
}

/** Policies of the SAs, and of the children that wait for a packet; tunnels have one for what is passed on. */
function policiesOf(frame: Frame, look: XfrmLook): Policy[] {
  const charon = frame.machine.card?.armOs.dataPath.charon;
  if (charon === undefined) return [];
  const installed = charon.sas.flatMap((ike) =>
    ike.children.map((child) => ({
      selectors: child,
      ends: [ike.local.host, ike.remote.host] as [string, string],
      reqid: child.reqid,
      spi: child.spiOut,
      // The line of a policy names no direction.
      offload:
        child.offload === 'packet'
          ? `\tcrypto offload parameters: dev ${uplinkOf(frame, ike)}${look.newer ? ' mode packet' : ''}\n`
          : '',
    })),
  );
  const names = charon.sas.flatMap(({ children }) => children.map(({ name }) => name));
  const trapped = charon.connections.flatMap(({ children, localAddresses, remoteAddresses }) =>
    children
      .filter(({ name }) => charon.traps.includes(name) && !names.includes(name))
      .map((child) => ({
        selectors: child,
        ends: [localAddresses[0] ?? '0.0.0.0', remoteAddresses[0] ?? '0.0.0.0'] as [string, string],
        reqid: charon.next.reqid,
        spi: null,
        offload: '',
      })),
  );
  return [...installed, ...trapped].flatMap((each) => {
    const ways = each.selectors.mode === 'TUNNEL' ? (['out', 'fwd', 'in'] as const) : (['out', 'in'] as const);
    return ways.map((way) => ({ ...each, way }));
  });
}

const anywhere: Selector = { network: '0.0.0.0/0', protocol: null, port: null };

function policyText({ selectors, ends: [local, remote], reqid, way, spi, offload }: Policy): string {
  const { localTs, remoteTs, mode } = selectors;
  const pairs = localTs.flatMap((own) => remoteTs.map((other) => (way === 'out' ? [own, other] : [other, own])));
  const [from, to] = way === 'out' ? [local, remote] : [remote, local];
  const ends = mode === 'TUNNEL' ? `src ${from} dst ${to}` : 'src 0.0.0.0 dst 0.0.0.0';
  const id = way === 'out' && spi !== null ? ` spi 0x${spi}` : '';
  return pairs
    .map(([source = anywhere, target = anywhere]) => {
      const one = selectorText(source, 'sport');
      const other = selectorText(target, 'dport');
      return (
        `src ${one[0]} dst ${other[0]}${one[1]}${other[1] === '' ? '' : one[1] === '' ? other[1] : ` ${other[1].replace(/^ (proto \w+ )?/, '')}`} \n` +
        `\tdir ${way} priority 367231 ptype main \n\ttmpl ${ends}\n\t\tproto esp${id} reqid ${reqid} mode ${mode.toLowerCase()}\n${offload}`
      );
    })
    .join('');
}

/** What lets the daemon's own sockets through, whatever the other policies say. */
function socketText(): string {
  const one = (any: string, way: string): string => `src ${any} dst ${any} \n\tsocket ${way} priority 0 ptype main \n`;
  return ['0.0.0.0/0', '::/0'].map((any) => (one(any, 'in') + one(any, 'out')).repeat(2)).join('');
}

/** SAs that `src A dst B spi S reqid R` behind `list` ask for. */
function wantedSas(sas: Sa[], words: readonly string[]): Sa[] {
  const after = (name: string): string | undefined =>
    words.includes(name) ? words[words.indexOf(name) + 1] : undefined;
  const [source, target, spi, reqid] = [after('src'), after('dst'), after('spi'), after('reqid')];
  return sas.filter(({ ike, child, way }) => {
    const [from, to] = way === 'out' ? [ike.local.host, ike.remote.host] : [ike.remote.host, ike.local.host];
    const own = Number.parseInt(way === 'out' ? child.spiOut : child.spiIn, 16);
    return (
      (source ?? from) === from &&
      (target ?? to) === to &&
      (spi === undefined || Number(spi) === own) &&
      (reqid === undefined || Number(reqid) === child.reqid)
    );
  });
}

/** What follows `ip xfrm`. */
export function showXfrm(
  frame: Frame,
  [object = '', verb = 'list', ...words]: readonly string[],
  asked: XfrmLook,
): number {
  const name = ['state', 'policy'].find((each) => object !== '' && each.startsWith(object));
  if (name === undefined) {
    complain(frame, 'Usage: ip xfrm XFRM-OBJECT { COMMAND | help }\nwhere  XFRM-OBJECT := state | policy | monitor\n');
    return 255;
  }
  if (!['list', 'show', 'lst', 'count', ''].includes(verb)) {
    complain(frame, `Command "${verb}" is unknown, try "ip xfrm ${name} help".\n`);
    return 255;
  }
  if (!frame.root) {
    complain(frame, 'RTNETLINK answers: Operation not permitted\nDump terminated\n');
    return 1;
  }
  advanceWire(frame.rack);
  const look = { ...asked, hidden: words.includes('nokeys') };
  const sas = sasOf(frame);
  const policies = policiesOf(frame, look);
  if (verb === 'count') {
    const count = (way: Policy['way']): number => policies.filter((each) => each.way === way).length;
    const totals = `\t SPD IN  ${count('in')} OUT ${count('out')} FWD ${count('fwd')}\n`;
    out(frame, name === 'state' ? `\t SAD count ${sas.length}\n` : totals);
    return 0;
  }
  if (name === 'state')
    out(
      frame,
      wantedSas(sas, words)
        .map((each) => stateText(frame, each, look))
        .join(''),
    );
  else {
    const isActive = frame.machine.card?.armOs.dataPath.charon.active === true;
    out(frame, policies.map(policyText).join('') + (isActive ? socketText() : ''));
  }
  return 0;
}
