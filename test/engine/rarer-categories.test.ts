/** Categories near the boundary of "often enough for a bin of its own": chance chooses among them, and nothing has changed. */
import { describe, expect, test } from 'vitest';
import { categoricalColumnOf } from '../../lib/engine/sample-columns.ts';
import { verdictBins } from '../../lib/engine/verdict-bins.ts';
import { type Random, seededRandom } from '../../lib/stats/random.ts';
import { judgeSamples } from './verdict-data.ts';

const alike = (random: Random, rows: number, categories: number): string[] =>
  Array.from({ length: rows }, () => `c${Math.floor(random.next() * categories)}`);

describe('categories that are all about as frequent', () => {
  test.each([
    [100, 1_000, 1_000],
    [100, 3_000, 3_000],
    [100, 10_000, 3_000],
    [200, 3_000, 3_000],
    [1_000, 1_000, 1_000],
    [200, 1_000, 1_000],
    [300, 1_000, 10_000],
  ])('%d of them, %d rows against %d: alike is alike', (categories, n, m) => {
    const random = seededRandom(8);
    let drifted = 0;
    for (let i = 0; i < 40; i++)
      if (judgeSamples(alike(random, n, categories), alike(random, m, categories)).status === 'drifted') drifted++;
    // Level 5 %: 9 or more of 40 come once in a few thousand times.
    expect(drifted).toBeLessThanOrEqual(8);
  });

  test('the bin of the rarer ones is expected to be as large as it is in truth', () => {
    const random = seededRandom(9);
    let had = 0;
    let expected = 0;
    let truth = 0;
    for (let i = 0; i < 60; i++) {
      const bins = verdictBins(categoricalColumnOf(alike(random, 3_000, 100)));
      const { other } = bins;
      had += bins.baseline[other!]!;
      expected += bins.baseline[other!]! + bins.keptOut;
      truth += 30 * bins.ofFine.filter((bin) => bin === other).length;
    }
    expect(had / truth).toBeLessThan(0.9);
    expect(expected / truth).toBeGreaterThan(0.97);
    expect(expected / truth).toBeLessThan(1.03);
  });

  test.each([
    [200, 1_000],
    [300, 1_000],
    [100, 3_000],
  ])('%d of them, %d rows: what chance chooses varies as much as is reckoned', (categories, rows) => {
    const random = seededRandom(11);
    const squares = { unseen: 0, other: 0 };
    const reckoned = { unseen: 0, other: 0 };
    for (let i = 0; i < 400; i++) {
      const bins = verdictBins(categoricalColumnOf(alike(random, rows, categories)));
      const { baseline, seenOnce, expectedUnseen, keptOut, choice } = bins;
      const each = rows / categories;
      const named = bins.ofFine.filter((bin) => bin === bins.other).length;
      const expected = {
        unseen: rows * expectedUnseen,
        other: baseline[bins.other!]! + keptOut - (seenOnce?.[bins.other!] ?? 0),
      };
      const truth = { unseen: each * (categories - bins.ofFine.length), other: each * named };
      for (const set of ['unseen', 'other'] as const) {
        squares[set] += (expected[set] - truth[set]) ** 2;
        reckoned[set] += expected[set] * (1 - expected[set] / rows) + (choice?.[bins[set]!] ?? 0);
      }
    }
    for (const set of ['unseen', 'other'] as const) {
      // At 3,000 rows hardly any is unseen.
      if (reckoned[set] < 400) continue;
      expect(squares[set] / reckoned[set]).toBeGreaterThan(0.7);
      expect(squares[set] / reckoned[set]).toBeLessThan(1.4);
    }
  });

  test('so it is where the rarer ones have no names in the baseline', () => {
    const random = seededRandom(12);
    const [rows, categories] = [300_000, 1_500];
    let squares = 0;
    let reckoned = 0;
    for (let i = 0; i < 6; i++) {
      const column = categoricalColumnOf(alike(random, rows, categories));
      expect(column.other).toBeGreaterThan(0);
      const { baseline, choice, keptOut, ofFine, other } = verdictBins(column);
      const expected = baseline[other!]! + keptOut;
      const truth = (rows / categories) * (categories - ofFine.filter((bin) => bin !== other).length);
      squares += (expected - truth) ** 2;
      reckoned += expected * (1 - expected / rows) + choice![other!]!;
    }
    // Six only, and the peak of the counts is flatter than its sides: within a factor of four.
    expect(squares / reckoned).toBeGreaterThan(0.25);
    expect(squares / reckoned).toBeLessThan(4);
  });

  test('categories far above the boundary are not doubted', () => {
    const rows = [...alike(seededRandom(13), 1_000, 200), ...new Array<string>(400).fill('large')];
    const { baseline, choice } = verdictBins(categoricalColumnOf(rows));
    expect(baseline[0]).toBe(400);
    expect(choice?.[0]).toBe(0);
    expect(choice?.[1]).toBeGreaterThan(0);
  });

  test('the rarer ones are a change when they grow', () => {
    const random = seededRandom(10);
    const reference = alike(random, 3_000, 100);
    const rarer = new Set(categoricalColumnOf(reference).categories.slice(60));
    const current = alike(random, 3_600, 100).filter((name) => rarer.has(name) || random.next() < 0.75);
    expect(judgeSamples(reference, current)).toMatchObject({ status: 'drifted' });
  });

  test('nothing is expected beside what was seen where categories are few and far between', () => {
    const named = { a: 5_000, b: 2_500, c: 1_200, d: 600, e: 300, f: 40, g: 20, h: 10 };
    const rows = Object.entries(named).flatMap(([name, count]) => new Array<string>(count).fill(name));
    expect(verdictBins(categoricalColumnOf(rows)).keptOut).toBe(0);
  });
});
