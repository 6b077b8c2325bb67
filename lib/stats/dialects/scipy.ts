/**
 * SciPy's two-sample tests by their own names. They have no threshold; a decision is taken only at a level that is given.
 * Missing and infinite values are dropped per side first.
 */
import { andersonDarling } from '../anderson-darling.ts';
import { chiSquareOfCounts } from '../chi-square.ts';
import { cramerVonMises } from '../cramer-von-mises.ts';
import { energy } from '../energy.ts';
import { eppsSingleton } from '../epps-singleton.ts';
import { fisherExact } from '../fisher.ts';
import { powerDivergenceOfCounts } from '../g-test.ts';
import { ks } from '../ks.ts';
import { type Alternative, mannWhitney } from '../mann-whitney.ts';
import type { Outcome } from '../outcome.ts';
import { type RawValue, sortedFinite } from '../sample.ts';
import { tTest } from '../t-test.ts';
import { wassersteinDistance } from '../wasserstein.ts';
import { type CategoryValue, type DialectAnswer, notComputable, valueCounts } from './answer.ts';

export interface ScipyOptions {
  /** `ks_2samp` and `cramervonmises_2samp`. @default auto */
  readonly method?: 'auto' | 'exact' | 'asymp' | 'asymptotic';
  /** `mannwhitneyu`, `ttest_ind`, `fisher_exact`. @default two-sided */
  readonly alternative?: Alternative;
  /** `ttest_ind`. @default true */
  readonly equal_var?: boolean;
  /** `chi2_contingency`. @default true */
  readonly correction?: boolean;
  /** `chi2_contingency`: the power of the divergence (Cressie & Read 1984), or its name. @default pearson */
  readonly lambda_?: number | string;
  /** Level below which a p-value, or distance above which a distance, is a decision. */
  readonly threshold?: number;
}

type Method = ScipyOptions['method'];

const ours = (method: Method): 'auto' | 'exact' | 'asymptotic' =>
  method === 'asymp' || method === 'asymptotic' ? 'asymptotic' : (method ?? 'auto');

const NUMERIC: Readonly<Record<string, (a: Float64Array, b: Float64Array, options: ScipyOptions) => Outcome | number>> =
  {
    ks_2samp: (a, b, { method }) => {
      const outcome = ks(a, b, { method: ours(method) });
      // Half a row, rounded to none, has no limiting law.
      return outcome.method === 'asymptotic' && a.length + b.length < 3 ? { ...outcome, pValue: null } : outcome;
    },
    cramervonmises_2samp: (a, b, { method }) => cramerVonMises(a, b, { method: ours(method), series: 'scipy' }),
    anderson_ksamp: (a, b) => andersonDarling(a, b),
    mannwhitneyu: (a, b, { alternative, method }) => mannWhitney(a, b, { alternative, method: ours(method) }),
    ttest_ind: (a, b, { equal_var, alternative = 'two-sided' }) => {
      const outcome = tTest(a, b, { variances: equal_var === false ? 'welch' : 'student' });
      // Without variance: 0/0, or a difference over 0.
      if (outcome.reason === 'constant') return { ...outcome, statistic: null, pValue: null };
      const isBelow = outcome.reason === 'infinite' ? a[0]! < b[0]! : (outcome.statistic ?? 0) < 0;
      const found =
        outcome.reason === 'infinite'
          ? { ...outcome, statistic: isBelow ? -Infinity : Infinity, pValue: 0, reason: undefined }
          : outcome;
      if (alternative === 'two-sided' || found.pValue === null) return found;
      const half = found.pValue / 2;
      return { ...found, pValue: isBelow === (alternative === 'less') ? half : 1 - half };
    },
    wasserstein_distance: (a, b) => wassersteinDistance(a, b),
    energy_distance: (a, b) => energy(a, b, { pValue: false }).statistic ?? Number.NaN,
    epps_singleton_2samp: (a, b) => eppsSingleton(a, b),
  };

/** The names of its powers. */
const POWERS: Readonly<Record<string, number>> = {
  pearson: 1,
  'log-likelihood': 0,
  'freeman-tukey': -1 / 2,
  'mod-log-likelihood': -1,
  neyman: -2,
  'cressie-read': 2 / 3,
};

const CATEGORICAL = ['chi2_contingency', 'fisher_exact'] as const;

export const SCIPY_NUMERIC_TESTS = Object.keys(NUMERIC);
export const SCIPY_CATEGORICAL_TESTS: readonly string[] = CATEGORICAL;

export function scipyNumeric(
  test: string,
  reference: ArrayLike<RawValue>,
  current: ArrayLike<RawValue>,
  options: ScipyOptions = {},
): DialectAnswer {
  const run = NUMERIC[test];
  const threshold = options.threshold ?? null;
  if (run === undefined) return notComputable(threshold, 'not for numeric columns');
  const a = sortedFinite(reference);
  const b = sortedFinite(current);
  if (a.length === 0) return notComputable(threshold, 'empty-reference');
  if (b.length === 0) return notComputable(threshold, 'empty-current');
  const outcome = run(a, b, options);
  if (typeof outcome !== 'number') return answerOf(outcome, threshold);
  const drifted = threshold === null ? null : outcome > threshold;
  return { score: outcome, statistic: outcome, pValue: null, threshold, drifted };
}

export function scipyCategorical(
  test: string,
  reference: ArrayLike<CategoryValue>,
  current: ArrayLike<CategoryValue>,
  options: ScipyOptions = {},
): DialectAnswer {
  const threshold = options.threshold ?? null;
  const counts = valueCounts(reference, current);
  if (counts.n === 0) return notComputable(threshold, 'empty-reference');
  if (counts.m === 0) return notComputable(threshold, 'empty-current');
  if (test === 'chi2_contingency') {
    const yates = options.correction !== false;
    const { lambda_ = 1 } = options;
    const power = typeof lambda_ === 'number' ? lambda_ : (POWERS[lambda_] ?? Number.NaN);
    if (power === 1) return answerOf(chiSquareOfCounts(counts, { minimumExpected: 0, yates }), threshold);
    return answerOf(powerDivergenceOfCounts(counts, { power, yates }), threshold);
  }
  if (test !== 'fisher_exact') return notComputable(threshold, 'not for categorical columns');
  if (counts.values.length !== 2)
    return notComputable(threshold, counts.values.length < 2 ? 'constant' : 'too-many-bins');
  const [a = 0, b = 0] = counts.reference;
  const [c = 0, d = 0] = counts.current;
  const { oddsRatio, pValue } = fisherExact(
    [
      [a, b],
      [c, d],
    ],
    options.alternative,
  );
  return {
    score: pValue,
    statistic: oddsRatio,
    pValue,
    threshold,
    drifted: threshold === null ? null : pValue < threshold,
  };
}

function answerOf({ statistic, pValue, reason }: Outcome, threshold: number | null): DialectAnswer {
  if (statistic === null || pValue === null)
    return { ...notComputable(threshold, reason ?? 'not a number'), statistic };
  return { score: pValue, statistic, pValue, threshold, drifted: threshold === null ? null : pValue < threshold };
}
