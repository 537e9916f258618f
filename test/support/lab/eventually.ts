import { setTimeout as pause } from 'node:timers/promises';

const lookEveryMs = 25;

/**
 * Looks again and again until `look` gives something, and returns that. Fails with `what` and the last thing that
 * `describe` says when the time is up.
 *
 * @param limitMs Wall time.
 */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  limitMs: number,
  describe?: () => string | Promise<string>,
): Promise<T> {
  const deadlineMs = Date.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadlineMs) {
      const state = describe === undefined ? '' : `\n${await describe()}`;
      throw new Error(`${what}: not within ${limitMs / 1000} s${state}`);
    }
    await pause(lookEveryMs);
  }
}
