/**
 * A point in time in a sentence for people, as UTC to the minute. Messages show it in the reader's zone with its day, other
 * than times with seconds, which are of the present run and shown without.
 */
export function planTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16)}Z`;
}
