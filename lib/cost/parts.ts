/**
 * The formulas, one a part of the bill. Each takes plain numbers, so that it can be checked by hand; `estimate.ts` says where they come from.
 * GB of traffic are 2^30 bytes.
 */
import { PRICES, TIERED_PRICES, tiered } from './prices.ts';
import { HOURS_A_MONTH, MINUTES_A_MONTH } from './usage.ts';

const GB = 2 ** 30;
const SECONDS_A_MONTH = HOURS_A_MONTH * 3_600;
/** A shard takes 1 MB/s. It is filled to 80 % at a peak of three times the mean. */
const SHARD_BYTES_A_SECOND = 0.8e6;
const PEAK = 3;
/** Firehose bills each record rounded up to this; a PUT unit of Kinesis is 25 kB. */
const FIREHOSE_STEP = 5 * 1024;
const PUT_UNIT = 25 * 1024;
/** Raw bytes that fit into one invocation. */
const BATCH_BYTES = 4.4e6;
/** Memory that comes with one processor. */
const PROFILER_GB = 1.769;
/** Both above what was measured: decoding, parsing and folding an event of 50 features, and what a batch costs besides. */
const SECONDS_AN_EVENT = 25e-6;
const SECONDS_A_BATCH = 0.08;

export interface Traffic {
  readonly events: number;
  readonly eventBytes: number;
  readonly eventsPerRecord: number;
}

export function shards({ events, eventBytes }: Traffic): number {
  return Math.max(1, Math.ceil((PEAK * events * eventBytes) / SECONDS_A_MONTH / SHARD_BYTES_A_SECOND));
}

const gigabytes = ({ events, eventBytes }: Traffic): number => (events * eventBytes) / GB;
const records = ({ events, eventsPerRecord }: Traffic): number => events / eventsPerRecord;

/** Shards by the hour, records by the unit. */
export function provisionedStream(traffic: Traffic): number {
  const units = Math.ceil((traffic.eventBytes * traffic.eventsPerRecord) / PUT_UNIT);
  return (
    shards(traffic) * HOURS_A_MONTH * PRICES.kinesisShardHour.usd + records(traffic) * units * PRICES.kinesisPutUnit.usd
  );
}

/** The stream by the hour, bytes in, bytes out to the profiler and to the capture. */
export function onDemandStream(traffic: Traffic): number {
  const gb = gigabytes(traffic);
  return (
    HOURS_A_MONTH * PRICES.kinesisOnDemandHour.usd +
    gb * PRICES.kinesisOnDemandIn.usd +
    2 * gb * PRICES.kinesisOnDemandOut.usd
  );
}

/** What keeping records longer than a day adds. */
export function retention(traffic: Traffic, mode: 'provisioned' | 'on-demand', days: number): number {
  if (days <= 1) return 0;
  if (mode === 'provisioned') return shards(traffic) * HOURS_A_MONTH * PRICES.kinesisRetentionShardHour.usd;
  return gigabytes(traffic) * ((days - 1) / (HOURS_A_MONTH / 24)) * PRICES.kinesisOnDemandRetention.usd;
}

/** Every record counts as a multiple of 5 kB. */
export function capture(traffic: Traffic): number {
  const bytes = Math.ceil((traffic.eventBytes * traffic.eventsPerRecord) / FIREHOSE_STEP) * FIREHOSE_STEP;
  return ((records(traffic) * bytes) / GB) * (PRICES.firehoseIn.usd + PRICES.firehoseConversion.usd);
}

/** Batches of the stream: a minute each, or as many as fill them. */
export function batches(traffic: Traffic): number {
  return Math.max(shards(traffic) * MINUTES_A_MONTH, (traffic.events * traffic.eventBytes) / BATCH_BYTES);
}

export function lambda(seconds: number, gigabytesOfMemory: number, invocations: number): number {
  return seconds * gigabytesOfMemory * PRICES.lambdaGbSecond.usd + invocations * PRICES.lambdaRequest.usd;
}

export function profiler(traffic: Traffic): number {
  const count = batches(traffic);
  return lambda(traffic.events * SECONDS_AN_EVENT + count * SECONDS_A_BATCH, PROFILER_GB, count);
}

export function requests(writes: number, reads: number): number {
  return writes * PRICES.s3Write.usd + reads * PRICES.s3Read.usd;
}

/** A batch reads the cursor, writes a pack and replaces the cursor. */
export function commits(traffic: Traffic): number {
  const count = batches(traffic);
  return requests(2 * count, count);
}

/** Samples written, kept for 150 days at about 2 bytes each, and read by rules every minute. */
export function prometheus(samples: number, samplesReadByRules: number): number {
  const keptGb = (samples * 2 * 5) / GB;
  return (
    tiered(TIERED_PRICES.prometheusSample, samples) +
    keptGb * PRICES.prometheusGbMonth.usd +
    samplesReadByRules * PRICES.prometheusQuerySample.usd
  );
}

export function cloudWatchMetrics(metrics: number, putRequests: number): number {
  return tiered(TIERED_PRICES.cloudWatchMetric, metrics) + putRequests * PRICES.putMetricData.usd;
}

/** Each query is billed 10 MB at least. */
export function athena(queries: number, bytesAQuery: number): number {
  return (queries * Math.max(10e6, bytesAQuery) * PRICES.athenaTb.usd) / 1e12;
}

/** Parquet of about 300 bytes an event of 50 features, as long as it is kept. */
export function captureStorage(events: number, bytesAnEvent: number, days: number): number {
  return ((events * bytesAnEvent) / GB) * (days / (HOURS_A_MONTH / 24)) * PRICES.s3GbMonth.usd;
}
