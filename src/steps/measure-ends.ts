import type { HostReader } from '../domain/device-ports.ts';
import type { End, ObserveContext, Pair } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { AddressedLink } from '../facts/link-addresses.ts';
import { readAddressedLinks } from '../facts/link-addresses.ts';
import { readFunctionLinks } from '../facts/links.ts';
import { readLocalCpus } from '../facts/local-cpus.ts';
import { ethtoolLink, parseEthtool } from '../facts/port-links.ts';
import { pciAddressesOf } from './power-cards.ts';

/** The network function on the host behind the port of an end: what the tools run on. */
export interface EndFacts {
  readonly end: 'a' | 'b';
  readonly hostName: string;
  readonly card: string;
  /** `0000:e1:00.0`; the second port is function 1. */
  readonly pciFunction: string;
  readonly link: AddressedLink;
  /** All links of the host, for addresses that stand elsewhere. */
  readonly links: readonly AddressedLink[];
}

/** Both ends of the pair that is measured. Errors: bug, outside a step of scope `pair`. */
export function pairOf<H extends HostReader>(context: { readonly pair?: Pair<H> }): Pair<H> {
  if (context.pair === undefined) throw errors.bug({ detail: 'a step for pairs was given a unit without one' });
  return context.pair;
}

/** Name of the pair in the inventory: under it results are filed, whatever its unit is called. */
export function pairName(context: { readonly pair?: Pair }): string {
  const { ends, name } = pairOf(context);
  return ends[0].slice.pair?.name ?? name;
}

/** Looks at the host functions of both ends. Errors: card-not-found, link-not-found, command-failed, output-unreadable. */
export async function readEnds(context: ObserveContext): Promise<readonly [EndFacts, EndFacts]> {
  const [a, b] = pairOf(context).ends;
  return Promise.all([readEnd(a, context.signal), readEnd(b, context.signal)]);
}

async function readEnd({ name, host, card, entry }: End, signal: AbortSignal): Promise<EndFacts> {
  const address = (await pciAddressesOf(host, [card], signal)).get(card.dpu.name);
  if (address === undefined) throw errors.bug({ detail: `no PCI address for ${card.dpu.name}` });
  const pciFunction = `${address.slice(0, -1)}${entry.port === 'p0' ? 0 : 1}`;
  const [named] = await readFunctionLinks(host, pciFunction, signal);
  const links = await readAddressedLinks(host, signal);
  const link = links.find((one) => one.name === named);
  if (link === undefined)
    throw errors.linkNotFound({
      target: card.dpu.name,
      link: `network link for ${pciFunction}`,
      where: `its host ${host.name}`,
    });
  return { end: name, hostName: host.name, card: card.dpu.name, pciFunction, link, links };
}

/** CPUs near the function, in order. */
export async function readCpus(end: End, facts: EndFacts, signal: AbortSignal): Promise<readonly number[]> {
  return readLocalCpus(end.host, facts.pciFunction, signal);
}

/**
 * What the slower of the two ports runs at. Undefined where a card has no login, a port does not say its speed, or there
 * is no card at all: then no percentage is told.
 */
export async function readLineRateGbps(context: ObserveContext): Promise<number | undefined> {
  const { ends } = pairOf(context);
  if (ends.some(({ slice }) => slice.testbed)) return undefined;
  const rates = await Promise.all(
    ends.map(async ({ card, entry }) => {
      const login = await context.arm.login(card, { timeoutMs: 30_000, signal: context.signal });
      if (login.state !== 'in') return undefined;
      const options = { timeoutMs: 15_000, signal: context.signal };
      const result = await login.session.read(ethtoolLink.bind({ link: entry.port }), options);
      if (result.exitCode !== 0) return undefined;
      return parseEthtool(card.dpu.name, result.stdout).speedMbps;
    }),
  );
  const known = rates.filter((rate) => rate !== undefined);
  return known.length < rates.length ? undefined : Math.min(...known) / 1000;
}
