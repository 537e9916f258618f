import { z } from 'zod';
import { Name } from './profile.ts';

const Cidr = z
  .string()
  .regex(/^(\d{1,3}\.){3}\d{1,3}\/([89]|[12]\d|30)$/, 'an IPv4 address with its prefix length, as in 192.168.50.1/24');

/** One end of a wire that is measured: a card, its uplink, and the addresses that a bench may use there. */
export const PairEnd = z.strictObject({
  card: Name,
  port: z.enum(['p0', 'p1']).default('p0'),
  /** Of the card's network function on the host; both ends in one subnet. */
  hostAddress: Cidr,
  /** Of the uplink on the Arm, between the two cards: where IPsec runs. Both ends in one subnet. */
  wireAddress: Cidr.optional(),
  /**
   * Where IPsec runs in tunnel mode, the Arms route: subnets of the two hosts behind their cards, each with the address of
   * the host and of the card's representor.
   */
  routed: z.strictObject({ host: Cidr, card: Cidr }).optional(),
});
export type PairEnd = z.infer<typeof PairEnd>;

/** Two cards with a cable between them, on two hosts of one site. */
export const PairEntry = z.strictObject({ ends: z.tuple([PairEnd, PairEnd]) });
export type PairEntry = z.infer<typeof PairEntry>;

/** A pair as it is frozen into the slices of its two hosts. */
export interface PairSlice {
  readonly name: string;
  readonly ends: readonly [PairSliceEnd, PairSliceEnd];
}
export type PairSliceEnd = PairEnd & { readonly host: string };
