/**
 * Maintenance windows: when cards of a site or rack may be changed. A window is said by the clock on the wall of its zone, so
 * an hour that clocks skip is in none, and an hour that they show twice is in it twice.
 */
import { z } from 'zod';
import { dayMs, isTimeZone, wallTime, zoneSpans } from './time-zone.ts';

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
type Weekday = (typeof weekdays)[number];
const minuteMs = 60_000;
/** Each window opens once a week at least; where clocks skip it, a week later. */
const searchDays = 16;

const dayNames = `(?:${weekdays.join('|')})`;
const DayText = z
  .string()
  .regex(
    new RegExp(`^${dayNames}(?:-${dayNames})?$`),
    'must be a day (mon, tue, wed, thu, fri, sat, sun) or a range of days, as in mon-fri',
  );

/** A time that has no day. YAML takes 22:00 for a text, and older readers for a number of minutes: quotes are safe. */
const StartOfWindow = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, "must be a time as in '22:00'");
const EndOfWindow = z
  .string()
  .regex(/^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/, "must be a time as in '05:00' or '24:00'");

/** `days` are those on which it opens; one whose end is before its beginning closes on the day after. */
export const MaintenanceWindow = z.strictObject({
  days: z.array(DayText).min(1),
  from: StartOfWindow,
  to: EndOfWindow,
  timeZone: z.string().min(1),
});
export type MaintenanceWindow = z.infer<typeof MaintenanceWindow>;

/** Windows of a site or rack; none = open at any time. */
export const MaintenanceWindows = z.array(MaintenanceWindow).default([]);

/** Time from `fromMs` up to, and without, `toMs`. */
export interface OpenSpan {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What is wrong with a window besides its form, with the setting it stands in; undefined when nothing is. */
export function windowProblem({
  from,
  to,
  timeZone,
}: MaintenanceWindow): { key: 'to' | 'timeZone'; text: string } | undefined {
  if (!isTimeZone(timeZone))
    return { key: 'timeZone', text: `there is no time zone "${timeZone}"; names are as in Europe/Berlin or UTC` };
  if (from === to) return { key: 'to', text: `is the same as from: the whole day is from '00:00' to '24:00'` };
  return undefined;
}

/** True when one of the windows is open at this instant; always, when there are none. */
export function isOpen(windows: readonly MaintenanceWindow[], atMs: number): boolean {
  return windows.length === 0 || windows.some((window) => isInside(window, atMs));
}

function isInside(window: MaintenanceWindow, atMs: number): boolean {
  const { year, month, day, hour, minute } = wallTime(window.timeZone, atMs);
  const now = hour * 60 + minute;
  const date = Date.UTC(year, month - 1, day);
  const { days, fromMin, toMin } = timesOf(window);
  if (fromMin < toMin) return days.has(weekdayOf(date)) && fromMin <= now && now < toMin;
  return (days.has(weekdayOf(date)) && fromMin <= now) || (days.has(weekdayOf(date - dayMs)) && now < toMin);
}

/**
 * The first instant from `atMs` on at which one window of each list is open: `atMs` itself when they are. Undefined when that
 * is not so at any time within two weeks.
 */
export function nextOpening(lists: readonly (readonly MaintenanceWindow[])[], atMs: number): number | undefined {
  return openTogether(lists, atMs, atMs + searchDays * dayMs)[0]?.fromMs;
}

/** The parts of the time from `fromMs` to `toMs` in which one window of each list is open, in order. */
export function openTogether(
  lists: readonly (readonly MaintenanceWindow[])[],
  fromMs: number,
  toMs: number,
): readonly OpenSpan[] {
  return lists.reduce<readonly OpenSpan[]>(
    (spans, windows) => spans.flatMap((span) => openSpans(windows, span.fromMs, span.toMs)),
    fromMs < toMs ? [{ fromMs, toMs }] : [],
  );
}

/** The parts of the time from `fromMs` to `toMs` in which a window is open, in order, none touching another. */
export function openSpans(windows: readonly MaintenanceWindow[], fromMs: number, toMs: number): readonly OpenSpan[] {
  if (fromMs >= toMs) return [];
  if (windows.length === 0) return [{ fromMs, toMs }];
  const spans = windows.flatMap((window) => spansOf(window, fromMs, toMs)).toSorted((a, b) => a.fromMs - b.fromMs);
  return spans.reduce<OpenSpan[]>((merged, span) => {
    const last = merged.at(-1);
    if (last === undefined || span.fromMs > last.toMs) return [...merged, span];
    return [...merged.slice(0, -1), { fromMs: last.fromMs, toMs: Math.max(last.toMs, span.toMs) }];
  }, []);
}

/** While the offset of the zone stays the same, its clock is a time line like UTC, shifted. */
function spansOf(window: MaintenanceWindow, fromMs: number, toMs: number): readonly OpenSpan[] {
  const { days, fromMin, toMin } = timesOf(window);
  const lengthMin = fromMin < toMin ? toMin - fromMin : toMin - fromMin + 24 * 60;
  return zoneSpans(window.timeZone, fromMs, toMs).flatMap((zone) => {
    const spans: OpenSpan[] = [];
    const firstDay = Math.floor((zone.fromMs + zone.offsetMs) / dayMs) - 1;
    const lastDay = Math.floor((zone.toMs + zone.offsetMs) / dayMs);
    for (let date = firstDay; date <= lastDay; date++) {
      if (!days.has(weekdayOf(date * dayMs))) continue;
      const opensMs = date * dayMs + fromMin * minuteMs - zone.offsetMs;
      const span = {
        fromMs: Math.max(opensMs, zone.fromMs),
        toMs: Math.min(opensMs + lengthMin * minuteMs, zone.toMs),
      };
      if (span.fromMs < span.toMs) spans.push(span);
    }
    return spans;
  });
}

function timesOf({ days, from, to }: MaintenanceWindow): {
  days: ReadonlySet<Weekday>;
  fromMin: number;
  toMin: number;
} {
  return { days: new Set(days.flatMap(daysOf)), fromMin: minutesOf(from), toMin: minutesOf(to) };
}

/** `fri-mon` goes over the weekend. */
function daysOf(text: string): readonly Weekday[] {
  const [first = '', last = first] = text.split('-');
  const start = weekdays.findIndex((day) => day === first);
  const count = ((weekdays.findIndex((day) => day === last) - start + 7) % 7) + 1;
  return Array.from({ length: count }, (_, index) => weekdays[(start + index) % 7] ?? 'mon');
}

function minutesOf(text: string): number {
  const [hours = '0', minutes = '0'] = text.split(':');
  return Number(hours) * 60 + Number(minutes);
}

/** `dateMs`: midnight of the date, as if it were UTC. 1970-01-01 was a Thursday. */
function weekdayOf(dateMs: number): Weekday {
  return weekdays[(((Math.floor(dateMs / dayMs) + 3) % 7) + 7) % 7] ?? 'mon';
}
