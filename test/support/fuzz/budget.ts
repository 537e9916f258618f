import { appendFileSync } from 'node:fs';
import { testSeed } from '../seed.ts';

/** Random cases of all property tests of the chat together. */
const ordinaryCases = 5_000;

/** Which part of the cases each property gets; lines are cheaper than views. */
const shares = { lines: 0.6, views: 0.3, answers: 0.1 } as const;

type Property = keyof typeof shares;

/** How much a property is to try, and how it tells what it did. */
export interface FuzzBudget {
  readonly cases: number;
  /** Of the test, in ms. */
  readonly timeoutMs: number;
  /** The parameters for fast-check; the time counts from here. */
  start(): FuzzParameters;
  /** Notes what was done where `npm run fuzz` finds it; `reached` says how far the cases got, by name. */
  done(reached: Readonly<Record<string, number>>): void;
}

interface FuzzParameters {
  readonly numRuns: number;
  readonly seed: number;
  readonly interruptAfterTimeLimit: number;
  readonly markInterruptAsFailure: true;
}

/**
 * The budget of one property. DPUBOT_FUZZ_CASES: cases of all properties together; DPUBOT_FUZZ_SEED: number of an earlier
 * run, which gives the same cases again; DPUBOT_FUZZ_REPORT: file for what was done, a line of JSON for each property.
 */
export function fuzzBudget(property: Property): FuzzBudget {
  const { DPUBOT_FUZZ_CASES: cases, DPUBOT_FUZZ_REPORT: report } = process.env;
  const numRuns = Math.ceil(Number(cases ?? ordinaryCases) * shares[property]);
  const seed = testSeed() ?? Math.floor(Math.random() * 2 ** 31);
  // Many times what it takes on an idle machine; looking for the smallest counterexample has to end as well.
  const timeoutMs = 30_000 + numRuns * 30;
  let startedAtMs = 0;
  return {
    cases: numRuns,
    timeoutMs,
    start: () => {
      startedAtMs = Date.now();
      return { numRuns, seed, interruptAfterTimeLimit: timeoutMs - 5_000, markInterruptAsFailure: true };
    },
    done: (reached) => {
      const seconds = Math.round((Date.now() - startedAtMs) / 100) / 10;
      const line = JSON.stringify({ property, cases: numRuns, seed, seconds, reached });
      if (report !== undefined) appendFileSync(report, `${line}\n`);
    },
  };
}
