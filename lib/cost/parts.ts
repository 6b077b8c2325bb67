/**
 * The formulas, one a part of the bill. Each takes prices and plain numbers, so that it can be checked by hand; `reckoning.ts` says where they
 * come from. GB of traffic are 2^30 bytes.
 */
import type { Figures } from './figures.ts';
import { type PriceTable, tiered } from './prices.ts';
import { HOURS_A_MONTH } from './usage.ts';

export const GB = 2 ** 30;
const SECONDS_A_MONTH = HOURS_A_MONTH * 3_600;
const DAYS_A_MONTH = HOURS_A_MONTH / 24;
/** Firehose bills each record rounded up to this; Kinesis on demand to 1 kB, provisioned to units of 25 kB. */
const FIREHOSE_STEP = 5 * 1024;
const ON_DEMAND_STEP = 1024;
const PUT_UNIT = 25 * 1024;

/** What goes through the stream in a month. */
export interface StreamTraffic {
  readonly events: number;
  readonly eventBytes: number;
  readonly eventsPerRecord: number;
}

/** Shards that take 1 MB/s each, filled to some share at the peak. */
export function shards({ events, eventBytes }: StreamTraffic, { peak, shardFill }: Figures): number {
  return Math.max(1, Math.ceil((peak * events * eventBytes) / SECONDS_A_MONTH / (shardFill * 1e6)));
}

const gigabytes = ({ events, eventBytes }: StreamTraffic): number => (events * eventBytes) / GB;
const records = ({ events, eventsPerRecord }: StreamTraffic): number => events / eventsPerRecord;
/** GB of records, each rounded up to steps of so many bytes. */
function steppedGigabytes(traffic: StreamTraffic, step: number): number {
  return (records(traffic) * Math.ceil((traffic.eventBytes * traffic.eventsPerRecord) / step) * step) / GB;
}

/** Shards by the hour, records by the unit. */
export function provisionedStream({ single }: PriceTable, traffic: StreamTraffic, shardCount: number): number {
  const units = Math.ceil((traffic.eventBytes * traffic.eventsPerRecord) / PUT_UNIT);
  return (
    shardCount * HOURS_A_MONTH * single.kinesisShardHour.usd + records(traffic) * units * single.kinesisPutUnit.usd
  );
}

/** The stream by the hour, bytes in, bytes out to the profiler and to the capture. */
export function onDemandStream({ single }: PriceTable, traffic: StreamTraffic): number {
  return (
    HOURS_A_MONTH * single.kinesisOnDemandHour.usd +
    steppedGigabytes(traffic, ON_DEMAND_STEP) * single.kinesisOnDemandIn.usd +
    2 * gigabytes(traffic) * single.kinesisOnDemandOut.usd
  );
}

/** What keeping records longer than a day adds, up to seven. */
export function retention(
  { single }: PriceTable,
  traffic: StreamTraffic,
  shardCount: number | 'on-demand',
  days: number,
): number {
  if (days <= 1) return 0;
  return shardCount === 'on-demand'
    ? gigabytes(traffic) * ((days - 1) / DAYS_A_MONTH) * single.kinesisOnDemandRetention.usd
    : shardCount * HOURS_A_MONTH * single.kinesisRetentionShardHour.usd;
}

/** Every record counts as a multiple of 5 kB, for what comes in and for what is turned into Parquet. */
export function capture({ single }: PriceTable, traffic: StreamTraffic, format: 'parquet' | 'json-lines'): number {
  const conversion = format === 'parquet' ? single.firehoseConversion.usd : 0;
  return steppedGigabytes(traffic, FIREHOSE_STEP) * (single.firehoseIn.usd + conversion);
}

/** Batches of the stream: gathered for so many seconds, or as many as fill them. An idle second has none. */
export function batches(
  traffic: StreamTraffic,
  shardCount: number,
  batchSeconds: number,
  { batchBytes }: Figures,
): number {
  return Math.max(
    // Without a time to gather a shard is asked once a second.
    Math.min((shardCount * SECONDS_A_MONTH) / Math.max(1, batchSeconds), records(traffic)),
    (traffic.events * traffic.eventBytes) / batchBytes,
  );
}

export function lambda(
  { single }: PriceTable,
  seconds: number,
  gigabytesOfMemory: number,
  invocations: number,
): number {
  return seconds * gigabytesOfMemory * single.lambdaGbSecond.usd + invocations * single.lambdaRequest.usd;
}

export function requests({ single }: PriceTable, writes: number, reads: number): number {
  return writes * single.s3Write.usd + reads * single.s3Read.usd;
}

export function storage({ single }: PriceTable, bytes: number): number {
  return (bytes / GB) * single.s3GbMonth.usd;
}

/** Bytes there are after so many days of a month's bytes. */
export function keptBytes(bytesAMonth: number, days: number): number {
  return bytesAMonth * (days / DAYS_A_MONTH);
}

/** Samples written, kept for 150 days at about 2 bytes each, and read by rules every minute. */
export function prometheus({ single, tiered: steps }: PriceTable, samples: number, samplesReadByRules: number): number {
  const keptGb = (samples * 2 * 5) / GB;
  return (
    tiered(steps.prometheusSample, samples) +
    keptGb * single.prometheusGbMonth.usd +
    samplesReadByRules * single.prometheusQuerySample.usd
  );
}

export function cloudWatchMetrics({ single, tiered: steps }: PriceTable, metrics: number, putRequests: number): number {
  return tiered(steps.cloudWatchMetric, metrics) + putRequests * single.putMetricData.usd;
}

/** Each query is billed 10 MB at least. */
export function athena({ single }: PriceTable, queries: number, bytesAQuery: number): number {
  return (queries * Math.max(10e6, bytesAQuery) * single.athenaTb.usd) / 1e12;
}

/** Written and kept for a month. */
export function logs({ single }: PriceTable, bytes: number): number {
  return (bytes / GB) * (single.logGb.usd + single.logGbMonth.usd);
}

/** Of the first of each second all, of the rest a share. */
export function traces({ single }: PriceTable, invocations: number, { traceReservoir, traceShare }: Figures): number {
  const first = Math.min(invocations, traceReservoir * SECONDS_A_MONTH);
  return (first + traceShare * (invocations - first)) * single.trace.usd;
}
