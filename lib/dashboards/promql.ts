/** PromQL of the dashboards: selectors over the catalogue of metrics, narrowed to what the variables choose. */
import { METRIC, type MetricDefinition } from '../contracts/metric-names.ts';
import { SEVERITIES, type Severity, VERDICTS, type Verdict } from '../contracts/result.ts';

/** Narrowing to the chosen model, feature and statistics. */
export const MODEL = 'model="$model"';
export const FEATURE = 'feature="$feature"';

/** Series of the metric that the chosen jobs and instances export. */
export function of({ name }: MetricDefinition, ...matchers: readonly string[]): string {
  return named(name, matchers);
}

/** Of a histogram, the series with its buckets. */
export function bucketsOf({ name }: MetricDefinition, ...matchers: readonly string[]): string {
  return named(`${name}_bucket`, matchers);
}

function named(name: string, matchers: readonly string[]): string {
  return `${name}{${['job=~"$job"', 'instance=~"$instance"', ...matchers].join(', ')}}`;
}

/** Of a counter, what it grows by in a second. */
export function rateOf(definition: MetricDefinition, ...matchers: readonly string[]): string {
  return `rate(${of(definition, ...matchers)}[$__rate_interval])`;
}

/**
 * Several instances may export the same state, for a moment or for good: whatever is told of a model is the highest of what they say, so that a
 * rebalance neither doubles it nor makes it flicker.
 */
export function highest(labels: string, expr: string): string {
  return `max by (${labels}) (${expr})`;
}

/** The clock of the platform, a scalar. */
export const NOW = `scalar(max(${of(METRIC.platformTime)}))`;

/** The same series for the monitor's own window alone, without longer scales. */
export function ownWindow(expr: string): string {
  return `${expr} and on (model, length) ${of(METRIC.windowDue)}`;
}

/** Worse is higher. */
export const VERDICT_CODE: Readonly<Record<Verdict, number>> = {
  ok: 1,
  learning: 2,
  'insufficient-data': 3,
  immature: 4,
  drifted: 5,
  stale: 6,
  failed: 7,
};

/** The code of the verdict of the newest window, by these labels. */
export function verdictCode(labels: string, ...matchers: readonly string[]): string {
  const states = VERDICTS.map(
    (state) => `${of(METRIC.windowState, ...matchers, `state="${state}"`)} * ${VERDICT_CODE[state]}`,
  );
  return highest(labels, states.join(' or '));
}

/** 0 where nothing is open. */
export const SEVERITY_CODE: Readonly<Record<Severity, number>> = { info: 1, warning: 2, critical: 3 };

/** The code of the worst severity among open episodes, by these labels. */
export function severityCode(labels: string, ...matchers: readonly string[]): string {
  const severities = SEVERITIES.map(
    (severity) => `${of(METRIC.episodeOpen, ...matchers, `severity="${severity}"`)} * ${SEVERITY_CODE[severity]}`,
  );
  return highest(labels, severities.join(' or '));
}
