/**
 * The verdict on streams of known laws: months in which nothing changed must stay within the budget, also when days differ and
 * hours have a season; planted changes must be named in the window that has them.
 */
import { describe, expect, test } from 'vitest';
import type { ColumnBaseline } from '../../lib/contracts/baseline.ts';
import { levelOf } from '../../lib/engine/budget.ts';
import type { ColumnCounts } from '../../lib/engine/column-counts.ts';
import { judgeColumn } from '../../lib/engine/column-verdict.ts';
import {
  categoricalOf,
  categoryCounts,
  DAY,
  dayEffects,
  drawCategories,
  drawNormal,
  HOUR,
  normalBaseline,
  numericCounts,
  type Random,
  START,
  seededRandom,
} from './verdict-data.ts';

const HOURLY = { every: '1h', ms: HOUR, confirmation: { m: 2, n: 3 }, rows: 300 } as const;
const DAILY = { every: '1d', ms: DAY, confirmation: { m: 1, n: 1 }, rows: 5_000 } as const;
type Kind = typeof HOURLY | typeof DAILY;
const BASE_DAYS = 28;
const COLUMNS = 3;

const SHARES = [0.4, 0.3, 0.2, 0.06, 0.04];
const NAMES = ['AA', 'UA', 'DL', 'WN', 'HA'];

interface World {
  /** Shift of the mean of window `t`, in standard deviations. */
  readonly shift: (t: number) => number;
}

function world(random: Random, kind: Kind, seasonal: boolean): World {
  const days = dayEffects(random, 2 * BASE_DAYS + 1, seasonal ? 0.1 : 0);
  return {
    shift: (t) => {
      const at = t * kind.ms;
      const day = Math.floor(at / DAY);
      const hour = (at % DAY) / HOUR;
      const season = seasonal ? 0.35 * Math.sin((2 * Math.PI * hour) / 24) + (day % 7 >= 5 ? 0.2 : 0) : 0;
      return (kind.every === '1h' ? season : 0) + days[day]!;
    },
  };
}

interface Stream {
  readonly column: ColumnBaseline;
  readonly window: (t: number, planted: boolean) => ColumnCounts;
}

type Change = 'none' | 'mean' | 'scale' | 'share' | 'missing' | 'tail';

/** A column with its baseline of 28 days; `change` is what happens in windows that are planted. */
function stream(
  random: Random,
  kind: Kind,
  law: World,
  type: 'number' | 'category' | 'optional',
  change: Change,
): Stream {
  const windows = Array.from({ length: (BASE_DAYS * DAY) / kind.ms }, (_, t) => t);
  const start = (t: number) => START + t * kind.ms;
  if (type === 'category') {
    const draw = (t: number, planted: boolean) => {
      const tilt = law.shift(t);
      const raw = SHARES.map((share, i) => share * Math.exp(tilt * ([0.3, 0, -0.3, 0, 0.2][i] ?? 0)));
      const sum = raw.reduce((all, share) => all + share, 0);
      const shares = raw.map((share) => share / sum);
      const by = planted && change === 'share' ? [-0.12, 0, 0, 0.06, 0.06] : [];
      return drawCategories(
        random,
        kind.rows,
        shares.map((share, i) => share + (by[i] ?? 0)),
      );
    };
    const column = categoricalOf(
      NAMES,
      windows.map((t) => ({ start: start(t), drawn: draw(t, false) })),
      kind.every,
    );
    return { column, window: (t, planted) => categoryCounts(draw(t, planted)) };
  }
  const draw = (t: number, planted: boolean) => {
    const missing = type === 'optional' ? (planted && change === 'missing' ? 0.1 : 0.02) : 0;
    const mean = law.shift(t) + (planted && change === 'mean' ? 0.3 : 0);
    const scale = planted && change === 'scale' ? 1.3 : 1;
    if (!planted || change !== 'tail') return drawNormal(random, kind.rows, { mean, scale, missing });
    const heavy = Math.round(0.05 * kind.rows);
    const tail = drawNormal(random, heavy, { mean: 4.2 });
    return drawNormal(random, kind.rows - heavy, { mean }).map((count, i) => count + tail[i]!);
  };
  const column = normalBaseline(
    windows.map((t) => ({ start: start(t), drawn: draw(t, false) })),
    kind.every,
  );
  return { column, window: (t, planted) => numericCounts(draw(t, planted)) };
}

const scalesOf = (kind: Kind) => (kind.every === '1h' ? [HOUR, DAY, 7 * DAY] : [DAY, 7 * DAY]);

function judge({ column, window }: Stream, kind: Kind, t: number, planted: boolean) {
  const start = START + t * kind.ms;
  return judgeColumn(column, window(t, planted), {
    level: levelOf({ budget: '1 per 30d', signal: 'drift', scales: scalesOf(kind), scale: 0, comparisons: COLUMNS }),
    smallestEffect: 0.05,
    minimumRows: 30,
    span: { start, end: start + kind.ms },
    confirmation: kind.confirmation,
    others: 'none',
  });
}

/** Openings of the window scale in the 28 days after the baseline, 3 quiet windows closing. */
function openings(one: Stream, kind: Kind): number {
  const first = (BASE_DAYS * DAY) / kind.ms;
  let open = false;
  let quiet = 0;
  let count = 0;
  let recent: boolean[] = [];
  for (let t = first; t < 2 * first; t++) {
    const { status, pValue, threshold } = judge(one, kind, t, false);
    recent = [...recent, status === 'drifted'].slice(-kind.confirmation.n);
    const hit = status === 'drifted' && recent.filter(Boolean).length >= kind.confirmation.m;
    if (hit && !open) {
      open = true;
      count++;
    }
    quiet = (pValue ?? 1) <= 10 * (threshold ?? 0) ? 0 : quiet + 1;
    if (open && quiet >= 3) open = false;
  }
  return count;
}

describe('a month in which nothing changes', () => {
  test.each([
    ['independent hours', HOURLY, false, 3],
    ['hours with season, weekends and days that follow each other', HOURLY, true, 3],
    ['independent days', DAILY, false, 12],
    ['days that follow each other', DAILY, true, 12],
  ] as const)('%s: the budget holds', (_, kind, seasonal, months) => {
    let opened = 0;
    for (let month = 0; month < months; month++) {
      const random = seededRandom(100 + month);
      const law = world(random, kind, seasonal);
      for (const type of ['number', 'category', 'optional'] as const)
        opened += openings(stream(random, kind, law, type, 'none'), kind);
    }
    // Budget: 0.6 · share of the scale a month; Poisson odds of more than this are below 1e-4 even at the full budget.
    expect(opened).toBeLessThanOrEqual(months <= 3 ? 5 : 14);
    expect(opened / months).toBeLessThan(1);
  });
});

describe('a planted change', () => {
  const first = (kind: Kind) => (BASE_DAYS * DAY) / kind.ms + 4;
  test.each([
    ['mean + 0.3 standard deviations', 'number', 'mean', 'location', /^mean up by 0\.\d+ standard deviations/],
    ['scale × 1.3', 'number', 'scale', /spread|values/, /^spread up by \d+ %/],
    [
      'a share that falls by 12 points',
      'category',
      'share',
      /^category (AA|WN|HA)$/,
      /share of AA fell from 4\d % to 2\d %/,
    ],
    ['missing 2 to 10 %', 'optional', 'missing', 'missing', /^missing rose from 2\.\d % to (9\.\d|1\d) %/],
    ['5 % of values far above', 'number', 'tail', 'highest values', /values above [\d.]+ rose from [\d.]+ % to \d/],
  ] as const)('%s: in the first two hours, and named', (_, type, change, aspect, summary) => {
    const random = seededRandom(7);
    const one = stream(random, HOURLY, world(random, HOURLY, false), type, change);
    const results = [0, 1, 2].map((i) => judge(one, HOURLY, first(HOURLY) + i, true));
    expect(results.filter(({ status }) => status === 'drifted').length).toBeGreaterThanOrEqual(2);
    const loudest = results.reduce((a, b) => ((b.pValue ?? 1) < (a.pValue ?? 1) ? b : a));
    expect(loudest.aspect).toMatch(aspect);
    expect(loudest.summary).toMatch(summary);
    expect(loudest.effect).toBeGreaterThan(0.15);
    expect(loudest.changes.length).toBeGreaterThan(0);
    const quiet = judge(one, HOURLY, first(HOURLY), false);
    expect(quiet.status).toBe('ok');
    expect(quiet.changes).toEqual([]);
  });

  test.each([
    ['number', 'mean'],
    ['number', 'scale'],
    ['category', 'share'],
    ['optional', 'missing'],
  ] as const)('daily, %s, %s: on the first day', (type, change) => {
    const random = seededRandom(11);
    const one = stream(random, DAILY, world(random, DAILY, false), type, change);
    expect(judge(one, DAILY, first(DAILY), false).status).toBe('ok');
    expect(judge(one, DAILY, first(DAILY), true).status).toBe('drifted');
  });

  test('missing is found through a season as well', () => {
    const random = seededRandom(13);
    const one = stream(random, HOURLY, world(random, HOURLY, true), 'optional', 'missing');
    const results = [0, 1, 2, 3].map((i) => judge(one, HOURLY, first(HOURLY) + i, true));
    expect(
      results.filter(({ status, summary }) => status === 'drifted' && summary.includes('missing')).length,
    ).toBeGreaterThanOrEqual(2);
  });
});

test('rows taken as independent ring on days that differ; calibrated ones do not', () => {
  const random = seededRandom(17);
  const one = stream(random, DAILY, world(random, DAILY, true), 'number', 'none');
  const naive = { ...one, column: { ...one.column, calibration: null } };
  expect(openings(one, DAILY)).toBe(0);
  let flagged = 0;
  for (let t = BASE_DAYS; t < 2 * BASE_DAYS; t++) if (judge(naive, DAILY, t, false).status === 'drifted') flagged++;
  expect(flagged).toBeGreaterThan(5);
});
