/** The golden cases as lines of `mlmon compare` and `mlmon measure`, and what their answers must be. */
import { type Case, goldenCases, near, type Value } from '../stats/golden.ts';

export interface GoldenQuestion {
  readonly case: string;
  readonly question: Readonly<Record<string, unknown>>;
  /** What is wrong with the answer; `null` for nothing. */
  readonly wrong: (answer: Answer) => string | null;
}

export type Answer = Readonly<Record<string, unknown>>;

interface Expected {
  readonly statistic?: Value;
  readonly pvalue?: Value;
  readonly score?: Value;
  readonly drifted?: boolean;
  readonly threshold?: number;
  readonly test?: string;
  readonly error?: string;
}

interface Tolerance {
  readonly rel: number;
  readonly abs: number;
}

/** A covariance of less than full rank: the library inverts the rounding of its decomposition, which nobody else can. */
const SINGULAR = /^num2\/(?:binary_01|constant_moved)\//;
/** Cancellation at an offset of 1e9: every order of adding gives other digits. */
const CANCELLING = /^num2\/offset_1e9\//;

const number = (value: unknown): number | null =>
  typeof value === 'number' ? value : typeof value === 'string' ? Number(value) : null;

function toleranceOf(test: string, id: string): Tolerance {
  if (CANCELLING.test(id)) return { rel: 1e-5, abs: 1e-6 };
  if (/^cram/.test(test)) return { rel: 1e-5, abs: 1e-7 };
  return /^(?:anderson|es@|epps)/.test(test) ? { rel: 1e-7, abs: 1e-12 } : { rel: 1e-8, abs: 1e-12 };
}

function agree(found: unknown, expected: Value | undefined, { rel, abs }: Tolerance): boolean {
  return expected === undefined || near(number(found) ?? Number.NaN, expected, rel, abs);
}

/** JSON has no word for some doubles. */
const written = (values: readonly Value[]): unknown[] =>
  values.map((value) => (typeof value === 'number' && !Number.isFinite(value) ? String(value) : value));

/** Expectations of SciPy: a statistic, with a p-value where there is one. */
function scipyWrong(name: string, id: string, given: Expected | Value): GoldenQuestion['wrong'] {
  const expected: Expected = typeof given === 'object' && given !== null ? given : { statistic: given };
  const tolerance = toleranceOf(name, id);
  return (answer) => {
    if (expected.error !== undefined || expected.statistic === 'NaN')
      return answer['statistic'] === null && typeof answer['reason'] === 'string' ? null : 'expected a reason';
    if (!agree(answer['statistic'], expected.statistic, tolerance)) return `statistic ${String(expected.statistic)}`;
    if (expected.pvalue === 'NaN') return answer['pValue'] === null ? null : 'expected no p-value';
    return agree(answer['pValue'], expected.pvalue, { rel: tolerance.rel, abs: name.startsWith('cram') ? 1e-7 : 1e-14 })
      ? null
      : `p-value ${String(expected.pvalue)}`;
  };
}

function evidentlyWrong(test: string, id: string, expected: Expected): GoldenQuestion['wrong'] {
  return (answer) => {
    if (expected.error !== undefined || expected.score === 'NaN')
      return answer['score'] === null && typeof answer['reason'] === 'string' ? null : 'expected a reason';
    const score = Number(expected.score);
    const isNear =
      test === 'TVD@evidently'
        ? Math.abs(Number(answer['score']) - score) <= 4 * Math.sqrt((score * (1 - score)) / 1000) + 0.004
        : agree(answer['score'], expected.score, toleranceOf(test, id));
    if (!isNear) return `score ${String(expected.score)}`;
    if (test !== 'TVD@evidently' && answer['drifted'] !== expected.drifted) return `drifted ${expected.drifted}`;
    if (expected.test !== undefined && answer['chosen'] !== expected.test) return `chosen ${expected.test}`;
    return answer['threshold'] === expected.threshold ? null : `threshold ${expected.threshold}`;
  };
}

type Names = Readonly<Record<string, readonly (readonly [test: string, options?: object])[]>>;

const NUMERIC: Names = {
  ks_auto: [['ks_2samp@scipy'], ['ks']],
  ks_asymp: [['ks_2samp@scipy', { method: 'asymp' }]],
  ks_exact: [['ks_2samp@scipy', { method: 'exact' }]],
  cramervonmises_auto: [['cramervonmises_2samp@scipy'], ['cramer-von-mises']],
  cramervonmises_asymptotic: [['cramervonmises_2samp@scipy', { method: 'asymptotic' }]],
  anderson_ksamp: [['anderson_ksamp@scipy'], ['anderson-darling']],
  mannwhitneyu_two_sided_auto: [['mannwhitneyu@scipy'], ['mann-whitney']],
  mannwhitneyu_two_sided_asymptotic: [['mannwhitneyu@scipy', { method: 'asymptotic' }]],
  mannwhitneyu_less_auto: [['mannwhitneyu@scipy', { alternative: 'less' }]],
  ttest_student: [['ttest_ind@scipy']],
  ttest_welch: [['ttest_ind@scipy', { equal_var: false }]],
  wasserstein_distance: [['wasserstein_distance@scipy'], ['wasserstein']],
  energy_distance: [['energy_distance@scipy'], ['energy']],
  epps_singleton: [['epps_singleton_2samp@scipy'], ['epps-singleton']],
};
const CATEGORICAL: Names = {
  chi2_contingency: [['chi2_contingency@scipy', { correction: false }]],
  chi2_contingency_yates: [['chi2_contingency@scipy']],
  g_contingency: [['chi2_contingency@scipy', { correction: false, lambda_: 'log-likelihood' }], ['g']],
};
/** Of these only the statistic is compared: their p-value is that given the counts. */
const STATISTICS: Names = { chi2_contingency: [['chi-square']], cramers_v: [['cramers-v']] };
const FISHER: Names = {
  fisher_exact_two_sided: [['fisher_exact@scipy'], ['fisher']],
  fisher_exact_less: [['fisher_exact@scipy', { alternative: 'less' }]],
  fisher_exact_greater: [['fisher_exact@scipy', { alternative: 'greater' }]],
};

/** Our own tests answer 0 and 1 where both sides are constant, and a reason. */
const isOwnConstant = (test: string, answer: Answer): boolean => !test.includes('@') && answer['reason'] === 'constant';

function named(one: Case, names: Names, side: object, statisticOnly = false): GoldenQuestion[] {
  const scipy = one.expected.scipy as Readonly<Record<string, Expected | Value>> | undefined;
  return Object.entries(names).flatMap(([name, tests]) => {
    const given = scipy?.[name];
    if (given === undefined || (name === 'epps_singleton' && SINGULAR.test(one.id))) return [];
    return tests.map(([test, options]): GoldenQuestion => {
      const expected =
        statisticOnly && typeof given === 'object' && given !== null ? { statistic: given.statistic! } : given;
      const wrong = scipyWrong(name, one.id, expected);
      return {
        case: one.id,
        question: { test, ...side, options },
        wrong: (answer) => (isOwnConstant(test, answer) ? null : wrong(answer)),
      };
    });
  });
}

function evidently(one: Case, side: object): GoldenQuestion[] {
  return Object.entries(one.expected.evidently as Readonly<Record<string, Expected>>).flatMap(([name, expected]) => {
    // Its own exact path for few rows is broken with NumPy 2: SciPy's value is the target there.
    const isBroken = name === 'cramer_von_mises' && expected.error === 'UFuncTypeError';
    if (name === 'empty_side' || isBroken || (name === 'es' && SINGULAR.test(one.id))) return [];
    const test = `${name}@evidently`;
    return [{ case: one.id, question: { test, ...side }, wrong: evidentlyWrong(test, one.id, expected) }];
  });
}

const exact = { rel: 1e-10, abs: 1e-12 };

function twoSamples(one: Case): GoldenQuestion[] {
  const { reference = [], current = [] } = one.inputs;
  const type = one.family === 'num2' ? 'numeric' : 'categorical';
  const side = { type, reference: written(reference), current: written(current) };
  if (type === 'numeric') return [...named(one, NUMERIC, side), ...evidently(one, side)];
  const { l_infinity, tvd } = (one.expected.numpy ?? {}) as Readonly<Record<string, Value>>;
  const distances: readonly (readonly [string, Value | undefined])[] = [
    ['l-infinity', l_infinity],
    ['total-variation', tvd],
    ['linf@sagemaker', l_infinity],
  ];
  return [
    ...named(one, CATEGORICAL, side),
    ...named(one, STATISTICS, side, true),
    ...evidently(one, side),
    ...distances.flatMap(([test, expected]) =>
      expected === undefined || expected === 'NaN' || expected === null
        ? []
        : [
            {
              case: one.id,
              question: { test, ...side, ...(test.includes('@') ? { options: { method: 'simple' } } : {}) },
              wrong: (answer: Answer) => (agree(answer['statistic'], expected, exact) ? null : String(expected)),
            },
          ],
    ),
  ];
}

function tables(one: Case): GoldenQuestion[] {
  const [reference = [], current = []] = one.params['table'] as number[][];
  const rows = (counts: readonly number[]): string[] =>
    counts.flatMap((count, i) => new Array<string>(count).fill(`c${i}`));
  return [
    { type: 'counts', reference, current },
    { type: 'categorical', reference: rows(reference), current: rows(current) },
  ].flatMap((side) => [
    ...named(one, CATEGORICAL, side),
    ...named(one, STATISTICS, side, true),
    ...named(one, FISHER, side),
  ]);
}

function goodness(one: Case): GoldenQuestion[] {
  const { observed, expected } = one.params as Readonly<Record<string, number[]>>;
  const { chisquare, g_test } = one.expected.scipy as Readonly<Record<string, Expected>>;
  const side = { type: 'counts', reference: expected, current: observed };
  return (
    [
      ['chisquare@evidently', chisquare],
      ['pearsons_chi_squared_test@azure', chisquare],
      ['g_test@evidently', g_test],
    ] as const
  ).map(([test, given]) => ({ case: one.id, question: { test, ...side }, wrong: scipyWrong(test, one.id, given!) }));
}

function pValues(one: Case): GoldenQuestion[] {
  const given = one.params['pvalues'];
  const { scipy, formula } = one.expected as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  const adjusted = (test: string, expected: unknown): GoldenQuestion => ({
    case: one.id,
    question: { test, pValues: given },
    wrong: (answer) => {
      const found = answer['adjusted'] as number[];
      return (expected as number[]).every((value, i) => agree(found[i], value, exact)) ? null : String(expected);
    },
  });
  return [
    adjusted('benjamini-hochberg', scipy!['benjamini_hochberg']),
    adjusted('benjamini-yekutieli', scipy!['benjamini_yekutieli']),
    adjusted('bonferroni', formula!['bonferroni']),
    {
      case: one.id,
      question: { test: 'fisher-combination', pValues: given },
      wrong: scipyWrong('fisher', one.id, scipy!['fisher_combined'] as Expected),
    },
  ];
}

function nannyml(one: Case): GoldenQuestion[] {
  const { chunks, series } = one.expected.nannyml.univariate as {
    readonly chunks: readonly { readonly period: string; readonly start: number; readonly end: number }[];
    readonly series: Readonly<Record<string, Value | readonly Value[]>>;
  };
  const { params, inputs } = one;
  const at = (name: string, i: number): Value | undefined => {
    const values = series[name];
    return (Array.isArray(values) ? values[i] : values) as Value | undefined;
  };
  return (
    [
      ['x', 'numeric', 'continuous_methods'],
      ['c', 'categorical', 'categorical_methods'],
    ] as const
  ).flatMap(([column, type, key]) =>
    (params[key] as readonly string[]).flatMap((method) =>
      chunks.flatMap(({ period, start, end }, i): GoldenQuestion[] => {
        const reference = inputs[`reference.${column}`] ?? [];
        // A reference of ten thousand rows for each of many chunks would be slow here, and is tested on its own.
        if (period === 'reference' || reference.length >= 10_000) return [];
        const value = at(`${column}.${method}.value`, i);
        const upper = at(`${column}.${method}.upper_threshold`, i);
        const alert = at(`${column}.${method}.alert`, i);
        return [
          {
            case: `${one.id} chunk ${i}`,
            question: {
              test: `${method}@nannyml`,
              type,
              reference: written(reference),
              current: written((inputs[`analysis.${column}`] ?? []).slice(start, end + 1)),
              options: params['chunking'],
            },
            wrong: (answer) => {
              if (value === null || value === undefined || value === 'NaN')
                return answer['score'] === null ? null : 'expected a reason';
              const tolerance = { rel: 1e-8, abs: 1e-9 };
              if (!agree(answer['score'], value, tolerance)) return `score ${String(value)}`;
              if (upper !== null && upper !== undefined && !agree(answer['threshold'], upper, tolerance))
                return `threshold ${String(upper)}`;
              return alert === undefined || answer['drifted'] === alert ? null : `alert ${String(alert)}`;
            },
          },
        ];
      }),
    ),
  );
}

function metric(one: Case, question: object, expected: Value | undefined): GoldenQuestion[] {
  if (expected === undefined) return [];
  return [
    {
      case: one.id,
      question: question as Readonly<Record<string, unknown>>,
      wrong: (answer) =>
        expected === 'NaN' || typeof expected === 'object'
          ? answer['status'] === 'failed'
            ? null
            : 'expected a reason'
          : agree(answer['value'], expected, exact)
            ? null
            : String(expected),
    },
  ];
}

type Metrics = Readonly<Record<string, readonly [metric: string, options?: object]>>;

const CLASSES: Metrics = {
  accuracy: ['accuracy'],
  balanced_accuracy: ['balanced-accuracy'],
  mcc: ['matthews'],
  cohen_kappa: ['cohen-kappa'],
  log_loss: ['log-loss'],
  precision_macro: ['precision', { average: 'macro' }],
  precision_weighted: ['precision', { average: 'weighted' }],
  recall_macro: ['recall', { average: 'macro' }],
  recall_weighted: ['recall', { average: 'weighted' }],
  f1_macro: ['f1', { average: 'macro' }],
  f1_weighted: ['f1', { average: 'weighted' }],
};
const BINARY: Metrics = {
  precision: ['precision'],
  recall: ['recall'],
  f1: ['f1'],
  specificity: ['specificity'],
  roc_auc: ['roc-auc'],
  average_precision: ['average-precision'],
  brier: ['brier'],
};
const SEVERAL: Metrics = {
  precision_micro: ['precision', { average: 'micro' }],
  recall_micro: ['recall', { average: 'micro' }],
  f1_micro: ['f1', { average: 'micro' }],
  roc_auc_ovr_macro: ['roc-auc'],
  roc_auc_ovr_weighted: ['roc-auc', { average: 'weighted' }],
  roc_auc_ovo_macro: ['roc-auc', { multiclass: 'ovo' }],
  roc_auc_ovo_weighted: ['roc-auc', { multiclass: 'ovo', average: 'weighted' }],
};
const REGRESSION: Metrics = {
  mae: ['mae'],
  mse: ['mse'],
  rmse: ['rmse'],
  mape: ['mape'],
  r2: ['r2'],
  median_ae: ['median-absolute-error'],
  max_error: ['max-error'],
  explained_variance: ['explained-variance'],
  msle: ['msle'],
  rmsle: ['rmsle'],
  mean_error_pred_minus_true: ['bias'],
};
const RANKING: Metrics = {
  ndcg_k_all_ties_averaged: ['ndcg'],
  ndcg_k_3_ties_averaged: ['ndcg', { k: 3 }],
  ndcg_k_5_ties_averaged: ['ndcg', { k: 5 }],
  dcg_k_all: ['dcg'],
  dcg_k_3: ['dcg', { k: 3 }],
  dcg_k_5: ['dcg', { k: 5 }],
};
const FAIRNESS: Metrics = {
  demographic_parity_difference: ['demographic-parity-difference'],
  disparate_impact_min_over_max: ['disparate-impact'],
  equal_opportunity_difference: ['equal-opportunity-difference'],
  false_positive_rate_difference: ['false-positive-rate-difference'],
  equalized_odds_difference_max: ['equalized-odds-difference'],
};

function metrics(one: Case, names: Metrics, arrays: object, options: object = {}): GoldenQuestion[] {
  const expected = (one.expected.sklearn ?? one.expected.formula) as Readonly<Record<string, Value>>;
  return Object.entries(names).flatMap(([name, [of, own]]) =>
    metric(one, { metric: of, ...arrays, options: { ...options, ...own } }, expected[name]),
  );
}

function measured(one: Case): GoldenQuestion[] {
  const { inputs } = one;
  const side = (name: string) => written(inputs[name] ?? []);
  const rows = { truth: side('y_true'), predicted: side('y_pred') };
  switch (one.family) {
    case 'binary_clf': {
      const averages = Object.fromEntries(
        Object.entries(CLASSES).filter(([, [, options]]) => options !== undefined),
      ) as Metrics;
      const others = Object.fromEntries(Object.entries(CLASSES).filter(([name]) => !(name in averages))) as Metrics;
      const all = { ...rows, score: side('score') };
      // The case has 0 and 1 for classes, whichever of them occur; averages are over those that do.
      return [...metrics(one, { ...others, ...BINARY }, all, { labels: [0, 1] }), ...metrics(one, averages, all)];
    }
    case 'multi_clf': {
      const labels = one.params['labels'] as readonly string[];
      const score = side('y_true').map((_, i) => labels.map((_label, k) => inputs[`proba${k}`]![i]));
      return metrics(one, { ...CLASSES, ...SEVERAL }, { ...rows, score }, { labels });
    }
    case 'regression':
      return metrics(one, REGRESSION, rows);
    case 'ranking':
      // scikit-learn's `dcg` leaves tied scores averaged, as its `ndcg` does.
      return metrics(one, RANKING, { truth: side('relevance'), score: side('score') });
    default:
      return metrics(one, FAIRNESS, { ...rows, group: side('group') });
  }
}

const FAMILIES: Readonly<Record<string, (one: Case) => GoldenQuestion[]>> = {
  num2: twoSamples,
  cat2: twoSamples,
  table: tables,
  goodness,
  pvalues: pValues,
  nml_univariate: nannyml,
  binary_clf: measured,
  multi_clf: measured,
  regression: measured,
  ranking: measured,
  fairness: measured,
};

/** Of a family, each with an id of its own. */
export function goldenQuestions(family: string): GoldenQuestion[] {
  return goldenCases(family)
    .flatMap((one) => FAMILIES[family]!(one))
    .map((one, i) => ({ ...one, question: { id: `${family}-${i}`, ...one.question } }));
}

export const COMPARED = ['num2', 'cat2', 'table', 'goodness', 'pvalues', 'nml_univariate'];
export const MEASURED = ['binary_clf', 'multi_clf', 'regression', 'ranking', 'fairness'];
