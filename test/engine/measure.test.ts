/** Metrics from rows against what scikit-learn and fairlearn computed (test/fixtures/golden). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MeasureQuestion, measure, metricNames } from '../../lib/engine/measure.ts';
import { type Case, goldenCases, near, type Value } from '../stats/golden.ts';

/** Differences between a case's values and ours, by the name of the metric. */
function differences(
  expected: Readonly<Record<string, unknown>>,
  questions: Readonly<Record<string, MeasureQuestion>>,
): string[] {
  return Object.entries(questions).flatMap(([name, question]) => {
    if (!(name in expected)) return [`${name}: not in the case`];
    const { value } = measure(question);
    const isRight = near(value ?? Number.NaN, expected[name] as Value, 1e-10, 1e-12);
    return isRight ? [] : [`${name}: expected ${String(expected[name])}, got ${value}`];
  });
}

const rows = (one: Case, name: string) => one.inputs[name] as readonly number[];

describe('metrics agree with scikit-learn', () => {
  it.each(goldenCases('binary_clf'))('$id', (one) => {
    const [truth, predicted, score] = [rows(one, 'y_true'), rows(one, 'y_pred'), rows(one, 'score')];
    // The case has 0 and 1 for classes, whichever of them occur.
    const labels = { labels: [0, 1] };
    const of = (metric: string, options = {}) => ({
      metric,
      truth,
      predicted,
      score,
      options: { ...labels, ...options },
    });
    expect(
      differences(one.expected.sklearn, {
        accuracy: of('accuracy'),
        balanced_accuracy: of('balanced-accuracy'),
        precision: of('precision'),
        recall: of('recall'),
        f1: of('f1'),
        specificity: of('specificity'),
        roc_auc: of('roc-auc'),
        average_precision: of('average-precision'),
        log_loss: of('log-loss'),
        brier: of('brier'),
        mcc: of('matthews'),
        cohen_kappa: of('cohen-kappa'),
      }),
    ).toEqual([]);
    const occurring = (metric: string, average: 'macro' | 'weighted') => ({
      metric,
      truth,
      predicted,
      options: { average },
    });
    expect(
      differences(one.expected.sklearn, {
        precision_macro: occurring('precision', 'macro'),
        recall_macro: occurring('recall', 'macro'),
        f1_macro: occurring('f1', 'macro'),
        precision_weighted: occurring('precision', 'weighted'),
        recall_weighted: occurring('recall', 'weighted'),
        f1_weighted: occurring('f1', 'weighted'),
      }),
    ).toEqual([]);
  });

  it.each(goldenCases('multi_clf'))('$id', (one) => {
    const labels = one.params['labels'] as string[];
    const [truth, predicted] = [one.inputs['y_true'] as string[], one.inputs['y_pred'] as string[]];
    const score = truth.map((_, i) => labels.map((_, k) => rows(one, `proba${k}`)[i]!));
    const of = (metric: string, options = {}) => ({ metric, truth, predicted, score, options: { labels, ...options } });
    expect(
      differences(one.expected.sklearn, {
        accuracy: of('accuracy'),
        balanced_accuracy: of('balanced-accuracy'),
        precision_macro: of('precision'),
        precision_weighted: of('precision', { average: 'weighted' }),
        precision_micro: of('precision', { average: 'micro' }),
        recall_macro: of('recall', { average: 'macro' }),
        f1_macro: of('f1', { average: 'macro' }),
        f1_weighted: of('f1', { average: 'weighted' }),
        f1_micro: of('f1', { average: 'micro' }),
        log_loss: of('log-loss'),
        roc_auc_ovr_macro: of('roc-auc'),
        roc_auc_ovr_weighted: of('roc-auc', { average: 'weighted' }),
        mcc: of('matthews'),
        cohen_kappa: of('cohen-kappa'),
      }),
    ).toEqual([]);
  });

  it.each(goldenCases('regression'))('$id', (one) => {
    const of = (metric: string) => ({ metric, truth: rows(one, 'y_true'), predicted: rows(one, 'y_pred') });
    expect(
      differences(one.expected.sklearn, {
        mae: of('mae'),
        mse: of('mse'),
        rmse: of('rmse'),
        mape: of('mape'),
        r2: of('r2'),
        median_ae: of('median-absolute-error'),
        max_error: of('max-error'),
        mean_error_pred_minus_true: of('bias'),
      }),
    ).toEqual([]);
  });

  it.each(goldenCases('ranking'))('$id', (one) => {
    const of = (options: object) => ({
      metric: 'ndcg',
      truth: rows(one, 'relevance'),
      score: rows(one, 'score'),
      options,
    });
    const averaged = {
      ndcg_k_all_ties_averaged: of({}),
      ndcg_k_3_ties_averaged: of({ k: 3 }),
      ndcg_k_5_ties_averaged: of({ k: 5 }),
    };
    // Which of two equal scores comes first is up to the library's unstable sort.
    const ignored: Readonly<Record<string, MeasureQuestion>> = one.id.includes('/tied_scores/')
      ? {}
      : { ndcg_k_all_ties_ignored: of({ ties: 'ignored' }), ndcg_k_3_ties_ignored: of({ k: 3, ties: 'ignored' }) };
    expect(differences(one.expected.sklearn, { ...averaged, ...ignored })).toEqual([]);
  });

  it.each(goldenCases('fairness'))('$id, by formula', (one) => {
    const group = one.inputs['group'] as string[];
    const of = (metric: string) => ({ metric, group, truth: rows(one, 'y_true'), predicted: rows(one, 'y_pred') });
    expect(
      differences(one.expected.formula, {
        demographic_parity_difference: of('demographic-parity-difference'),
        disparate_impact_min_over_max: of('disparate-impact'),
        equal_opportunity_difference: of('equal-opportunity-difference'),
        equalized_odds_difference_max: of('equalized-odds-difference'),
      }),
    ).toEqual([]);
  });

  it('takes classes that do not occur for what they weigh', () => {
    const auc = (options: object) =>
      measure({
        metric: 'roc-auc',
        truth: ['a', 'c', 'a', 'c', 'c', 'a'],
        score: [
          [0.5, 0.25, 0.25],
          [0.25, 0.25, 0.5],
          [0.25, 0.5, 0.25],
          [0.5, 0.125, 0.375],
          [0.125, 0.125, 0.75],
          [0.375, 0.5, 0.125],
        ],
        options: { labels: ['a', 'b', 'c'], ...options },
      });
    // scikit-learn 1.9
    expect(auc({ average: 'weighted' }).value).toBeCloseTo(5 / 6, 12);
    expect(auc({ multiclass: 'ovo' }).value).toBeCloseTo(5 / 6, 12);
    expect(auc({ multiclass: 'ovo', average: 'weighted' }).value).toBeCloseTo(5 / 6, 12);
    expect(auc({}).status).toBe('failed');
  });
});

describe('any metric', () => {
  it.each(metricNames())('%s answers a value or a reason, whatever the rows', (metric) => {
    const value = fc.constantFrom(null, 0, 1, 2, 'a', 'b', true, Number.NaN, -1e300);
    const score = fc.constantFrom(null, 0, 0.2, 1, Number.NaN, Infinity);
    const row = fc.tuple(value, value, value, score);
    fc.assert(
      fc.property(fc.array(row, { maxLength: 12 }), (all) => {
        const column = (i: 0 | 1 | 2) => all.map((one) => one[i]);
        const answer = measure({
          metric,
          truth: column(0),
          predicted: column(1),
          group: column(2),
          score: all.map((one) => one[3]),
        });
        expect(answer.status === 'ok' ? answer.value !== null : answer.reason !== null).toBe(true);
        if (answer.interval !== null && answer.value !== null && Number.isFinite(answer.value))
          expect(answer.interval[0] <= answer.value && answer.value <= answer.interval[1]).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('says what it lacks', () => {
    expect(measure({ metric: 'roc-auc', truth: [1, 0] }).reason).toBe('score: missing; the metric reads truth, score');
    expect(measure({ metric: 'accuracy', truth: [1, 0], predicted: [1] }).reason).toContain(
      'arrays of one length, got 2, 1',
    );
    expect(measure({ metric: 'acuracy' }).reason).toContain('did you mean accuracy?');
    expect(measure({ metric: 'accuracy', truth: [1, null], predicted: [null, 1] }).reason).toBe('no rows');
  });
});
