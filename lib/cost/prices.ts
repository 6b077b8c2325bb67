/** Unit prices as data. List prices; discounts, free tiers and taxes are left out, so a bill is rather lower. */

export interface Price {
  readonly usd: number;
  /** What it buys. */
  readonly per: string;
  /** False: from general knowledge, not read from a price list. */
  readonly read: boolean;
}

/** A price that falls with the amount: each step holds up to `to` units in a month. */
export interface TieredPrice {
  readonly steps: readonly { readonly to: number; readonly usd: number }[];
  readonly per: string;
  readonly read: boolean;
}

const price = (usd: number, per: string, read = true): Price => ({ usd, per, read });

export const PRICE_LIST = {
  region: 'us-east-1',
  currency: 'USD',
  kind: 'list prices',
  /** The day on which they were gathered. */
  asOf: '2026-11-20',
} as const;

export const PRICES = {
  kinesisShardHour: price(0.015, 'shard and hour'),
  kinesisPutUnit: price(0.014 / 1e6, 'record, each 25 kB begun'),
  kinesisRetentionShardHour: price(0.02, 'shard and hour kept longer than a day, up to seven'),
  kinesisOnDemandHour: price(0.04, 'on-demand stream and hour'),
  kinesisOnDemandIn: price(0.08, 'GB in'),
  kinesisOnDemandOut: price(0.04, 'GB out to a consumer'),
  kinesisOnDemandRetention: price(0.1, 'GB and month kept longer than a day', false),
  firehoseIn: price(0.029, 'GB in, records rounded up to 5 kB', false),
  firehoseConversion: price(0.018, 'GB turned into Parquet', false),
  lambdaGbSecond: price(0.0000133334, 'GB and second, arm64'),
  lambdaRequest: price(0.2 / 1e6, 'invocation'),
  s3GbMonth: price(0.023, 'GB and month'),
  s3Write: price(0.005 / 1000, 'PUT or LIST'),
  s3Read: price(0.0004 / 1000, 'GET'),
  sqsRequest: price(0.4 / 1e6, 'request'),
  schedulerInvocation: price(1 / 1e6, 'invocation of a schedule', false),
  athenaTb: price(5, 'TB scanned, at least 10 MB a query', false),
  alarm: price(0.1, 'alarm'),
  dashboard: price(3, 'dashboard beyond the third'),
  logGb: price(0.5, 'GB of logs'),
  putMetricData: price(0.01 / 1000, 'request', false),
  key: price(1, 'customer-managed key'),
  secret: price(0.4, 'secret'),
  prometheusQuerySample: price(0.1 / 1e9, 'sample that a query reads'),
  prometheusGbMonth: price(0.03, 'GB and month'),
} as const satisfies Readonly<Record<string, Price>>;

export const TIERED_PRICES = {
  cloudWatchMetric: {
    per: 'metric and month',
    read: false,
    steps: [
      { to: 10_000, usd: 0.3 },
      { to: 250_000, usd: 0.1 },
      { to: 1_000_000, usd: 0.05 },
      { to: Number.POSITIVE_INFINITY, usd: 0.02 },
    ],
  },
  prometheusSample: {
    per: 'sample written',
    read: false,
    steps: [
      { to: 2e9, usd: 0.9 / 1e7 },
      { to: 252e9, usd: 0.35 / 1e7 },
      { to: Number.POSITIVE_INFINITY, usd: 0.16 / 1e7 },
    ],
  },
} as const satisfies Readonly<Record<string, TieredPrice>>;

/** Price of `amount` units, each step at its own. */
export function tiered({ steps }: TieredPrice, amount: number): number {
  let from = 0;
  let usd = 0;
  for (const step of steps) {
    if (amount <= from) break;
    usd += (Math.min(amount, step.to) - from) * step.usd;
    from = step.to;
  }
  return usd;
}
