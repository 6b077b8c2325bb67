import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { timeTicks } from '../../../lib/local/page/charts/ticks.ts';
import {
  clock,
  day,
  instant,
  instantOf,
  moment,
  span,
  utc,
  wallTime,
  windowWords,
} from '../../../lib/local/page/words/times.ts';

const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'Pacific/Apia'];
const DAY = 86_400_000;
const anyTime = fc.integer({ min: Date.UTC(1990, 0, 1), max: Date.UTC(2040, 0, 1) });

describe('times', () => {
  it('are told in the zone, and in UTC on hover', () => {
    const at = Date.UTC(2001, 2, 3, 13, 5);
    expect(moment(at, 'UTC')).toBe('Sat, 3 Mar 2001, 13:05');
    expect(moment(at, 'Asia/Kolkata')).toBe('Sat, 3 Mar 2001, 18:35');
    expect(clock(Date.UTC(2001, 2, 3), 'UTC')).toBe('00:00');
    expect(utc(at)).toBe('2001-03-03 13:05 UTC');
  });

  it('fall back to UTC in a zone nobody knows', () => {
    expect(day(Date.UTC(2001, 2, 3), 'Nowhere/Land')).toBe('Sat, 3 Mar 2001');
  });

  it('survive what is no time', () => {
    expect(instant('nonsense')).toBeNull();
    expect(instant(null)).toBeNull();
    expect(moment(null, 'UTC')).toBe('–');
    expect(utc(Number.NaN)).toBe('–');
    expect(day(1e20, 'UTC')).toBe('–');
  });

  it('name windows by what they are', () => {
    const start = Date.UTC(2001, 2, 3);
    expect(windowWords(start, start + DAY, 'UTC')).toBe('Sat, 3 Mar 2001');
    expect(windowWords(start, start + 7 * DAY, 'UTC')).toBe('3 Mar – 9 Mar 2001');
    expect(windowWords(start, start + DAY / 24, 'UTC')).toBe('Sat, 3 Mar 2001, 00:00–01:00');
    expect(windowWords(start, start + DAY, 'Asia/Kolkata')).toBe('Sat, 3 Mar 2001, 05:30 – Sun, 4 Mar 2001, 05:30');
    // A day of 23 hours is a day.
    const spring = Date.UTC(2001, 2, 24, 23);
    expect(windowWords(spring, spring + 23 * 3_600_000, 'Europe/Berlin')).toBe('Sun, 25 Mar 2001');
  });

  it('tell spans in two units', () => {
    expect(span(90_061_000)).toBe('1 d 1 h');
    expect(span(86_400_000)).toBe('1 d');
    expect(span(61_000)).toBe('1 min 1 s');
    expect(span(200)).toBe('under 1 s');
    expect(span(-5)).toBe('under 1 s');
    expect(span(null)).toBe('–');
  });

  it('find the instant that a wall shows', () => {
    fc.assert(
      fc.property(anyTime, fc.constantFrom(...ZONES), (at, zone) => {
        const wall = wallTime(at, zone);
        const found = wallTime(instantOf(wall.year, wall.month, wall.day, wall.hour, zone), zone);
        // On an hour that occurs twice either is right; the wall is the same.
        expect([found.year, found.month, found.day, found.hour]).toEqual([wall.year, wall.month, wall.day, wall.hour]);
      }),
    );
  });
});

describe('ticks of the time axis', () => {
  it('ascend, stay inside, and are few', () => {
    fc.assert(
      fc.property(
        anyTime,
        fc.integer({ min: 3_600_000, max: 4000 * DAY }),
        fc.integer({ min: 2, max: 16 }),
        fc.constantFrom(...ZONES),
        (from, length, most, zone) => {
          const ticks = timeTicks(from, from + length, zone, most);
          expect(ticks.length).toBeLessThanOrEqual(most + 2);
          for (const [i, tick] of ticks.entries()) {
            expect(tick.at).toBeGreaterThanOrEqual(from);
            expect(tick.at).toBeLessThanOrEqual(from + length);
            expect(tick.label).not.toBe('');
            if (i > 0) expect(tick.at).toBeGreaterThan(ticks[i - 1]!.at);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('stand on midnights of the zone, over changes of summer time too', () => {
    for (const zone of ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata']) {
      const ticks = timeTicks(Date.UTC(2001, 2, 10), Date.UTC(2001, 3, 20), zone, 8);
      expect(ticks.length).toBeGreaterThan(3);
      for (const { at } of ticks) expect(clock(at, zone)).toBe('00:00');
    }
  });

  it('stay where they are while the end moves on', () => {
    const early = timeTicks(Date.UTC(2001, 1, 1), Date.UTC(2001, 4, 1), 'UTC', 12);
    const later = timeTicks(Date.UTC(2001, 1, 1), Date.UTC(2001, 4, 9), 'UTC', 12);
    expect(later.slice(0, early.length)).toEqual(early);
  });

  it('are none for an empty span', () => {
    expect(timeTicks(5, 5, 'UTC', 5)).toEqual([]);
    expect(timeTicks(5, 4, 'UTC', 5)).toEqual([]);
  });
});
