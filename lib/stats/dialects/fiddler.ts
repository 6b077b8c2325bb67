/**
 * Fiddler: `psi` and `jsd` on ten equal-width bins of the reference, values outside counted with the nearest, categories as they are. PSI adds
 * one row to each bin. No default threshold.
 */
import { type RawValue, sortedFinite } from '../sample.ts';
import { type CategoryValue, type DialectAnswer, notComputable, valueCounts } from './answer.ts';
import { histogramCounts, histogramEdges } from './histogram.ts';

export interface FiddlerOptions {
  readonly threshold?: number;
}

const BINS = 10;

export const FIDDLER_TESTS = ['psi', 'jsd'];

export function fiddlerNumeric(
  test: string,
  reference: ArrayLike<RawValue>,
  current: ArrayLike<RawValue>,
  options: FiddlerOptions = {},
): DialectAnswer {
  const threshold = options.threshold ?? null;
  const a = sortedFinite(reference);
  const b = sortedFinite(current);
  if (a.length === 0) return notComputable(threshold, 'empty-reference');
  if (b.length === 0) return notComputable(threshold, 'empty-current');
  const edges = histogramEdges(a, BINS);
  const inside = b.map((value) => Math.min(edges.at(-1)!, Math.max(edges[0]!, value)));
  return ofCounts(test, Array.from(histogramCounts(a, edges)), Array.from(histogramCounts(inside, edges)), threshold);
}

export function fiddlerCategorical(
  test: string,
  reference: ArrayLike<CategoryValue>,
  current: ArrayLike<CategoryValue>,
  options: FiddlerOptions = {},
): DialectAnswer {
  const threshold = options.threshold ?? null;
  const counts = valueCounts(reference, current);
  if (counts.n === 0) return notComputable(threshold, 'empty-reference');
  if (counts.m === 0) return notComputable(threshold, 'empty-current');
  return ofCounts(test, counts.reference, counts.current, threshold);
}

function ofCounts(
  test: string,
  reference: readonly number[],
  current: readonly number[],
  threshold: number | null,
): DialectAnswer {
  const extra = test === 'psi' ? 1 : 0;
  const all = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count + extra, 0);
  const [n, m] = [all(reference), all(current)];
  let sum = 0;
  for (const [i, count] of reference.entries()) {
    const [p, q] = [(count + extra) / n, (current[i]! + extra) / m];
    const middle = (p + q) / 2;
    if (test === 'psi') sum += (q - p) * Math.log(q / p);
    else {
      if (p > 0) sum += (p * Math.log2(p / middle)) / 2;
      if (q > 0) sum += (q * Math.log2(q / middle)) / 2;
    }
  }
  const score = test === 'psi' ? sum : Math.sqrt(Math.max(0, sum));
  return { score, statistic: score, pValue: null, threshold, drifted: threshold === null ? null : score > threshold };
}
