import type { PairSliceEnd } from '../domain/pairs.ts';
import type { Ipsec } from '../domain/profile.ts';
import { addressOf, hostAddresses, subnetOf } from './bench-topology.ts';

/** What the connection of a pair is made of, seen from one of its cards. */
export interface IpsecSides {
  readonly pair: string;
  readonly end: 'a' | 'b';
  readonly own: PairSliceEnd;
  readonly other: PairSliceEnd;
  readonly ipsec: Ipsec;
  /** Pairs of associations; over 1 in tunnel mode only. */
  readonly sas: number;
}

/** One pair of associations and what it carries. */
export interface ChildWish {
  readonly name: string;
  readonly localTs: string;
  readonly remoteTs: string;
}

const vxlanPort = 4789;

/** Name of the connection; a dot would be read as a path by strongSwan, and no pair has an underscore in its name. */
export function connectionName(pair: string): string {
  return `dpubot-${pair.replaceAll('.', '_')}`;
}

/** Files on a card that hold the connection; certificates and key only where they are used. */
export function ipsecFiles(pair: string): {
  readonly connection: string;
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
} {
  const name = connectionName(pair);
  return {
    connection: `/etc/swanctl/conf.d/${name}.conf`,
    authority: `/etc/swanctl/x509ca/${name}.pem`,
    certificate: `/etc/swanctl/x509/${name}.pem`,
    key: `/etc/swanctl/private/${name}.pem`,
  };
}

/**
 * What is encrypted. Transport: VXLAN between the two uplinks; its source port differs from flow to flow, so each direction
 * has associations of its own (Open vSwitch and NVIDIA's guide do the same). Tunnel: whole subnets of the hosts, or, of
 * several, one address each. Source: ovs-monitor-ipsec (vxlan); swanctl.conf(5), local_ts.
 */
export function childrenOf({ end, own, other, ipsec, sas }: Omit<IpsecSides, 'pair'>): readonly ChildWish[] {
  if (ipsec.mode === 'transport') {
    const [local, remote] = [own, other].map(({ wireAddress = '' }) => `${addressOf(wireAddress)}/32`);
    const [any, vxlan] = ['[udp]', `[udp/${vxlanPort}]`];
    const out = { localTs: `${local}${any}`, remoteTs: `${remote}${vxlan}` };
    const back = { localTs: `${local}${vxlan}`, remoteTs: `${remote}${any}` };
    // The same name on both cards for the same associations.
    return [
      { name: 'a-to-b', ...(end === 'a' ? out : back) },
      { name: 'b-to-a', ...(end === 'a' ? back : out) },
    ];
  }
  // One pair of associations takes whole subnets: strongSwan in user space refuses selectors without an address of its own.
  if (sas === 1) return [{ name: 'sa1', localTs: routedSubnet(own), remoteTs: routedSubnet(other) }];
  const [locals, remotes] = [hostAddresses(own, { sas }), hostAddresses(other, { sas })];
  return locals.map((local, index) => ({
    name: `sa${index + 1}`,
    localTs: `${local}/32`,
    remoteTs: `${remotes[index] ?? ''}/32`,
  }));
}

/** The subnet of the hosts behind a card that routes. */
export function routedSubnet({ card, routed }: PairSliceEnd): string {
  if (routed === undefined) throw new RangeError(`the pair names no \`routed\` addresses for ${card}`);
  return subnetOf(routed.host);
}

/** Text of the connection file without secrets. Source: swanctl.conf(5); NVIDIA DOCA docs, IPsec packet offload with strongSwan. */
export function connectionText(sides: IpsecSides): string {
  const { pair, end, own, other, ipsec } = sides;
  const name = connectionName(pair);
  const files = ipsecFiles(pair);
  const isPsk = ipsec.auth.kind === 'psk';
  const identity = (side: 'a' | 'b'): string => `${name}-${side}`;
  const local = isPsk ? ['auth = psk', `id = ${identity(end)}`] : ['auth = pubkey', `certs = ${files.certificate}`];
  const remote = isPsk
    ? ['auth = psk', `id = ${identity(end === 'a' ? 'b' : 'a')}`]
    : ['auth = pubkey', `cacerts = ${files.authority}`];
  const connection = [
    'version = 2',
    'mobike = no',
    'reauth_time = 0',
    `local_addrs = ${addressOf(own.wireAddress ?? '')}`,
    `remote_addrs = ${addressOf(other.wireAddress ?? '')}`,
    `proposals = ${ipsec.ikeProposal}`,
    ...(ipsec.encap ? ['encap = yes'] : []),
    ...block('local', local),
    ...block('remote', remote),
    ...block(
      'children',
      childrenOf(sides).flatMap((child) => block(child.name, childLines(child, ipsec))),
    ),
  ];
  return `${['# Written by dpubot, and removed when the measurement is over.', ...block('connections', block(name, connection))].join('\n')}\n`;
}

function childLines({ localTs, remoteTs }: ChildWish, { mode, espProposal, offload }: Ipsec): readonly string[] {
  return [
    `mode = ${mode}`,
    `local_ts = ${localTs}`,
    `remote_ts = ${remoteTs}`,
    `esp_proposals = ${espProposal}`,
    // Without the key it is `no`; older versions know no other value.
    ...(offload === 'no' ? [] : ['policies_fwd_out = yes', `hw_offload = ${offload}`]),
  ];
}

/** A section of the file. */
export function block(name: string, lines: readonly string[]): readonly string[] {
  return [`${name} {`, ...lines.map((line) => `  ${line}`), '}'];
}
