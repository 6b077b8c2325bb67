/**
 * The verdict on a model's performance from counts of labelled predictions (architecture, section 5). Pure.
 *
 * `drifted`: the interval of a metric, at its share of the budget and widened by the baseline's movement between windows, lies wholly on
 * the worse side of its threshold: the floor, or the baseline less the smallest loss worth waking for, whichever is stricter.
 * The interval that is shown is the 95 % interval of the rows alone.
 */
import type { PerformanceBaseline } from '../contracts/baseline.ts';
import { durationMs } from '../contracts/duration.ts';
import { METRICS, type Monitor } from '../contracts/monitor.ts';
import type { MetricResult, PerformanceResult, Verdict } from '../contracts/result.ts';
import { type Estimate, undefinedEstimate } from '../stats/estimate.ts';
import { effectiveSize } from '../stats/tally.ts';
import { levelOf } from './budget.ts';
import {
  binaryEstimates,
  calibrationOf,
  confusionOf,
  multiclassEstimates,
  positiveClass,
  weightOf,
} from './performance-classification.ts';
import type { PerformanceCounts } from './performance-counts.ts';
import { judgeMetric, thresholdOf } from './performance-judgement.ts';
import { clampedRows, regressionEstimates } from './performance-numbers.ts';
import { mergePerformanceCounts } from './performance-rows.ts';
import { round12 } from './round.ts';

const SHOWN_ALPHA = 0.05;
/** Windows of a baseline with fewer labels say nothing of how the metric moves. */
const BASELINE_WINDOW_LABELS = 30;

export type PerformanceMonitor = Pick<Monitor, 'task' | 'positive' | 'performance' | 'truth' | 'window' | 'budget'>;

export interface PerformanceOptions {
  /** The window is older than the label horizon. */
  readonly mature: boolean;
  /** Length of the judged window, milliseconds; the monitor's own when absent. */
  readonly lengthMs?: number;
}

export type JudgedPerformance = Pick<
  PerformanceResult,
  'status' | 'mature' | 'predictions' | 'labels' | 'coverage' | 'conflicts' | 'metrics' | 'confusion' | 'calibration'
>;

/** `baseline`: the performance part of the baseline in force, `null` when it has none (then floors alone decide). */
export function performanceResult(
  counts: PerformanceCounts,
  monitor: PerformanceMonitor,
  baseline: PerformanceBaseline | null,
  options: PerformanceOptions,
): JudgedPerformance {
  const positive =
    counts.kind === 'classification' && monitor.task === 'binary-classification'
      ? positiveClass(counts, monitor.positive ?? baseline?.positive)
      : null;
  const coverage = counts.predictions > 0 ? counts.labels / counts.predictions : null;
  const state = stateOf(counts, monitor, coverage, options.mature);
  const estimates = estimatesOf(counts, monitor, positive);
  const names = metricNames(monitor);
  const alpha = metricAlpha(monitor, names.length, options.lengthMs ?? durationMs(monitor.window.every));
  const metrics = names.map((name) => metricResult(name, estimates[name], monitor, baseline, state, alpha));
  return {
    status: state ?? overall(metrics),
    mature: options.mature,
    predictions: counts.predictions,
    labels: counts.labels,
    coverage: coverage === null ? null : round12(coverage),
    conflicts: counts.conflicts,
    metrics,
    confusion: counts.kind === 'classification' ? confusionOf(counts) : null,
    calibration:
      counts.kind === 'classification'
        ? (calibrationOf(counts, positive)?.map(({ score, truth, rows }) => ({
            score: round12(score),
            truth: round12(truth),
            rows,
          })) ?? null)
        : null,
  };
}

/**
 * The baseline's performance: each metric over all windows together, and its values and standard errors window by window (windows with
 * at least 30 labels where the metric is defined). `null` without labels or for the task `none`.
 */
export function performanceBaseline(
  countsPerWindow: readonly PerformanceCounts[],
  monitor: Pick<Monitor, 'task' | 'positive' | 'performance'>,
): PerformanceBaseline | null {
  const [first, ...others] = countsPerWindow;
  if (first === undefined || monitor.task === 'none') return null;
  const all = others.reduce(mergePerformanceCounts, first);
  const positive =
    all.kind === 'classification' && monitor.task === 'binary-classification'
      ? positiveClass(all, monitor.positive)
      : null;
  const pooled = estimatesOf(all, monitor, positive);
  const windows = countsPerWindow
    .filter((counts) => labelledRows(counts) >= BASELINE_WINDOW_LABELS)
    .map((counts) => estimatesOf(counts, monitor, positive));
  const metrics: Record<string, PerformanceBaseline['metrics'][string]> = {};
  for (const name of METRICS[monitor.task]) {
    const value = pooled[name]?.value;
    if (value === null || value === undefined) continue;
    const known = windows.flatMap((estimates) => {
      const estimate = estimates[name];
      return estimate?.value === null || estimate === undefined || estimate.standardError === null
        ? []
        : [{ value: round12(estimate.value), error: round12(estimate.standardError) }];
    });
    metrics[name] = {
      value: round12(value),
      windows: known.map((window) => window.value),
      errors: known.map((window) => window.error),
    };
  }
  return Object.keys(metrics).length === 0 ? null : { positive, metrics };
}

/** Two-sided level of one metric in one window: its share of the budget on the worse side, hence twice that. */
export function metricAlpha(monitor: Pick<Monitor, 'budget'>, metrics: number, lengthMs: number): number {
  const level = levelOf({
    budget: monitor.budget,
    signal: 'performance',
    scales: [lengthMs],
    scale: 0,
    comparisons: metrics,
  });
  return Math.max(1e-12, Math.min(0.5, 2 * level));
}

function metricNames(monitor: PerformanceMonitor): readonly string[] {
  const wanted = monitor.performance.metrics;
  return wanted === 'auto' ? METRICS[monitor.task] : wanted;
}

function estimatesOf(
  counts: PerformanceCounts,
  monitor: Pick<Monitor, 'task'>,
  positive: string | null,
): Record<string, Estimate> {
  if (counts.kind === 'regression') {
    const estimates = regressionEstimates(counts);
    if (clampedRows(counts) === 0) return estimates;
    // Kept at the limit, errors are understated, which is said; R² may be off either way and has no value then. MAPE has limits of its own.
    const reason = 'beyond-fixed-point';
    const { mae, rmse, bias, ...rest } = estimates as Record<'mae' | 'rmse' | 'bias', Estimate>;
    return {
      ...rest,
      mae: { ...mae, reason },
      rmse: { ...rmse, reason },
      bias: { ...bias, reason },
      r2: undefinedEstimate(reason),
    };
  }
  return monitor.task === 'binary-classification' ? binaryEstimates(counts, positive) : multiclassEstimates(counts);
}

/** What forbids a verdict on any metric, or `null`. */
function stateOf(
  counts: PerformanceCounts,
  monitor: PerformanceMonitor,
  coverage: number | null,
  mature: boolean,
): Exclude<Verdict, 'ok' | 'drifted'> | null {
  if (!mature) return 'immature';
  if (coverage !== null && coverage < monitor.truth.minimumCoverage) return 'stale';
  if (labelledRows(counts) < monitor.window.minimumRows) return 'insufficient-data';
  return null;
}

/** Effective labelled rows that went into the counts. */
function labelledRows(counts: PerformanceCounts): number {
  let w = 0;
  let w2 = 0;
  for (const { weightCode, n } of counts.cells) {
    const weight = weightOf(weightCode);
    w += weight * n;
    w2 += weight * weight * n;
  }
  return effectiveSize({ w, w2 });
}

function metricResult(
  metric: string,
  estimate: Estimate = undefinedEstimate('not-a-metric-of-the-task'),
  monitor: PerformanceMonitor,
  baseline: PerformanceBaseline | null,
  state: Exclude<Verdict, 'ok' | 'drifted'> | null,
  alpha: number,
): MetricResult {
  const known = baseline?.metrics[metric] ?? null;
  const limits = { floor: monitor.performance.floor[metric], smallestLoss: monitor.performance.smallestLoss };
  const interval = estimate.bounds(SHOWN_ALPHA);
  const threshold = thresholdOf(metric, known, limits);
  const judged = state === null ? judgeMetric(metric, estimate, known, limits, alpha) : null;
  const reason = estimate.reason ?? judged?.reason;
  return {
    metric,
    status: state ?? judged?.status ?? 'insufficient-data',
    value: estimate.value === null ? null : round12(estimate.value),
    interval: interval === null ? null : [round12(interval[0]), round12(interval[1])],
    baseline: known === null ? null : round12(known.value),
    threshold: threshold === null ? null : round12(threshold),
    ...(reason !== undefined && { reason }),
  };
}

/** `drifted` if any is, `ok` if any was judged, else `insufficient-data`. */
function overall(metrics: readonly MetricResult[]): Verdict {
  if (metrics.some(({ status }) => status === 'drifted')) return 'drifted';
  return metrics.some(({ status }) => status === 'ok') ? 'ok' : 'insufficient-data';
}
