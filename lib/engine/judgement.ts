/**
 * What a result says about each signal, in the few words that episodes need. A result about inputs speaks of drift,
 * quality, volume, latency and blindness; one about labels speaks of performance, and of blindness where labels stay away.
 */
import type { EpisodeFeature } from '../contracts/episode.ts';
import type { PerformanceResult, Signal, WindowResult } from '../contracts/result.ts';

export interface Condition {
  /** What shows the condition in this window. */
  readonly flagged: readonly EpisodeFeature[];
  /** Not flagged, yet not quiet either: within ten times the level. Holds an open episode open. */
  readonly loud: boolean;
}

export interface Judgement {
  readonly kind: 'window' | 'performance';
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  readonly length: string;
  /** The monitor's own window; longer scales are not. */
  readonly base: boolean;
  readonly revision: number;
  readonly rows: number;
  readonly provisional: boolean;
  /** Signals it has a verdict on; a signal that is absent was not judged and neither opens nor closes anything. */
  readonly conditions: Readonly<Partial<Record<Signal, Condition>>>;
}

const QUIET_FACTOR = 10;
const QUIET: Condition = { flagged: [], loud: false };

export function judgementOfWindow(result: WindowResult): Judgement {
  const since = result.start;
  const conditions: Partial<Record<Signal, Condition>> = {};
  const judged = result.features.filter((feature) => feature.status === 'ok' || feature.status === 'drifted');
  if (judged.length > 0) {
    conditions.drift = {
      flagged: judged
        .filter((feature) => feature.status === 'drifted')
        .map(({ name, aspect, effect, summary }) => ({ name, aspect, effect, summary, since })),
      loud: judged.some(
        ({ pValue, threshold }) => pValue !== null && threshold !== null && pValue <= QUIET_FACTOR * threshold,
      ),
    };
  }
  const breaches = result.quality.filter((check) => check.breach);
  if (breaches.some((check) => check.status === 'ok' || check.status === 'drifted')) {
    conditions.quality = {
      flagged: breaches
        .filter((check) => check.status === 'drifted')
        .map(({ check, feature, value, summary }) => ({
          name: feature ?? check,
          aspect: check,
          effect: value,
          summary,
          since,
        })),
      loud: false,
    };
  }
  const { volume, latency } = result;
  if (volume !== null && (volume.status === 'ok' || volume.status === 'drifted'))
    conditions.volume =
      volume.status === 'ok'
        ? QUIET
        : { flagged: [{ name: 'rows', aspect: 'volume', effect: null, summary: volume.summary, since }], loud: true };
  if (latency !== null && (latency.status === 'ok' || latency.status === 'drifted'))
    conditions.latency =
      latency.status === 'ok'
        ? QUIET
        : {
            flagged: [{ name: 'latency', aspect: 'latency', effect: null, summary: latency.summary, since }],
            loud: true,
          };
  const blind = blindness(result);
  // Where traffic is thin at this hour an empty window is nothing unusual, as the volume has found, and no sign of health either.
  const isUsual = blind?.aspect === 'no-events' && volume?.status === 'ok';
  if (result.base && !isUsual)
    conditions.blind = blind === null ? QUIET : { flagged: [{ ...blind, since }], loud: true };
  return {
    kind: 'window',
    version: result.version,
    start: Date.parse(result.start),
    end: Date.parse(result.end),
    length: result.length,
    base: result.base,
    revision: result.provenance.revision,
    rows: result.rows,
    provisional: result.features.some((feature) => feature.status === 'drifted' && feature.provisional),
    conditions,
  };
}

export function judgementOfPerformance(result: PerformanceResult): Judgement {
  const since = result.start;
  const conditions: Partial<Record<Signal, Condition>> = {};
  const judged = result.metrics.filter((metric) => metric.status === 'ok' || metric.status === 'drifted');
  if (result.mature && judged.length > 0) {
    const flagged = judged
      .filter((metric) => metric.status === 'drifted')
      .map(({ metric, value, baseline, interval }) => ({
        name: metric,
        aspect: 'performance',
        effect: value === null || baseline === null ? null : Math.abs(value - baseline),
        summary: `${metric} is ${text(value)}${interval === null ? '' : ` (${text(interval[0])} to ${text(interval[1])})`}${baseline === null ? '' : `, ${text(baseline)} on the baseline`}`,
        since,
      }));
    conditions.performance = { flagged, loud: flagged.length > 0 };
  }
  if (result.mature)
    conditions.blind =
      result.status === 'stale'
        ? {
            flagged: [
              {
                name: 'labels',
                aspect: 'coverage',
                effect: null,
                summary: `labels for ${percent(result.coverage)} of the predictions arrived within the horizon`,
                since,
              },
            ],
            loud: true,
          }
        : QUIET;
  return {
    kind: 'performance',
    version: result.version,
    start: Date.parse(result.start),
    end: Date.parse(result.end),
    length: result.length,
    base: true,
    revision: result.provenance.revision,
    rows: result.predictions,
    provisional: false,
    conditions,
  };
}

function blindness(result: WindowResult): Omit<EpisodeFeature, 'since'> | null {
  if (result.status === 'failed')
    return {
      name: 'evaluation',
      aspect: 'failed',
      effect: null,
      summary: result.reason ?? 'the window could not be judged',
    };
  if (result.status === 'stale')
    return {
      name: 'partitions',
      aspect: 'stale',
      effect: null,
      summary: `${result.provenance.partitions.seen} of ${result.provenance.partitions.all} partitions were seen: ${result.reason ?? 'part of the stream is behind'}`,
    };
  if (result.rows === 0)
    return { name: 'events', aspect: 'no-events', effect: null, summary: 'no event arrived for this window' };
  return null;
}

const text = (value: number | null): string => (value === null ? 'unknown' : String(Number(value.toPrecision(4))));
const percent = (value: number | null): string =>
  value === null ? 'an unknown share' : `${Number((100 * value).toPrecision(3))} %`;
