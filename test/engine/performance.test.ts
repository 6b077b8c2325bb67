import { describe, expect, it } from 'vitest';
import { parseMonitor } from '../../lib/contracts/monitor.ts';
import { metricAlpha, performanceBaseline, performanceResult } from '../../lib/engine/performance.ts';
import type { PerformanceCounts } from '../../lib/engine/performance-counts.ts';
import { judgeMetric, movementOf, thresholdOf } from '../../lib/engine/performance-judgement.ts';
import { countClassification, countRegression } from '../../lib/engine/performance-rows.ts';
import { proportion } from '../../lib/stats/estimate.ts';
import { type Random, seededRandom } from '../../lib/stats/random.ts';

function monitorOf(more: Record<string, unknown> = {}) {
  const { monitor, problems } = parseMonitor({ model: 'm', task: 'binary-classification', positive: 'late', ...more });
  if (monitor === null) throw new Error(JSON.stringify(problems));
  return monitor;
}

/** Predictions right with this chance; `labels` of `predictions` are labelled. */
function windowOf(random: Random, labels: number, right: number, predictions = labels): PerformanceCounts {
  const rows = Array.from({ length: labels }, () => {
    const truth = random.next() < 0.3 ? 'late' : 'on-time';
    const predicted = random.next() < right ? truth : truth === 'late' ? 'on-time' : 'late';
    return { truth, predicted, score: predicted === 'late' ? 0.5 + random.next() / 2 : random.next() / 2 };
  });
  return countClassification(rows, { predictions, labels, conflicts: 0 });
}

const MATURE = { mature: true };

describe('the state of a window', () => {
  const random = seededRandom(1);
  const monitor = monitorOf();

  it('is immature, stale or insufficient before it is anything else', () => {
    expect(performanceResult(windowOf(random, 500, 0.9), monitor, null, { mature: false }).status).toBe('immature');
    const stale = performanceResult(windowOf(random, 500, 0.9, 1_200), monitor, null, MATURE);
    expect(stale).toMatchObject({ status: 'stale', coverage: 0.416666666667 });
    expect(performanceResult(windowOf(random, 199, 0.9), monitor, null, MATURE).status).toBe('insufficient-data');
    const empty = performanceResult(windowOf(random, 0, 0.9), monitor, null, MATURE);
    expect(empty).toMatchObject({ status: 'insufficient-data', coverage: null, confusion: null, calibration: null });
    for (const metric of empty.metrics) expect(metric).toMatchObject({ value: null, interval: null });
  });

  it('shows every metric of the task with its 95 % interval, and judges none without a threshold', () => {
    const result = performanceResult(windowOf(random, 1_000, 0.9), monitor, null, MATURE);
    expect(result.metrics.map(({ metric }) => metric)).toEqual([
      'accuracy',
      'precision',
      'recall',
      'f1',
      'specificity',
      'log-loss',
      'brier',
      'roc-auc',
      'average-precision',
    ]);
    expect(result.status).toBe('ok');
    for (const { value, interval, threshold, reason } of result.metrics) {
      expect(interval![0]).toBeLessThan(value!);
      expect(interval![1]).toBeGreaterThan(value!);
      expect(threshold).toBeNull();
      expect(reason).toBe('no-threshold');
    }
    expect(result.confusion!.classes).toEqual(['late', 'on-time']);
  });

  it('drifts when a floor lies beyond the interval, not when it is only crossed', () => {
    const floored = monitorOf({ performance: { floor: { accuracy: 0.9 } } });
    const status = (right: number) => performanceResult(windowOf(seededRandom(3), 1_000, right), floored, null, MATURE);
    expect(status(0.89).metrics[0]).toMatchObject({ status: 'ok', threshold: 0.9 });
    expect(status(0.8)).toMatchObject({ status: 'drifted' });
    expect(status(0.8).metrics[0]).toMatchObject({ metric: 'accuracy', status: 'drifted' });
  });
});

describe('against a baseline', () => {
  it('sees a loss and stays quiet without one', () => {
    const random = seededRandom(8);
    const monitor = monitorOf();
    const baseline = performanceBaseline(
      Array.from({ length: 30 }, () => windowOf(random, 1_000, 0.9)),
      monitor,
    )!;
    expect(baseline.positive).toBe('late');
    expect(baseline.metrics['accuracy']!.value).toBeCloseTo(0.9, 1);
    expect(baseline.metrics['accuracy']!.windows).toHaveLength(30);
    let drifted = 0;
    for (let i = 0; i < 60; i++)
      if (performanceResult(windowOf(random, 1_000, 0.9), monitor, baseline, MATURE).status === 'drifted') drifted++;
    expect(drifted).toBe(0);
    const worse = performanceResult(windowOf(random, 1_000, 0.8), monitor, baseline, MATURE);
    expect(worse.metrics.filter(({ status }) => status === 'drifted').map(({ metric }) => metric)).toContain(
      'accuracy',
    );
    // better is never an alarm
    expect(performanceResult(windowOf(random, 1_000, 0.99), monitor, baseline, MATURE).status).toBe('ok');
  });

  it('keeps its budget when the true accuracy moves from window to window', () => {
    const random = seededRandom(21);
    const monitor = monitorOf({ performance: { metrics: ['accuracy'] } });
    const moving = () => windowOf(random, 600, 0.85 + 0.05 * random.normal());
    const still = { ...performanceBaseline(Array.from({ length: 20 }, moving), monitor)! };
    const ignorant = { ...still, metrics: { accuracy: { value: still.metrics['accuracy']!.value, windows: [] } } };
    let drifted = 0;
    let withoutMovement = 0;
    for (let i = 0; i < 150; i++) {
      const counts = moving();
      if (performanceResult(counts, monitor, still, MATURE).status === 'drifted') drifted++;
      if (performanceResult(counts, monitor, ignorant, MATURE).status === 'drifted') withoutMovement++;
    }
    // A budget of 0.2 in 30 windows is one in 150; what the windows' movement is worth shows when it is left out.
    expect(drifted).toBeLessThanOrEqual(3);
    expect(withoutMovement).toBeGreaterThan(5);
  });

  it('needs labels and windows to exist', () => {
    expect(performanceBaseline([], monitorOf())).toBeNull();
    expect(performanceBaseline([countClassification([])], monitorOf())).toBeNull();
    const tiny = performanceBaseline([windowOf(seededRandom(1), 10, 0.9)], monitorOf())!;
    expect(tiny.metrics['accuracy']!.windows).toEqual([]);
  });
});

describe('regression', () => {
  const monitor = monitorOf({ task: 'regression', positive: undefined, performance: { smallestLoss: 0.05 } });
  const point = { center: 0, unit: 2 ** -16 };
  const numbers = (random: Random, noise: number, shift = 0) =>
    countRegression(
      Array.from({ length: 800 }, () => {
        const truth = 2 * random.normal();
        return { truth, predicted: truth + shift + noise * random.normal() };
      }),
      point,
    );

  it('sees larger errors and a bias to either side', () => {
    const random = seededRandom(6);
    const baseline = performanceBaseline(
      Array.from({ length: 14 }, () => numbers(random, 0.5)),
      monitor,
    )!;
    const drifted = (counts: PerformanceCounts) =>
      performanceResult(counts, monitor, baseline, MATURE)
        .metrics.filter(({ status }) => status === 'drifted')
        .map(({ metric }) => metric);
    expect(drifted(numbers(random, 0.5))).toEqual([]);
    expect(drifted(numbers(random, 0.9))).toEqual(expect.arrayContaining(['mae', 'rmse', 'r2']));
    expect(drifted(numbers(random, 0.5, 0.3))).toContain('bias');
    expect(drifted(numbers(random, 0.5, -0.3))).toContain('bias');
  });

  it('says when errors lie beyond the fixed point', () => {
    const counts = countRegression([{ truth: 0, predicted: 1e9 }], point);
    const result = performanceResult(counts, monitor, null, MATURE);
    const reasons = Object.fromEntries(result.metrics.map(({ metric, value, reason }) => [metric, { value, reason }]));
    expect(reasons['rmse']).toEqual({ value: 256, reason: 'beyond-fixed-point' });
    expect(reasons['r2']).toEqual({ value: null, reason: 'beyond-fixed-point' });
    expect(reasons['mape']!.reason).toBe('truth-is-zero');
    expect(result.confusion).toBeNull();
  });
});

describe('one metric', () => {
  it('takes the stricter of floor and baseline', () => {
    const baseline = { value: 0.9, windows: [] };
    expect(thresholdOf('accuracy', baseline, { floor: 0.7, smallestLoss: 0.02 })).toBeCloseTo(0.88, 12);
    expect(thresholdOf('accuracy', baseline, { floor: 0.95, smallestLoss: 0.02 })).toBe(0.95);
    expect(thresholdOf('log-loss', baseline, { floor: 0.7, smallestLoss: 0.02 })).toBe(0.7);
    expect(thresholdOf('log-loss', baseline, { floor: undefined, smallestLoss: 0.02 })).toBeCloseTo(0.92, 12);
    expect(thresholdOf('bias', baseline, { floor: undefined, smallestLoss: 0.02 })).toBe(0.02);
    expect(thresholdOf('accuracy', null, { floor: undefined, smallestLoss: 0.02 })).toBeNull();
  });

  it('turns from ok to drifted exactly once as the value falls', () => {
    const limits = { floor: 0.8, smallestLoss: 0.02 };
    const verdicts = Array.from(
      { length: 101 },
      (_, i) => judgeMetric('accuracy', proportion(1 - i / 100, 500), null, limits, 0.01).status,
    );
    const turn = verdicts.indexOf('drifted');
    expect(turn).toBeGreaterThan(20);
    expect(verdicts.slice(turn).every((status) => status === 'drifted')).toBe(true);
  });

  it('takes from the windows only what their rows do not explain', () => {
    const windows = [0.8, 0.9, 0.85, 0.87, 0.83];
    const all = movementOf({ value: 0.85, windows }, 0.05);
    const explained = movementOf({ value: 0.85, windows, errors: windows.map(() => 0.05) }, 0.05);
    expect(explained).toBeLessThan(all);
    expect(movementOf({ value: 0.85, windows: [0.8] }, 0.05)).toBe(0);
    expect(movementOf(null, 0.05)).toBe(0);
  });

  it('has a level that follows budget, metrics and window', () => {
    const day = 86_400_000;
    expect(metricAlpha({ budget: '1 per 30d' }, 1, day)).toBeCloseTo((2 * 0.2) / 30, 12);
    expect(metricAlpha({ budget: '1 per 30d' }, 9, day)).toBeCloseTo((2 * 0.2) / 30 / 9, 12);
    expect(metricAlpha({ budget: '2 per 30d' }, 1, day / 24)).toBeCloseTo((2 * 2 * 0.2) / 720, 12);
  });
});
