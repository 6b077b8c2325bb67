/** What the scores of a column tell together: whether its windows differ by anything but the sampling of their rows. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commonCause } from '../../lib/engine/common-cause.ts';
import { NULL_GRID } from '../../lib/engine/null-grid.ts';
import { nullPosteriors, ownPosteriors, type ScoreBlocks } from '../../lib/engine/null-posterior.ts';
import { type Random, seededRandom } from '../../lib/stats/random.ts';

const BLOCKS = 28;
const ROWS = 300;
const SIZES = new Float64Array(BLOCKS).fill(ROWS);

/** A score of windows of 300 rows; `effect` in units of their sampling noise. */
function scoreOf(effects: readonly number[], random: Random): ScoreBlocks {
  return {
    z: Float64Array.from(effects, (effect) => (random.normal() + effect) / Math.sqrt(ROWS)),
    effective: { mean: BLOCKS, variance: BLOCKS },
    parameters: 0,
    tightens: false,
    rare: null,
  };
}

const none = Array.from({ length: BLOCKS }, () => 0);
const varying = (by: number, random: Random): number[] => none.map(() => by * random.normal());
/** Posterior mean of τ² in units of sampling noise. */
const excess = (weights: Float64Array): number =>
  weights.reduce((sum, weight, g) => sum + weight * NULL_GRID[g]!.tau2 * ROWS, 0);
const total = (weights: Float64Array): number => weights.reduce((sum, weight) => sum + weight, 0);

describe('shared evidence', () => {
  test('of many quiet scores leaves each less doubt than its own windows', () => {
    const random = seededRandom(1);
    let own = 0;
    let shared = 0;
    for (let month = 0; month < 10; month++) {
      const scores = Array.from({ length: 20 }, () => scoreOf(none, random));
      own += ownPosteriors(scores, SIZES, []).weights.reduce((sum, weights) => sum + excess(weights), 0);
      shared += nullPosteriors(scores, SIZES, []).weights.reduce((sum, weights) => sum + excess(weights), 0);
    }
    expect(shared).toBeLessThan(0.6 * own);
  });

  test('leaves a score that varies, and all beside it, what their own windows tell', () => {
    const random = seededRandom(2);
    for (let month = 0; month < 10; month++) {
      const scores = Array.from({ length: 20 }, () => scoreOf(none, random));
      scores[3] = scoreOf(varying(3, random), random);
      const own = ownPosteriors(scores, SIZES, []).weights;
      nullPosteriors(scores, SIZES, []).weights.forEach((weights, j) => {
        expect(Math.abs(excess(weights) / excess(own[j]!) - 1)).toBeLessThan(0.1);
      });
    }
  });

  test('sees one cause of categories none of which varies much', () => {
    const random = seededRandom(3);
    const apart = Array.from({ length: 40 }, (_, j) => j);
    let seen = 0;
    for (let month = 0; month < 10; month++) {
      const cause = varying(3, random);
      const signs = apart.map(() => (random.next() < 0.5 ? -1 : 1) / Math.sqrt(apart.length));
      const scores = signs.map((sign) =>
        scoreOf(
          cause.map((by) => sign * by),
          random,
        ),
      );
      const own = ownPosteriors(scores, SIZES, []).weights;
      const shared = nullPosteriors(scores, SIZES, apart);
      const ratio =
        shared.weights.reduce((sum, weights, j) => sum + excess(weights) / excess(own[j]!), 0) / apart.length;
      if (ratio > 0.9 && shared.caused) seen++;
    }
    expect(seen).toBeGreaterThanOrEqual(9);
  });

  test('of fewer than 21 effective windows is none', () => {
    const random = seededRandom(4);
    const scores = Array.from({ length: 20 }, () => ({
      ...scoreOf(none, random),
      effective: { mean: 20, variance: 20 },
    }));
    expect(nullPosteriors(scores, SIZES, [])).toEqual(ownPosteriors(scores, SIZES, []));
  });

  test('are weights that sum to 1, whatever the windows show', () => {
    const size = fc.constantFrom(0, 0.3, 1, 3, 30, 1_000);
    fc.assert(
      fc.property(fc.nat(), fc.array(size, { minLength: 1, maxLength: 12 }), fc.boolean(), (seed, sizes, tightens) => {
        const random = seededRandom(seed);
        const scores = sizes.map((by) => ({ ...scoreOf(varying(by, random), random), tightens }));
        for (const weights of nullPosteriors(scores, SIZES, [...scores.keys()]).weights) {
          expect(total(weights)).toBeCloseTo(1, 9);
          expect(weights.every((weight) => weight >= 0)).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('a common cause', () => {
  test.each([
    [10, 28],
    [100, 28],
    [20, 672],
  ])('is hardly ever seen in the noise of %i scores in %i windows', (count, blocks) => {
    const random = seededRandom(count * blocks);
    const logs = Array.from({ length: 60 }, () =>
      commonCause(Array.from({ length: count }, () => Float64Array.from({ length: blocks }, () => random.normal()))),
    );
    // Factors of 7: Tracy and Widom's law is above 2 in two of a hundred.
    expect(logs.filter((log) => log > 2).length).toBeLessThanOrEqual(6);
    expect(Math.min(...logs)).toBeGreaterThanOrEqual(-1.5);
  });

  test('does not see which way round windows and scores are, and nothing in too few', () => {
    const random = seededRandom(5);
    const scores = Array.from({ length: 12 }, () => Float64Array.from({ length: 12 }, () => random.normal()));
    expect(commonCause(scores.slice(0, 2))).toBe(0);
    expect(commonCause(scores.map((z) => z.subarray(0, 3)))).toBe(0);
    expect(commonCause([])).toBe(0);
    const moved = scores.map((z) => z.map((value, b) => value + (b % 2 === 0 ? 3 : -3)));
    expect(commonCause(moved)).toBeGreaterThan(20);
    expect(commonCause([...moved].reverse())).toBeCloseTo(commonCause(moved), 6);
  });
});
