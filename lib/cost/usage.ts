/** What a deployment is asked to do in a month: the ground on which every part is priced. */
import type { MetricDetail } from '../contracts/cloudwatch-metrics.ts';
import { durationMs } from '../contracts/duration.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { DEFAULT_INVENTORY, type Inventory } from './inventory.ts';

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
  /** How long its profiles and results are kept; absent: for ever. */
  readonly profileDays?: number;
  readonly resultDays?: number;
}

/** What comes in a month, as far as it is known: the rest is assumed. */
export interface Traffic {
  /** Inferences of all models together. */
  readonly eventsPerMonth: number;
  /** Bytes of an event as a line of JSON. @default what was measured, by the columns of the models */
  readonly eventBytes?: number | undefined;
  /** Events that a producer puts into one record or request. @default EVENTS_PER_RECORD: 15 */
  readonly eventsPerRecord?: number | undefined;
  /** Share of the events that come over HTTP to the collector, 0 to 1; the others are put on the stream. @default OVER_HTTP: 0 */
  readonly overHttp?: number | undefined;
  /** Who edits dashboards in a Grafana workspace of the platform in a month. @default GRAFANA_EDITORS: 1 */
  readonly grafanaEditors?: number | undefined;
  /** Who looks at them besides. @default GRAFANA_VIEWERS: 0 */
  readonly grafanaViewers?: number | undefined;
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9 };

/** A number of events as people write it: `1000000`, `1_000_000`, `1e6`, `1M`; `undefined` where it is none, or above 1e13. */
export function eventCount(text: string): number | undefined {
  const [, digits = '', unit = ''] = /^(\d[\d_]*(?:\.\d+)?(?:e\d+)?)([kMG]?)$/.exec(text) ?? [];
  const value = digits === '' ? Number.NaN : Number(digits.replaceAll('_', '')) * UNITS[unit]!;
  return Number.isSafeInteger(value) && value >= 0 && value <= 1e13 ? value : undefined;
}

/** What the producer helper does. */
export const EVENTS_PER_RECORD = 15;
/** Producers in the account put records on the stream. */
export const OVER_HTTP = 0;
/** A workspace that nobody opens costs nothing; somebody made the platform. */
export const GRAFANA_EDITORS = 1;
export const GRAFANA_VIEWERS = 0;

/** All that a bill is reckoned from, but for prices. Plain data: synthesis writes it, `mlmon cost --from` reads it. */
export interface Usage {
  readonly models: readonly ModelUsage[];
  readonly eventsPerMonth: number;
  /** `null`: as measured, by the columns of the models. */
  readonly eventBytes: number | null;
  readonly eventsPerRecord: number;
  readonly overHttp: number;
  /** `brought`: the stream of somebody else, who pays for it. */
  readonly stream: 'provisioned' | 'on-demand' | 'brought';
  /** Of a provisioned stream: so many at least, and at most. `null`: as many as the traffic takes. */
  readonly shards: { readonly least: number; readonly most: number } | null;
  readonly retentionDays: number;
  readonly captureFormat: 'parquet' | 'json-lines';
  /** How long captured events are kept; `null`: for ever, reckoned as they are after a year. */
  readonly captureDays: number | null;
  readonly prometheus: boolean;
  readonly metricDetail: MetricDetail;
  readonly grafanaEditors: number;
  readonly grafanaViewers: number;
  readonly inventory: Inventory;
}

/** Of a platform with nothing chosen; tests compare them with the constructs. */
export const USAGE_DEFAULTS = {
  eventBytes: null,
  eventsPerRecord: EVENTS_PER_RECORD,
  overHttp: OVER_HTTP,
  stream: 'on-demand',
  shards: null,
  retentionDays: 7,
  captureFormat: 'parquet',
  captureDays: null,
  prometheus: true,
  metricDetail: 'minimal',
  grafanaEditors: GRAFANA_EDITORS,
  grafanaViewers: GRAFANA_VIEWERS,
  inventory: DEFAULT_INVENTORY,
} as const satisfies Partial<Usage>;

/** What is kept for ever is reckoned as it is after so many days. */
export const FOR_EVER_DAYS = 365;

/** Columns to reckon with where a monitor names no features and its baseline is not at hand. */
export const USUAL_COLUMNS = 50;

/** @param baselineColumns columns of the model's baseline, where it is known */
export function modelUsage(monitor: Monitor, baselineColumns?: number): ModelUsage {
  const declared = monitor.features === undefined ? undefined : Object.keys(monitor.features).length;
  const judged = (monitor.columns.score === undefined ? 0 : 1) + (monitor.columns.prediction === undefined ? 0 : 1);
  const every = durationMs(monitor.window.every);
  const scales = monitor.drift.scales?.map(durationMs) ?? [DAY_MS, 7 * DAY_MS];
  const lengths = new Set([every, ...scales.filter((scale) => scale > every)]);
  const metrics = monitor.performance.metrics;
  const { profiles, results } = monitor.retention ?? {};
  return {
    model: monitor.model,
    columns: baselineColumns ?? (declared === undefined ? USUAL_COLUMNS : declared + judged),
    segments: monitor.segments.reduce((sum, { top }) => sum + top, 1),
    lengths: lengths.size,
    windowsPerMonth: [...lengths].reduce((sum, length) => sum + MONTH_MS / length, 0),
    performanceMetrics: monitor.task === 'none' ? 0 : metrics === 'auto' ? 9 : metrics.length,
    horizonHours: durationMs(monitor.truth.horizon) / 3_600_000,
    ...(profiles === undefined ? {} : { profileDays: durationMs(profiles) / DAY_MS }),
    ...(results === undefined ? {} : { resultDays: durationMs(results) / DAY_MS }),
  };
}

/** Fills in what was left open with the defaults of the constructs. */
export function usage(
  given: Pick<Usage, 'models' | 'eventsPerMonth'> & { readonly [K in keyof Usage]?: Usage[K] | undefined },
): Usage {
  const stated = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...USAGE_DEFAULTS, ...stated } as Usage;
}

/** Columns of a model, in the mean; a usual number without any model. */
export function meanColumns(models: readonly ModelUsage[]): number {
  return models.length === 0 ? USUAL_COLUMNS : models.reduce((sum, { columns }) => sum + columns, 0) / models.length;
}
