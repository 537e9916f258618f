/** Time formats of the BMC. */

/** ISO 8601 with +00:00 and whole seconds, as bmcweb prints DateTime. */
export function redfishTime(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.\d{3}Z$/, '+00:00');
}

/**
 * `LastStateTime` as this BMC prints it: milliseconds since 1970 taken for microseconds, so dates are in January 1970.
 * Source: libredfish mockup of BF-24.10 (1970-01-21T01:08:26.189979 stands for 2024-11-20T12:36:29.979).
 */
export function lastStateTime(timeMs: number): string {
  const wholeMs = Math.round(timeMs);
  const seconds = Math.floor(wholeMs / 1_000_000);
  const micros = String(wholeMs % 1_000_000).padStart(6, '0');
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}.${micros}+00:00`;
}
