import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { latestStartDays, parseStartTime } from '../../../src/domain/start-time.ts';
import { dayMs } from '../../../src/domain/time-zone.ts';

const berlin = 'Europe/Berlin';
/** A Monday, 16:40 in Berlin. */
const nowMs = Date.parse('2026-11-23T15:40:00Z');

function start(text: string, zone = berlin, now = nowMs): string {
  const result = parseStartTime(text, zone, now);
  return result.ok ? new Date(result.atMs).toISOString() : `${result.what} ${result.why}`;
}

describe('--at', () => {
  test.each([
    ['22:00', '2026-11-23T21:00:00.000Z'],
    ['today 22:00', '2026-11-23T21:00:00.000Z'],
    ['Tomorrow  06:30', '2026-11-24T05:30:00.000Z'],
    ['tomorrow 6:30', '2026-11-24T05:30:00.000Z'],
    ['2026-11-24 22:00', '2026-11-24T21:00:00.000Z'],
    ['2026-11-24T22:00', '2026-11-24T21:00:00.000Z'],
    ['2026-11-24 22:00 -05:00', '2026-11-25T03:00:00.000Z'],
    ['2026-11-24T22:00Z', '2026-11-24T22:00:00.000Z'],
    ['in 2h', '2026-11-23T17:40:00.000Z'],
    ['in 90 minutes', '2026-11-23T17:10:00.000Z'],
    ['in 1h30m', '2026-11-23T17:10:00.000Z'],
    ['in 2 days', '2026-11-25T15:40:00.000Z'],
  ])('"%s" said in Berlin is %s', (text, iso) => expect(start(text)).toBe(iso));

  it('is on a whole minute, never before the time that was meant', () => {
    expect(start('in 1m', berlin, nowMs + 41_000)).toBe('2026-11-23T15:42:00.000Z');
    expect(start('in 30 days', berlin, nowMs + 41_000)).toBe('2026-12-23T15:41:00.000Z');
  });

  it('counts by the clock of the person, wherever that is', () => {
    expect(start('22:00', 'America/New_York')).toBe('2026-11-24T03:00:00.000Z');
    expect(start('22:00', 'Asia/Kolkata')).toBe('2026-11-23T16:30:00.000Z');
    expect(start('22:00', 'No/Such_Place')).toBe('2026-11-23T22:00:00.000Z');
  });

  test.each([
    ['08:00', '"08:00" is over: in Europe/Berlin it is 16:40 now. A start lies ahead. Did you mean "tomorrow 08:00"?'],
    ['2026-11-22 22:00', '"2026-11-22 22:00" is over'],
    ['in 0h', '"in 0h" is over'],
    ['in 31 days', 'is more than 30 days ahead'],
    ['2027-11-24 22:00', 'is more than 30 days ahead'],
    ['25:00', '"25:00" is no time to start at. It is written as "22:00", "tomorrow 06:30"'],
    ['2026-02-30 10:00', 'is no time to start at'],
    ['in', 'is no time to start at'],
    ['tonight', 'is no time to start at'],
    ['', 'is no time to start at'],
  ])('"%s" is refused with the reason', (text, words) => expect(start(text)).toContain(words));

  it('says that a time is skipped when clocks are put forward', () => {
    const before = Date.parse('2027-03-27T12:00:00Z');

    expect(start('tomorrow 02:30', berlin, before)).toContain('There is no 02:30 on 2027-03-28 in Europe/Berlin.');
    expect(start('tomorrow 03:00', berlin, before)).toBe('2027-03-28T01:00:00.000Z');
  });

  it('says that a time is there twice when clocks are put back, and how to name each of them', () => {
    const before = Date.parse('2026-10-24T12:00:00Z');

    const said = start('tomorrow 02:30', berlin, before);

    expect(said).toContain('It is 02:30 twice on 2026-10-25 in Europe/Berlin.');
    const named = [...said.matchAll(/"(2026[^"]+)"/g)].map(([, text]) => start(text ?? '', berlin, before));
    expect(named).toEqual(['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z']);
  });

  it('never throws, and what it takes lies ahead, by 30 days at most', () => {
    const piece = fc.constantFrom(
      'in ',
      '2',
      'h',
      '22:00',
      'tomorrow ',
      '2026-11-',
      '24',
      ' ',
      ':',
      '+01:00',
      'days',
      'z',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('')),
    );
    fc.assert(
      fc.property(text, fc.constantFrom(berlin, 'UTC', 'Pacific/Apia'), (said, zone) => {
        const result = parseStartTime(said, zone, nowMs);
        if (!result.ok) return;
        expect(result.atMs).toBeGreaterThan(nowMs);
        expect(result.atMs).toBeLessThanOrEqual(nowMs + latestStartDays * dayMs);
      }),
    );
  });
});
