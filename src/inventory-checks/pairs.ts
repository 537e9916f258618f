import { PairEntry } from '../domain/pairs.ts';
import type { Problem, View } from './view.ts';
import { unknownName } from './view.ts';

/** Pairs whose cards cannot be measured against each other, and channels that mean a pair nobody defines. */
export function pairProblems(view: View): Problem[] {
  const owners = new Map(
    [...view.hosts].flatMap(([host, { site, dpus }]) => dpus.map((dpu) => [dpu.name, { host, site }] as const)),
  );
  const pairs = Object.entries(view.pairs).flatMap(([name, raw]) => {
    const pair = PairEntry.safeParse(raw);
    return pair.success ? [{ name, ends: pair.data.ends }] : [];
  });
  return [
    ...pairs.flatMap(({ name, ends }) => endProblems(view, owners, name, ends)),
    ...Object.entries(view.channelPairs).flatMap(([channel, name]) =>
      typeof name === 'string' ? unknownName(['channelPairs', channel], 'pair', name, Object.keys(view.pairs)) : [],
    ),
  ];
}

function endProblems(
  view: View,
  owners: ReadonlyMap<string, { readonly host: string; readonly site: string }>,
  name: string,
  ends: PairEntry['ends'],
): Problem[] {
  const path = ['pairs', name];
  const unknown = ends.flatMap(({ card }, index) =>
    unknownName([...path, 'ends', index, 'card'], 'DPU', card, [...owners.keys()]),
  );
  const [a, b] = ends.map(({ card }) => owners.get(card));
  if (unknown.length > 0 || a === undefined || b === undefined) return unknown;
  const problem = (text: string): Problem[] => [{ path, text }];
  if (a.host === b.host) return problem(`both ends are in ${a.host}; what is measured there never leaves the host`);
  if (a.site !== b.site) return problem(`its hosts are of two sites (${a.site}, ${b.site}); no worker serves both`);
  const ports = ends.map(({ card, port }) => `${card}/${port}`);
  const cable = view.links.find((link) => Array.isArray(link) && link.some((end) => ports.includes(String(end))));
  const isOther = Array.isArray(cable) && !ports.every((port) => cable.includes(port));
  if (isOther)
    return problem(`links says that the cable goes from ${cable.join(' to ')}, not from ${ports.join(' to ')}`);
  const [first, second] = ends;
  if (subnetOf(first.hostAddress) !== subnetOf(second.hostAddress))
    return problem('the host addresses of its two ends are not in one subnet');
  return [];
}

/** The network part of an IPv4 address with prefix length, as a number with that length. */
function subnetOf(cidr: string): string {
  const [address = '', length = '32'] = cidr.split('/');
  const bits = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return `${Math.floor(bits / 2 ** (32 - Number(length)))}/${length}`;
}
