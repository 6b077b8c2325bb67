/**
 * p-values of our own two-sample tests at the real sizes and shares: when nothing has changed they lie below a level no more
 * often than the level says. Left out are those that keep a published law as it is (docs/reference/tests.md says where each holds):
 * Cramér–von Mises with ties, Kuiper and G in small samples, Anderson–Darling between its tabulated ends.
 */
import { describe, expect, test } from 'vitest';
import { compareSamples, testNames, testTypes } from '../../lib/engine/two-sample.ts';
import { type Random, seededRandom } from '../../lib/stats/random.ts';

const PUBLISHED = ['cramer-von-mises', 'kuiper', 'g', 'anderson-darling'];
const OWN = testNames().filter((name) => !name.includes('@') && name !== 'auto' && !PUBLISHED.includes(name));
const OF_TWO = ['fisher', 'z-proportions'];
const NUMERIC = OWN.filter((name) => testTypes(name)?.includes('numeric') && !OF_TWO.includes(name));
const CATEGORICAL = OWN.filter((name) => testTypes(name)?.includes('categorical'));

const LAWS: readonly ((random: Random) => number)[] = [
  (random) => random.normal(),
  (random) => random.binomial(8, 0.4),
];
const PAIRS = 120;

const zipf = (random: Random, categories: number): number => {
  let all = 0;
  for (let i = 1; i <= categories; i++) all += 1 / i;
  let left = random.next() * all;
  for (let i = 1; i < categories; i++) {
    left -= 1 / i;
    if (left <= 0) return i;
  }
  return categories;
};

function quiet(
  name: string,
  type: 'numeric' | 'categorical',
  [n, m]: readonly [number, number],
  draw: (random: Random) => number,
): number[] {
  const random = seededRandom(n * 1_000 + m);
  const sample = (size: number) => Array.from({ length: size }, () => draw(random));
  return Array.from(
    { length: PAIRS },
    () => compareSamples({ test: name, type, reference: sample(n), current: sample(m) }).pValue,
  ).filter((p) => p !== null);
}

function keepsItsLevel(found: readonly number[], what: string): void {
  for (const level of [0.02, 0.05, 0.2]) {
    // But for one case in 100,000, by the normal law, and one.
    const most = Math.ceil(found.length * level + 4.27 * Math.sqrt(found.length * level * (1 - level)) + 1);
    expect(found.filter((p) => p <= level).length, `${what}, level ${level}`).toBeLessThanOrEqual(most);
  }
}

describe.each([
  [25, 40],
  [120, 60],
] as const)('%d rows against %d', (n, m) => {
  test.each(NUMERIC)('%s of numbers', (name) => {
    LAWS.forEach((draw, i) => {
      keepsItsLevel(quiet(name, 'numeric', [n, m], draw), `law ${i}`);
    });
  });

  test.each(CATEGORICAL)('%s of categories', (name) => {
    for (const categories of OF_TWO.includes(name) ? [2] : [5, 30])
      keepsItsLevel(
        quiet(name, 'categorical', [n, m], (random) => zipf(random, categories)),
        `${categories} categories`,
      );
  });
});
