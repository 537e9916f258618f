import { z } from 'zod';
import type { AddressedLink } from '../facts/link-addresses.ts';
import type { Route } from '../facts/routes.ts';

const Place = { end: z.enum(['a', 'b']), link: z.string().min(1) };

/** Something that a bench adds to a host and takes away again. It stands in the journal as it was added. */
const Addition = z.discriminatedUnion('kind', [
  z.strictObject({ ...Place, kind: z.literal('address'), address: z.string().min(1) }),
  z.strictObject({ ...Place, kind: z.literal('up') }),
  z.strictObject({ ...Place, kind: z.literal('route'), to: z.string().min(1), via: z.string().min(1) }),
]);
export type Addition = z.infer<typeof Addition>;

/** What an act has written down; nothing where it is of another kind. */
export function readAddition(before: unknown): readonly Addition[] {
  const parsed = Addition.safeParse(before);
  return parsed.success ? [parsed.data] : [];
}

/** Does the host have it? A link that is gone has nothing. */
export function isThere(one: Addition, links: readonly AddressedLink[], routes: readonly Route[]): boolean {
  const link = links.find(({ name }) => name === one.link);
  if (link === undefined) return false;
  switch (one.kind) {
    case 'address':
      return link.addresses.includes(one.address);
    case 'up':
      return link.isUp;
    case 'route':
      return routes.some(({ to, via, link: dev }) => to === one.to && via === one.via && dev === one.link);
  }
}

/** "address 192.168.50.1/24 on ens3f0np0". */
export function additionText(one: Addition): string {
  switch (one.kind) {
    case 'address':
      return `address ${one.address} on ${one.link}`;
    case 'up':
      return `${one.link} switched on`;
    case 'route':
      return `route to ${one.to} by ${one.via} on ${one.link}`;
  }
}

/** Source: ip-address(8), ip-link(8), ip-route(8). */
export function addArgv(one: Addition): readonly string[] {
  const root = ['sudo', '-n', 'ip'];
  switch (one.kind) {
    case 'address':
      return [...root, 'address', 'add', one.address, 'dev', one.link];
    case 'up':
      return [...root, 'link', 'set', 'dev', one.link, 'up'];
    case 'route':
      return [...root, 'route', 'add', one.to, 'via', one.via, 'dev', one.link];
  }
}

/** The same taken back; a link that was off goes off. */
export function removeArgv(one: Addition): readonly string[] {
  const root = ['sudo', '-n', 'ip'];
  switch (one.kind) {
    case 'address':
      return [...root, 'address', 'del', one.address, 'dev', one.link];
    case 'up':
      return [...root, 'link', 'set', 'dev', one.link, 'down'];
    case 'route':
      return [...root, 'route', 'del', one.to, 'via', one.via, 'dev', one.link];
  }
}
