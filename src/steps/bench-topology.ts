import type { BenchKind } from '../domain/bench.ts';
import type { Profile } from '../domain/profile.ts';
import type { PairSliceEnd } from '../domain/pairs.ts';
import type { ObserveContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { readAddressedLinks } from '../facts/link-addresses.ts';
import { armSession } from './arm-session.ts';
import type { EndFacts } from './measure-ends.ts';
import { pairOf } from './measure-ends.ts';

/** Do the cards route between their hosts? Else they bridge, and both hosts are in one subnet. */
export function isRouted(kind: BenchKind, profile: Profile): boolean {
  return kind === 'ipsec' && profile.ipsec?.mode === 'tunnel';
}

/** Representor of the host's function behind a port. Source: NVIDIA BlueField docs, Kernel Representors Model. */
export function hostRepresentor(port: PairSliceEnd['port']): string {
  return port === 'p0' ? 'pf0hpf' : 'pf1hpf';
}

/** The subnet of an address, as in `10.1.0.0/24` of `10.1.0.2/24`. */
export function subnetOf(cidr: string): string {
  const { value, prefix } = parse(cidr);
  const size = 2 ** (32 - prefix);
  return `${textOf(Math.floor(value / size) * size)}/${prefix}`;
}

/** The address without its prefix length. */
export function addressOf(cidr: string): string {
  return cidr.split('/')[0] ?? cidr;
}

/**
 * Addresses of the host of an end. Routed: one for each security association, from the host's own on. Errors: RangeError,
 * where the subnet has not so many (checked before: see `fits`).
 */
export function hostCidrs(entry: PairSliceEnd, routed: { readonly sas: number } | undefined): readonly string[] {
  if (routed === undefined) return [entry.hostAddress];
  const first = routed.sas > 0 ? entry.routed?.host : undefined;
  if (first === undefined) throw new RangeError(`the pair names no \`routed\` addresses for ${entry.card}`);
  const { value, prefix } = parse(first);
  return Array.from({ length: routed.sas }, (_one, index) => `${textOf(value + index)}/${prefix}`);
}

/** The same without prefix length, for tools. */
export function hostAddresses(entry: PairSliceEnd, routed: { readonly sas: number } | undefined): readonly string[] {
  return hostCidrs(entry, routed).map(addressOf);
}

/** Why the addresses of an end cannot be given to so many associations; undefined: they can. */
export function whyNot({ card, routed }: PairSliceEnd, sas: number): string | undefined {
  if (routed === undefined)
    return `the inventory names no \`routed\` addresses for ${card}, and tunnel mode needs them`;
  const cidrs = Array.from({ length: sas }, (_one, index) => textOf(parse(routed.host).value + index));
  const subnet = subnetOf(routed.host);
  const { value, prefix } = parse(subnet);
  const broadcast = value + 2 ** (32 - prefix) - 1;
  const last = parse(`${cidrs.at(-1) ?? ''}/${prefix}`).value;
  if (last >= broadcast) return `${subnet} has no ${sas} addresses from ${addressOf(routed.host)} on`;
  const card4 = addressOf(routed.card);
  if (cidrs.includes(card4))
    return `${card4} of ${card} is among the ${sas} addresses from ${addressOf(routed.host)} on`;
  return undefined;
}

/** MAC to which each host sends: of the other host, or of its own card where the cards route. */
export async function nextMacs(
  context: ObserveContext,
  facts: readonly [EndFacts, EndFacts],
  routed: boolean,
): Promise<readonly [string, string]> {
  if (!routed) return [facts[1].link.mac, facts[0].link.mac];
  const { ends } = pairOf(context);
  const macOf = async (end: (typeof ends)[0]): Promise<string> => {
    const arm = await armSession({ ...context, card: end.card, dpu: end.dpu, profile: end.profile });
    const name = hostRepresentor(end.entry.port);
    const link = (await readAddressedLinks(arm, context.signal)).find((one) => one.name === name);
    if (link === undefined) throw errors.linkNotFound({ target: end.dpu.name, link: name, where: 'its Arm' });
    return link.mac;
  };
  return [await macOf(ends[0]), await macOf(ends[1])];
}

function parse(cidr: string): { readonly value: number; readonly prefix: number } {
  const [address = '', prefix = '32'] = cidr.split('/');
  return { value: address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0), prefix: Number(prefix) };
}

function textOf(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
