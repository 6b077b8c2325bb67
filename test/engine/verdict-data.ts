/** Baselines and windows drawn from known laws, for tests of the verdict. */
import type { CategoricalBaseline, NumericBaseline } from '../../lib/contracts/baseline.ts';
import { type BaselineBlock, calibrate } from '../../lib/engine/calibration.ts';
import type { ColumnCounts } from '../../lib/engine/column-counts.ts';
import { judgeColumn } from '../../lib/engine/column-verdict.ts';
import { categoricalColumnOf, countsOfSample } from '../../lib/engine/sample-columns.ts';
import { type Random, seededRandom } from '../../lib/stats/random.ts';
import { normalCdf, normalQuantile } from '../../lib/stats/special.ts';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
/** A Monday. */
export const START = Date.UTC(2024, 0, 1);

const QUANTILES = [0.001, 0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99, 0.999];
const EDGES = [-6, ...QUANTILES.map(normalQuantile), 6];

/** Counts of a window of a normal law in fine bins (below, …, above), and missing last. */
export function drawNormal(
  random: Random,
  rows: number,
  law: { mean?: number; scale?: number; missing?: number },
): number[] {
  return drawCells(random, rows, cumulatedNormal(law));
}

/** The shares that `drawNormal` draws by. */
export function normalShares(law: { mean?: number; scale?: number; missing?: number }): number[] {
  return cumulatedNormal(law).map((share, i, all) => share - (all[i - 1] ?? 0));
}

function cumulatedNormal({ mean = 0, scale = 1, missing = 0 }: { mean?: number; scale?: number; missing?: number }) {
  return [...EDGES.map((edge) => normalCdf((edge - mean) / scale) * (1 - missing)), 1 - missing, 1];
}

export function drawCategories(random: Random, rows: number, shares: readonly number[]): number[] {
  let sum = 0;
  return drawCells(
    random,
    rows,
    shares.map((share) => (sum += share)),
  );
}

function drawCells(random: Random, rows: number, cumulated: readonly number[]): number[] {
  const counts = cumulated.map(() => 0);
  for (let i = 0; i < rows; i++) {
    const u = random.next();
    let cell = 0;
    while (cell < cumulated.length - 1 && u >= cumulated[cell]!) cell++;
    counts[cell]!++;
  }
  return counts;
}

const plain = { nonFinite: 0, invalid: 0, weighted: null, unseen: { total: 0, top: [] } } as const;

/** Counts of `drawNormal` as the verdict reads them; moments from the middles of bins. */
export function numericCounts(drawn: readonly number[]): ColumnCounts {
  const bins = drawn.slice(0, -1);
  const missing = drawn.at(-1)!;
  const middle = (i: number): number => {
    const low = EDGES[i - 1] ?? -6;
    const high = EDGES[i] ?? 6;
    return (low + high) / 2;
  };
  const n = bins.reduce((sum, count) => sum + count, 0);
  const mean = bins.reduce((sum, count, i) => sum + count * middle(i), 0) / Math.max(n, 1);
  const square = bins.reduce((sum, count, i) => sum + count * (middle(i) - mean) ** 2, 0) / Math.max(n, 1);
  return { ...plain, n: n + missing, missing, bins, mean: n > 0 ? mean : null, std: n > 0 ? Math.sqrt(square) : null };
}

export function categoryCounts(bins: readonly number[], missing = 0, unseen: [string, number][] = []): ColumnCounts {
  const total = unseen.reduce((sum, [, count]) => sum + count, 0);
  const n = bins.reduce((sum, count) => sum + count, 0) + missing + total;
  return { ...plain, n, missing, bins, unseen: { total, top: unseen }, mean: null, std: null };
}

export function normalBaseline(
  windows: readonly { start: number; drawn: readonly number[] }[],
  every: '1h' | '1d' | null,
): NumericBaseline {
  const pooled = pool(windows.map(({ drawn }) => drawn));
  const counts = pooled.slice(0, -1);
  const { mean, std } = numericCounts(pooled);
  const last = EDGES.length;
  const column: NumericBaseline = {
    name: 'x',
    type: 'numeric',
    role: 'feature',
    count: counts.reduce((sum, count) => sum + count, 0),
    missing: pooled.at(-1)!,
    nonFinite: 0,
    mean,
    std,
    min: -5,
    max: 5,
    integer: false,
    center: 0,
    unit: 2 ** -20,
    bins: {
      edges: EDGES,
      verdictBin: Array.from({ length: last + 1 }, (_, i) => Math.min(Math.max(i - 1, 0), last - 2)),
    },
    counts,
    calibration: null,
  };
  if (every === null) return column;
  const blocks = windows.map(({ start, drawn }): BaselineBlock => {
    const inner = drawn.slice(1, last);
    inner[0]! += drawn[0]!;
    inner[inner.length - 1]! += drawn[last]!;
    return { start, counts: [...inner, drawn.at(-1)!] };
  });
  return { ...column, calibration: calibrate(column, blocks, { every, timezone: 'UTC' }) };
}

export function categoricalOf(
  names: readonly string[],
  windows: readonly { start: number; drawn: readonly number[] }[],
  every: '1h' | '1d' | null,
): CategoricalBaseline {
  const counts = pool(windows.map(({ drawn }) => drawn));
  const own = counts.filter((count) => count >= 200).length;
  const verdictBin = counts.map((_, i) => Math.min(i, own));
  const column: CategoricalBaseline = {
    name: 'c',
    type: 'categorical',
    role: 'feature',
    count: counts.reduce((sum, count) => sum + count, 0),
    missing: 0,
    categories: names,
    counts,
    other: 0,
    distinct: names.length,
    verdictBin,
    calibration: null,
  };
  if (every === null) return column;
  const blocks = windows.map(({ start, drawn }): BaselineBlock => {
    const bins = new Array<number>((verdictBin.at(-1) ?? 0) + 2).fill(0);
    drawn.forEach((count, i) => {
      bins[verdictBin[i]!]! += count;
    });
    return { start, counts: bins };
  });
  return { ...column, calibration: calibrate(column, blocks, { every, timezone: 'UTC' }) };
}

function pool(rows: readonly (readonly number[])[]): number[] {
  const sums = (rows[0] ?? []).map(() => 0);
  for (const row of rows)
    row.forEach((count, i) => {
      sums[i]! += count;
    });
  return sums;
}

/** Day effects that follow each other: correlation 0.6, standard deviation `spread`. */
export function dayEffects(random: Random, days: number, spread: number): number[] {
  const effects: number[] = [];
  for (let day = 0; day < days; day++)
    effects.push(0.6 * (effects[day - 1] ?? 0) + random.normal() * spread * Math.sqrt(1 - 0.36));
  return effects;
}

export type { Random };
export { seededRandom };

/** Two data sets as a report judges them, at a level of 5 %. */
export function judgeSamples(reference: readonly string[], current: readonly string[]) {
  const column = categoricalColumnOf(reference);
  return judgeColumn(column, countsOfSample(column, current), {
    level: 0.05,
    smallestEffect: 0.05,
    minimumRows: 30,
    span: null,
    confirmation: { m: 1, n: 1 },
    others: 'none',
  });
}
