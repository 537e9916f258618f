import type { Strongswan } from '../facts/swanctl.ts';
import { addressOf, hostRepresentor } from './bench-topology.ts';
import type { CardChange, CardSight } from './ipsec-card.ts';
import type { IpsecSides } from './ipsec-conf.ts';
import { childrenOf, connectionName, routedSubnet } from './ipsec-conf.ts';

/** Port of the bridge that carries the hosts' frames in transport mode. */
export const vxlanName = 'vxlan0';

/** Our associations that are not in use. */
export function downIn(strongswan: Strongswan | undefined, sides: IpsecSides): readonly string[] {
  const name = connectionName(sides.pair);
  const installed = (strongswan?.sas ?? [])
    .filter((sa) => sa.name === name)
    .flatMap(({ children }) => children.filter(({ state }) => state === 'INSTALLED').map((child) => child.name));
  return childrenOf(sides)
    .map((child) => child.name)
    .filter((child) => !installed.includes(child));
}

/** What of the card is to be changed for the time of the measurement. Pure. */
export function wantedOn(
  { end, own, other, ipsec }: IpsecSides,
  { bridges, links }: Pick<CardSight, 'bridges' | 'links'>,
): { readonly before: readonly CardChange[]; readonly after: readonly CardChange[] } | { readonly awaits: string } {
  const representor = hostRepresentor(own.port);
  for (const link of [own.port, representor])
    if (!links.some(({ name }) => name === link)) return { awaits: `it has no link ${link} yet` };
  const { wireAddress = '' } = own;
  const bridgeOf = (port: string): string | undefined =>
    Object.entries(bridges).find(([, ports]) => ports.includes(port))?.[0];
  const out = (port: string): CardChange[] => {
    const bridge = bridgeOf(port);
    return bridge === undefined ? [] : [{ kind: 'port-out', end, bridge, port }];
  };
  const onWire: CardChange[] = [
    { kind: 'address', end, link: own.port, address: wireAddress },
    { kind: 'up', end, link: own.port },
  ];
  const peer = addressOf(other.wireAddress ?? '');
  if (ipsec.mode === 'transport') {
    const bridge = bridgeOf(representor);
    if (bridge === undefined) return { awaits: `${representor} is in no bridge yet` };
    const ends = { local: addressOf(wireAddress), remote: peer };
    return {
      before: [...out(own.port), ...onWire],
      after: [{ kind: 'vxlan', end, bridge, port: vxlanName, ...ends }],
    };
  }
  const card = own.routed?.card ?? '';
  return {
    before: [
      ...[own.port, representor].flatMap(out),
      ...onWire,
      { kind: 'address', end, link: representor, address: card },
      { kind: 'up', end, link: representor },
      { kind: 'forwarding', end },
    ],
    after: [{ kind: 'route', end, link: own.port, to: routedSubnet(other), via: peer }],
  };
}
