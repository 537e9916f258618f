import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { Inventory } from '../../../src/domain/inventory.ts';
import { dayMs, instantsOf, offsetMs, wallTime } from '../../../src/domain/time-zone.ts';
import { closedWindow, couldHaveBegunMs } from '../../../src/domain/window-of-host.ts';
import type { MaintenanceWindow } from '../../../src/domain/windows.ts';
import { isOpen, nextOpening, openSpans } from '../../../src/domain/windows.ts';
import { makeInventory } from '../../support/make-run.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const nights: MaintenanceWindow = { days: ['mon-fri'], from: '22:00', to: '05:00', timeZone: 'Europe/Berlin' };

function at(iso: string): number {
  return Date.parse(iso);
}

function iso(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

describe('a window over midnight, mon-fri 22:00 to 05:00 in Berlin', () => {
  test.each([
    ['Monday 21:59', '2026-11-23T20:59:59.999Z', false],
    ['Monday 22:00', '2026-11-23T21:00:00Z', true],
    ['Tuesday 04:59', '2026-11-24T03:59:59.999Z', true],
    ['Tuesday 05:00', '2026-11-24T04:00:00Z', false],
    ['Monday 03:00, whose evening before was a Sunday', '2026-11-23T02:00:00Z', false],
    ['Saturday 03:00, which is the rest of Friday night', '2026-11-28T02:00:00Z', true],
    ['Saturday 22:30', '2026-11-28T21:30:00Z', false],
  ])('%s', (_when, text, open) => expect(isOpen([nights], at(text))).toBe(open));

  test('opens next on Monday when asked on Saturday', () => {
    expect(iso(nextOpening([[nights]], at('2026-11-28T12:00:00Z')))).toBe('2026-11-30T21:00:00.000Z');
  });
});

describe('clocks that are put forward or back', () => {
  const berlin = { timeZone: 'Europe/Berlin' };
  it('skips a window that lies in the hour that is not there, and opens a week later', () => {
    const window: MaintenanceWindow = { days: ['sun'], from: '02:15', to: '02:45', ...berlin };

    expect(iso(nextOpening([[window]], at('2027-03-27T12:00:00Z')))).toBe('2027-04-04T00:15:00.000Z');
  });

  it('opens where the clock jumps into the window', () => {
    const window: MaintenanceWindow = { days: ['sun'], from: '02:30', to: '04:00', ...berlin };

    expect(openSpans([window], at('2027-03-28T00:00:00Z'), at('2027-03-28T06:00:00Z')).map(textOf)).toEqual([
      '01:00-02:00',
    ]);
  });

  it('opens twice where the hour is there twice', () => {
    const window: MaintenanceWindow = { days: ['sun'], from: '02:15', to: '02:45', ...berlin };

    expect(openSpans([window], at('2026-10-25T00:00:00Z'), at('2026-10-25T06:00:00Z')).map(textOf)).toEqual([
      '00:15-00:45',
      '01:15-01:45',
    ]);
  });

  it('is longer in the night in which an hour is there twice', () => {
    const [night] = openSpans(
      [{ days: ['sat'], from: '22:00', to: '05:00', ...berlin }],
      at('2026-10-24T12:00:00Z'),
      at('2026-10-25T12:00:00Z'),
    );

    expect(((night?.toMs ?? 0) - (night?.fromMs ?? 0)) / hourMs).toBe(8);
  });
});

function textOf({ fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): string {
  return [fromMs, toMs].map((ms) => new Date(ms).toISOString().slice(11, 16)).join('-');
}

const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Africa/Casablanca',
];
const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun', 'mon-fri', 'sat-sun', 'fri-mon'];
const time = fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 })).map(shown);
const window: fc.Arbitrary<MaintenanceWindow> = fc
  .record({
    days: fc.uniqueArray(fc.constantFrom(...days), { minLength: 1, maxLength: 3 }),
    from: time,
    to: fc.oneof(time, fc.constant('24:00')),
    timeZone: fc.constantFrom(...zones),
  })
  .filter(({ from, to }) => from !== to);
const windows = fc.array(window, { minLength: 1, maxLength: 3 });
/** Two years with all changes of clocks in them, and often a moment near one. */
const moment = fc.oneof(
  fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2027-12-31T00:00:00Z') }),
  fc
    .tuple(
      fc.constantFrom(at('2026-03-29T01:00:00Z'), at('2026-10-25T01:00:00Z'), at('2026-11-01T06:00:00Z')),
      fc.integer({ min: -3 * dayMs, max: dayMs }),
    )
    .map(([change, shift]) => change + shift),
);

function shown([hours, minutes]: readonly [number, number]): string {
  return `${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`;
}

describe('whatever the windows', () => {
  // `isOpen` reads the clock of one moment, the others reckon with whole spans: neither is made from the other.
  it('the next opening is the first open moment: open then, and at no minute before', () => {
    fc.assert(
      fc.property(windows, moment, (some, nowMs) => {
        const opensMs = nextOpening([some], nowMs);
        expect(opensMs).toBeDefined();
        if (opensMs === undefined) return;
        expect(opensMs).toBeGreaterThanOrEqual(nowMs);
        expect(isOpen(some, opensMs)).toBe(true);
        if (opensMs > nowMs) expect(isOpen(some, opensMs - 1)).toBe(false);
        const first = Math.max(nowMs, opensMs - 400 * minuteMs);
        for (let ms = opensMs - 1; ms >= first; ms -= 7 * minuteMs) expect(isOpen(some, ms)).toBe(false);
        if (opensMs > nowMs) expect(isOpen(some, nowMs)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  it('a moment lies in an open span exactly when the clock shows it as open', () => {
    fc.assert(
      fc.property(
        windows,
        moment,
        fc.array(fc.integer({ min: 0, max: 3 * dayMs - 1 }), { maxLength: 20 }),
        (...given) => {
          const [some, fromMs, shifts] = given;
          const spans = openSpans(some, fromMs, fromMs + 3 * dayMs);
          for (const ms of shifts.map((shift) => fromMs + shift))
            expect(spans.some((span) => span.fromMs <= ms && ms < span.toMs)).toBe(isOpen(some, ms));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('open spans are in order and apart, and cut into two they cover the same time', () => {
    fc.assert(
      fc.property(windows, moment, fc.integer({ min: 0, max: 5 * dayMs }), (some, fromMs, shift) => {
        const toMs = fromMs + 5 * dayMs;
        const spans = openSpans(some, fromMs, toMs);
        const sum = (list: typeof spans): number => list.reduce((ms, span) => ms + span.toMs - span.fromMs, 0);
        for (const [index, span] of spans.entries()) {
          expect(span.fromMs).toBeLessThan(span.toMs);
          expect(span.fromMs).toBeGreaterThan(spans[index - 1]?.toMs ?? -1);
        }
        const parts = [...openSpans(some, fromMs, fromMs + shift), ...openSpans(some, fromMs + shift, toMs)];
        expect(sum(parts)).toBe(sum(spans));
      }),
      { numRuns: 200 },
    );
  });

  it('a wall time comes back from each of its instants, and every moment is an instant of its wall time', () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones), moment, (zone, ms) => {
        const minute = ms - ((((ms + offsetMs(zone, ms)) % minuteMs) + minuteMs) % minuteMs);
        const wall = wallTime(zone, minute);
        const instants = instantsOf(zone, wall);
        expect(instants).toContain(minute);
        for (const instant of instants) expect(wallTime(zone, instant)).toEqual(wall);
      }),
    );
  });
});

describe('the windows of a host', () => {
  const base = makeInventory(['as7', 'as8']);
  const inventory = Inventory.parse({
    ...base,
    sites: { lab: { ...base.sites['lab'], windows: [nights] } },
    hosts: { ...base.hosts, as8: { ...base.hosts['as8'], rack: 'rack2' } },
    racks: { rack2: { windows: [{ days: ['mon-sun'], from: '12:00', to: '13:00', timeZone: 'UTC' }] } },
  });
  const noon = at('2026-11-24T12:00:00Z');

  it('are those of its rack in place of those of its site', () => {
    expect(closedWindow(inventory, ['as8'], noon)).toBeUndefined();
    expect(closedWindow(inventory, ['as7'], noon)).toEqual({
      owners: ['site lab'],
      opensAtMs: at('2026-11-24T21:00:00Z'),
    });
  });

  it('must both be open for a pair', () => {
    const evening = { days: ['mon-fri'], from: '21:30', to: '23:00', timeZone: 'UTC' };
    const overlapping = Inventory.parse({ ...inventory, racks: { rack2: { windows: [evening] } } });

    expect(closedWindow(overlapping, ['as8', 'as7'], at('2026-11-24T21:10:00Z'))).toEqual({
      owners: ['rack2', 'site lab'],
      opensAtMs: at('2026-11-24T21:30:00Z'),
    });
    expect(closedWindow(overlapping, ['as8', 'as7'], at('2026-11-24T21:30:00Z'))).toBeUndefined();
  });

  it('of a pair that are never open at once are said to be so', () => {
    expect(closedWindow(inventory, ['as8', 'as7'], noon)).toEqual({
      owners: ['rack2', 'site lab'],
      opensAtMs: undefined,
    });
  });

  it('and none at all is always open', () => {
    expect(closedWindow(base, ['as7', 'as8'], noon)).toBeUndefined();
  });

  it('the time in which work could have begun runs only while they are open, and from the start that was asked for', () => {
    const approved = at('2026-11-24T15:00:00Z');
    const later = at('2026-11-24T21:20:00Z');

    expect(couldHaveBegunMs({}, base, ['as7'], approved, later)).toBe(later - approved);
    expect(couldHaveBegunMs({}, inventory, ['as7'], approved, later)).toBe(20 * minuteMs);
    expect(couldHaveBegunMs({ outsideWindow: true }, inventory, ['as7'], approved, later)).toBe(later - approved);
    expect(couldHaveBegunMs({ startAtMs: at('2026-11-24T21:15:00Z') }, inventory, ['as7'], approved, later)).toBe(
      5 * minuteMs,
    );
    expect(couldHaveBegunMs({}, inventory, ['as7', 'as8'], approved, later + dayMs)).toBe(0);
  });
});
