/**
 * Evidently 0.7: its deterministic tests with their own defaults, and its choice of a default test. Missing and infinite values are
 * dropped per side first, as Evidently does; an empty side is an error there, and not computable here.
 */
import { andersonDarling } from '../anderson-darling.ts';
import { cramerVonMises } from '../cramer-von-mises.ts';
import { energy } from '../energy.ts';
import { eppsSingleton } from '../epps-singleton.ts';
import { fisherExact } from '../fisher.ts';
import { ks } from '../ks.ts';
import { mannWhitney } from '../mann-whitney.ts';
import { populationDeviation, type RawValue, sortedFinite } from '../sample.ts';
import { chiSquareSurvival } from '../special.ts';
import { tTest } from '../t-test.ts';
import { totalVariation } from '../total-variation.ts';
import { wassersteinDistance } from '../wasserstein.ts';
import { zOfShares } from '../z-proportions.ts';
import {
  type CategoryValue,
  type DialectAnswer,
  distanceAnswer,
  notComputable,
  pValueAnswer,
  valueCounts,
} from './answer.ts';
import { histogramCounts, histogramEdges } from './histogram.ts';
import { permutationPValue } from './permutation.ts';

type Shares = { readonly p: readonly number[]; readonly q: readonly number[] };
type Counts = ReturnType<typeof valueCounts>;

/** Above so many distinct reference values numbers are cut into bins. */
const VALUES_AS_BINS = 20;
/** Up to so many reference rows its default is a test with a p-value. */
const SMALL_REFERENCE = 1_000;

const NUMERIC: Readonly<Record<string, (a: Float64Array, b: Float64Array, threshold?: number) => DialectAnswer>> = {
  ks: (a, b, threshold = 0.05) => {
    const { pValue, statistic } = ks(a, b);
    return pValueAnswer(pValue, statistic, threshold, 'up-to');
  },
  wasserstein: (a, b, threshold = 0.1) =>
    distanceAnswer(wassersteinDistance(a, b) / Math.max(populationDeviation(a), 0.001), threshold),
  jensenshannon: (a, b, threshold = 0.1) => distanceAnswer(jensenShannon(numericShares(a, b)), threshold),
  psi: (a, b, threshold = 0.1) => distanceAnswer(stabilityIndex(numericShares(a, b)), threshold),
  kl_div: (a, b, threshold = 0.1) => distanceAnswer(kullbackLeibler(numericShares(a, b)), threshold),
  hellinger: (a, b, threshold = 0.1) => distanceAnswer(hellinger(densityShares(a, b)), threshold),
  anderson: (a, b, threshold = 0.1) => {
    const { pValue, statistic, reason } = andersonDarling(a, b);
    return reason === undefined ? pValueAnswer(pValue, statistic, threshold) : withoutP(reason, threshold);
  },
  cramer_von_mises: (a, b, threshold = 0.1) => {
    const { pValue, statistic, reason } = cramerVonMises(a, b, { series: 'scipy' });
    if (pValue === null) return notComputable(threshold, reason ?? 'not a number');
    return pValueAnswer(pValue, statistic, threshold, 'up-to');
  },
  ed: (a, b, threshold = 0.1) =>
    distanceAnswer(energy(a, b, { pValue: false }).statistic ?? Number.NaN, threshold, 'above'),
  es: (a, b, threshold = 0.05) => {
    const { pValue, statistic, reason } = eppsSingleton(a, b);
    return pValue === null ? withoutP(reason ?? 'not a number', threshold) : pValueAnswer(pValue, statistic, threshold);
  },
  // One-sided, although documented as two-sided: the reference tends to be smaller.
  mannw: (a, b, threshold = 0.05) => {
    const { pValue, statistic } = mannWhitney(a, b, { alternative: 'less' });
    return pValueAnswer(pValue, statistic, threshold);
  },
  t_test: (a, b, threshold = 0.05) => {
    const { pValue, statistic, reason } = tTest(a, b);
    if (reason === 'infinite') return pValueAnswer(0, null, threshold, 'below', 'infinite');
    // Two equal constants have no variance: NaN, which is no alarm.
    return reason === undefined
      ? pValueAnswer(pValue, statistic, threshold)
      : pValueAnswer(null, null, threshold, 'below', reason);
  },
};

const CATEGORICAL: Readonly<Record<string, (counts: Counts, threshold?: number) => DialectAnswer>> = {
  chisquare: (counts, threshold = 0.05) => goodnessOfFit(counts, threshold),
  z: (counts, threshold = 0.05) => {
    const { statistic, pValue } = zOfShares(
      counts.reference[0]! / counts.n,
      counts.n,
      counts.current[0]! / counts.m,
      counts.m,
    );
    return pValueAnswer(pValue, statistic, threshold);
  },
  jensenshannon: (counts, threshold = 0.1) => distanceAnswer(jensenShannon(sharesOf(counts)), threshold),
  psi: (counts, threshold = 0.1) => distanceAnswer(stabilityIndex(sharesOf(counts)), threshold),
  kl_div: (counts, threshold = 0.1) => distanceAnswer(kullbackLeibler(sharesOf(counts)), threshold),
  hellinger: (counts, threshold = 0.1) => distanceAnswer(hellinger(sharesOf(counts)), threshold),
  fisher_exact: (counts, threshold = 0.1) => {
    if (counts.n !== counts.m) return notComputable(threshold, 'sides of unequal length');
    const distinct = (side: readonly number[]): number => side.filter((count) => count > 0).length;
    if (Math.max(distinct(counts.reference), distinct(counts.current)) > 2)
      return notComputable(threshold, 'more than two categories');
    // One category on both sides: a table with an empty column, which is never surprising.
    if (counts.values.length < 2) return pValueAnswer(1, null, threshold, 'below', 'constant');
    const against = counts.values.map((_, i) => oneAgainstOthers(counts, i));
    const [{ oddsRatio, pValue }] = against as [(typeof against)[0]];
    if (counts.values.length === 2) return pValueAnswer(pValue, oddsRatio, threshold);
    // Two on each side, but not the same two: whichever comes first in a hash set of them and a placeholder stands against all others.
    return against.every((other) => Math.abs(other.pValue - 1) < 1e-9)
      ? pValueAnswer(1, null, threshold, 'below', 'the odds ratio differs from run to run')
      : notComputable(threshold, 'differs from run to run');
  },
  g_test: (counts, threshold = 0.1) => {
    // Expected are the raw reference counts, which must add up to those observed.
    if (counts.n !== counts.m) return notComputable(threshold, 'sides of unequal length');
    let sum = 0;
    for (const [i, observed] of counts.current.entries())
      if (observed > 0) sum += observed * Math.log(observed / counts.reference[i]!);
    return pValueAnswer(chiSquareSurvival(2 * sum, counts.values.length - 1), 2 * sum, threshold);
  },
  TVD: (counts, threshold = 0.1) => {
    const statistic = totalVariation(counts.reference, counts.n, counts.current, counts.m);
    return pValueAnswer(permutationPValue(counts.reference, counts.current, statistic), statistic, threshold);
  },
};

export const EVIDENTLY_NUMERIC_TESTS = Object.keys(NUMERIC);
export const EVIDENTLY_CATEGORICAL_TESTS = Object.keys(CATEGORICAL);

/** One of its tests of a numeric column, or `default`. `threshold`: instead of the test's own. */
export function evidentlyNumeric(
  test: string,
  reference: ArrayLike<RawValue>,
  current: ArrayLike<RawValue>,
  threshold?: number,
): DialectAnswer {
  const a = sortedFinite(reference);
  const b = sortedFinite(current);
  if (a.length === 0) return notComputable(threshold ?? null, 'empty-reference');
  if (b.length === 0) return notComputable(threshold ?? null, 'empty-current');
  if (test !== 'default')
    return NUMERIC[test]?.(a, b, threshold) ?? notComputable(threshold ?? null, 'not for numeric columns');
  const distinct = distinctOf(a, b);
  const isSmall = a.length <= SMALL_REFERENCE;
  if (distinct > 5) return chosen(isSmall ? 'ks' : 'wasserstein', a, b, threshold);
  const name = !isSmall ? 'jensenshannon' : distinct > 2 ? 'chisquare' : 'z';
  return {
    ...(CATEGORICAL[name] as (counts: Counts, threshold?: number) => DialectAnswer)(valueCounts(a, b), threshold),
    test: name,
  };
}

/** One of its tests of a categorical column, or `default`. */
export function evidentlyCategorical(
  test: string,
  reference: ArrayLike<CategoryValue>,
  current: ArrayLike<CategoryValue>,
  threshold?: number,
): DialectAnswer {
  const counts = valueCounts(reference, current);
  if (counts.n === 0) return notComputable(threshold ?? null, 'empty-reference');
  if (counts.m === 0) return notComputable(threshold ?? null, 'empty-current');
  const name =
    test !== 'default'
      ? test
      : counts.n > SMALL_REFERENCE
        ? 'jensenshannon'
        : counts.values.length > 2
          ? 'chisquare'
          : 'z';
  const run = CATEGORICAL[name];
  if (run === undefined) return notComputable(threshold ?? null, 'not for categorical columns');
  return test === 'default' ? { ...run(counts, threshold), test: name } : run(counts, threshold);
}

/** With too few rows SciPy answers NaN, which is no alarm; for all else it has an error. */
function withoutP(reason: string, threshold: number): DialectAnswer {
  return reason === 'too-few-rows'
    ? pValueAnswer(null, null, threshold, 'below', reason)
    : notComputable(threshold, reason);
}

function chosen(test: string, a: Float64Array, b: Float64Array, threshold?: number): DialectAnswer {
  return {
    ...(NUMERIC[test] as (a: Float64Array, b: Float64Array, threshold?: number) => DialectAnswer)(a, b, threshold),
    test,
  };
}

function distinctOf(a: Float64Array, b: Float64Array): number {
  const seen = new Set<number>();
  for (const side of [a, b]) for (const value of side) if (seen.size <= VALUES_AS_BINS) seen.add(value);
  return seen.size;
}

function oneAgainstOthers({ reference, current, n, m }: Counts, i: number): ReturnType<typeof fisherExact> {
  const [a, c] = [reference[i]!, current[i]!];
  return fisherExact([
    [a, n - a],
    [c, m - c],
  ]);
}

function sharesOf({ reference, current, n, m }: Counts): Shares {
  return { p: reference.map((count) => count / n), q: current.map((count) => count / m) };
}

/** One bin a value up to 20 distinct reference values, else Sturges' bins over the pooled sample. */
function numericShares(a: Float64Array, b: Float64Array): Shares {
  if (new Set(a).size <= VALUES_AS_BINS) return sharesOf(valueCounts(a, b));
  return binned(a, b, histogramEdges(pool(a, b), 'sturges'));
}

/** Sturges' bins over the distinct values of both sides. */
function densityShares(a: Float64Array, b: Float64Array): Shares {
  const edges = histogramEdges(Float64Array.from(new Set(pool(a, b))), 'sturges');
  const width = (edges.at(-1)! - edges[0]!) / (edges.length - 1);
  // Densities of each bin's own width, times the width of the first: the same but for rounding, which shows at large offsets.
  const shares = (values: Float64Array): number[] =>
    Array.from(
      histogramCounts(values, edges),
      (count, i) => (count / (edges[i + 1]! - edges[i]!) / values.length) * width,
    );
  return { p: shares(a), q: shares(b) };
}

function binned(a: Float64Array, b: Float64Array, edges: Float64Array): Shares {
  return {
    p: Array.from(histogramCounts(a, edges), (count) => count / a.length),
    q: Array.from(histogramCounts(b, edges), (count) => count / b.length),
  };
}

function pool(a: Float64Array, b: Float64Array): Float64Array {
  const pooled = new Float64Array(a.length + b.length);
  pooled.set(a);
  pooled.set(b, a.length);
  return pooled;
}

function jensenShannon({ p, q }: Shares): number {
  let sum = 0;
  for (const [i, share] of p.entries()) {
    const other = q[i]!;
    const middle = (share + other) / 2;
    if (share > 0) sum += share * Math.log(share / middle);
    if (other > 0) sum += other * Math.log(other / middle);
  }
  return Math.sqrt(Math.max(0, sum / 2));
}

function filled(shares: readonly number[]): readonly number[] {
  const smallest = shares.reduce(
    (least, share) => (share > 0 ? Math.min(least, share) : least),
    Number.POSITIVE_INFINITY,
  );
  const fill = smallest <= 0.0001 ? smallest / 1_000_000 : 0.0001;
  return shares.map((share) => (share === 0 ? fill : share));
}

function stabilityIndex(shares: Shares): number {
  const p = filled(shares.p);
  const q = filled(shares.q);
  return p.reduce((sum, share, i) => sum + (share - q[i]!) * Math.log(share / q[i]!), 0);
}

function kullbackLeibler(shares: Shares): number {
  const normalised = (of: readonly number[]): readonly number[] => {
    const total = of.reduce((sum, share) => sum + share, 0);
    return of.map((share) => share / total);
  };
  const p = normalised(filled(shares.p));
  const q = normalised(filled(shares.q));
  return p.reduce((sum, share, i) => sum + share * Math.log(share / q[i]!), 0);
}

function hellinger({ p, q }: Shares): number {
  const overlap = p.reduce((sum, share, i) => sum + Math.sqrt(share * q[i]!), 0);
  return Math.sqrt(Math.min(1, Math.max(0, 1 - overlap)));
}

/** The reference, scaled, is taken as what is expected: a value that it lacks makes the statistic infinite. */
function goodnessOfFit({ reference, current, n, m, values }: Counts, threshold: number): DialectAnswer {
  let statistic = 0;
  for (const [i, count] of reference.entries()) {
    const expected = count * (m / n);
    statistic += expected === 0 ? Number.POSITIVE_INFINITY : (current[i]! - expected) ** 2 / expected;
  }
  // With one value there are no degrees of freedom: any rounding of the scaled count is then significant there, and nothing else.
  if (values.length < 2)
    return statistic > 0
      ? pValueAnswer(0, statistic, threshold)
      : pValueAnswer(null, null, threshold, 'below', 'constant');
  return pValueAnswer(chiSquareSurvival(statistic, values.length - 1), statistic, threshold);
}
