import * as fc from 'fast-check';

/** Of every property test where `CI` is set: a change is judged by what it does, not by the luck of the day. */
const CI_SEED = 20_261_123;

/**
 * The seed of all property tests: DPUBOT_FUZZ_SEED, in CI a fixed one, elsewhere each time another, so that people and
 * `npm run fuzz` find what nobody has thought of. A failure names its seed.
 */
export function testSeed(env: NodeJS.ProcessEnv = process.env): number | undefined {
  if (env['DPUBOT_FUZZ_SEED'] !== undefined) return Number(env['DPUBOT_FUZZ_SEED']);
  return env['CI'] === undefined || env['CI'] === '' ? undefined : CI_SEED;
}

const seed = testSeed();
if (seed !== undefined) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
