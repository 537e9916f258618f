import { z } from 'zod';
import type { Diff, End, ObserveContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { PathPing } from '../facts/path-ping.ts';
import { pingPath } from '../facts/path-ping.ts';
import { ipsecText } from './ipsec-belief.ts';
import { pairOf, readEnds } from './measure-ends.ts';

const Params = z.strictObject({
  /** Largest IP packet that has to get through; absent: what the hosts' functions have. */
  mtuBytes: z.int().min(1280).optional(),
  /** The hosts are in subnets of their own, behind cards that route (IPsec in tunnel mode). */
  routed: z.boolean(),
  /** The cards encrypt: where nothing gets through, what each of them believes is told. */
  ipsec: z.boolean().default(false),
});
type Params = z.infer<typeof Params>;

/** One direction: a small packet, and one as large as may be. */
interface Tried {
  readonly from: string;
  readonly to: string;
  readonly mtuBytes: number;
  readonly small: PathPing;
  readonly large: PathPing | undefined;
  /** What strongSwan says on both cards, where nothing came back through it. */
  readonly cards?: string;
}

/** An IP packet of this size passes every link. */
const smallBytes = 576;

/**
 * See that packets get from host to host over the wire that is measured, both ways, up to the size of the MTU.
 *
 * Why      A figure of a path that drops large packets measures retransmissions. Pings say so at once, and where.
 * Reads    links of the hosts; ping -M do of 576 bytes and of the MTU (both hosts); where nothing answers through IPsec,
 *          swanctl --list-conns, --list-sas (Arms).     Changes  nothing.
 * Errors   path-dead, path-mtu, ipsec-path-dead.
 * Source   RFC 1191 (path MTU); ping(8) of iputils.
 */
export const checkPath = defineStep<Params, readonly Tried[]>({
  name: 'check-path',
  title: 'Check the path',
  scope: 'pair',
  risk: 'read',
  params: Params,
  timeoutMs: 120_000,
  needs: ['host-ssh'],
  provides: [],
  aim: ({ mtuBytes }) => `packets of ${mtuBytes === undefined ? 'the MTU' : `${mtuBytes} bytes`} get through both ways`,
  wanted: (params) => params,
  observe: async (context, params) => {
    const [a, b] = pairOf(context).ends;
    const [factsA, factsB] = await readEnds(context);
    const mtuBytes = params.mtuBytes ?? Math.min(factsA.link.mtuBytes, factsB.link.mtuBytes);
    return [await tryPath(context, a, b, mtuBytes, params), await tryPath(context, b, a, mtuBytes, params)];
  },
  diff: (tried, _params, { name: target }) => judge(tried, target),
});

async function tryPath(
  context: ObserveContext,
  from: End,
  to: End,
  mtuBytes: number,
  { routed, ipsec }: Params,
): Promise<Tried> {
  const { signal } = context;
  const addressOf = ({ entry }: End): string => {
    const cidr = routed ? (entry.routed?.host ?? entry.hostAddress) : entry.hostAddress;
    return cidr.replace(/\/.*$/, '');
  };
  const path = { from: addressOf(from), to: addressOf(to) };
  const small = await pingPath(from.host, { ...path, mtuBytes: smallBytes }, signal);
  const isDead = small.received === 0;
  const large = isDead ? undefined : await pingPath(from.host, { ...path, mtuBytes }, signal);
  const cards = isDead && ipsec ? await ipsecText(context) : undefined;
  const names = { from: from.slice.name, to: to.slice.name };
  return { ...names, mtuBytes, small, large, ...(cards !== undefined && { cards }) };
}

function judge(tried: readonly Tried[], target: string): Diff {
  for (const { from, to, mtuBytes, small, large, cards } of tried) {
    if (small.received === 0) {
      const seen = `${small.sent} packets of ${smallBytes} bytes from ${from}, none answered${small.said === undefined ? '' : `: ${small.said}`}`;
      if (cards !== undefined)
        return { kind: 'refused', failure: errors.ipsecPathDead({ target, from, to, seen, cards }).failure };
      return { kind: 'refused', failure: errors.pathDead({ target, from, to, seen }).failure };
    }
    if (large !== undefined && large.received === 0)
      return { kind: 'refused', failure: errors.pathMtu({ target, from, to, mtuBytes, limit: large.limit }).failure };
  }
  const sizes = tried.map(({ from, to, mtuBytes }) => `${from} to ${to} up to ${mtuBytes} bytes`).join(', ');
  const lossy = tried.filter(
    ({ small, large }) => small.received < small.sent || (large?.received ?? 0) < (large?.sent ?? 0),
  );
  const warning = `some pings were lost (${lossy.map(({ from, to }) => `${from} to ${to}`).join(', ')})`;
  return { kind: 'satisfied', reason: `packets get through: ${sizes}`, ...(lossy.length > 0 && { warning }) };
}
