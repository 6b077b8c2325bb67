/** Laws of the calibrated p-value: it falls with the surprise, keeps its level at the real sizes, and does not see names or signs. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectedFindings } from '../../lib/engine/expected-openings.ts';
import { scoreReference } from '../../lib/engine/linear-scores.ts';
import { NULL_GRID } from '../../lib/engine/null-grid.ts';
import { negativeBinomialLog, rareTwoSided } from '../../lib/engine/rare-counts.ts';
import { ScoreJudge } from '../../lib/engine/score-judge.ts';
import { ScoreNullLaw } from '../../lib/engine/score-null.ts';
import { categoricalScores, numericScores, type ScoreSet, setShares } from '../../lib/engine/scores.ts';
import { type Random, seededRandom } from '../../lib/stats/random.ts';

const points = fc.uniqueArray(fc.nat(NULL_GRID.length - 1), { minLength: 1, maxLength: 8 });
const lawOf = (points: fc.Arbitrary<number[]>) =>
  fc
    .record({ points, seed: fc.nat(), reference: fc.double({ min: 0, max: 1, noNaN: true }) })
    .map(({ points, seed, reference }) => {
      const random = seededRandom(seed);
      const score = { points, weights: points.map(() => 0.01 + random.next()), reference, rare: true };
      return new ScoreNullLaw(score, { largest: 1 + random.integer(100_000) });
    });
const law = lawOf(points);
const question = fc.record({
  rows: fc.integer({ min: 30, max: 1_000_000 }),
  shape: fc.constantFrom(0, 1e-4, 0.01),
  weight: fc.constantFrom(0.35, 0.05, 0.002),
  confirmation: fc.constantFrom({ m: 1, n: 1 }, { m: 2, n: 3 }, { m: 3, n: 3 }, { m: 2, n: 5 }),
});

describe('the p-value of one score', () => {
  test('doubts a reference that varies by more than its sampling so many times', () => {
    const laws = [1, 4].map((referenceNoise) => {
      const score = { points: [0], weights: [1], reference: 1, rare: false };
      return new ScoreNullLaw(score, { largest: 500 }, false, { referenceNoise });
    });
    const [plain, doubted] = laws as [ScoreNullLaw, ScoreNullLaw];
    expect(doubted.referenceVariance()).toBeCloseTo(4 * plain.referenceVariance(), 12);
    const asked = { rows: 500, shape: 0, weight: 1, confirmation: { m: 1, n: 1 } };
    expect(doubted.ofResidual(0.2, asked)).toBeGreaterThan(plain.ofResidual(0.2, asked));
  });

  test('never rises with the residual, is 1 at none, and does not see its sign', () => {
    const size = fc.double({ min: 0, max: 4, noNaN: true });
    fc.assert(
      fc.property(law, question, size, size, (one, asked, a, b) => {
        const [near, far] = [one.ofResidual(Math.min(a, b), asked), one.ofResidual(Math.max(a, b), asked)];
        expect(far).toBeLessThanOrEqual(near * (1 + 1e-12));
        expect(one.ofResidual(-a, asked)).toBe(one.ofResidual(a, asked));
        expect(near).toBeLessThanOrEqual(1 + 1e-12);
        expect(far).toBeGreaterThanOrEqual(0);
        expect(one.ofResidual(0, asked)).toBeCloseTo(1, 9);
      }),
    );
  });

  test('of a count rises up to the middle of its law, and falls from there', () => {
    const share = fc.double({ min: 1e-6, max: 0.2, noNaN: true });
    const step = fc.constantFrom(1, 0.3);
    // Of a mixture each part has a middle of its own.
    const single = lawOf(points.map(([first]) => [first!]));
    fc.assert(
      fc.property(single, question, share, step, (one, asked, expected, by) => {
        // Parts of rows, as weighted windows have them, are no exception.
        const from = Math.max(0, Math.floor(asked.rows * expected) - 40);
        const q = Array.from({ length: 120 }, (_, i) => one.ofCount(from + i * by, expected, asked));
        const top = q.indexOf(Math.max(...q));
        q.forEach((value, i) => {
          if (i > 0 && i <= top) expect(value).toBeGreaterThanOrEqual(q[i - 1]! * (1 - 1e-7));
          if (i > top) expect(value).toBeLessThanOrEqual(q[i - 1]! * (1 + 1e-7));
        });
      }),
    );
  });

  test('of a count is that of both tails, or of one where no row at all is likelier', () => {
    const counts = fc.record({
      x: fc.integer({ min: 0, max: 30 }),
      mean: fc.double({ min: 0.05, max: 12, noNaN: true }),
      dispersion: fc.constantFrom(1e-7, 0.1, 0.5, 2),
    });
    fc.assert(
      fc.property(counts, ({ x, mean, dispersion }) => {
        const chance = (i: number): number => Math.exp(negativeBinomialLog(i, mean, 1 / dispersion));
        const below = (to: number): number =>
          Array.from({ length: to }, (_, i) => chance(i)).reduce((a, b) => a + b, 0);
        const tail = x > mean ? 1 - below(x) : below(x + 1);
        // What rounding leaves of 1 less a sum is no tail.
        if (tail < 1e-9 || tail > 0.5) return;
        const oneSided = x > mean && chance(0) > tail;
        expect(rareTwoSided(x, mean, dispersion) / (oneSided ? tail : 2 * tail)).toBeCloseTo(1, 4);
      }),
    );
  });

  test('is the smaller, the more windows must agree, and never below what whole dependence leaves', () => {
    fc.assert(
      fc.property(law, question, fc.double({ min: 0, max: 1, noNaN: true }), (one, asked, z) => {
        const alone = one.ofResidual(z, { ...asked, confirmation: { m: 1, n: 1 } });
        const twice = one.ofResidual(z, { ...asked, confirmation: { m: 2, n: 2 } });
        expect(twice).toBeLessThanOrEqual(alone * (1 + 1e-12));
        expect(twice).toBeGreaterThanOrEqual(alone ** 2 * (1 - 1e-9));
      }),
    );
  });
});

function multinomial(random: Random, rows: number, shares: readonly number[]): number[] {
  let left = rows;
  let rest = 1;
  return shares.map((share, i) => {
    const count = i === shares.length - 1 ? left : random.binomial(left, Math.min(1, share / rest));
    left -= count;
    rest -= share;
    return count;
  });
}

const EVEN = Array.from({ length: 10 }, () => 0.1);
const TAILED = [0.001, 0.009, 0.09, ...Array.from({ length: 8 }, () => 0.1), 0.09, 0.009, 0.001, 0];
const zipf = (k: number): number[] => {
  const raw = Array.from({ length: k }, (_, i) => 1 / (i + 1));
  const all = raw.reduce((sum, share) => sum + share, 0);
  return raw.map((share) => share / all);
};

/** Rows taken as independent, the baseline itself a sample of `m` of them. */
function judgeOf(baseline: readonly number[], scores: (shares: number[]) => ScoreSet) {
  const m = baseline.reduce((sum, count) => sum + count, 0);
  const shares = baseline.map((count) => count / m);
  const set = scores(shares);
  const score = { points: [0], weights: [1], reference: 1, rare: false };
  const scale = { ms: 0, blocks: 0, largest: m, scores: set.aspects.map(() => score) };
  const judge = new ScoreJudge(scoreReference(set, setShares(set, shares, m)), { shares, rows: m }, scale, true);
  return (counts: ArrayLike<number>, smallestEffect = 0) =>
    judge.judge({
      counts,
      rows: Array.from(counts).reduce((sum, count) => sum + count, 0),
      season: new Float64Array(set.aspects.length),
      smallestEffect,
      confirmation: { m: 1, n: 1 },
    });
}

describe('the p-value of a column', () => {
  const REPEATS = 1_500;
  test.each([
    ['ten bins', 30, 500, EVEN, true],
    ['ten bins', 1_000, 1_000, EVEN, true],
    ['ten bins', 20_000, 5_000, EVEN, true],
    ['bins with tails', 100, 2_000, TAILED, true],
    ['bins with tails', 3_000, 200_000, TAILED, true],
    ['two categories', 50, 400, [0.9, 0.1], false],
    ['a rare flag', 300, 20_000, [0.998, 0.002], false],
    ['five categories', 200, 200, zipf(5), false],
    ['fifty categories', 300, 10_000, zipf(50), false],
    ['five categories', 10_000, 300, zipf(5), false],
  ] as const)('%s, n = %d, m = %d: below a level no more often than the level says', (_, n, m, law, ordered) => {
    const random = seededRandom(n + 7 * m);
    const below = new Map([0.2, 0.05, 0.01, 0.002].map((level) => [level, 0]));
    for (let i = 0; i < REPEATS; i++) {
      // A new baseline each time: the level holds over baselines.
      const judge = judgeOf([...multinomial(random, m, law), 0], (shares) =>
        ordered ? numericScores(shares, true) : categoricalScores(shares, true),
      );
      const q = judge([...multinomial(random, n, law), 0])[0]!.q;
      for (const [level, count] of below) if (q <= level) below.set(level, count + 1);
    }
    for (const [level, count] of below) {
      const most = REPEATS * level + 3.7 * Math.sqrt(REPEATS * level * (1 - level)) + 1;
      expect(count, `level ${level}`).toBeLessThanOrEqual(most);
    }
    // Not blind either: some tenth of what the level allows is spent.
    expect(below.get(0.2)!).toBeGreaterThan(0.02 * REPEATS);
  });

  const counts = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 8, maxLength: 8 });
  const baseline = fc.array(fc.integer({ min: 5, max: 4_000 }), { minLength: 8, maxLength: 8 });
  const told = (findings: ReturnType<ReturnType<typeof judgeOf>>) => ({
    q: findings[0]!.q,
    effect: Math.max(...findings.map(({ effect }) => effect)),
  });

  test('of categories does not see their order', () => {
    fc.assert(
      fc.property(baseline, counts, fc.nat(), (of, window, seed) => {
        fc.pre(window.some((count) => count > 0));
        const random = seededRandom(seed);
        const order = [...of.keys()].map((i) => [random.next(), i] as const).sort(([a], [b]) => a - b);
        const shuffled = (values: readonly number[]) => order.map(([, i]) => values[i]!);
        const scores = (shares: number[]) => categoricalScores(shares, false);
        const plain = told(judgeOf(of, scores)(window));
        const other = told(judgeOf(shuffled(of), scores)(shuffled(window)));
        expect(other.q).toBeCloseTo(plain.q, 9);
        expect(other.effect).toBeCloseTo(plain.effect, 9);
      }),
    );
  });

  test('of numbers does not see their sign: bins in reverse give the same surprise and effect', () => {
    fc.assert(
      fc.property(baseline, counts, (of, window) => {
        fc.pre(window.some((count) => count > 0));
        const scores = (shares: number[]) => numericScores(shares, false);
        const plain = told(judgeOf(of, scores)(window));
        const other = told(judgeOf([...of].reverse(), scores)([...window].reverse()));
        expect(Math.log(other.q + 1e-300)).toBeCloseTo(Math.log(plain.q + 1e-300), 6);
        expect(other.effect).toBeCloseTo(plain.effect, 7);
      }),
    );
  });

  test('falls, and the effect grows, as rows move from one category to another', () => {
    const judge = judgeOf([4_000, 3_000, 2_000, 1_000], (shares) => categoricalScores(shares, false));
    let before = { q: 1, effect: 0 };
    for (let moved = 0; moved <= 200; moved += 5) {
      const now = told(judge([400 - moved, 300 + moved, 200, 100]));
      expect(now.q).toBeLessThanOrEqual(before.q);
      expect(now.effect).toBeGreaterThanOrEqual(before.effect);
      before = now;
    }
    expect(before.q).toBeLessThan(1e-20);
  });
});

test('what a report finds by chance is between a tenth and all of what its levels add up to', () => {
  expect(expectedFindings([])).toEqual({ low: 0, high: 0 });
  const { low, high } = expectedFindings([0.01, 0.01, 0.03]);
  expect(high).toBeCloseTo(0.05, 12);
  expect(low).toBeCloseTo(0.005, 12);
});
