import { describe, expect, it } from 'vitest';
import {
  binaryEstimates,
  calibrationOf,
  confusionOf,
  multiclassEstimates,
  positiveClass,
  scoreBins,
} from '../../lib/engine/performance-classification.ts';
import { clampedRows, regressionEstimates, regressionFixedPoint } from '../../lib/engine/performance-numbers.ts';
import { countClassification, countRegression } from '../../lib/engine/performance-rows.ts';
import { aucResolution } from '../../lib/stats/performance-binary.ts';
import { seededRandom } from '../../lib/stats/random.ts';
import { goldenCases, near } from '../stats/golden.ts';

/** scikit-learn answers 0 for 0/0; here it is undefined. */
function metricAgrees(value: number | null, expected: unknown, rel: number, abs: number): boolean {
  return value === null ? expected === 0 || expected === 'NaN' : near(value, expected, rel, abs);
}

describe('binary metrics on the golden samples', () => {
  for (const one of goldenCases('binary_clf')) {
    it(one.id, () => {
      const { score, y_true, y_pred } = one.inputs as Record<string, number[]>;
      const counts = countClassification(
        y_true!.map((truth, i) => ({ truth: `${truth}`, predicted: `${y_pred![i]}`, score: score![i]! })),
      );
      const estimates = binaryEstimates(counts, '1');
      const expected = one.expected.sklearn;
      const exact = (metric: string, key: string): void => {
        const { value } = estimates[metric]!;
        expect([metric, value, expected[key], metricAgrees(value, expected[key], 1e-12, 1e-14)]).toContain(true);
      };
      for (const metric of ['accuracy', 'precision', 'recall', 'f1', 'specificity']) exact(metric, metric);
      // Fixed point of 1e-6 a row, half of it at most; three roundings in the Brier score.
      expect(estimates['brier']!.value).toSatisfy((value: number) => metricAgrees(value, expected.brier, 0, 2e-6));
      expect(estimates['log-loss']!.value).toSatisfy((value: number) =>
        metricAgrees(value, expected.log_loss, 0, 5.1e-7),
      );
      const resolution = aucResolution(scoreBins(counts.cells, '1'));
      expect(estimates['roc-auc']!.value).toSatisfy((value: number) =>
        metricAgrees(value, expected.roc_auc, 0, resolution + 1e-12),
      );
      const tied = one.id.includes('tied');
      if (tied) exact('roc-auc', 'roc_auc');
      expect(estimates['average-precision']!.value).toSatisfy((value: number) =>
        metricAgrees(value, expected.average_precision, 0, tied ? 1e-12 : 0.02),
      );
    });
  }
});

describe('multiclass metrics on the golden samples', () => {
  for (const one of goldenCases('multi_clf')) {
    it(one.id, () => {
      const { y_true, y_pred } = one.inputs as Record<string, string[]>;
      const counts = countClassification(y_true!.map((truth, i) => ({ truth, predicted: y_pred![i]!, score: null })));
      const estimates = multiclassEstimates(counts);
      const expected = one.expected.sklearn;
      for (const [metric, key] of [
        ['accuracy', 'accuracy'],
        ['precision', 'precision_macro'],
        ['recall', 'recall_macro'],
        ['f1', 'f1_macro'],
      ] as const)
        expect(estimates[metric]!.value).toSatisfy((value: number) => near(value, expected[key], 1e-12, 1e-14));
      const confusion = confusionOf(counts)!;
      if (confusion.classes.length === (one.params['labels'] as string[]).length)
        expect(confusion.counts).toEqual(expected.confusion_matrix);
    });
  }
});

describe('regression metrics on the golden samples', () => {
  for (const one of goldenCases('regression')) {
    it(one.id, () => {
      const { y_true, y_pred } = one.inputs as Record<string, number[]>;
      const rows = y_true!.map((truth, i) => ({ truth, predicted: y_pred![i]! }));
      // The unit that keeps the heaviest tail of the cases within the limit.
      const unit = 2 ** -9;
      const counts = countRegression(rows, { center: 4, unit });
      expect(clampedRows(counts)).toBe(0);
      const estimates = regressionEstimates(counts);
      const expected = one.expected.sklearn;
      const worst = Math.max(...rows.map(({ truth, predicted }) => Math.abs(truth - predicted)));
      expect(estimates['mae']!.value).toSatisfy((value: number) => near(value, expected.mae, 0, unit / 2));
      expect(estimates['bias']!.value).toSatisfy((value: number) =>
        near(value, expected.mean_error_pred_minus_true, 0, unit / 2),
      );
      expect(estimates['rmse']!.value).toSatisfy((value: number) => near(value, expected.rmse, 0, unit / 2));
      const constant = new Set(y_true).size === 1;
      if (constant)
        expect(estimates['r2']).toMatchObject({ value: null, reason: expect.stringMatching(/^(constant|one)/) });
      else
        expect(estimates['r2']!.value).toSatisfy((value: number) => near(value, expected.r2, 1e-3, unit * (1 + worst)));
      if (y_true!.every((truth) => truth !== 0))
        expect(estimates['mape']!.value).toSatisfy((value: number) => near(value, expected.mape, 0, 5.1e-7));
    });
  }

  it('has no loss of digits worth naming at the unit that a baseline gives', () => {
    const random = seededRandom(1);
    const truth = Array.from({ length: 2_000 }, () => 1e6 + 50 * random.normal());
    const rows = truth.map((y) => ({ truth: y, predicted: y + 5 * random.normal() }));
    const fixedPoint = regressionFixedPoint({
      columns: [{ type: 'numeric', role: 'prediction', mean: 1e6, std: 50 } as never],
    });
    const { mae, rmse, r2 } = regressionEstimates(countRegression(rows, fixedPoint));
    const errors = rows.map(({ truth: y, predicted }) => predicted - y);
    const square = errors.reduce((sum, e) => sum + e * e, 0) / errors.length;
    const mean = truth.reduce((a, b) => a + b) / truth.length;
    const spread = truth.reduce((sum, y) => sum + (y - mean) ** 2, 0) / truth.length;
    expect(mae!.value! / (errors.reduce((sum, e) => sum + Math.abs(e), 0) / errors.length)).toBeCloseTo(1, 5);
    expect(rmse!.value! / Math.sqrt(square)).toBeCloseTo(1, 6);
    expect(r2!.value).toBeCloseTo(1 - square / spread, 7);
  });
});

describe('intervals', () => {
  it('cover the truth about as often as they say', () => {
    const random = seededRandom(99);
    const trials = 300;
    // Positives N(1, 1), negatives N(0, 1) through the logistic function: AUC = Φ(1/√2); labels follow the score's order, not its size
    const truths: Record<string, number> = {
      'roc-auc': 0.7602499389065233,
      recall: 0.6914624612740131,
      precision: 0.6914624612740131,
      accuracy: 0.6914624612740131,
      f1: 0.6914624612740131,
    };
    const covered: Record<string, number> = {};
    for (let trial = 0; trial < trials; trial++) {
      const rows = Array.from({ length: 200 }, () => {
        const positive = random.next() < 0.5;
        const x = random.normal() + (positive ? 1 : 0);
        return {
          truth: positive ? '1' : '0',
          predicted: x > 0.5 ? '1' : '0',
          score: 1 / (1 + Math.exp(-x)),
        };
      });
      const estimates = binaryEstimates(countClassification(rows), '1');
      for (const [name, truth] of Object.entries(truths)) {
        const [low, high] = estimates[name]!.bounds(0.05)!;
        if (low <= truth && truth <= high) covered[name] = (covered[name] ?? 0) + 1;
      }
    }
    for (const name of Object.keys(truths)) {
      expect(covered[name]! / trials).toBeGreaterThan(0.9);
      expect(covered[name]! / trials).toBeLessThan(0.99);
    }
  });

  it('cover for macro averages and numbers', () => {
    const random = seededRandom(41);
    const trials = 300;
    let macro = 0;
    let determination = 0;
    for (let trial = 0; trial < trials; trial++) {
      // three classes of shares .5 .3 .2, kept with .8, else one of the three at random: recall .8 + .2/3 for each
      const rows = Array.from({ length: 300 }, () => {
        const truth = pick(random.next());
        return { truth, predicted: random.next() < 0.8 ? truth : 'abc'[random.integer(3)]!, score: null };
      });
      const [low, high] = multiclassEstimates(countClassification(rows))['recall']!.bounds(0.05)!;
      if (low <= 0.8 + 0.2 / 3 && 0.8 + 0.2 / 3 <= high) macro++;
      // truth N(0, 1), error N(0, ½): R² = ¾
      const numbers = Array.from({ length: 200 }, () => {
        const truth = random.normal();
        return { truth, predicted: truth + 0.5 * random.normal() };
      });
      const r2 = regressionEstimates(countRegression(numbers, { center: 0, unit: 2 ** -16 }))['r2']!.bounds(0.05)!;
      if (r2[0] <= 0.75 && 0.75 <= r2[1]) determination++;
    }
    for (const covered of [macro, determination]) {
      expect(covered / trials).toBeGreaterThan(0.9);
      expect(covered / trials).toBeLessThan(0.99);
    }
  });

  it('have width even where all is right', () => {
    const rows = Array.from({ length: 50 }, (_, i) => ({
      truth: `${i % 2}`,
      predicted: `${i % 2}`,
      score: i % 2,
    }));
    const estimates = binaryEstimates(countClassification(rows), '1');
    for (const name of ['accuracy', 'precision', 'recall', 'f1', 'roc-auc', 'average-precision']) {
      const [low, high] = estimates[name]!.bounds(0.05)!;
      expect(high).toBeCloseTo(1, 12);
      expect(low).toBeLessThan(0.95);
    }
  });

  it('are wider when rows weigh unequally', () => {
    const rows = (weight: (i: number) => number) =>
      Array.from({ length: 400 }, (_, i) => ({
        truth: `${i % 2}`,
        predicted: i % 5 === 0 ? '1' : `${i % 2}`,
        score: null,
        weight: weight(i),
      }));
    const width = (weight: (i: number) => number): number => {
      const [low, high] = binaryEstimates(countClassification(rows(weight)), '1')['accuracy']!.bounds(0.05)!;
      return high - low;
    };
    expect(width(() => 8)).toBeCloseTo(
      width(() => 1),
      12,
    );
    expect(width((i) => (i % 3 === 0 ? 16 : 1))).toBeGreaterThan(1.2 * width(() => 1));
  });
});

describe('odd counts', () => {
  it('are answered with reasons', () => {
    const none = binaryEstimates(countClassification([]), '1');
    for (const estimate of Object.values(none))
      expect(estimate).toMatchObject({ value: null, reason: expect.any(String) });
    const noScore = binaryEstimates(countClassification([{ truth: '1', predicted: '1', score: Number.NaN }]), '1');
    expect(noScore['roc-auc']).toMatchObject({ value: null });
    expect(noScore['brier']).toMatchObject({ value: null, reason: 'no-score' });
    expect(noScore['accuracy']!.value).toBe(1);
    expect(regressionEstimates(countRegression([], { center: 0, unit: 1 }))['mae']!.reason).toBe('no-predictions');
    const one = regressionEstimates(countRegression([{ truth: 0, predicted: 2 }], { center: 0, unit: 1 }));
    expect(one['mae']).toMatchObject({ value: 2, standardError: null });
    expect(one['mape']).toMatchObject({ value: null, reason: 'truth-is-zero' });
    expect(one['r2']).toMatchObject({ value: null, reason: 'one-row' });
  });

  it('find the positive class only where it is plain', () => {
    const of = (...names: string[]) =>
      countClassification(names.map((truth) => ({ truth, predicted: truth, score: null })));
    expect(positiveClass(of('0', '1'), undefined)).toBe('1');
    expect(positiveClass(of('late', 'on-time'), undefined)).toBeNull();
    expect(positiveClass(of('late', 'on-time'), 'late')).toBe('late');
    expect(positiveClass(of('1', 'yes'), null)).toBeNull();
  });

  it('put rare classes together in the confusion', () => {
    const rows = Array.from({ length: 80 }, (_, i) =>
      Array.from({ length: i < 50 ? 3 : 1 }, () => ({ truth: `class ${i}`, predicted: `class ${i}`, score: null })),
    ).flat();
    const confusion = confusionOf(countClassification(rows))!;
    expect(confusion.classes).toHaveLength(51);
    expect(confusion.classes.at(-1)).toBe('other');
    expect(confusion.counts.flat().reduce((a, b) => a + b)).toBe(rows.length);
  });

  it('calibrate in tenths', () => {
    const rows = [0, 0.05, 0.05, 0.95, 1].map((score, i) => ({ truth: i > 1 ? '1' : '0', predicted: null, score }));
    expect(calibrationOf(countClassification(rows), '1')).toEqual([
      { score: expect.closeTo(0.1 / 3, 9), truth: expect.closeTo(1 / 3, 9), rows: 3 },
      { score: expect.closeTo(0.975, 9), truth: 1, rows: 2 },
    ]);
  });
});

function pick(u: number): string {
  return u < 0.5 ? 'a' : u < 0.8 ? 'b' : 'c';
}
