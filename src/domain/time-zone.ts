/** Clocks on the wall of a place, by the zone data of Node (Intl). Pure: the instant always comes in. */

export const dayMs = 86_400_000;

/** A moment on the wall: `month` 1..12, `day` 1..31. */
export interface WallTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
}

/** Part of a time line in which a zone keeps one distance to UTC. `toMs` is not part of it. */
export interface ZoneSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly offsetMs: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** True for a zone that Node knows: `Europe/Berlin`, `UTC`. */
export function isTimeZone(name: string): boolean {
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

/** Local time minus UTC at an instant. Errors: RangeError for an unknown zone. */
export function offsetMs(zone: string, atMs: number): number {
  const parts = new Map(
    formatOf(zone)
      .formatToParts(atMs)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
  const wall = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return wall - Math.floor(atMs / 1000) * 1000;
}

/**
 * The instants at which the clock shows this time, earliest first: one as a rule, none where clocks are put forward over
 * it, two where they are put back.
 */
export function instantsOf(zone: string, { year, month, day, hour, minute }: WallTime): readonly number[] {
  const wallMs = Date.UTC(year, month - 1, day, hour, minute);
  const offsets = new Set([offsetMs(zone, wallMs - dayMs), offsetMs(zone, wallMs + dayMs)]);
  const instants = [...offsets].map((offset) => wallMs - offset).filter((ms) => ms + offsetMs(zone, ms) === wallMs);
  return instants.toSorted((a, b) => a - b);
}

/** What the clock shows at an instant. */
export function wallTime(zone: string, atMs: number): WallTime {
  const local = new Date(atMs + offsetMs(zone, atMs));
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
  };
}

/** The time from `fromMs` to `toMs` in parts of one offset each. A zone is taken not to change it twice within a day. */
export function zoneSpans(zone: string, fromMs: number, toMs: number): readonly ZoneSpan[] {
  const spans: ZoneSpan[] = [];
  let open = { fromMs, offset: offsetMs(zone, fromMs) };
  for (let atMs = fromMs; atMs < toMs; atMs += dayMs) {
    const nextMs = Math.min(atMs + dayMs, toMs);
    const offset = offsetMs(zone, nextMs);
    if (offset === open.offset) continue;
    const changeMs = changeBetween(zone, atMs, nextMs);
    if (changeMs > open.fromMs) spans.push({ fromMs: open.fromMs, toMs: changeMs, offsetMs: open.offset });
    open = { fromMs: changeMs, offset };
  }
  if (open.fromMs < toMs) spans.push({ fromMs: open.fromMs, toMs, offsetMs: open.offset });
  return spans;
}

/** First instant with the offset of the end, to the millisecond. */
function changeBetween(zone: string, fromMs: number, toMs: number): number {
  const after = offsetMs(zone, toMs);
  let low = fromMs;
  let high = toMs;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetMs(zone, middle) === after) high = middle;
    else low = middle;
  }
  return high;
}

/** Making one is slow; there are as many as zones in use. */
function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(zone, made);
  return made;
}
