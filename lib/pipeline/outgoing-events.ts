/** Makes the events that a platform tells programs: of transitions of episodes, and of objects that were written to the store. */
import type { PublishedBaseline } from '../contracts/baseline.ts';
import type { Transition, TransitionKind } from '../contracts/episode.ts';
import { PREFIXES } from '../contracts/object-keys.ts';
import {
  type BaselineEventData,
  type EpisodeEventData,
  LONGEST_TEXT,
  MOST_LISTED,
  OUTGOING_TYPES,
  type OutgoingEvent,
  outgoingSource,
  type PerformanceEventData,
  type WindowEventData,
} from '../contracts/outgoing-events.ts';
import type { PerformanceResult, Provenance, WindowResult } from '../contracts/result.ts';

const EPISODE_TYPE = {
  opened: OUTGOING_TYPES.episodeOpened,
  closed: OUTGOING_TYPES.episodeClosed,
  corrected: OUTGOING_TYPES.episodeCorrected,
} as const satisfies Readonly<Record<TransitionKind, OutgoingEvent['type']>>;

interface Envelope<T extends OutgoingEvent['type']> {
  readonly environment: string;
  readonly id: string;
  readonly type: T;
  readonly subject: string;
  readonly time: string;
  readonly dataref?: string;
}

function enveloped<T extends OutgoingEvent['type'], D>(
  { environment, id, type, subject, time, dataref }: Envelope<T>,
  data: D,
) {
  return {
    specversion: '1.0' as const,
    id,
    source: outgoingSource(environment),
    type,
    subject,
    time,
    datacontenttype: 'application/json' as const,
    ...(dataref === undefined ? {} : { dataref }),
    data,
  };
}

/** `withheld`: why people are not told of it. The key of the transition is the id: a repeat carries the same. */
export function episodeEvent(transition: Transition, environment: string, withheld: string | null): OutgoingEvent {
  const { episode, kind, key, at, context, runbook, link } = transition;
  const data: EpisodeEventData = {
    episode: episode.id,
    model: episode.model,
    version: episode.version,
    owner: episode.owner,
    signal: episode.signal,
    severity: episode.severity,
    opened: episode.opened,
    closed: episode.closed,
    since: episode.since,
    length: episode.length,
    provisional: episode.provisional,
    summary: cut(episode.summary),
    features: episode.features.slice(0, MOST_LISTED).map(({ name, aspect, effect, summary }) => ({
      name: cut(name),
      aspect: aspect === null ? null : cut(aspect),
      effect,
      summary: cut(summary),
    })),
    featuresOmitted: omitted(episode.features),
    context: context.slice(0, MOST_LISTED).map(cut),
    runbook: cut(runbook),
    link: cut(link),
    withheld: withheld === null ? null : cut(withheld),
  };
  return enveloped({ environment, id: key, type: EPISODE_TYPE[kind], subject: episode.model, time: at }, data);
}

/** A test of the channels: of a type of its own, so that nothing that an episode starts is started by it. */
export function testEvent({ key, at, episode }: Transition, environment: string): OutgoingEvent {
  const type = OUTGOING_TYPES.test;
  const envelope = { environment, id: key, type, subject: episode.model, time: at };
  return enveloped(envelope, { summary: cut(episode.summary) });
}

/** An object of the store as it was written. */
export interface WrittenObject {
  readonly bucket: string;
  readonly key: string;
  readonly body: Uint8Array;
  /** When the store told of it, RFC 3339. */
  readonly at: string;
}

/** `null`: nothing that is told of lies under such a key. @throws Error for a body that is not what its key says */
export function objectEvent({ bucket, key, body, at }: WrittenObject, environment: string): OutgoingEvent | null {
  const told = { environment, id: key, dataref: `s3://${bucket}/${key}` };
  if (key.startsWith(PREFIXES.results)) {
    const result = parsed<WindowResult | PerformanceResult>(key, body);
    const time = result.provenance?.evaluatedAt ?? at;
    if (result.schema === 'mlmon.result/v1')
      return enveloped({ ...told, type: OUTGOING_TYPES.window, subject: result.model, time }, windowData(result));
    if (result.schema === 'mlmon.performance/v1') {
      const type = OUTGOING_TYPES.performance;
      return enveloped({ ...told, type, subject: result.model, time }, performanceData(result));
    }
    throw new Error(`${key}: expected mlmon.result/v1 or mlmon.performance/v1`);
  }
  if (!key.startsWith(PREFIXES.baselines)) return null;
  const published = parsed<PublishedBaseline>(key, body);
  if (published.baseline?.schema !== 'mlmon.baseline/v1') throw new Error(`${key}: expected a published baseline`);
  const data = baselineData(published);
  const { approved } = data;
  const type = approved === null ? OUTGOING_TYPES.baselineProposed : OUTGOING_TYPES.baselineApproved;
  return enveloped({ ...told, type, subject: data.model, time: approved?.at ?? at }, data);
}

function windowOf(result: {
  readonly model: string;
  readonly version: string;
  readonly start: string;
  readonly end: string;
  readonly length: string;
  readonly status: WindowEventData['status'];
  readonly provenance: Provenance;
}) {
  const { model, version, start, end, length, status, provenance } = result;
  const { revision, monitor, baseline } = provenance;
  return {
    ...{ model, version, start, end, length, revision, status, monitor },
    baseline: baseline === null ? null : { version: baseline.version, n: baseline.n },
  };
}

function windowData(result: WindowResult): WindowEventData {
  const drifted = result.features.filter(({ status }) => status === 'drifted').map(({ name }) => name);
  const breaches = result.quality.filter(({ status }) => status !== 'ok');
  return {
    ...windowOf(result),
    base: result.base,
    reason: result.reason === undefined ? null : cut(result.reason),
    rows: result.rows,
    drifted: drifted.slice(0, MOST_LISTED).map(cut),
    driftedOmitted: omitted(drifted),
    breaches: breaches
      .slice(0, MOST_LISTED)
      .map(({ check, feature, status, summary }) => ({ check, feature, status, summary: cut(summary) })),
    breachesOmitted: omitted(breaches),
    volume: result.volume?.status ?? null,
    latency: result.latency?.status ?? null,
  };
}

function performanceData(result: PerformanceResult): PerformanceEventData {
  const { mature, predictions, labels, coverage, metrics } = result;
  return {
    ...windowOf(result),
    ...{ mature, predictions, labels, coverage },
    metrics: metrics.slice(0, MOST_LISTED).map(({ metric, status, value, interval, baseline }) => ({
      ...{ metric, status, value, baseline },
      interval: interval === null ? null : [interval[0], interval[1]],
    })),
  };
}

function baselineData({
  n,
  version,
  effectiveFrom,
  approved,
  provisional,
  baseline,
}: PublishedBaseline): BaselineEventData {
  return {
    ...{ model: baseline.model, version, n, effectiveFrom },
    approved: approved === null ? null : { by: approved.by, at: approved.at },
    provisional: provisional === true,
    rows: baseline.rows,
    columns: baseline.columns.length,
    from: baseline.source.from,
    to: baseline.source.to,
  };
}

function parsed<T>(key: string, body: Uint8Array): T {
  try {
    return JSON.parse(new TextDecoder().decode(body)) as T;
  } catch (error) {
    throw new Error(`${key}: is no JSON`, { cause: error });
  }
}

function omitted(list: readonly unknown[]): number {
  return Math.max(0, list.length - MOST_LISTED);
}

function cut(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
