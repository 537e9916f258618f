/** How the highest rate without loss is looked for. */
export interface SearchLimits {
  /** What the search begins with: the rate that was sent without a limit, or the line rate. */
  readonly highestGbps: number;
  /** Below this nobody looks. */
  readonly lowestGbps: number;
  /** So near to the true rate is near enough. */
  readonly resolutionGbps: number;
  /** Loss up to here counts as none; 0 is what RFC 2544 means. */
  readonly tolerancePercent: number;
  readonly mostTries: number;
}

/** One measurement at a rate. */
export interface Try {
  readonly askedGbps: number;
  /** What the sender really sent. */
  readonly sentGbps: number;
  readonly lossPercent: number;
}

export type SearchStep =
  /** Measure at this rate next. */
  | { readonly kind: 'try'; readonly askedGbps: number }
  /** `isExact`: nearer than the resolution; otherwise the tries were used up. */
  | { readonly kind: 'found'; readonly gbps: number; readonly tries: number; readonly isExact: boolean }
  | { readonly kind: 'none'; readonly tries: number; readonly text: string };

/** Difference between asked and sent from which on a rate was not kept. */
const mostDeviation = 0.02;

/**
 * The next step of a binary search for the highest rate without loss (RFC 2544, 26.1), from all tries so far: a worker that
 * takes over goes on with the tries that were put aside. A rate counts by what was sent. Errors: RangeError for limits
 * that leave nothing to search.
 */
export function searchStep(limits: SearchLimits, tries: readonly Try[]): SearchStep {
  check(limits);
  const { highestGbps, lowestGbps, resolutionGbps, tolerancePercent, mostTries } = limits;
  const unpaced = tries.find(({ askedGbps, sentGbps }) => sentGbps > askedGbps * (1 + mostDeviation));
  if (unpaced !== undefined)
    return {
      kind: 'none',
      tries: tries.length,
      text: `the sender does not keep a rate: ${unpaced.askedGbps.toFixed(2)} Gb/s were asked for, ${unpaced.sentGbps.toFixed(2)} sent`,
    };
  const lossless = tries.filter(({ lossPercent }) => lossPercent <= tolerancePercent);
  const lossy = tries.filter(({ lossPercent }) => lossPercent > tolerancePercent);
  const best = Math.max(0, ...lossless.map(({ sentGbps }) => sentGbps));
  const low = Math.max(lowestGbps, ...lossless.map(({ askedGbps }) => askedGbps));
  const high = Math.min(highestGbps, ...lossy.map(({ askedGbps }) => askedGbps));
  if (tries.length === 0) return { kind: 'try', askedGbps: highestGbps };
  const found = { kind: 'found', gbps: best, tries: tries.length } as const;
  // Loss that comes and goes: a lossless try above a lossy one decides nothing, the lower one does.
  if (high - low <= resolutionGbps) {
    if (lossless.length > 0) return { ...found, gbps: bestBelow(lossless, high, best), isExact: true };
    if (lossy.some(({ askedGbps }) => askedGbps <= lowestGbps + resolutionGbps))
      return { kind: 'none', tries: tries.length, text: `there is loss even at ${lowestGbps.toFixed(2)} Gb/s` };
  }
  if (tries.length >= mostTries)
    return lossless.length > 0
      ? { ...found, gbps: bestBelow(lossless, high, best), isExact: false }
      : { kind: 'none', tries: tries.length, text: `none of ${tries.length} rates was without loss` };
  return {
    kind: 'try',
    askedGbps: lossless.length === 0 && high - low <= resolutionGbps ? lowestGbps : (low + high) / 2,
  };
}

function bestBelow(lossless: readonly Try[], highGbps: number, otherwise: number): number {
  const below = lossless.filter(({ askedGbps }) => askedGbps <= highGbps).map(({ sentGbps }) => sentGbps);
  return below.length === 0 ? otherwise : Math.max(...below);
}

function check({ highestGbps, lowestGbps, resolutionGbps, mostTries }: SearchLimits): void {
  if (!(highestGbps > lowestGbps) || lowestGbps < 0 || !(resolutionGbps > 0) || mostTries < 1)
    throw new RangeError('a search needs a range, a resolution above zero and at least one try');
}
