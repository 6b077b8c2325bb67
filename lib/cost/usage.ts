/** What a deployment is asked to do in a month: the ground on which every part is priced. */
import type { MetricDetail } from '../contracts/cloudwatch-metrics.ts';
import { durationMs } from '../contracts/duration.ts';
import type { Monitor } from '../contracts/monitor.ts';

export const HOURS_A_MONTH = 730;
export const MINUTES_A_MONTH = HOURS_A_MONTH * 60;
const MONTH_MS = HOURS_A_MONTH * 3_600_000;
const DAY_MS = 86_400_000;

/** One model, as far as it costs. */
export interface ModelUsage {
  readonly model: string;
  /** Judged columns: features, and score and prediction where there are such. */
  readonly columns: number;
  /** 1 for the whole, and one for each segment. */
  readonly segments: number;
  /** Lengths that are judged: the window and longer scales. */
  readonly lengths: number;
  readonly windowsPerMonth: number;
  /** Metrics of performance; 0 where no truth is expected. */
  readonly performanceMetrics: number;
  /** Hours of capture that a join of labels looks back on. */
  readonly horizonHours: number;
}

export interface Usage {
  readonly models: readonly ModelUsage[];
  /** Of all models together. */
  readonly eventsPerMonth: number;
  /** Bytes of an event as a line of JSON. */
  readonly eventBytes: number;
  /** How many events a producer puts into one record of the stream. */
  readonly eventsPerRecord: number;
  readonly stream: 'provisioned' | 'on-demand';
  readonly retentionDays: number;
  /** How long captured events are kept. */
  readonly captureDays: number;
  readonly prometheus: boolean;
  readonly metricDetail: MetricDetail;
  readonly alarms: number;
  readonly dashboards: number;
  readonly secrets: number;
  readonly keys: number;
}

export const USAGE_DEFAULTS = {
  /** What the producer helper does. */
  eventsPerRecord: 15,
  stream: 'on-demand',
  retentionDays: 7,
  captureDays: 90,
  prometheus: true,
  metricDetail: 'minimal',
  /** Of a platform with nothing chosen, rounded up; a test counts them. */
  alarms: 40,
  dashboards: 2,
  secrets: 2,
  keys: 1,
} as const satisfies Partial<Usage>;

/** Columns to reckon with where a monitor names no features and its baseline is not at hand. */
export const USUAL_COLUMNS = 50;

/** Bytes of an event with so many features: 1,378 were measured at 50. */
export function eventBytes(columns: number): number {
  return 178 + 24 * columns;
}

/** @param baselineColumns columns of the model's baseline, where it is known */
export function modelUsage(monitor: Monitor, baselineColumns?: number): ModelUsage {
  const declared = monitor.features === undefined ? undefined : Object.keys(monitor.features).length;
  const judged = (monitor.columns.score === undefined ? 0 : 1) + (monitor.columns.prediction === undefined ? 0 : 1);
  const every = durationMs(monitor.window.every);
  const scales = monitor.drift.scales?.map(durationMs) ?? [DAY_MS, 7 * DAY_MS];
  const lengths = new Set([every, ...scales.filter((scale) => scale > every)]);
  const metrics = monitor.performance.metrics;
  return {
    model: monitor.model,
    columns: baselineColumns ?? (declared === undefined ? USUAL_COLUMNS : declared + judged),
    segments: monitor.segments.reduce((sum, { top }) => sum + top, 1),
    lengths: lengths.size,
    windowsPerMonth: [...lengths].reduce((sum, length) => sum + MONTH_MS / length, 0),
    performanceMetrics: monitor.task === 'none' ? 0 : metrics === 'auto' ? 9 : metrics.length,
    horizonHours: durationMs(monitor.truth.horizon) / 3_600_000,
  };
}

/** Fills in what was left open with the defaults of the constructs. */
export function usage(
  given: Pick<Usage, 'models' | 'eventsPerMonth'> & { readonly [K in keyof Usage]?: Usage[K] | undefined },
): Usage {
  const columns = given.models.reduce((sum, model) => sum + model.columns, 0) / Math.max(1, given.models.length);
  const stated = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...USAGE_DEFAULTS, eventBytes: eventBytes(columns || USUAL_COLUMNS), ...stated } as Usage;
}
