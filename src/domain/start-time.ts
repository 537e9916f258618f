/** What people write after `--at`, by the clock of the place where they are. Pure: now and the zone come in. */
import type { WallTime } from './time-zone.ts';
import { dayMs, instantsOf, isTimeZone, offsetMs, wallTime } from './time-zone.ts';

const minuteMs = 60_000;
const hourMs = 3_600_000;
/** Later than this, nobody remembers what was approved. */
export const latestStartDays = 30;

export type StartTime =
  | { readonly ok: true; readonly atMs: number }
  /** `what` and `why` are sentences. */
  | { readonly ok: false; readonly what: string; readonly why: string };

/** How it is written, for usage and refusals. */
export const startTimeForms = '"22:00", "tomorrow 06:30", "2026-11-24 22:00" or "in 2h"';

/**
 * The instant that a text means in a zone (IANA name; an unknown one counts as UTC). Refused, with the reason: what has no
 * known form, the past, more than 30 days ahead, and a time of day that the clocks skip or show twice on that date.
 */
export function parseStartTime(text: string, zone: string, nowMs: number): StartTime {
  const said = text.trim().toLowerCase().replaceAll(/\s+/g, ' ');
  const place = isTimeZone(zone) ? zone : 'UTC';
  const ahead = parseAhead(said);
  if (ahead !== undefined) return inRange(said, wholeMinute(nowMs, ahead), nowMs, place);
  const wall = parseWall(said, wallTime(place, nowMs));
  if (wall === undefined)
    return refused(`"${said.slice(0, 40)}" is no time to start at.`, `It is written as ${startTimeForms}.`);
  if (wall.offsetMs !== undefined) return inRange(said, asUtc(wall) - wall.offsetMs, nowMs, place);
  const [first, second] = instantsOf(place, wall);
  if (first === undefined)
    return refused(
      `There is no ${clock(wall)} on ${date(wall)} in ${place}.`,
      'The clocks are put forward over it that night. Name another time.',
    );
  if (second !== undefined)
    return refused(
      `It is ${clock(wall)} twice on ${date(wall)} in ${place}.`,
      `The clocks are put back that night. The first one is "${withOffset(wall, place, first)}", the second "${withOffset(wall, place, second)}".`,
    );
  return inRange(said, first, nowMs, place);
}

function inRange(said: string, atMs: number, nowMs: number, place: string): StartTime {
  if (atMs <= nowMs) {
    const tomorrow = /^\d/.test(said) && said.length <= 5 ? ` Did you mean "tomorrow ${said}"?` : '';
    return refused(
      `"${said}" is over: in ${place} it is ${clock(wallTime(place, nowMs))} now.`,
      `A start lies ahead.${tomorrow}`,
    );
  }
  if (atMs >= nowMs + latestStartDays * dayMs + minuteMs)
    return refused(
      `"${said}" is more than ${latestStartDays} days ahead.`,
      'What is approved today says little about cards so much later.',
    );
  return { ok: true, atMs };
}

function refused(what: string, why: string): StartTime {
  return { ok: false, what, why };
}

/** Starts are said to the minute, so none lies between two of them. */
function wholeMinute(nowMs: number, aheadMs: number): number {
  return aheadMs === 0 ? nowMs : Math.ceil((nowMs + aheadMs) / minuteMs) * minuteMs;
}

/** `in 2h`, `in 90 min`, `in 1h30m`, `in 2 days`; in ms. */
function parseAhead(said: string): number | undefined {
  const match = /^in (?:(\d{1,3}) ?d(?:ays?)?)? ?(?:(\d{1,3}) ?h(?:ours?)?)? ?(?:(\d{1,4}) ?m(?:in(?:utes?)?)?)?$/.exec(
    said,
  );
  if (match === null || match.slice(1).every((part) => part === undefined)) return undefined;
  const [days = '0', hours = '0', minutes = '0'] = match.slice(1);
  return Number(days) * dayMs + Number(hours) * hourMs + Number(minutes) * minuteMs;
}

/** With the distance to UTC, where it is said: only then two times of one name can be told apart. */
function parseWall(said: string, today: WallTime): (WallTime & { readonly offsetMs?: number }) | undefined {
  const match = /^(?:(today|tomorrow|\d{4}-\d\d-\d\d)[ t])?(\d{1,2}):(\d\d)(?: ?(z|utc|[+-]\d\d:\d\d))?$/.exec(said);
  if (match === null) return undefined;
  const [, day = 'today', hours = '', minutes = '', offset] = match;
  const [hour, minute] = [Number(hours), Number(minutes)];
  const on = dateOf(day, today);
  if (on === undefined || hour > 23 || minute > 59) return undefined;
  return { ...on, hour, minute, ...(offset !== undefined && { offsetMs: offsetOf(offset) }) };
}

function dateOf(day: string, today: WallTime): Pick<WallTime, 'year' | 'month' | 'day'> | undefined {
  if (day === 'today') return { year: today.year, month: today.month, day: today.day };
  const ms = day === 'tomorrow' ? Date.UTC(today.year, today.month - 1, today.day + 1) : Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(ms)) return undefined;
  const at = new Date(ms);
  // Some readers of dates make 1 March of 29 February.
  if (day !== 'tomorrow' && !at.toISOString().startsWith(day)) return undefined;
  return { year: at.getUTCFullYear(), month: at.getUTCMonth() + 1, day: at.getUTCDate() };
}

function offsetOf(text: string): number {
  if (!/^[+-]/.test(text)) return 0;
  const [hours = '0', minutes = '0'] = text.slice(1).split(':');
  return (text.startsWith('-') ? -1 : 1) * (Number(hours) * hourMs + Number(minutes) * minuteMs);
}

function withOffset(wall: WallTime, place: string, atMs: number): string {
  const minutes = Math.round(offsetMs(place, atMs) / minuteMs);
  const size = Math.abs(minutes);
  return `${date(wall)} ${clock(wall)} ${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

function asUtc({ year, month, day, hour, minute }: WallTime): number {
  return Date.UTC(year, month - 1, day, hour, minute);
}

function clock({ hour, minute }: WallTime): string {
  return `${two(hour)}:${two(minute)}`;
}

function date({ year, month, day }: WallTime): string {
  return `${year}-${two(month)}-${two(day)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
