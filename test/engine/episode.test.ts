import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMonitor } from '../../lib/contracts/monitor.ts';
import { EMPTY_FOLD, type FoldRules, foldEpisodes } from '../../lib/engine/episode.ts';
import type { Judgement } from '../../lib/engine/judgement.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2001, 1, 1);

function rules(settings: Record<string, unknown> = {}, revise = 7 * DAY): FoldRules {
  const { monitor, problems } = parseMonitor({ model: 'm', ...settings });
  if (monitor === null) throw new Error(JSON.stringify(problems));
  return { monitor, settleAfter: { window: revise, performance: revise } };
}

function judgement(
  day: number,
  flagged: readonly string[],
  more: Partial<Judgement> & { loud?: boolean; ms?: number } = {},
): Judgement {
  const { loud, ms = DAY, ...rest } = more;
  const start = START + day * ms;
  return {
    kind: 'window',
    version: '1',
    start,
    end: start + ms,
    length: '1d',
    base: true,
    revision: 0,
    rows: 100,
    provisional: false,
    conditions: {
      drift: {
        flagged: flagged.map((name) => ({
          name,
          aspect: 'location',
          effect: 0.2,
          summary: 'moved',
          since: new Date(start).toISOString(),
        })),
        loud: loud ?? flagged.length > 0,
      },
    },
    ...rest,
  };
}

const at = (day: number): string => new Date(START + day * DAY).toISOString();

describe('foldEpisodes', () => {
  it('is blind for labels once while they stay away, though events come, and for events apart from that', () => {
    const seen = { flagged: [], loud: false };
    const unseen = (name: string, hour: number) => {
      const since = new Date(START + hour * HOUR).toISOString();
      return { flagged: [{ name, aspect: 'coverage', effect: null, summary: 'stay away', since }], loud: true };
    };
    const hours = Array.from({ length: 12 }, (_, hour) => {
      const of = { ms: HOUR, length: '1h' };
      return [
        judgement(hour, [], { ...of, conditions: { blind: hour === 5 ? unseen('events', hour) : seen } }),
        judgement(hour, [], {
          ...of,
          kind: 'performance',
          conditions: { blind: hour >= 2 && hour < 9 ? unseen('labels', hour) : seen },
        }),
      ];
    });
    // Labels are judged when their time is over: after all windows.
    const [windows, labels] = [hours.map(([window]) => window!), hours.map(([, label]) => label!)];
    const first = foldEpisodes(EMPTY_FOLD, windows, rules());
    const { episodes } = foldEpisodes(first.state, labels, rules());
    const hourOf = (iso: string | null): number => (Date.parse(iso ?? '') - START) / HOUR;
    expect(episodes.map(({ opened, closed, features }) => [features[0]?.name, hourOf(opened), hourOf(closed)])).toEqual(
      [
        ['labels', 3, 10],
        ['events', 6, 7],
      ],
    );
    expect(new Set(episodes.map(({ id }) => id)).size).toBe(2);
    // In one go, and one after another with nothing held back: the same.
    expect(foldEpisodes(EMPTY_FOLD, [...labels, ...windows], rules()).episodes).toEqual(episodes);
    let state = EMPTY_FOLD;
    const open = new Map<string, string | null>();
    for (const one of hours.flat()) {
      const fold = foldEpisodes(state, [one], rules({}, 0));
      for (const { id, closed } of fold.episodes) open.set(id, closed);
      state = fold.state;
    }
    expect([...open]).toEqual(episodes.map(({ id, closed }) => [id, closed]));
  });

  it('opens on one daily window and closes after three quiet ones', () => {
    const days = [[], ['a'], ['a', 'b'], [], [], [], []].map((flagged, day) => judgement(day, flagged));
    const { episodes } = foldEpisodes(EMPTY_FOLD, days, rules());
    expect(episodes).toHaveLength(1);
    expect(episodes[0]).toMatchObject({
      opened: at(2),
      closed: at(6),
      since: at(1),
      signal: 'drift',
      severity: 'warning',
    });
    expect(episodes[0]?.features.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('keeps of each feature when it began, and how far it was when it was farthest', () => {
    const moved = (day: number, effect: number) => {
      const since = at(day);
      const flagged = [{ name: 'a', aspect: 'location', effect, summary: `moved by ${effect}`, since }];
      return judgement(day, [], { conditions: { drift: { flagged, loud: true } } });
    };
    const { episodes } = foldEpisodes(EMPTY_FOLD, [moved(0, 0.2), moved(1, 0.9), moved(2, 0.4)], rules());
    expect(episodes).toMatchObject([
      { since: at(0), summary: 'a: moved by 0.9', features: [{ name: 'a', effect: 0.9, since: at(0) }] },
    ]);
  });

  it('takes revisions of a window until its time to be revised is over, to the instant', () => {
    const first = foldEpisodes(EMPTY_FOLD, [judgement(0, []), judgement(2, [])], rules({}, 2 * DAY));
    // The first window ended two days before the newest.
    const fold = foldEpisodes(first.state, [judgement(0, ['a'], { revision: 1 })], rules({}, 2 * DAY));
    expect([fold.tooLate, fold.episodes.length]).toEqual([0, 1]);
    const after = foldEpisodes(first.state, [judgement(-1, ['a'])], rules({}, 2 * DAY));
    expect([after.tooLate, after.episodes.length]).toEqual([1, 0]);
  });

  it('waits for 2 of 3 windows that are shorter than a day, of the same feature', () => {
    const hours = [['a'], ['b'], [], ['a'], [], ['a'], []].map((flagged, hour) =>
      judgement(hour, flagged, { ms: HOUR, length: '1h' }),
    );
    const { episodes } = foldEpisodes(EMPTY_FOLD, hours, rules());
    expect(episodes.map(({ opened, since }) => [opened, since])).toEqual([
      [new Date(START + 6 * HOUR).toISOString(), new Date(START + 3 * HOUR).toISOString()],
    ]);
  });

  it('stays open while windows are loud, and through windows that were not judged', () => {
    const days = [
      judgement(0, ['a']),
      judgement(1, []),
      judgement(2, [], { loud: true }),
      judgement(3, []),
      judgement(4, [], { conditions: {} }),
      judgement(5, []),
    ];
    expect(foldEpisodes(EMPTY_FOLD, days, rules()).episodes[0]?.closed).toBeNull();
    expect(foldEpisodes(EMPTY_FOLD, [...days, judgement(6, [])], rules()).episodes[0]?.closed).toBe(at(7));
  });

  it('opens at once on a longer scale, and holds until that scale is quiet', () => {
    const week = (n: number, flagged: readonly string[]): Judgement =>
      judgement(n, flagged, { ms: 7 * DAY, length: '7d', base: false });
    const quiet = Array.from({ length: 15 }, (_, day) => judgement(day, []));
    const open = foldEpisodes(EMPTY_FOLD, [...quiet.slice(0, 13), week(0, ['a'])], rules({}, 30 * DAY));
    expect(open.episodes).toMatchObject([{ opened: at(7), closed: null, length: '7d' }]);
    const closed = foldEpisodes(open.state, [...quiet.slice(13), week(1, [])], rules({}, 30 * DAY));
    expect(closed.episodes).toMatchObject([{ opened: at(7), closed: at(14) }]);
  });

  it('takes back what a revision takes back, and finds what it adds', () => {
    const first = foldEpisodes(EMPTY_FOLD, [judgement(0, []), judgement(1, ['a']), judgement(2, [])], rules());
    expect(first.episodes).toHaveLength(1);
    const second = foldEpisodes(
      first.state,
      [judgement(1, [], { revision: 1 }), judgement(0, ['b'], { revision: 1 })],
      rules(),
    );
    expect(second.episodes).toMatchObject([{ opened: at(1), features: [{ name: 'b' }] }]);
    const older = foldEpisodes(second.state, [judgement(1, ['a'])], rules());
    expect(older.episodes).toEqual(second.episodes);
  });

  it('counts results for settled windows instead of using them', () => {
    const days = Array.from({ length: 20 }, (_, day) => judgement(day, []));
    const fold = foldEpisodes(EMPTY_FOLD, days, rules());
    const late = foldEpisodes(fold.state, [judgement(2, ['a'], { revision: 1 })], rules());
    expect(late).toMatchObject({ episodes: [], tooLate: 1 });
    expect(late.state.tail.length).toBeLessThan(10);
  });

  describe('the cool-down', () => {
    const hour = (n: number, flagged: readonly string[], effect = 0.2): Judgement => {
      const one = judgement(n, flagged, { ms: HOUR, length: '1h' });
      const { drift } = one.conditions;
      return {
        ...one,
        conditions: {
          drift: { loud: drift!.loud, flagged: drift!.flagged.map((feature) => ({ ...feature, effect })) },
        },
      };
    };
    /** Hours 0 and 1 open an episode on `a`, which closes at the end of hour 4; later hours as given. */
    const hours = (later: Readonly<Record<number, readonly string[]>>, last: number, effect = 0.2): Judgement[] =>
      Array.from({ length: last }, (_, n) => (n < 2 ? hour(n, ['a']) : hour(n, later[n] ?? [], effect)));
    const opened = (judgements: readonly Judgement[], monitor = {}): string[] =>
      foldEpisodes(EMPTY_FOLD, judgements, rules(monitor, 100 * DAY)).episodes.map(
        ({ opened, features }) => `${(Date.parse(opened) - START) / HOUR} ${features.map(({ name }) => name).join()}`,
      );

    it('takes what comes back within a day for the change that was told', () => {
      expect(opened(hours({ 8: ['a'], 9: ['a'], 10: ['a'] }, 14))).toEqual(['2 a']);
    });

    it('ends after a day: a change that is still there is told then', () => {
      const back = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [8 + i, ['a']]));
      expect(opened(hours(back, 38))).toEqual(['2 a', '30 a']);
    });

    it('is for the features of that episode only, and for moves that are no larger', () => {
      expect(opened(hours({ 8: ['a', 'b'], 9: ['a', 'b'] }, 14))).toEqual(['2 a', '10 a,b']);
      expect(opened(hours({ 8: ['a'], 9: ['a'] }, 14, 0.21))).toEqual(['2 a', '10 a']);
    });

    it('does not tell again of the hours that a longer window still holds, but of the next one', () => {
      const day = (n: number) => judgement(n, ['a'], { length: '1d', base: false });
      expect(opened([...hours({}, 48), day(0)])).toEqual(['2 a']);
      expect(opened([...hours({}, 48), day(0), day(1)])).toEqual(['2 a', '48 a']);
    });

    it('is none for days, which close late enough, nor for breaches of the contract', () => {
      const days = [['a'], [], [], [], ['a']].map((flagged, n) => judgement(n, flagged));
      expect(foldEpisodes(EMPTY_FOLD, days, rules()).episodes).toHaveLength(2);
      const breach = (n: number, names: readonly string[]): Judgement => {
        const { drift } = hour(n, names).conditions;
        return { ...hour(n, names), conditions: { quality: drift! } };
      };
      const breaches = Array.from({ length: 12 }, (_, n) => breach(n, n === 1 || n === 7 ? ['a'] : []));
      expect(opened(breaches)).toEqual(['2 a', '8 a']);
    });

    it('is the same in whatever order judgements arrive', () => {
      const flags = fc.array(fc.constantFrom<readonly string[]>([], [], ['a'], ['b'], ['constructor']), {
        minLength: 1,
        maxLength: 60,
      });
      fc.assert(
        fc.property(flags, fc.integer(), (all, seed) => {
          const judgements = all.map((flagged, n) => hour(n, flagged));
          const free = rules({ alerts: { after: '1 of 1' } }, 1_000 * DAY);
          const expected = foldEpisodes(EMPTY_FOLD, judgements, free).episodes;
          const shuffled = judgements
            .map((one, i) => ({ one, key: Math.imul(i + 1, seed | 1) >>> 0 }))
            .sort((x, y) => x.key - y.key);
          let state = EMPTY_FOLD;
          let episodes: unknown = [];
          for (const { one } of shuffled) {
            const fold = foldEpisodes(state, [one], free);
            state = JSON.parse(JSON.stringify(fold.state)) as typeof state;
            episodes = fold.episodes;
          }
          expect(episodes).toEqual(expected);
        }),
      );
    });
  });

  it('gives the same episodes in whatever order and portions judgements arrive', () => {
    const flags = fc.array(fc.constantFrom<readonly string[]>([], [], ['a'], ['b'], ['a', 'b']), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(flags, fc.integer(), fc.integer({ min: 1, max: 7 }), (days, seed, portion) => {
        const all = days.map((flagged, day) => judgement(day, flagged));
        // Nothing settles here: order is free only among what may still be revised.
        const free = rules({ alerts: { after: '2 of 3' } }, 1_000 * DAY);
        const expected = foldEpisodes(EMPTY_FOLD, all, free).episodes;
        const shuffled = all
          .map((one, i) => ({ one, key: Math.imul(i + 1, seed | 1) >>> 0 }))
          .sort((a, b) => a.key - b.key);
        let state = EMPTY_FOLD;
        let episodes: unknown = [];
        for (let i = 0; i < shuffled.length; i += portion) {
          const fold = foldEpisodes(
            state,
            shuffled.slice(i, i + portion).map(({ one }) => one),
            free,
          );
          state = JSON.parse(JSON.stringify(fold.state)) as typeof state;
          episodes = fold.episodes;
        }
        expect(episodes).toEqual(expected);
      }),
    );
  });

  it('gives the same episodes with a short memory as with a long one, when windows come in order', () => {
    const flags = fc.array(fc.constantFrom<readonly string[]>([], [], [], ['a'], ['b']), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(flags, (days) => {
        const all = days.map((flagged, day) => judgement(day, flagged));
        const long = foldEpisodes(EMPTY_FOLD, all, rules({}, 1_000 * DAY)).episodes;
        const seen = new Map<string, unknown>();
        let state = EMPTY_FOLD;
        for (const one of all) {
          const fold = foldEpisodes(state, [one], rules({}, 2 * DAY));
          state = JSON.parse(JSON.stringify(fold.state)) as typeof state;
          for (const episode of fold.episodes) seen.set(episode.id, episode);
        }
        expect([...seen.values()]).toEqual(long);
      }),
    );
  });
});
