import { describe, expect, it } from 'vitest';
import { addUp, baselineOf, drawColumn, inBins, placesOf } from '../../bench/detection/drawn-column.ts';
import { ALARM_CELLS, alarmMonth, lineOf } from '../../bench/detection/false-alarms.ts';
import { LAW_NAMES, lawOf } from '../../bench/detection/laws.ts';
import { peerOf } from '../../bench/detection/peers.ts';
import { firstAbove, POWER_CELLS, powerTrial, thresholdFor } from '../../bench/detection/power.ts';
import { rateOf, summariseAlarms } from '../../bench/detection/summary.ts';
import { evidentlyCategorical, evidentlyNumeric } from '../../lib/stats/dialects/evidently.ts';
import { nannymlNumeric } from '../../lib/stats/dialects/nannyml.ts';
import { seededRandom } from '../../lib/stats/random.ts';

const flat = (windows: number, rows: number) => new Int32Array(windows).fill(rows);

function drawn(name: (typeof LAW_NAMES)[number], windows: number, rows: number) {
  const effects = new Float64Array(windows);
  return drawColumn(lawOf(name), { rows: flat(windows, rows), effects, random: seededRandom(7) });
}

/** The rows that counts stand for. */
function rowsOf(values: Float64Array, counts: ArrayLike<number>): number[] {
  return Array.from(values).flatMap((value, i) => new Array<number>(counts[i] ?? 0).fill(value));
}

describe('the laws', () => {
  it.each(LAW_NAMES)('%s has shares that sum to 1, moved or not', (name) => {
    const { table, values } = lawOf(name);
    for (const effect of [0, -0.4, 0.4])
      for (const change of [
        null,
        { kind: 'mean', by: 0.3 },
        { kind: 'tail', by: 0.03 },
        { kind: 'share', by: 0.1 },
      ] as const) {
        const { shares } = table(effect, change);
        expect(shares).toHaveLength(values.length + 1);
        expect(shares.every((share) => share >= 0)).toBe(true);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
      }
  });

  it('moves the mean of a number by standard deviations', () => {
    for (const name of ['normal', 'lognormal', 'integers'] as const) {
      const { table, values } = lawOf(name);
      const moments = (shares: Float64Array) => {
        const present = 1 - shares.at(-1)!;
        const mean = values.reduce((sum, value, i) => sum + (value * shares[i]!) / present, 0);
        return {
          mean,
          sd: Math.sqrt(values.reduce((sum, value, i) => sum + ((value - mean) ** 2 * shares[i]!) / present, 0)),
        };
      };
      const before = moments(table(0, null).shares);
      const after = moments(table(0, { kind: 'mean', by: 0.3 }).shares);
      expect((after.mean - before.mean) / before.sd).toBeGreaterThan(0.25);
      expect((after.mean - before.mean) / before.sd).toBeLessThan(0.35);
    }
  });
});

describe('drawn columns', () => {
  it.each(LAW_NAMES)('%s keeps every row, in windows and in the bins of the baseline', (name) => {
    const column = drawn(name, 14, 100);
    const baseline = baselineOf(column, 7, { cadence: 'daily' });
    const counts = inBins(addUp(column, 7, 14), placesOf(column.law, baseline), baseline);
    const inside = Array.from(counts.bins).reduce((sum, n) => sum + n, 0);
    expect(counts.n).toBe(700);
    expect(inside + counts.unseen.total + counts.missing).toBe(700);
    expect(baseline.count + baseline.missing).toBe(700);
  });
});

describe('the peers on counts', () => {
  it('compute what their dialects compute of rows', () => {
    for (const name of ['normal', 'lognormal', 'integers', 'cat10'] as const) {
      const column = drawn(name, 9, 300);
      const { law, counts, width } = column;
      const reference = addUp(column, 0, 8);
      const peer = peerOf(law, reference);
      const [a, b] = [rowsOf(law.values, reference), rowsOf(law.values, counts.subarray(8 * width))];
      const numeric = law.type === 'numeric';
      const expected = numeric ? evidentlyNumeric('wasserstein', a, b) : evidentlyCategorical('jensenshannon', a, b);
      expect(peer.evidently(counts, 8 * width)).toBeCloseTo(expected.score!, 9);
      if (numeric)
        expect(peer.nannyml(counts, 8 * width)).toBeCloseTo(nannymlNumeric('jensen_shannon', a, b).score!, 9);
    }
  });

  it('draw their lines at mean and deviations', () => {
    expect(lineOf([1, 3])).toBe(2 + 3);
    expect(lineOf([1, 3], 1)).toBe(3);
  });
});

describe('a month', () => {
  it('is the same for the same seed, and opens nothing on quiet traffic of equal days', () => {
    const cell = ALARM_CELLS.find(({ name }) => name === 'daily independent 1000 28d')!;
    const month = alarmMonth(cell, 1);
    expect(month).toEqual(alarmMonth(cell, 1));
    expect(month.episodes).toBeLessThanOrEqual(1);
    expect(month.byLaw).toHaveLength(LAW_NAMES.length);
  });
});

describe('a trial', () => {
  it('opens at once on a large change and names how long that took', () => {
    const cell = POWER_CELLS.find(({ name }) => name === 'daily independent 10000 normal mean 0.3')!;
    const { delay, length, peers } = powerTrial(cell, 0);
    expect(delay).toBe(1);
    expect(length).toBe('1d');
    expect(firstAbove(peers.evidently, 0.1)).toBe(1);
    expect(firstAbove(peers.evidently, 10)).toBeNull();
  });
});

describe('the figures', () => {
  it('take the spread between months', () => {
    const { mean, error } = rateOf([0, 0, 0, 4]);
    expect(mean).toBeCloseTo((1 * 30) / 28);
    expect(error).toBeCloseTo((1 * 30) / 28);
  });

  it('call a cell over its budget only beyond chance', () => {
    const cell = ALARM_CELLS[0]!;
    const quiet = { windows: 0, openings: 0 };
    const month = (episodes: number) => ({
      episodes,
      byLaw: LAW_NAMES.map(() => 0),
      byLength: {},
      evidently: quiet,
      nannyml: quiet,
    });
    const over = (months: number[]) => summariseAlarms(new Map([[cell.name, months.map(month)]]), [cell])[0]!.over;
    expect(over([0, 0, 1, 2, 0, 1])).toBe(false);
    expect(over([9, 8, 9, 10, 9, 8])).toBe(true);
  });

  it('set a threshold that quiet months pass as often as was asked', () => {
    const maxima = Array.from({ length: 1_000 }, (_, i) => i);
    const threshold = thresholdFor(maxima, 0.1);
    const passed = maxima.filter((value) => value > threshold).length;
    expect(passed).toBeGreaterThan(80);
    expect(passed).toBeLessThan(100);
  });
});
