/**
 * What SageMaker Model Monitor would cost for the same models and traffic, as far as both do the same: data quality of every model, model
 * quality of those that expect labels. Its jobs are billed by the instance, its metrics as CloudWatch metrics, its captured data as objects.
 */
import { noun } from '../contracts/noun.ts';
import { type Figure, figuresAt, LEVELS, type Level } from './figures.ts';
import * as parts from './parts.ts';
import { LIST_PRICES, type PriceTable, tiered } from './prices.ts';
import { FOR_EVER_DAYS, HOURS_A_MONTH, meanColumns, type Usage } from './usage.ts';

/** Nothing of it could be measured here: each assumption is a range, and can be replaced. */
export const MODEL_MONITOR_ASSUMPTIONS = {
  jobMinutes: {
    low: 4,
    value: 8,
    high: 12,
    unit: 'minutes of one ml.m5.xlarge for a job',
    is: 'assumed',
    by: 'starting a container, then Spark over an hour of data; more rows take longer or more instances, which is left out',
  },
  jobsAnHour: {
    low: 1,
    value: 1,
    high: 1,
    unit: 'jobs an hour for each kind of monitor of a model',
    is: 'assumed',
    by: 'hourly is its finest schedule; once a day costs a twenty-fourth',
  },
  metricsAColumn: {
    low: 2,
    value: 2,
    high: 3,
    unit: 'CloudWatch metrics for each column of a model',
    is: 'assumed',
    by: 'it emits completeness and drift of every feature while metrics are on',
  },
  captureOverhead: {
    low: 300,
    value: 500,
    high: 1_500,
    unit: 'bytes that Data Capture adds to an event',
    is: 'assumed',
    by: 'names, ids and encodings of its lines of JSON, which are not compressed',
  },
} as const satisfies Readonly<Record<string, Figure>>;
export type ModelMonitorAssumption = keyof typeof MODEL_MONITOR_ASSUMPTIONS;

/** What is compared and what is not, in words. */
export const MODEL_MONITOR_SCOPE = [
  'data quality of every model, and model quality of those that expect labels; bias and explainability are left out',
  'the endpoint, seats of a console, data transfer and free tiers are left out on both sides',
  'captured data is kept as long as ours',
] as const;

export interface ComparedPart {
  readonly title: string;
  readonly usd: number;
  readonly low: number;
  readonly high: number;
  readonly basis: string;
}

export interface Comparison {
  readonly product: 'SageMaker Model Monitor';
  readonly parts: readonly ComparedPart[];
  readonly total: number;
  readonly low: number;
  readonly high: number;
  readonly assumptions: readonly (Figure & { readonly name: ModelMonitorAssumption })[];
  readonly scope: readonly string[];
}

export type AssumptionChanges = Readonly<Partial<Record<ModelMonitorAssumption, number>>>;

export function modelMonitorCost(
  usage: Usage,
  changes: AssumptionChanges = {},
  prices: PriceTable = LIST_PRICES,
): Comparison {
  const assumptions = (Object.entries(MODEL_MONITOR_ASSUMPTIONS) as [ModelMonitorAssumption, Figure][]).map(
    ([name, figure]) => {
      const value = changes[name];
      return { name, ...figure, ...(value === undefined ? {} : { low: value, value, high: value, by: 'said' }) };
    },
  );
  const [low, middle, high] = LEVELS.map((level) => at(usage, assumptions, prices, level));
  const compared = middle!.map((part, i) => ({ ...part, low: low![i]!.usd, high: high![i]!.usd }));
  const sum = (of: 'usd' | 'low' | 'high'): number => compared.reduce((total, part) => total + part[of], 0);
  return {
    product: 'SageMaker Model Monitor',
    parts: compared,
    total: sum('usd'),
    low: sum('low'),
    high: sum('high'),
    assumptions,
    scope: MODEL_MONITOR_SCOPE,
  };
}

function at(
  { models, eventsPerMonth: events, eventBytes, captureDays }: Usage,
  assumptions: Comparison['assumptions'],
  prices: PriceTable,
  level: Level,
): readonly Omit<ComparedPart, 'low' | 'high'>[] {
  const of = (name: ModelMonitorAssumption): number => assumptions.find((one) => one.name === name)![level];
  const figures = figuresAt(level);
  const bytes = eventBytes ?? figures.eventBytes + figures.eventBytesAColumn * meanColumns(models);
  const labelled = models.filter(({ performanceMetrics }) => performanceMetrics > 0).length;
  const jobs = (models.length + labelled) * of('jobsAnHour') * HOURS_A_MONTH;
  const columns = models.reduce((sum, model) => sum + model.columns, 0);
  const metrics = columns * of('metricsAColumn');
  const kept = parts.keptBytes(events * (bytes + of('captureOverhead')), captureDays ?? FOR_EVER_DAYS);
  const whole = (n: number): string => Math.round(n).toLocaleString('en-US');
  return [
    {
      title: 'Processing jobs',
      usd: jobs * (of('jobMinutes') / 60) * prices.single.processingHour.usd,
      basis: `${whole(jobs)} jobs of ${of('jobMinutes')} min: ${models.length} ${noun(models.length, 'model')} of data quality, ${labelled} of model quality`,
    },
    {
      title: 'CloudWatch, metrics',
      usd: tiered(prices.tiered.cloudWatchMetric, metrics),
      basis: `${whole(metrics)} of ${whole(columns)} ${noun(columns, 'column')}`,
    },
    {
      title: 'S3, Data Capture',
      usd: parts.storage(prices, kept),
      basis: `${whole(events)} events of ${whole(bytes + of('captureOverhead'))} bytes, kept ${captureDays ?? `${FOR_EVER_DAYS} (for ever: after a year)`} days`,
    },
  ];
}
