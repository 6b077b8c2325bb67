/** Maintenance windows: when they are, and who is told of what after them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import type { Transition } from '../../lib/contracts/episode.ts';
import {
  type Maintenance,
  type MaintenanceInput,
  maintenanceSchema,
  WEEKDAYS,
} from '../../lib/contracts/maintenance.ts';
import { parseMonitor } from '../../lib/contracts/monitor.ts';
import { deliveriesOf } from '../../lib/local/server/alert-views.ts';
import { maintenanceAt } from '../../lib/pipeline/maintenance.ts';
import { Notifier } from '../../lib/pipeline/notifier.ts';
import { isSettled } from '../../lib/pipeline/outbox.ts';
import type { DeliveryOptions } from '../../lib/pipeline/ports.ts';
import { addTransitions, NOW, outboxOf, TestChannel, TestClock, transitionFor } from './outbox-data.ts';

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
const at = (text: string): number => Date.parse(text);
const window = (input: MaintenanceInput): Maintenance => maintenanceSchema.parse(input);

describe('a window', () => {
  it('once is from its beginning to before its end', () => {
    const once = window({ from: '2026-03-01T10:00:00Z', until: '2026-03-01T12:00:00+01:00', reason: 'move' });
    expect(maintenanceAt([once], at('2026-03-01T09:59:59.999Z'))).toBeNull();
    expect(maintenanceAt([once], at('2026-03-01T10:00:00Z'))).toEqual({
      reason: 'move',
      until: at('2026-03-01T11:00:00Z'),
    });
    expect(maintenanceAt([once], at('2026-03-01T11:00:00Z'))).toBeNull();
    expect(maintenanceAt(undefined, 0)).toBeNull();
  });

  it('again and again is as a calendar of its zone says', () => {
    const weekly = fc.record({
      days: fc.option(fc.uniqueArray(fc.constantFrom(...WEEKDAYS), { minLength: 1 }), { nil: undefined }),
      minute: fc.integer({ min: 0, max: 1_439 }),
      length: fc.integer({ min: 1, max: 1_440 }),
      // No summer time, so that each minute of the calendar is there once.
      timezone: fc.constantFrom('UTC', 'Asia/Kolkata', 'America/Phoenix', 'Pacific/Kiritimati'),
    });
    fc.assert(
      fc.property(weekly, fc.integer({ min: 0, max: 400 * 1_440 }), ({ days, minute, length, timezone }, offset) => {
        const now = NOW + offset * MINUTE;
        const [hours, minutes] = [Math.floor(minute / 60), minute % 60].map((n) => String(n).padStart(2, '0'));
        const one = window({
          ...(days === undefined ? {} : { days }),
          at: `${hours}:${minutes}`,
          for: `${length}m`,
          timezone,
          reason: 'r',
        });
        const format = new Intl.DateTimeFormat('en-GB', {
          timeZone: timezone,
          weekday: 'long',
          hour: '2-digit',
          minute: '2-digit',
          hourCycle: 'h23',
        });
        const begins = (moment: number): boolean => {
          const text = format.format(moment).toLowerCase();
          return (
            text.endsWith(`${hours}:${minutes}`) && (days === undefined || days.some((day) => text.startsWith(day)))
          );
        };
        let expected: number | null = null;
        for (let begun = now - (length - 1) * MINUTE; begun <= now && expected === null; begun += MINUTE)
          if (begins(begun)) expected = begun + length * MINUTE;
        const found = maintenanceAt([one], now);
        expect(found === null).toBe(expected === null);
        // One of a whole day every day never ends.
        if (found !== null && length < 1_440) expect(found.until).toBe(expected);
      }),
      { numRuns: 100 },
    );
  });

  it('keeps its length when clocks change, and begins late where its beginning is skipped', () => {
    const nightly = window({ at: '02:30', for: '2h', timezone: 'Europe/Berlin', reason: 'r' });
    // 02:30 is not there on this day: it begins at 03:00 summer time.
    expect(maintenanceAt([nightly], at('2026-03-29T00:59:59Z'))).toBeNull();
    expect(maintenanceAt([nightly], at('2026-03-29T01:30:00Z'))?.until).toBe(at('2026-03-29T03:00:00Z'));
    // It is there twice: the first one counts.
    expect(maintenanceAt([nightly], at('2026-10-25T00:30:00Z'))?.until).toBe(at('2026-10-25T02:30:00Z'));
  });

  it('is one with those that follow without a gap', () => {
    const early = window({ at: '22:00', for: '2h', reason: 'backups' });
    const late = window({ at: '00:00', for: '1h', reason: 'loads' });
    expect(maintenanceAt([late, early], at('2026-03-01T23:00:00Z'))).toEqual({
      reason: 'backups',
      until: at('2026-03-02T01:00:00Z'),
    });
  });

  it.each([
    [{ from: '2026-03-01T10:00:00Z', until: '2026-03-01T10:00:00Z', reason: 'r' }],
    [{ from: '2026-03-01T10:00:00Z', until: '2026-03-17T10:00:00Z', reason: 'r' }],
    [{ from: '2026-03-01 10:00', until: '2026-03-02T10:00:00Z', reason: 'r' }],
    [{ at: '24:00', for: '1h', reason: 'r' }],
    [{ at: '02:00', for: '25h', reason: 'r' }],
    [{ at: '02:00', for: '1h', timezone: 'Mars/Olympus', reason: 'r' }],
    [{ at: '02:00', for: '1h', days: [], reason: 'r' }],
    [{ at: '02:00', for: '1h' }],
    [{ at: '02:00', for: '1h', from: '2026-03-01T10:00:00Z', reason: 'r' }],
  ])('%j is refused', (input) => {
    expect(maintenanceSchema.safeParse(input).success).toBe(false);
    const { problems } = parseMonitor({ model: 'm', alerts: { maintenance: [input] } });
    expect(problems.map(({ path }) => path)).toEqual(
      problems.map(() => expect.stringMatching(/^alerts\.maintenance/) as string),
    );
    expect(problems.length).toBeGreaterThan(0);
  });
});

describe('in maintenance', () => {
  const UNTIL = NOW + HOUR;
  const maintenance = [
    window({ from: new Date(NOW).toISOString(), until: new Date(UNTIL).toISOString(), reason: 'a move' }),
  ];

  function setUp() {
    const [store, clock] = [new MemoryStore(), new TestClock()];
    const people = new TestChannel('people', clock);
    const heard: [string, string | undefined][] = [];
    const program = {
      ...{ name: 'event-bus', records: true, takesAll: true },
      deliver: async ({ key }: Transition, { withheld }: DeliveryOptions) => void heard.push([key, withheld]),
    };
    const late: number[] = [];
    const minutes = async (count: number, during: (minute: number) => Promise<void> = async () => {}) => {
      for (let minute = 0; minute < count; minute++) {
        await during(minute);
        const notifier = new Notifier({
          store,
          clock,
          wall: clock,
          channels: [people, program],
          maintenance,
          leaseMs: MINUTE,
        });
        late.push((await notifier.run()).undeliveredMs);
        clock.pass(MINUTE);
      }
    };
    return { store, clock, people, heard, late, minutes };
  }

  it('people hear afterwards of what is still open, and programs at once that they did not', async () => {
    const { store, people, heard, late, minutes } = setUp();
    await addTransitions(store, [transitionFor('a')]);
    await minutes(1);
    expect(
      (await outboxOf(store, 'a')).flatMap(deliveriesOf).find(({ channel }) => channel === 'people'),
    ).toMatchObject({
      state: 'pending',
      detail: `held back until ${new Date(UNTIL).toISOString()}: a move`,
    });
    await minutes(69);
    expect(people.got.map(({ key, at: when }) => [key, when])).toEqual([['a-e1/opened/1', UNTIL]]);
    expect(heard).toEqual([['a-e1/opened/1', 'a move']]);
    // Nobody waits too long meanwhile.
    expect(Math.max(...late)).toBe(0);
  });

  it('people never hear of what came and went, nor of an end of what they never heard of', async () => {
    const { store, people, heard, minutes } = setUp();
    await addTransitions(store, [transitionFor('a')]);
    await minutes(70, async (minute) => {
      if (minute === 30) await addTransitions(store, [transitionFor('a', 'closed')]);
    });
    expect(people.got).toEqual([]);
    expect(heard.map(([key]) => key)).toEqual(['a-e1/opened/1', 'a-e1/closed/1']);
    const outbox = await outboxOf(store, 'a');
    expect(outbox.every(isSettled)).toBe(true);
    expect(outbox.map(({ delivered }) => delivered['people'])).toEqual(['not told: a move', 'not told: a move']);
    expect(outbox.flatMap(deliveriesOf).filter(({ channel }) => channel === 'people')).toEqual(
      ['opened', 'closed'].map((transition) => ({
        ...{ transition, channel: 'people', state: 'silenced', detail: 'not told: a move' },
      })),
    );
  });

  it('people hear afterwards of the end of what they had heard of', async () => {
    const { store, clock, people, minutes } = setUp();
    clock.pass(-10 * MINUTE);
    await addTransitions(store, [transitionFor('a')]);
    await minutes(90, async (minute) => {
      if (minute === 30) await addTransitions(store, [transitionFor('a', 'closed')]);
    });
    expect(people.got.map(({ key, at: when }) => [key, when])).toEqual([
      ['a-e1/opened/1', NOW - 10 * MINUTE],
      ['a-e1/closed/1', UNTIL],
    ]);
  });

  it('whatever comes when, people hear no end without a beginning, nothing within, and the last word of what is open', async () => {
    const step = fc.record({ minute: fc.integer({ min: 0, max: 130 }), episode: fc.constantFrom('e1', 'e2') });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 5 }), async (steps) => {
        const { store, clock, people, minutes } = setUp();
        clock.pass(-30 * MINUTE);
        const open = new Set<string>();
        const count = new Map<string, number>();
        await minutes(140, async (minute) => {
          for (const { episode } of steps.filter((one) => one.minute === minute)) {
            const kind = open.has(episode) ? 'closed' : 'opened';
            if (kind === 'opened') open.add(episode);
            else open.delete(episode);
            // Each round of an episode is an episode of its own.
            const n = (count.get(episode) ?? 0) + (kind === 'opened' ? 1 : 0);
            count.set(episode, n);
            await addTransitions(store, [transitionFor('a', kind, { id: `${episode}-${n}` })]);
          }
        });
        const told = new Map<string, string[]>();
        for (const { transition, at: when } of people.got) {
          expect(when < NOW || when >= UNTIL).toBe(true);
          const { id } = transition.episode;
          told.set(id, [...(told.get(id) ?? []), transition.kind]);
        }
        for (const kinds of told.values()) expect([['opened'], ['opened', 'closed']]).toContainEqual(kinds);
        for (const episode of open) expect(told.get(`${episode}-${count.get(episode)}`)).toEqual(['opened']);
        expect((await outboxOf(store, 'a')).every(isSettled)).toBe(true);
      }),
      { numRuns: 12 },
    );
  });
});

it('a day is the longest that comes again, two weeks and a day the longest once', () => {
  expect(maintenanceSchema.safeParse({ at: '00:00', for: '1d', reason: 'r' }).success).toBe(true);
  const until = new Date(NOW + 15 * DAY).toISOString();
  expect(maintenanceSchema.safeParse({ from: new Date(NOW).toISOString(), until, reason: 'r' }).success).toBe(true);
});
