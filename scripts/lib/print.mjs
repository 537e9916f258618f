/** Small texts that every script prints alike. */

/** @param {string} line */
export function say(line) {
  process.stdout.write(`${line}\n`);
}

/** @param {number} sinceMs  A value of performance.now(). */
export function seconds(sinceMs) {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
}

/**
 * A problem whose text is all a person needs: printed without a stack trace, exit code 1.
 */
export class Problem extends Error {}

/**
 * Runs a script's main function: prints what a person needs when it fails, and sets the exit code.
 *
 * @param {() => Promise<number>} main  Resolves to the exit code.
 */
export async function runMain(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    const text = error instanceof Problem ? error.message : error instanceof Error ? error.stack : String(error);
    process.stderr.write(`${text}\n`);
    process.exitCode = 1;
  }
}
