import type { Failure } from '../domain/outcome.ts';
import type { Ipsec } from '../domain/profile.ts';
import type { End } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { addressOf, hostRepresentor, whyNot } from './bench-topology.ts';
import type { CardChange, CardSight } from './ipsec-card.ts';
import type { IpsecSides } from './ipsec-conf.ts';
import { routedSubnet } from './ipsec-conf.ts';
import { vxlanName } from './ipsec-wanted.ts';

type Refusal = { readonly what: string; readonly why: string; readonly next: string };

/** What cannot be, whatever the cards have. */
export function refusalOf(ends: readonly [End, End], sas: number): Refusal | undefined {
  const [ipsec, other] = ends.map(({ profile }) => profile.ipsec);
  if (ipsec === undefined || other === undefined)
    return {
      what: 'its profile says nothing about IPsec',
      why: 'Who authenticates by what stands in `ipsec` of the profile.',
      next: 'Add it to the profile of both cards.',
    };
  if (outline(ipsec) !== outline(other))
    return {
      what: 'the profiles of its cards want different IPsec',
      why: 'Both sides of a connection have to offer the same.',
      next: 'Give both cards the same `ipsec`.',
    };
  const isTransport = ipsec.mode === 'transport';
  if (isTransport && sas > 1)
    return {
      what: `${sas} associations in transport mode`,
      why: 'There all traffic is one VXLAN tunnel between two addresses, and one association each way carries it.',
      next: 'Ask for --sas 1, or let the profile say `mode: tunnel`.',
    };
  if (ipsec.offload !== 'no' && !/^aes(128|192|256)gcm(16|128)(-|$)/.test(ipsec.espProposal))
    return {
      what: `the hardware does no ${ipsec.espProposal}`,
      why: 'Only AES-GCM with a tag of 128 bits is offloaded.',
      next: 'Name such a proposal (aes128gcm128-...), or let the profile say `offload: no`.',
    };
  const lacking = ends.filter(({ entry }) => entry.wireAddress === undefined).map(({ entry }) => entry.card);
  const reasons = isTransport ? [] : ends.flatMap(({ entry }) => whyNot(entry, sas) ?? []);
  if (lacking.length === 0 && reasons.length === 0) return undefined;
  const wire = lacking.length === 0 ? [] : [`the inventory names no \`wireAddress\` for ${lacking.join(' and ')}`];
  return {
    what: 'it has not the addresses that IPsec takes',
    why: `${[...wire, ...reasons].join('; ')}.`,
    next: 'Correct `pairs` in the inventory, or ask for fewer --sas.',
  };
}

/** What both sides must have in common. */
function outline({ auth, ...ipsec }: Ipsec): string {
  return JSON.stringify({ ...ipsec, auth: auth.kind === 'psk' ? auth : { kind: auth.kind, ca: auth.ca } });
}

/** What somebody else has put where the connection goes: dpubot takes nothing away that it did not add. */
export function inTheWay(
  card: string,
  { pair, own, other, ipsec }: IpsecSides,
  { bridges, links, routes }: CardSight,
  ours: readonly CardChange[],
): Failure | undefined {
  const addresses = [
    { address: own.wireAddress ?? '', wanted: own.port as string },
    ...(ipsec.mode === 'tunnel' ? [{ address: own.routed?.card ?? '', wanted: hostRepresentor(own.port) }] : []),
  ];
  for (const { address: cidr, wanted } of addresses) {
    const address = addressOf(cidr);
    const link = links.find((one) => one.name !== wanted && one.addresses.map(addressOf).includes(address))?.name;
    if (link !== undefined) return errors.benchAddressTaken({ host: card, address, link, wanted }).failure;
  }
  const refuse = (what: string): Failure => {
    const why = 'dpubot takes nothing away that it did not add.';
    return errors.benchImpossible({ pair, what, why, next: 'Remove it from the card.' }).failure;
  };
  const bridge = Object.entries(bridges).find(([, ports]) => ports.includes(vxlanName))?.[0];
  const isOurs = ours.some(({ kind }) => kind === 'vxlan');
  if (ipsec.mode === 'transport' && bridge !== undefined && !isOurs)
    return refuse(`${card} has a port ${vxlanName} in ${bridge} already`);
  const to = ipsec.mode === 'tunnel' ? routedSubnet(other) : undefined;
  const via = addressOf(other.wireAddress ?? '');
  const route = routes.find((one) => one.to === to && one.via !== via);
  return route && refuse(`${card} has another route to ${route.to} already`);
}
