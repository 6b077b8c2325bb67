/**
 * What is exported of a model: from its newest results a summary, small enough that those of a thousand models lie in one object; from the
 * summary the state that rules watch, from a whole result the statistics of its features, for graphs. Pure.
 */
import { durationMs, durationText } from '../contracts/duration.ts';
import type { EpisodeState } from '../contracts/episode.ts';
import type { LearningView } from '../contracts/learning.ts';
import { METRIC, type MetricDefinition } from '../contracts/metric-names.ts';
import type { Monitor } from '../contracts/monitor.ts';
import {
  type PerformanceResult,
  SEVERITIES,
  type Severity,
  SIGNALS,
  type Signal,
  VERDICTS,
  type Verdict,
  type WindowResult,
} from '../contracts/result.ts';
import type { Sample } from './ports.ts';

/** The newest judged window of one length. Times are milliseconds since 1970. */
export interface WindowSummary {
  readonly version: string;
  readonly end: number;
  readonly revision: number;
  readonly rows: number;
  readonly status: Verdict;
  readonly evaluated: number;
  readonly drifted: number;
  /** Milliseconds. */
  readonly latency: { readonly p50: number | null; readonly p90: number | null; readonly p99: number | null } | null;
  /** Of the monitor's own window alone. */
  readonly baseline: { readonly version: string; readonly n: number } | null;
}

/** The newest window with labels. */
export interface PerformanceSummary {
  readonly version: string;
  readonly end: number;
  readonly revision: number;
  /** Labels. */
  readonly rows: number;
  readonly coverage: number | null;
  readonly metrics: readonly (readonly [metric: string, value: number | null, threshold: number | null])[];
}

/** The worst severity of the open episodes, by signal. */
export type OpenEpisodes = Readonly<Partial<Record<Signal, Severity>>>;

export interface ModelSummary {
  /** By length. */
  readonly windows: Readonly<Record<string, WindowSummary>>;
  readonly performance: PerformanceSummary | null;
  readonly episodes: OpenEpisodes;
}

/** Families that belong to models, for sinks that can end single series. */
export const MODEL_FAMILIES: readonly string[] = [
  METRIC.windowRows,
  METRIC.windowEnd,
  METRIC.windowEvaluated,
  METRIC.windowDue,
  METRIC.labelsDue,
  METRIC.windowState,
  METRIC.driftedFeatures,
  METRIC.featureDrifted,
  METRIC.metricValue,
  METRIC.metricThreshold,
  METRIC.performanceValue,
  METRIC.performanceThreshold,
  METRIC.performanceWindowEnd,
  METRIC.labelCoverage,
  METRIC.latency,
  METRIC.episodeOpen,
  METRIC.modelInfo,
  METRIC.baselineInfo,
  METRIC.learningRatio,
  METRIC.learningHeld,
].map(({ name }) => name);

/** None where there is no number. */
export function sample(
  { name }: MetricDefinition,
  labels: Readonly<Record<string, string>>,
  value: number | null,
): Sample[] {
  return value === null || !Number.isFinite(value) ? [] : [{ name, labels, value }];
}

export function summaryOfWindow(result: WindowResult): WindowSummary {
  const { baseline, revision, evaluatedAt } = result.provenance;
  const { latency } = result;
  return {
    version: result.version,
    end: Date.parse(result.end),
    revision,
    rows: result.rows,
    status: result.status,
    evaluated: Date.parse(evaluatedAt),
    drifted: result.features.filter(({ status }) => status === 'drifted').length,
    latency: latency === null ? null : { p50: latency.p50, p90: latency.p90, p99: latency.p99 },
    baseline: baseline === null || !result.base ? null : { version: baseline.version, n: baseline.n },
  };
}

/** `null` without a label: nothing is known then. */
export function summaryOfPerformance(result: PerformanceResult): PerformanceSummary | null {
  if (result.labels === 0) return null;
  return {
    version: result.version,
    end: Date.parse(result.end),
    revision: result.provenance.revision,
    rows: result.labels,
    coverage: result.coverage,
    metrics: result.metrics.map(({ metric, value, threshold }) => [metric, value, threshold] as const),
  };
}

type Newest = Pick<WindowSummary, 'end' | 'revision' | 'rows'>;

/** Older windows and revisions than the known ones are of no interest; of two versions in one window the one with more rows tells. */
export function isNewer(newest: Newest, known: Newest | null | undefined): boolean {
  return (
    known === null ||
    known === undefined ||
    newest.end > known.end ||
    (newest.end === known.end && (newest.rows > known.rows || newest.revision >= known.revision))
  );
}

export function openEpisodesOf(state: EpisodeState | null): OpenEpisodes {
  const open: Partial<Record<Signal, Severity>> = {};
  for (const { signal, severity, closed } of state?.episodes ?? []) {
    const known = open[signal];
    if (closed === null && (known === undefined || SEVERITIES.indexOf(severity) > SEVERITIES.indexOf(known)))
      open[signal] = severity;
  }
  return open;
}

/** Name of the monitor's own window, as results have it. */
export function lengthOf({ window }: Monitor): string {
  return durationText(durationMs(window.every));
}

/** The newest window of the monitor's own length, not of a longer scale. */
export function ownWindow<W extends WindowSummary>(
  { windows }: { readonly windows: Readonly<Record<string, W>> },
  monitor: Monitor,
): W | undefined {
  return windows[lengthOf(monitor)];
}

/** Of a baseline that is being learned; none otherwise. */
export function learningSamples(model: string, learning: LearningView | null): Sample[] {
  if (learning === null) return [];
  return [
    ...sample(METRIC.learningRatio, { model }, learning.progress),
    ...(learning.hold === null ? [] : sample(METRIC.learningHeld, { model, reason: learning.hold }, 1)),
  ];
}

/** What is written again and again, so that a rule sees it whenever it looks. */
export function stateSamples(summary: ModelSummary, monitor: Monitor): Sample[] {
  const { model } = monitor;
  return [
    ...Object.entries(summary.windows).flatMap(([length, window]) => windowSamples(model, length, window)),
    ...(summary.performance === null ? [] : performanceSamples(model, summary.performance)),
    ...sample(
      METRIC.modelInfo,
      {
        model,
        version: ownWindow(summary, monitor)?.version ?? '',
        owner: monitor.owner,
        task: monitor.task,
      },
      1,
    ),
    ...dueSamples(summary, monitor),
    ...SIGNALS.flatMap((signal) => {
      const severity = summary.episodes[signal];
      return sample(
        METRIC.episodeOpen,
        { model, signal, severity: severity ?? monitor.alerts.severity[signal] },
        severity === undefined ? 0 : 1,
      );
    }),
  ];
}

/** When labels of the window after the newest one with labels must have come, milliseconds; `null` without labels. */
export function labelsDueAt({ performance }: ModelSummary, { window, truth }: Monitor): number | null {
  if (performance === null) return null;
  return performance.end + durationMs(window.every) + durationMs(truth.horizon) + durationMs(window.lateness);
}

/** When the next window and its labels are to be known: rules compare it with the clock, whatever the length of windows. */
function dueSamples(summary: ModelSummary, monitor: Monitor): Sample[] {
  const { model, window } = monitor;
  const judged = ownWindow(summary, monitor);
  const labels = labelsDueAt(summary, monitor);
  return [
    ...sample(
      METRIC.windowDue,
      { model, length: lengthOf(monitor) },
      judged === undefined ? null : (judged.end + durationMs(window.every) + durationMs(window.lateness)) / 1_000,
    ),
    ...sample(METRIC.labelsDue, { model }, labels === null ? null : labels / 1_000),
  ];
}

function windowSamples(model: string, length: string, window: WindowSummary): Sample[] {
  const labels = { model, length };
  const { latency, baseline } = window;
  return [
    ...sample(METRIC.windowRows, labels, window.rows),
    ...sample(METRIC.windowEnd, labels, window.end / 1_000),
    ...sample(METRIC.windowEvaluated, labels, window.evaluated / 1_000),
    ...VERDICTS.flatMap((state) => sample(METRIC.windowState, { ...labels, state }, state === window.status ? 1 : 0)),
    ...sample(METRIC.driftedFeatures, labels, window.drifted),
    ...(['p50', 'p90', 'p99'] as const).flatMap((percentile) => {
      const ms = latency?.[percentile] ?? null;
      return sample(METRIC.latency, { ...labels, percentile }, ms === null ? null : ms / 1_000);
    }),
    ...(baseline === null
      ? []
      : sample(METRIC.baselineInfo, { model, version: baseline.version, number: String(baseline.n) }, 1)),
  ];
}

function performanceSamples(model: string, { end, coverage, metrics }: PerformanceSummary): Sample[] {
  return [
    ...sample(METRIC.performanceWindowEnd, { model }, end / 1_000),
    ...sample(METRIC.labelCoverage, { model }, coverage),
    ...metrics.flatMap(([statistic, value, threshold]) => [
      ...sample(METRIC.performanceValue, { model, statistic }, value),
      ...sample(METRIC.performanceThreshold, { model, statistic }, threshold),
    ]),
  ];
}

/** What the features of a window measured: many series, for graphs alone. */
export function featureSamples(result: WindowResult): Sample[] {
  const { model, length, rows } = result;
  const labels = { model, length };
  return result.features.flatMap(({ name, status, effect, pValue, threshold, missingCurrent }) => {
    const of = { ...labels, feature: name };
    const isJudged = status === 'ok' || status === 'drifted';
    return [
      ...sample(METRIC.featureDrifted, of, isJudged ? (status === 'drifted' ? 1 : 0) : null),
      ...sample(METRIC.metricValue, { ...of, statistic: 'effect' }, effect),
      ...sample(METRIC.metricValue, { ...of, statistic: 'p_value' }, pValue),
      ...sample(METRIC.metricThreshold, { ...of, statistic: 'p_value' }, threshold),
      ...sample(METRIC.metricValue, { ...of, statistic: 'missing_ratio' }, rows === 0 ? null : missingCurrent / rows),
    ];
  });
}
