import type { BenchPoint, Proof } from '../domain/bench.ts';
import type { End, ObserveContext } from '../domain/step.ts';
import type { FailedCard } from './bench-cause.ts';
import { causeOf } from './bench-cause.ts';
import type { Carried } from './bench-proof-checks.ts';
import { checksOf, verdictOf } from './bench-proof-checks.ts';
import { causeFacts, countersOf, trafficOf } from './bench-proof-read.ts';
import type { CardSight, Wanted } from './bench-proof-sight.ts';
import { ProofStart } from './bench-proof-sight.ts';
import { isRouted } from './bench-topology.ts';
import { pairOf, readEnds } from './measure-ends.ts';

/**
 * What the hardware of both cards has counted before a point is measured. Nothing that cannot be read keeps it from being
 * measured: it is not proven then. Errors: those of looking at the hosts.
 */
export async function beginProof(context: ObserveContext, _point: BenchPoint): Promise<unknown> {
  const facts = await readEnds(context);
  const macs = facts.map(({ link }) => link.mac);
  return { begin: await onBoth(context, async (end) => countersOf(context, end)), macs } satisfies ProofStart;
}

/** What both cards do with the packets: asked while they are under way, because flows go some seconds after them. */
export async function watchProof(context: ObserveContext, start: unknown, point: BenchPoint): Promise<unknown> {
  const known = ProofStart.parse(start);
  return { ...known, traffic: await onBoth(context, async (end) => trafficOf(context, end, point, known.macs)) };
}

/** Holds what was seen against what was carried, and looks for the cause where the hardware did not do it. */
export async function endProof(
  context: ObserveContext,
  start: unknown,
  point: BenchPoint,
  bytesCarried: number,
): Promise<Proof> {
  const known = ProofStart.parse(start);
  const { ends } = pairOf(context);
  const traffic = known.traffic ?? (await onBoth(context, async (end) => trafficOf(context, end, point, known.macs)));
  const after = await onBoth(context, async (end) => countersOf(context, end));
  const carried = carriedBy(point, bytesCarried);
  const cards = ([0, 1] as const).map((index) => {
    const end = ends[index];
    const isFirst = index === 0;
    const sight: CardSight = {
      card: end.dpu.name,
      role: isFirst === (point.direction === 'a-to-b') ? 'sends' : 'receives',
      begin: known.begin[index],
      end: after[index],
      traffic: traffic[index],
    };
    const wanted = wantedOf(end, point);
    return { end, sight, wanted, checks: checksOf(sight, wanted, carried) };
  });
  const checks = cards.flatMap((card) => card.checks);
  const verdict = verdictOf(
    checks,
    cards.every(({ wanted }) => isOffloadWanted(wanted)),
  );
  if (verdict !== 'not-offloaded') return { verdict, checks };
  const failed: FailedCard[] = [];
  for (const { end, ...card } of cards)
    if (card.checks.some(({ pass }) => pass === false))
      failed.push({ ...card, facts: await causeFacts(context, end, point) });
  const cause = causeOf(failed);
  return { verdict, checks, ...(cause !== undefined && { cause }) };
}

function carriedBy({ durationS }: BenchPoint, bytes: number): Carried {
  return { bytes, gbps: (bytes * 8) / 1e9 / durationS };
}

function wantedOf({ profile }: End, { kind }: BenchPoint): Wanted {
  const { dataPath, ipsec } = profile;
  return {
    kind,
    isRouted: isRouted(kind, profile),
    polls: dataPath?.docaInit ?? false,
    hwOffload: dataPath?.hwOffload,
    ipsec: ipsec?.offload,
  };
}

function isOffloadWanted({ kind, hwOffload, ipsec }: Wanted): boolean {
  return hwOffload !== false && !(kind === 'ipsec' && ipsec === 'no');
}

async function onBoth<T>(context: ObserveContext, look: (end: End) => Promise<T>): Promise<[T, T]> {
  const { ends } = pairOf(context);
  return Promise.all([look(ends[0]), look(ends[1])]);
}
