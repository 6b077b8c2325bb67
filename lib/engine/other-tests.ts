/**
 * Tests shown beside the verdict. They take rows as independent and have no say: their p-values are those of two random
 * samples, which windows of real traffic are not.
 */
import type { ColumnBaseline, NumericBaseline } from '../contracts/baseline.ts';
import type { TestResult } from '../contracts/result.ts';
import { chiSquareOfCounts } from '../stats/chi-square.ts';
import { jensenShannonOfCounts } from '../stats/jensen-shannon.ts';
import { ksOfCounts } from '../stats/ks-counts.ts';
import type { BinnedPair, Outcome } from '../stats/outcome.ts';
import { psiOfCounts } from '../stats/psi.ts';
import { wassersteinOfCounts } from '../stats/wasserstein.ts';
import type { ColumnCounts } from './column-counts.ts';
import { round12OrNull } from './round.ts';
import type { VerdictBins } from './verdict-bins.ts';

/** `all`: every test that fits the type; `brief`: those that cost next to nothing, for each window of a stream. */
export type OtherTests = 'all' | 'brief' | 'none';

/** Bins with fewer expected rows on the smaller side are joined with their neighbour. */
const EXPECTED = 5;

export function otherTests(
  column: ColumnBaseline,
  bins: VerdictBins,
  counts: ColumnCounts,
  which: OtherTests,
): TestResult[] {
  if (which === 'none') return [];
  const coarse = joinSmall(coarsePair(bins, counts), column.type === 'numeric');
  const results = [named('psi', psiOfCounts(coarse)), named('jensen-shannon', jensenShannonOfCounts(coarse))];
  if (which === 'brief') return results;
  if (column.type === 'numeric') {
    const fine = finePair(column, counts);
    const positions = middles(column);
    results.push(named('ks', ksOfCounts(fine)));
    results.push(named('wasserstein', wassersteinOfCounts(fine, positions)));
  }
  results.push(named('chi-square', chiSquareOfCounts(coarse)));
  return results;
}

function named(test: string, { statistic, pValue, reason }: Outcome): TestResult {
  const result = { test, statistic: round12OrNull(statistic), pValue: round12OrNull(pValue), threshold: null };
  return reason === undefined ? result : { ...result, reason };
}

/** Verdict bins without `missing`: shares of values are compared, as these tests are defined. */
function coarsePair(bins: VerdictBins, counts: ColumnCounts): BinnedPair {
  const size = bins.missing;
  const reference = bins.baseline.slice(0, size);
  const place = bins.unseen ?? bins.other;
  const current = grouped(counts.weighted?.w ?? counts.bins, bins);
  if (place !== null) current[place]! += counts.weighted?.unseen[0] ?? counts.unseen.total;
  if (counts.weighted === null) return { reference, current };
  const currentSquares = grouped(counts.weighted.w2, bins);
  if (place !== null) currentSquares[place]! += counts.weighted.unseen[1];
  return { reference, current, currentSquares };
}

function grouped(values: ArrayLike<number>, { missing, ofFine }: VerdictBins): Float64Array {
  const sums = new Float64Array(missing);
  for (let i = 0; i < values.length; i++) sums[ofFine[i]!]! += values[i]!;
  return sums;
}

/** Joins small bins: neighbours of a number, any small ones of categories. */
function joinSmall(pair: BinnedPair, ordered: boolean): BinnedPair {
  const n = sum(pair.reference);
  const m = sum(pair.current);
  if (n === 0 || m === 0) return pair;
  const smaller =
    pair.currentSquares === undefined
      ? Math.min(n, m)
      : Math.min(n, m ** 2 / Math.max(sum(pair.currentSquares), 1e-300));
  const expected = (i: number) => ((pair.reference[i]! + pair.current[i]!) / (n + m)) * smaller;
  const place: number[] = [];
  let groups = 0;
  let open = 0;
  for (let i = 0; i < pair.reference.length; i++) {
    if (ordered) {
      if (open >= EXPECTED) {
        groups++;
        open = 0;
      }
      open += expected(i);
      place.push(groups);
    } else if (expected(i) >= EXPECTED) place.push(++groups);
    else {
      open += expected(i);
      place.push(0);
    }
  }
  if (open < EXPECTED && groups > 0)
    for (let i = 0; i < place.length; i++) {
      if (ordered && place[i] === groups) place[i] = groups - 1;
      if (!ordered && place[i] === 0) place[i] = 1;
    }
  const size = Math.max(0, ...place) + 1;
  const join = (values: ArrayLike<number>): Float64Array => {
    const joined = new Float64Array(size);
    for (let i = 0; i < values.length; i++) joined[place[i]!]! += values[i]!;
    return joined;
  };
  const joined = { reference: join(pair.reference), current: join(pair.current) };
  return pair.currentSquares === undefined ? joined : { ...joined, currentSquares: join(pair.currentSquares) };
}

function finePair(column: NumericBaseline, { bins, weighted }: ColumnCounts): BinnedPair {
  const pair = { reference: column.counts, current: weighted?.w ?? bins };
  return weighted === null ? pair : { ...pair, currentSquares: weighted.w2 };
}

/** A value that stands for each fine bin; the outer two lie at the ends of the baseline. */
function middles({ bins: { edges }, counts }: NumericBaseline): number[] {
  return counts.map((_, i) => {
    const low = edges[i - 1];
    const high = edges[i];
    if (low === undefined) return high ?? 0;
    return high === undefined ? low : low + (high - low) / 2;
  });
}

function sum(values: ArrayLike<number>): number {
  let all = 0;
  for (let i = 0; i < values.length; i++) all += values[i]!;
  return all;
}
