/** Finds patterns in text that arrives in pieces. */
export interface Matcher {
  push(text: string): void;
  /**
   * The shortest beginning of the pending text that one of the patterns matches, so that the cut of the pieces does not
   * count; of several patterns the first. It is taken out of the pending text. A pattern sees the last 512 characters.
   */
  find(patterns: readonly RegExp[]): { readonly index: number; readonly text: string } | undefined;
  /** What has come since the last match. */
  pending(): string;
}

const windowChars = 512;
/** Older text is dropped: nobody waits for a whole boot log. */
const keptChars = 64 * 1024;

/** A matcher that has seen nothing yet. */
export function createMatcher(): Matcher {
  let pending = '';
  let looked = 0;
  let lookedFor: readonly RegExp[] = [];
  return {
    push(text) {
      pending += text;
      const surplus = pending.length - keptChars;
      if (surplus <= 0) return;
      pending = pending.slice(surplus);
      looked = Math.max(0, looked - surplus);
    },
    find(patterns) {
      if (patterns !== lookedFor) looked = 0;
      lookedFor = patterns;
      while (looked < pending.length) {
        looked += 1;
        const seen = pending.slice(Math.max(0, looked - windowChars), looked);
        const index = patterns.findIndex((pattern) => seen.search(pattern) >= 0);
        if (index < 0) continue;
        const text = pending.slice(0, looked);
        pending = pending.slice(looked);
        looked = 0;
        return { index, text };
      }
      return undefined;
    },
    pending: () => pending,
  };
}
