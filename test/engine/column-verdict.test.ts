import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CategoricalBaseline, ColumnBaseline, NumericBaseline } from '../../lib/contracts/baseline.ts';
import type { FeatureResult } from '../../lib/contracts/result.ts';
import { categoricalBaseline, numericBaseline } from '../../lib/engine/baseline-maker.ts';
import { calibrate } from '../../lib/engine/calibration.ts';
import type { ColumnCounts } from '../../lib/engine/column-counts.ts';
import { type JudgeOptions, judgeColumn } from '../../lib/engine/column-verdict.ts';
import { verdictBinCount, verdictBins } from '../../lib/engine/verdict-bins.ts';
import { movedText, numberText, shareText } from '../../lib/engine/verdict-words.ts';
import {
  categoricalOf,
  categoryCounts,
  DAY,
  drawCategories,
  drawNormal,
  normalBaseline,
  numericCounts,
  START,
  seededRandom,
} from './verdict-data.ts';

const OPTIONS: JudgeOptions = {
  level: 0.003,
  smallestEffect: 0.05,
  minimumRows: 200,
  span: { start: START + 40 * DAY, end: START + 41 * DAY },
  confirmation: { m: 1, n: 1 },
};

function steps(values: readonly number[]) {
  const sorted = [...values].sort((a, b) => a - b);
  const found: { value: number; count: number; before: number }[] = [];
  sorted.forEach((value, before) => {
    const last = found.at(-1);
    if (last?.value === value) last.count++;
    else found.push({ value, count: 1, before });
  });
  return found;
}

function numberOf(values: readonly number[], missing = 0): NumericBaseline {
  const n = values.length;
  const mean = n === 0 ? null : values.reduce((sum, value) => sum + value, 0) / n;
  const std = mean === null ? null : Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n);
  const found = steps(values);
  const integer = values.every(Number.isInteger);
  return numericBaseline({
    name: 'x',
    type: 'numeric',
    role: 'feature',
    rows: n + missing,
    missing,
    nonFinite: 0,
    integer,
    mean,
    std,
    distinct: found.length,
    steps: found,
  });
}

function countsOf(column: NumericBaseline, values: readonly number[], missing = 0): ColumnCounts {
  const { edges } = column.bins;
  const bins = new Array<number>(edges.length + 1).fill(0);
  for (const value of values) bins[edges.filter((edge) => edge <= value).length]!++;
  return {
    ...categoryCounts(bins, missing),
    mean: values.length === 0 ? null : values.reduce((sum, v) => sum + v, 0) / values.length,
  };
}

function textColumn(counts: Record<string, number>, missing = 0): CategoricalBaseline {
  const top = Object.entries(counts).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const rows = top.reduce((sum, [, count]) => sum + count, 0) + missing;
  return categoricalBaseline({
    name: 'c',
    type: 'categorical',
    role: 'feature',
    rows,
    missing,
    distinct: top.length,
    top,
  });
}

/** Every number is finite or null, and a verdict without numbers says why. */
function sound(result: FeatureResult): void {
  for (const value of [result.statistic, result.pValue, result.threshold, result.effect, result.detectable])
    expect(value === null || Number.isFinite(value)).toBe(true);
  for (const value of [result.referenceCount, result.currentCount, result.missingReference, result.missingCurrent])
    expect(value).toBeGreaterThanOrEqual(0);
  if (result.status !== 'ok' && result.status !== 'drifted') expect(result.reason).toBeTruthy();
  expect(result.summary).not.toBe('');
  expect(result.summary).not.toMatch(/NaN|Infinity|undefined|null/);
  for (const { what, reference, current } of result.changes) {
    expect(what).not.toBe('');
    for (const share of [reference, current]) expect(share >= 0 && share <= 1).toBe(true);
  }
}

const normal = (seed: number, rows: number, law = {}) => drawNormal(seededRandom(seed), rows, law);
const days = Array.from({ length: 28 }, (_, day) => ({ start: START + day * DAY, drawn: normal(day + 1, 2_000) }));
const calibrated = normalBaseline(days, '1d');
const independent = normalBaseline(days, null);

describe('what cannot be judged says so', () => {
  test.each([
    ['no rows', numericCounts(normal(1, 0)), 'no rows'],
    ['one row', numericCounts(normal(1, 1)), /^1 row, fewer than 200: .* could have been shown$/],
    ['too few', numericCounts(normal(1, 199)), /^199 rows/],
    ['only wrong types', { ...numericCounts(normal(1, 0)), n: 500, invalid: 500 }, 'all values are of the wrong type'],
  ])('%s', (_, counts, reason) => {
    const result = judgeColumn(calibrated, counts, OPTIONS);
    sound(result);
    expect(result.status).toBe('insufficient-data');
    expect(result.reason).toMatch(reason);
    expect(result.pValue).toBeNull();
  });

  test('the smallest effect that could have been shown shrinks with the rows and is really shown', () => {
    const [few, many] = [150, 5_000].map(
      (rows) => judgeColumn(calibrated, numericCounts(normal(3, rows)), OPTIONS).detectable!,
    );
    expect(few).toBeGreaterThan(many!);
    let shown = 0;
    for (let seed = 0; seed < 60; seed++) {
      const at = judgeColumn(calibrated, numericCounts(normal(500 + seed, 500)), OPTIONS).detectable!;
      // A shift of d standard deviations is w = 0.977 d by the first polynomial of a normal law.
      const shifted = judgeColumn(calibrated, numericCounts(normal(1_000 + seed, 500, { mean: at / 0.977 })), OPTIONS);
      if (shifted.status === 'drifted') shown++;
    }
    expect(shown).toBeGreaterThan(60 * 0.65);
  });

  test.each([
    ['negative', { ...numericCounts(normal(1, 500)), bins: [-1, ...new Array(15).fill(10)] }],
    ['NaN', { ...numericCounts(normal(1, 500)), missing: Number.NaN, n: Number.NaN }],
    ['of other bins', { ...numericCounts(normal(1, 500)), bins: [1, 2, 3] }],
    ['infinite', { ...numericCounts(normal(1, 500)), bins: new Array(16).fill(Number.POSITIVE_INFINITY) }],
  ])('counts that are %s fail', (_, counts) => {
    const result = judgeColumn(calibrated, counts, OPTIONS);
    sound(result);
    expect(result.status).toBe('failed');
  });

  test('a calibration of another version fails', () => {
    const odd = { ...calibrated, calibration: { ...calibrated.calibration!, method: 'older/0' } };
    expect(judgeColumn(odd, numericCounts(normal(1, 500)), OPTIONS)).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('mlmon profile'),
    });
  });

  test('an empty baseline, of a number and of categories', () => {
    const number = judgeColumn(numberOf([]), countsOf(numberOf([]), [1, 2, 3]), OPTIONS);
    const text = judgeColumn(textColumn({}), categoryCounts([], 0, [['a', 500]]), OPTIONS);
    for (const result of [number, text]) {
      sound(result);
      expect(result).toMatchObject({ status: 'insufficient-data', reason: 'the baseline has no rows of this column' });
    }
  });

  test('a baseline of three windows is still learning', () => {
    const result = judgeColumn(
      normalBaseline(days.slice(0, 3), '1d'),
      numericCounts(normal(1, 500, { mean: 2 })),
      OPTIONS,
    );
    expect(result.status).toBe('learning');
    expect(result.provisional).toBe(true);
  });
});

describe('odd baselines', () => {
  test('a constant number: its own value is quiet, another one is found above or below', () => {
    const column = numberOf(new Array(5_000).fill(7));
    expect(judgeColumn(column, countsOf(column, new Array(500).fill(7)), OPTIONS).status).toBe('ok');
    const up = judgeColumn(column, countsOf(column, [...new Array(480).fill(7), ...new Array(20).fill(9)]), OPTIONS);
    sound(up);
    expect(up.status).toBe('drifted');
    expect(up.summary).toMatch(/^values above 7 rose from 0 % to 4\.0 %/);
    const down = judgeColumn(column, countsOf(column, [...new Array(480).fill(7), ...new Array(20).fill(-9)]), OPTIONS);
    expect(down.summary).toMatch(/^values below 7 rose from 0 % to 4\.0 %/);
  });

  test('a constant category', () => {
    const column = textColumn({ only: 5_000 });
    expect(judgeColumn(column, categoryCounts([500]), OPTIONS).status).toBe('ok');
    const other = judgeColumn(column, categoryCounts([480], 0, [['new', 20]]), OPTIONS);
    sound(other);
    expect(other).toMatchObject({ status: 'drifted', aspect: 'unseen categories' });
    expect(other.summary).toMatch(/^unseen categories \(new\) rose from 0 % to 4\.0 %/);
  });

  test('a baseline of one row', () => {
    for (const column of [numberOf([3]), textColumn({ a: 1 })] as ColumnBaseline[]) {
      const counts = column.type === 'numeric' ? countsOf(column, new Array(500).fill(3)) : categoryCounts([500]);
      const result = judgeColumn(column, counts, OPTIONS);
      sound(result);
      expect(result.status).toBe('ok');
    }
  });

  test('all missing: any value is a change', () => {
    const column = numberOf([], 5_000);
    expect(judgeColumn(column, countsOf(column, [], 500), OPTIONS).status).toBe('ok');
    const result = judgeColumn(column, countsOf(column, new Array(50).fill(1), 450), OPTIONS);
    sound(result);
    expect(result).toMatchObject({ status: 'drifted', aspect: 'missing' });
  });

  test('10,000 categories: the same law is quiet, quickly; a new law is found', () => {
    const counts = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`id-${i}`, i < 10 ? 900 : 2]));
    const column = textColumn(counts);
    const vocabulary = column.categories.length;
    const current = column.categories.map((_, i) => (i < 10 ? 90 : 0));
    const rest: [string, number][] = [['id-9999', 1]];
    const quiet = judgeColumn(
      column,
      { ...categoryCounts(current, 0, rest), n: 2_900, unseen: { total: 2_000, top: rest } },
      OPTIONS,
    );
    sound(quiet);
    expect(vocabulary).toBe(1_000);
    expect(quiet.status).toBe('ok');
    const moved = judgeColumn(column, categoryCounts(current), OPTIONS);
    expect(moved.status).toBe('drifted');
  });

  test('categories that grow naturally: unseen ones are expected as often as those seen once', () => {
    const seenOnce = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`rare-${i}`, 1]));
    const column = textColumn({ a: 6_000, b: 3_700, ...seenOnce });
    const current = column.categories.map((name) => (name === 'a' ? 600 : name === 'b' ? 370 : 0));
    const grown = judgeColumn(column, categoryCounts(current, 0, [['rare-x', 30]]), { ...OPTIONS, level: 1e-4 });
    expect(grown.changes.some(({ what }) => what.startsWith('unseen'))).toBe(false);
  });
});

describe('the verdict', () => {
  test('is a function of the counts: twice the same, whatever was judged between', () => {
    const counts = numericCounts(normal(5, 700, { mean: 0.4 }));
    const first = judgeColumn(calibrated, counts, OPTIONS);
    judgeColumn(calibrated, numericCounts(normal(6, 900)), OPTIONS);
    expect(judgeColumn(calibrated, counts, OPTIONS)).toEqual(first);
    expect(judgeColumn(structuredClone(calibrated), counts, OPTIONS)).toEqual(first);
  });

  test('survives storage: a baseline read back from JSON judges the same', () => {
    const back = JSON.parse(JSON.stringify(calibrated)) as NumericBaseline;
    const counts = numericCounts(normal(5, 700, { scale: 1.4 }));
    expect(judgeColumn(back, counts, OPTIONS)).toEqual(judgeColumn(calibrated, counts, OPTIONS));
  });

  test('needs both: a significant change below the smallest effect is none', () => {
    const counts = numericCounts(normal(5, 40_000, { mean: 0.08 }));
    expect(judgeColumn(independent, counts, OPTIONS).status).toBe('drifted');
    expect(judgeColumn(independent, counts, { ...OPTIONS, smallestEffect: 0.3 }).status).toBe('ok');
  });

  test('weights: all equal is as unweighted; unequal ones count for fewer rows', () => {
    const drawn = normal(9, 400, { mean: 0.25 });
    const plain = numericCounts(drawn);
    const weigh = (w: number, w2: number): ColumnCounts => ({
      ...plain,
      weighted: {
        w: drawn.slice(0, -1).map((n) => n * w),
        w2: drawn.slice(0, -1).map((n) => n * w2),
        missing: [0, 0],
        unseen: [0, 0],
      },
    });
    const unweighted = judgeColumn(calibrated, plain, OPTIONS);
    const equal = judgeColumn(calibrated, weigh(8, 64), OPTIONS);
    const unequal = judgeColumn(calibrated, weigh(8, 120), OPTIONS);
    expect(equal.pValue).toBeCloseTo(unweighted.pValue!, 12);
    expect(unequal.pValue).toBeGreaterThan(unweighted.pValue!);
    expect(judgeColumn(calibrated, weigh(8, 64 * 3), OPTIONS).reason).toMatch(/^133 effective rows/);
  });

  test('categories are named with their shares', () => {
    const names = ['ATL', 'JFK', 'LAX'];
    const base = Array.from({ length: 28 }, (_, day) => ({
      start: START + day * DAY,
      drawn: drawCategories(seededRandom(day + 50), 3_000, [0.6, 0.041, 0.359]),
    }));
    const column = categoricalOf(names, base, '1d');
    const result = judgeColumn(column, categoryCounts([1_900, 6, 1_094]), OPTIONS);
    sound(result);
    expect(result).toMatchObject({ status: 'drifted', aspect: 'category JFK', test: 'calibrated-scores' });
    expect(result.summary).toMatch(/share of JFK fell from 4\.\d % to 0\.2 %/);
    expect(result.changes[0]).toMatchObject({ what: 'JFK', current: 0.002 });
    expect(result.others.map(({ test }) => test)).toEqual(['psi', 'jensen-shannon']);
  });

  test('a report shows all tests that fit the type', () => {
    const result = judgeColumn(independent, numericCounts(normal(5, 700, { mean: 0.4 })), {
      ...OPTIONS,
      span: null,
      others: 'all',
    });
    expect(result.others.map(({ test }) => test)).toEqual(['psi', 'jensen-shannon', 'ks', 'wasserstein', 'chi-square']);
    for (const { pValue, statistic } of result.others) {
      expect(statistic).toBeGreaterThan(0);
      expect(pValue === null || pValue < 0.01).toBe(true);
    }
  });

  test('text of data stays on one line and short', () => {
    const column = textColumn({ [`evil\n<!channel> ${'x'.repeat(900)}`]: 5_000, fine: 5_000 });
    const result = judgeColumn(column, categoryCounts([500, 100]), OPTIONS);
    expect(result.summary).not.toContain('\n');
    expect(result.summary.length).toBeLessThan(300);
  });

  test('any counts whatever: a sound answer, never an exception', () => {
    const columns: ColumnBaseline[] = [
      calibrated,
      independent,
      numberOf([3]),
      numberOf([1, 1, 2, 5]),
      numberOf([], 9),
      textColumn({ a: 900, b: 90, c: 1 }, 4),
      textColumn({}),
    ];
    const count = fc.oneof(fc.nat(3), fc.nat(5_000), fc.constant(2 ** 40));
    fc.assert(
      fc.property(
        fc.nat(columns.length - 1),
        fc.array(count, { minLength: 300, maxLength: 300 }),
        count,
        count,
        fc.boolean(),
        (which, raw, missing, unseen, weighted) => {
          const column = columns[which]!;
          const size = column.type === 'numeric' ? column.counts.length : column.categories.length;
          const bins = raw.slice(0, size);
          const rest: [string, number][] = column.type === 'numeric' || unseen === 0 ? [] : [['zz', unseen]];
          const counts = categoryCounts(bins, missing, rest);
          const squares = bins.map((n) => n * 3);
          const full = weighted
            ? {
                ...counts,
                weighted: {
                  w: bins,
                  w2: squares,
                  missing: [missing, missing] as const,
                  unseen: [rest[0]?.[1] ?? 0, 7] as const,
                },
              }
            : counts;
          sound(judgeColumn(column, full, { ...OPTIONS, others: 'brief' }));
        },
      ),
      { numRuns: 150, seed: 1 },
    );
  });
});

describe('bins of the verdict', () => {
  test('the outer bins of a number are apart, and blocks are placed between them', () => {
    const bins = verdictBins(calibrated);
    expect(bins.values).toBe(verdictBinCount(calibrated) + 2);
    expect(bins.baseline[0]).toBe(0);
    expect(bins.baseline[bins.values - 1]).toBe(0);
    expect([...bins.baseline].reduce((sum, n) => sum + n, 0)).toBe(calibrated.count + calibrated.missing);
  });

  test('where the vocabulary was cut, unseen is other', () => {
    const cut = { ...textColumn({ a: 5_000, b: 3_000 }), other: 2_000, count: 10_000, distinct: 1_500 };
    const bins = verdictBins(cut);
    expect(bins.unseen).toBeNull();
    expect(bins.other).toBe(2);
    expect(judgeColumn(cut, categoryCounts([500, 300], 0, [['z', 200]]), OPTIONS).status).toBe('ok');
    expect(judgeColumn(cut, categoryCounts([500, 300], 0, [['z', 600]]), OPTIONS).summary).toMatch(
      /rarer categories rose from 20 % to 43 %/,
    );
  });

  test('a block of the wrong length is a mistake of the caller', () => {
    expect(() => calibrate(independent, [{ start: START, counts: [1, 2] }], { every: '1d', timezone: 'UTC' })).toThrow(
      RangeError,
    );
    expect(calibrate(independent, [], { every: '1d', timezone: 'UTC' })).toBeNull();
  });
});

test('numbers in words', () => {
  expect([1234.5, 0.00012, 12.3456, -1e6, 1e20].map(numberText)).toEqual([
    '1,235',
    '0.00012',
    '12.35',
    '-1,000,000',
    '1.00e+20',
  ]);
  expect([0, 0.0002, 0.002, 0.041, 0.05, 0.413, 1].map((share) => shareText(share))).toEqual([
    '0 %',
    '0.02 %',
    '0.2 %',
    '4.1 %',
    '5.0 %',
    '41 %',
    '100 %',
  ]);
  expect(movedText(0.041, 0.002)).toBe('fell from 4.1 % to 0.2 %');
  expect(movedText(0, 0.05)).toBe('rose from 0 % to 5.0 %');
  expect(movedText(0.051, 0.102)).toBe('doubled from 5.1 % to 10 %');
  expect(movedText(0.4131, 0.4139)).toBe('rose from 41.3 % to 41.4 %');
});
