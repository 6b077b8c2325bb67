/** The cardinality guard: stops a deployment whose metrics of models would cost more than their budget, and says what they would cost. */
import type { MetricDetail } from '../contracts/cloudwatch-metrics.ts';
import { noun } from '../contracts/noun.ts';
import type { Problem } from '../contracts/problem.ts';
import { figuresAt } from './figures.ts';
import { cloudWatchMetrics } from './parts.ts';
import { LIST_PRICES, type PriceTable } from './prices.ts';
import { prometheusPrice } from './reckoning.ts';
import { type Series, seriesOf } from './series.ts';
import type { ModelUsage } from './usage.ts';

/** USD a month for metrics of models, unless another budget is given. */
export const DEFAULT_METRIC_BUDGET = 1_000;

export interface MetricCost {
  readonly series: Series;
  /** A month. */
  readonly prometheus: number;
  readonly cloudWatch: number;
  readonly total: number;
}

export function metricCost(
  models: readonly ModelUsage[],
  detail: MetricDetail,
  withPrometheus: boolean,
  prices: PriceTable = LIST_PRICES,
): MetricCost {
  const series = seriesOf(models, detail);
  const prometheus = withPrometheus ? prometheusPrice(series, prices, figuresAt('value')) : 0;
  const cloudWatch = cloudWatchMetrics(prices, series.cloudWatch, 0);
  return { series, prometheus, cloudWatch, total: prometheus + cloudWatch };
}

const usd = (amount: number): string => `$${Math.ceil(amount).toLocaleString('en-US')}`;
const whole = (n: number): string => n.toLocaleString('en-US');

/** No problem while the metrics stay within the budget. */
export function guardCardinality(
  models: readonly ModelUsage[],
  options: {
    readonly detail: MetricDetail;
    readonly prometheus: boolean;
    readonly budget?: number;
    readonly prices?: PriceTable;
  },
): Problem[] {
  const { budget = DEFAULT_METRIC_BUDGET, prices = LIST_PRICES } = options;
  const cost = metricCost(models, options.detail, options.prometheus, prices);
  if (cost.total <= budget) return [];
  const columns = models.reduce((sum, model) => sum + model.columns, 0);
  const largest = models.reduce<ModelUsage | undefined>(
    (most, model) => (most === undefined || product(model) > product(most) ? model : most),
    undefined,
  );
  const parts = [
    ...(options.prometheus
      ? [
          `${whole(cost.series.features + cost.series.state)} series in Managed Prometheus (${whole(models.length)} ${noun(models.length, 'model')}, ${whole(columns)} ${noun(columns, 'column')}, their statistics, segments and lengths) at ${usd(cost.prometheus)}`,
        ]
      : []),
    ...(cost.series.cloudWatch > 0
      ? [
          `${whole(cost.series.cloudWatch)} ${noun(cost.series.cloudWatch, 'metric')} in CloudWatch (${options.detail}) at ${usd(cost.cloudWatch)}`,
        ]
      : []),
  ];
  return [
    {
      code: 'metric-budget',
      path: 'metricBudget',
      message: `metrics of models would cost ${usd(cost.total)} a month, ${prices.kind} of ${prices.region}: ${parts.join('; ')}`,
      expected: `at most ${usd(budget)} a month`,
      fix: `raise metricBudget, choose less detail${options.detail === 'none' ? '' : ` than ${options.detail}`}, or watch fewer columns or segments${largest === undefined ? '' : ` (most series has ${largest.model}: ${whole(largest.columns)} ${noun(largest.columns, 'column')} × ${largest.segments} × ${largest.lengths} ${noun(largest.lengths, 'length')})`}`,
    },
  ];
}

const product = ({ columns, segments, lengths }: ModelUsage): number => columns * segments * lengths;
