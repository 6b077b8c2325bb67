import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countsIn } from '../../lib/stats/bins.ts';
import { bridgeMaximumSurvival, bridgeSupremumSurvival } from '../../lib/stats/bridge.ts';
import { ks } from '../../lib/stats/ks.ts';
import { ksOfCounts } from '../../lib/stats/ks-counts.ts';
import { ksExactPValue, ksExactTiedPValue } from '../../lib/stats/ks-exact.ts';
import { ksOneSampleSurvival } from '../../lib/stats/ks-one-sample.ts';
import { seededRandom } from '../../lib/stats/random.ts';
import { goldenCases, near } from './golden.ts';

const numbers = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 60 });

describe('ks on the golden samples', () => {
  for (const one of goldenCases('num2')) {
    const { reference, current } = one.inputs as Record<string, (number | null)[]>;
    const { ks_auto: auto, ks_asymp: asymptotic } = one.expected.scipy ?? {};
    it(one.id, () => {
      const outcome = ks(reference!, current!);
      if (one.id.includes('/empty_')) {
        expect(outcome).toMatchObject({ statistic: null, pValue: null, reason: expect.stringMatching(/^empty-/) });
        return;
      }
      expect(outcome.statistic).toSatisfy((value: number) => near(value, auto.statistic, 1e-10, 1e-12));
      expect(outcome.pValue).toSatisfy((value: number) => near(value, auto.pvalue, 1e-9, 1e-14));
      // SciPy has no asymptotic p-value for one row against one; ours is that of one row.
      if (asymptotic.pvalue === 'NaN') return;
      const { pValue } = ks(reference!, current!, { method: 'asymptotic' });
      expect(pValue).toSatisfy((value: number) => near(value, asymptotic.pvalue, 1e-8, 1e-14));
    });
  }
});

describe('ks', () => {
  it('is symmetric, bounded and blind to what increases', () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const { statistic, pValue } = ks(a, b);
        expect(statistic).toBeGreaterThanOrEqual(0);
        expect(statistic).toBeLessThanOrEqual(1);
        expect(pValue).toBeGreaterThan(0);
        expect(pValue).toBeLessThanOrEqual(1);
        expect(ks(b, a)).toMatchObject({ statistic, pValue: expect.closeTo(pValue!, 10) });
        const stretched = (x: number): number => Math.exp(x / 7) - 3;
        expect(ks(a.map(stretched), b.map(stretched)).statistic).toBe(statistic);
      }),
    );
  });

  it('leaves out what is no finite number and names an empty side', () => {
    expect(ks([Number.NaN, null, Infinity], [1])).toMatchObject({ statistic: null, reason: 'empty-reference' });
    expect(ks([1], [])).toMatchObject({ statistic: null, reason: 'empty-current', referenceSize: 1 });
    expect(ks([3, 3, Number.NaN], [3])).toMatchObject({
      statistic: 0,
      pValue: 1,
      reason: 'constant',
      referenceSize: 2,
    });
    expect(ks([3], [4])).toMatchObject({ statistic: 1, pValue: 1 });
  });

  it('does not change its inputs', () => {
    const frozen = Object.freeze([3, 1, 2]);
    expect(ks(frozen, frozen).statistic).toBe(0);
  });
});

describe('the exact law with ties', () => {
  it('equals an enumeration of all orders', () => {
    // 3 against 4 rows in bins of 2, 3 and 2: every choice of which rows are the reference
    const bins = [0, 0, 1, 1, 1, 2, 2];
    const distances: number[] = [];
    for (let mask = 0; mask < 128; mask++) {
      const chosen = bins.map((_, i) => ((mask >> i) & 1) === 1);
      if (chosen.filter(Boolean).length !== 3) continue;
      let largest = 0;
      for (const bin of [0, 1]) {
        const f = bins.filter((at, i) => at <= bin && chosen[i]).length / 3;
        const g = bins.filter((at, i) => at <= bin && !chosen[i]).length / 4;
        largest = Math.max(largest, Math.abs(f - g));
      }
      distances.push(largest);
    }
    for (const d of new Set(distances)) {
      const share = distances.filter((other) => other >= d - 1e-12).length / distances.length;
      expect(ksExactTiedPValue(3, 4, d, [2, 3, 2])).toBeCloseTo(d === 0 ? 1 : share, 12);
    }
  });

  it('is the law without ties where there are none', () => {
    for (const [n, m, d] of [
      [7, 7, 3 / 7],
      [10, 15, 0.4],
      [31, 8, 0.3],
    ] as const)
      expect(ksExactTiedPValue(n, m, d, new Array(n + m).fill(1))).toBeCloseTo(ksExactPValue(n, m, d), 10);
  });
});

describe('the one-sample law', () => {
  it('joins its methods without a seam', () => {
    // either side of n = 140 and of n·x² = 2.2
    for (const z of [0.5, 0.9, 1.3]) {
      const at = (n: number): number => ksOneSampleSurvival(n, z / Math.sqrt(n));
      expect(at(141)).toBeCloseTo((at(140) + at(142)) / 2, 4);
    }
    for (const n of [200, 5_000]) {
      const below = ksOneSampleSurvival(n, Math.sqrt(2.199999 / n));
      const above = ksOneSampleSurvival(n, Math.sqrt(2.200001 / n));
      expect(above / below).toBeCloseTo(1, 4);
    }
  });

  it('falls with the distance', () => {
    for (const n of [1, 3, 50, 139, 1_000, 200_000]) {
      let previous = 1;
      for (let x = 0.001; x < 1; x += 0.013) {
        const p = ksOneSampleSurvival(n, x);
        expect(p).toBeLessThanOrEqual(previous + 1e-9);
        previous = p;
      }
    }
  });
});

describe('ks of counts', () => {
  it('differs from the raw statistic by at most the heaviest bin', () => {
    fc.assert(
      fc.property(
        numbers,
        numbers,
        fc.uniqueArray(fc.integer({ min: -20, max: 20 }), { maxLength: 8 }),
        (a, b, cuts) => {
          const edges = cuts.sort((x, y) => x - y);
          const reference = countsIn(
            a.toSorted((x, y) => x - y),
            edges,
          );
          const current = countsIn(
            b.toSorted((x, y) => x - y),
            edges,
          );
          const raw = ks(a, b).statistic!;
          const binned = ksOfCounts({ reference, current }).statistic!;
          const heaviest = Math.max(...reference.map((count, i) => Math.max(count / a.length, current[i]! / b.length)));
          expect(binned).toBeLessThanOrEqual(raw + 1e-12);
          expect(raw - binned).toBeLessThanOrEqual(heaviest + 1e-12);
        },
      ),
    );
  });

  it('takes the null of the binned statistic: uniform p-values, for small and for large sides', () => {
    const random = seededRandom(5);
    for (const [n, m] of [
      [300, 200],
      [20_000, 3_000],
    ] as const) {
      let below = 0;
      for (let trial = 0; trial < 400; trial++) {
        const sides = [n, m].map((size) => multinomial(random, size, [0.4, 0.1, 0.2, 0.1, 0.2]));
        if (ksOfCounts({ reference: sides[0]!, current: sides[1]! }).pValue! <= 0.1) below++;
      }
      // 40 expected, four standard deviations either way
      expect(below).toBeGreaterThan(16);
      expect(below).toBeLessThan(64);
    }
  });

  it('answers every odd input', () => {
    expect(ksOfCounts({ reference: [], current: [] })).toMatchObject({ statistic: null, reason: 'empty-reference' });
    expect(ksOfCounts({ reference: [0, 3], current: [0, 0] })).toMatchObject({ reason: 'empty-current' });
    expect(ksOfCounts({ reference: [0, 3], current: [0, 9] })).toMatchObject({
      statistic: 0,
      pValue: 1,
      reason: 'constant',
    });
    expect(ksOfCounts({ reference: [1, -1], current: [1, 1] })).toMatchObject({ reason: 'invalid-counts' });
    expect(ksOfCounts({ reference: [1], current: [1, 1] })).toMatchObject({ reason: 'invalid-counts' });
    expect(ksOfCounts({ reference: [Number.NaN], current: [1] })).toMatchObject({ reason: 'invalid-counts' });
  });

  it('takes weighted rows for what they tell: equal weights of w are n rows, not n·w', () => {
    const plain = ksOfCounts({ reference: [4_000, 6_000], current: [450, 550] });
    const weighted = ksOfCounts({
      reference: [4_000, 6_000],
      current: [4_500, 5_500],
      currentSquares: [45_000, 55_000],
    });
    expect(weighted.currentSize).toBe(1_000);
    expect(weighted.pValue).toBeCloseTo(plain.pValue!, 10);
  });
});

describe('the bridge at points', () => {
  it('is a two-sided normal tail at one point', () => {
    // B(½) has variance ¼
    expect(bridgeMaximumSurvival([0.5], 0.98)).toBeCloseTo(0.0499958, 6);
  });

  it('stays below the whole bridge and comes near it with many points', () => {
    const points = Array.from({ length: 99 }, (_, i) => (i + 1) / 100);
    for (const z of [0.8, 1.2, 1.63, 2.5]) {
      const bound = bridgeSupremumSurvival(z);
      const exact = bridgeMaximumSurvival(points, z);
      expect(exact).toBeLessThan(bound);
      expect(exact).toBeGreaterThan(0.5 * bound);
    }
    expect(bridgeSupremumSurvival(1.3580986)).toBeCloseTo(0.05, 6);
  });

  it('resolves near points and far tails', () => {
    // One point more, a hair away, changes next to nothing; and the tail at many points falls as the bound does
    for (const z of [0.5, 1, 2, 3]) {
      const one = bridgeMaximumSurvival([0.5], z);
      expect(bridgeMaximumSurvival([0.01, 0.5, 0.99], z) / one).toBeGreaterThan(0.999999);
      expect(bridgeMaximumSurvival([0.01, 0.5, 0.99], z) / one).toBeLessThan(1.001);
      expect(bridgeMaximumSurvival([0.5, 0.506], z)).toBeGreaterThan(one);
      expect(bridgeMaximumSurvival([0.5, 0.506], z)).toBeLessThan(2 * one);
    }
    expect(bridgeMaximumSurvival([0.2, 0.5], 6)).toBeLessThan(1e-30);
  });

  it('agrees with simulated bridges', () => {
    const points = [0.1, 0.2, 0.5, 0.55, 0.9];
    const random = seededRandom(11);
    let reached = 0;
    for (let draw = 0; draw < 40_000; draw++) {
      let at = 0;
      let x = 0;
      let largest = 0;
      for (const t of points) {
        const shrink = (1 - t) / (1 - at);
        x = x * shrink + Math.sqrt((t - at) * shrink) * random.normal();
        at = t;
        largest = Math.max(largest, Math.abs(x));
      }
      if (largest >= 1) reached++;
    }
    expect(bridgeMaximumSurvival(points, 1)).toBeCloseTo(reached / 40_000, 2);
  });
});

function multinomial(random: ReturnType<typeof seededRandom>, size: number, shares: readonly number[]): number[] {
  const counts = new Array<number>(shares.length).fill(0);
  for (let i = 0; i < size; i++) {
    let u = random.next();
    let bin = 0;
    while (bin < shares.length - 1 && u >= shares[bin]!) u -= shares[bin++]!;
    counts[bin]!++;
  }
  return counts;
}
