import type { ObserveContext } from '../domain/step.ts';
import { readRoutes } from '../facts/routes.ts';
import type { Addition } from './bench-additions.ts';
import { isThere } from './bench-additions.ts';
import { addressOf, hostCidrs, subnetOf, whyNot } from './bench-topology.ts';
import type { EndFacts } from './measure-ends.ts';
import { pairName, pairOf, readEnds } from './measure-ends.ts';

/** What the hosts need. */
export interface AddressParams {
  /** The cards route between their hosts (IPsec in tunnel mode); else they bridge. */
  readonly routed: boolean;
  /** As many addresses a host, where the cards route. */
  readonly sas: number;
}

/** One host, and what it lacks. */
export interface EndState extends EndFacts {
  readonly missing: readonly Addition[];
  /** A wanted address that stands on another link of the host. */
  readonly taken: { readonly address: string; readonly link: string } | undefined;
}

export interface AddressState {
  readonly pair: string;
  readonly ends: readonly EndState[];
  /** Why the pair has not the addresses that are wanted. */
  readonly lacks: string | undefined;
}

/** Looks what is there. Errors: card-not-found, link-not-found, command-failed, output-unreadable. */
export async function observeAddresses(context: ObserveContext, { routed, sas }: AddressParams): Promise<AddressState> {
  const { ends } = pairOf(context);
  const name = pairName(context);
  const reasons = routed ? ends.flatMap(({ entry }) => whyNot(entry, sas) ?? []) : [];
  if (reasons.length > 0) return { pair: name, ends: [], lacks: reasons.join('; ') };
  const facts = await readEnds(context);
  const states = await Promise.all(
    facts.map(async (end, index): Promise<EndState> => {
      const own = ends[index === 0 ? 0 : 1];
      const other = ends[index === 0 ? 1 : 0];
      const cidrs = hostCidrs(own.entry, routed ? { sas } : undefined);
      const { link } = end;
      const base = { end: end.end, link: link.name };
      const wanted: Addition[] = [
        ...cidrs.map((address): Addition => ({ ...base, kind: 'address', address })),
        { ...base, kind: 'up' },
        ...(routed && own.entry.routed && other.entry.routed
          ? [
              {
                ...base,
                kind: 'route' as const,
                to: subnetOf(other.entry.routed.host),
                via: addressOf(own.entry.routed.card),
              },
            ]
          : []),
      ];
      const routes = routed ? await readRoutes(own.host, context.signal) : [];
      const missing = wanted.filter((one) => !isThere(one, end.links, routes));
      return { ...end, missing, taken: takenBy(end, cidrs) };
    }),
  );
  return { pair: name, ends: states, lacks: undefined };
}

function takenBy({ link, links }: EndFacts, cidrs: readonly string[]): EndState['taken'] {
  const addresses = cidrs.map(addressOf);
  for (const other of links.filter(({ name }) => name !== link.name)) {
    const address = other.addresses.map(addressOf).find((one) => addresses.includes(one));
    if (address !== undefined) return { address, link: other.name };
  }
  return undefined;
}
