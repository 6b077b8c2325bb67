import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMonitor } from '../../lib/contracts/monitor.ts';
import { ProblemError } from '../../lib/contracts/problem.ts';
import { WindowRule } from '../../lib/engine/window.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns', // clocks once went back at 00:01
  'America/Sao_Paulo', // midnight skipped in spring
  'Asia/Kolkata', // half an hour beside UTC
  'Australia/Lord_Howe', // half an hour of summer time
  'Pacific/Apia', // 30 December 2011 left out
];
const LENGTHS = ['1m', '7m', '15m', '45m', '1h', '90m', '2h', '5h', '6h', '12h', '1d', '36h', '2d', '3d', '7d', '14d'];

function rule(every: string, timezone = 'UTC', scales?: string[], lateness = '1h', revise = '7d'): WindowRule {
  return new WindowRule({ every, timezone, lateness, revise, minimumRows: 200 }, scales);
}

/** With the scales where windows fill them. */
function filledRule(every: string, zone: string, scales: string[] | undefined): WindowRule {
  try {
    return rule(every, zone, scales);
  } catch {
    return rule(every, zone);
  }
}

const at = (text: string): number => Date.parse(text);
const iso = ({ start, end }: { start: number; end: number }) => [start, end].map((ms) => new Date(ms).toISOString());

const settings = fc.record({
  scales: fc.constantFrom<string[] | undefined>(
    undefined,
    undefined,
    ['14d'],
    ['2d', '14d'],
    ['6h', '3d', '21d'],
    ['7d', '28d'],
  ),
  every: fc.constantFrom(...LENGTHS),
  zone: fc.constantFrom(...ZONES),
  time: fc.oneof(
    fc.integer({ min: at('1970-01-01T00:00:00Z'), max: at('2038-01-01T00:00:00Z') }),
    fc.constantFrom(
      ...['2011-12-30T10:00:00Z', '2001-03-25T01:00:00Z', '2001-10-28T00:30:00Z', '2000-10-29T03:00:00Z'].map(at),
      ...['0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '2009-11-01T02:31:00Z'].map(at),
    ),
  ),
});

describe('windows', () => {
  it('partition time: each instant lies in one window, and the next begins where it ends', () => {
    fc.assert(
      fc.property(settings, ({ every, zone, time, scales }) => {
        const windows = filledRule(every, zone, scales);
        for (const { index } of windows.scales) {
          const { start, end } = windows.scaleWindow(index, time);
          expect(start <= time && time < end).toBe(true);
          expect(windows.scaleWindow(index, start)).toMatchObject({ start, end });
          expect(windows.scaleWindow(index, end - 1)).toMatchObject({ start, end });
          expect(windows.scaleWindow(index, end).start).toBe(end);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('nest: a longer scale is made of whole windows, and windows of whole grains of at most an hour', () => {
    fc.assert(
      fc.property(settings, ({ every, zone, time, scales }) => {
        const windows = filledRule(every, zone, scales);
        for (const { index } of windows.scales.slice(1)) {
          const { start, end } = windows.scaleWindow(index, time);
          for (const inner of [windows.scaleWindow(index - 1, start), windows.scaleWindow(index - 1, end - 1)])
            expect(start <= inner.start && inner.end <= end).toBe(true);
          expect(windows.scaleWindow(index - 1, start).start).toBe(start);
          expect(windows.scaleWindow(index - 1, end - 1).end).toBe(end);
        }
        const { start, end } = windows.windowAt(time);
        if (end - start > 8 * DAY) return;
        const grains = windows.grainsOf(start, end);
        expect(grains[0]).toBe(start);
        expect(windows.grainEnd(grains.at(-1)!)).toBe(end);
        for (const [i, grain] of grains.entries()) {
          const next = grains[i + 1] ?? end;
          expect(windows.grainEnd(grain)).toBe(next);
          expect(windows.grainStart(next - 1)).toBe(grain);
          expect(next - grain).toBeLessThanOrEqual(Math.min(HOUR, windows.scales[0]!.ms));
        }
        expect(windows.grainStart(time)).toBe(grains.findLast((grain) => grain <= time));
      }),
      { numRuns: 250 },
    );
  });

  it('of a day are calendar days of the zone, of 23 and 25 hours where clocks change', () => {
    const berlin = rule('1d', 'Europe/Berlin');
    expect(iso(berlin.windowAt(at('2001-03-25T12:00:00Z')))).toEqual([
      '2001-03-24T23:00:00.000Z',
      '2001-03-25T22:00:00.000Z',
    ]);
    expect(iso(berlin.windowAt(at('2001-10-28T12:00:00Z')))).toEqual([
      '2001-10-27T22:00:00.000Z',
      '2001-10-28T23:00:00.000Z',
    ]);
    expect(berlin.grainsOf(at('2001-10-27T22:00:00Z'), at('2001-10-28T23:00:00Z'))).toHaveLength(25);
    const brazil = rule('1d', 'America/Sao_Paulo');
    expect(iso(brazil.windowAt(at('2001-10-14T12:00:00Z')))).toEqual([
      '2001-10-14T03:00:00.000Z',
      '2001-10-15T02:00:00.000Z',
    ]);
    const samoa = rule('1d', 'Pacific/Apia');
    expect(iso(samoa.windowAt(at('2011-12-30T12:00:00Z')))).toEqual([
      '2011-12-30T10:00:00.000Z',
      '2011-12-31T10:00:00.000Z',
    ]);
  });

  it('of a week begin on Monday of the zone', () => {
    expect(iso(rule('7d').windowAt(at('2001-02-01T10:00:00Z')))).toEqual([
      '2001-01-29T00:00:00.000Z',
      '2001-02-05T00:00:00.000Z',
    ]);
    const york = rule('1h', 'America/New_York');
    expect(iso(york.scaleWindow(2, at('2001-02-05T04:59:59Z')))).toEqual([
      '2001-01-29T05:00:00.000Z',
      '2001-02-05T05:00:00.000Z',
    ]);
  });

  it('of parts of a day begin at local midnight, and a changed day ends with a short or a further one', () => {
    const starts = (day: string, zone: string, every: string): string[] => {
      const windows = rule(every, zone);
      const { start, end } = windows.scaleWindow(1, at(day));
      const found: string[] = [];
      for (let time = start; time < end; time = windows.windowAt(time).end)
        found.push(new Date(time).toISOString().slice(11, 16));
      return found;
    };
    expect(starts('2001-02-01T12:00:00Z', 'Asia/Kolkata', '6h')).toEqual(['18:30', '00:30', '06:30', '12:30']);
    expect(starts('2001-03-25T12:00:00Z', 'Europe/Berlin', '6h')).toEqual(['23:00', '05:00', '11:00', '17:00']);
    expect(starts('2001-10-28T12:00:00Z', 'Europe/Berlin', '6h')).toEqual([
      '22:00',
      '04:00',
      '10:00',
      '16:00',
      '22:00',
    ]);
  });

  it('keep their names and order as scales', () => {
    const names = (every: string, scales?: string[]) => rule(every, 'UTC', scales).scales.map(({ name }) => name);
    expect(names('1h')).toEqual(['1h', '1d', '7d']);
    expect(names('24h')).toEqual(['1d', '7d']);
    expect(names('7d')).toEqual(['7d']);
    expect(names('2d')).toEqual(['2d']);
    expect(names('5h')).toEqual(['5h']);
    expect(names('90m')).toEqual(['90m', '1d', '7d']);
    expect(names('1h', ['7d', '6h', '30m', '1d'])).toEqual(['1h', '6h', '1d', '7d']);
    expect(names('1d', [])).toEqual(['1d']);
  });

  it('refuse scales that they do not fill, as the monitor does', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...LENGTHS),
        fc.uniqueArray(fc.constantFrom(...LENGTHS, '28d'), { maxLength: 3 }),
        (every, scales) => {
          const { problems } = parseMonitor({ model: 'a', window: { every }, drift: { scales } });
          const refused = problems.some(({ code }) => code === 'scale-not-multiple');
          if (refused) expect(() => rule(every, 'UTC', scales)).toThrow(ProblemError);
          else expect(rule(every, 'UTC', scales).scales.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('timeliness', () => {
  const windows = rule('1h', 'UTC', undefined, '10m', '2d');
  const event = at('2001-02-01T10:30:00Z');
  const of = (append: string) => windows.classify(event, at(append));

  it('is decided by append time against the ends of the windows of the event', () => {
    expect(of('2001-02-01T10:31:00Z')).toEqual({ timeliness: 'on-time', stage: 0 });
    expect(of('2001-02-01T11:09:59.999Z')).toEqual({ timeliness: 'on-time', stage: 0 });
    expect(of('2001-02-01T11:10:00Z')).toEqual({ timeliness: 'revising', stage: 1 });
    expect(of('2001-02-02T00:09:59.999Z')).toEqual({ timeliness: 'revising', stage: 1 });
    expect(of('2001-02-02T00:10:00Z')).toEqual({ timeliness: 'revising', stage: 2 });
    expect(of('2001-02-03T11:09:59.999Z')).toEqual({ timeliness: 'revising', stage: 2 });
    expect(of('2001-02-03T11:10:00Z')).toEqual({ timeliness: 'beyond', stage: 3 });
  });

  it('a record that no scale is in time for has the stage after the last', () => {
    const short = rule('1h', 'UTC', [], '10m', '2d');
    expect(short.classify(event, at('2001-02-01T12:00:00Z'))).toEqual({ timeliness: 'revising', stage: 1 });
  });

  it('is a stage that is on time for every longer scale too', () => {
    fc.assert(
      fc.property(settings, fc.integer({ min: -HOUR, max: 9 * DAY }), ({ every, zone, time }, delay) => {
        const any = rule(every, zone);
        const { timeliness, stage } = any.classify(time, time + delay);
        for (const { index } of any.scales) {
          const onTime = time + delay < any.scaleWindow(index, time).end + any.latenessMs;
          if (timeliness !== 'beyond') expect(onTime).toBe(index >= stage);
        }
        expect(timeliness === 'on-time').toBe(stage === 0);
      }),
      { numRuns: 300 },
    );
  });
});
