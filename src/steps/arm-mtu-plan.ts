import type { ObserveContext } from '../domain/step.ts';
import { readDpubotFile } from '../facts/arm-files.ts';
import type { Link } from '../facts/links.ts';
import { readFunctionLinks, readLinks } from '../facts/links.ts';
import { armSession } from './arm-session.ts';
import { pciAddressesOf } from './power-cards.ts';

/** Bytes of the IP packet. */
export interface MtuWish {
  readonly uplink: number;
  readonly host: number;
}

export type MtuPlace = 'card' | 'host';

export interface MtuState {
  /** p0, p1, pf0hpf, pf1hpf, as far as they are there, in this order: from the wire to the host. */
  readonly card: readonly Link[];
  /** The links of the card's network functions. */
  readonly host: readonly Link[];
  /** dpubot's own udev rules; undefined where there are none. */
  readonly cardRule: string | undefined;
  readonly hostRule: string | undefined;
  readonly hostRulePath: string;
}

export interface MtuChange {
  readonly place: MtuPlace;
  readonly link: string;
  readonly from: number;
  readonly to: number;
}

const cardLinks = ['p0', 'p1', 'pf0hpf', 'pf1hpf'];
const cardRulePath = '/etc/udev/rules.d/92-dpubot-mtu.rules';

/** Looks at both ends. Errors: card-not-found, command-failed, output-unreadable. */
export async function observeMtu(context: ObserveContext): Promise<MtuState> {
  const { host, signal, card, dpu } = context;
  const arm = await armSession(context);
  const onCard = await readLinks(arm, signal);
  const address = (await pciAddressesOf(host, [card], signal)).get(dpu.name) ?? '';
  const functions = [address, address.replace(/\.0$/, '.1')];
  const names: string[] = [];
  for (const one of functions) names.push(...(await readFunctionLinks(host, one, signal)));
  const onHost = await readLinks(host, signal);
  const hostRulePath = `/etc/udev/rules.d/92-dpubot-mtu-${dpu.name}.rules`;
  const hasUplink = onCard.some((link) => link.name === 'p0');
  return {
    card: hasUplink ? cardLinks.flatMap((name) => onCard.filter((link) => link.name === name)) : [],
    host: onHost.filter((link) => names.includes(link.name)),
    cardRule: await readDpubotFile(arm, cardRulePath, signal),
    hostRule: await readDpubotFile(host, hostRulePath, signal),
    hostRulePath,
  };
}

/**
 * What has to be set, in an order in which the host is never above the card on the way: the host's links are lowered, then
 * everything is raised from the wire to the host, then the card's links are lowered. Pure.
 */
export function orderedMtuChanges(state: Pick<MtuState, MtuPlace>, wish: MtuWish): readonly MtuChange[] {
  const all: readonly MtuChange[] = [
    ...state.card.map((link) => ({ place: 'card' as const, link: link.name, from: link.mtuBytes, to: wish.uplink })),
    ...state.host.map((link) => ({ place: 'host' as const, link: link.name, from: link.mtuBytes, to: wish.host })),
  ];
  const raised = all.filter(({ from, to }) => to > from);
  const lowered = all.filter(({ from, to }) => to < from).toReversed();
  return [
    ...lowered.filter(({ place }) => place === 'host'),
    ...raised,
    ...lowered.filter(({ place }) => place === 'card'),
  ];
}

/** The udev rules of both ends: where they are, what they say now, and what they shall say. Pure. */
export function rulesOf(
  state: MtuState,
  wish: MtuWish,
): readonly { place: MtuPlace; path: string; now: string | undefined; wanted: string }[] {
  const { card, host, cardRule, hostRule, hostRulePath } = state;
  return [
    { place: 'card', path: cardRulePath, now: cardRule, wanted: udevRules(card, wish.uplink) },
    { place: 'host', path: hostRulePath, now: hostRule, wanted: udevRules(host, wish.host) },
  ];
}

/**
 * Rules that set the MTU when a link appears: under the name that earlier rules have given it (`NAME`; 80 and 82 do so), or
 * under the one it has already or gets later (`KERNEL`). Source: udev(7); mlnx-tools, 82-net-setup-link.rules.
 */
function udevRules(links: readonly Link[], mtuBytes: number): string {
  const rules = links.flatMap(({ name }) => [
    `SUBSYSTEM=="net", ACTION=="add", NAME=="${name}", ATTR{mtu}="${mtuBytes}"`,
    `SUBSYSTEM=="net", ACTION=="add|move", KERNEL=="${name}", ATTR{mtu}="${mtuBytes}"`,
  ]);
  return ['# Written by dpubot.', ...rules, ''].join('\n');
}
