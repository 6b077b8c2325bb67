/**
 * How long each prefix of the object store is kept, who removes it, and whether it can hold what was sent of one prediction. Lifecycle rules on
 * AWS, the cleaner elsewhere, the erasure of a prediction and docs/reference/retention.md are all made from this table.
 */
import { ATHENA_RESULTS_PREFIX, CAPTURE_ERROR_PREFIX, CAPTURE_PREFIX, CAPTURE_REDRIVEN_PREFIX } from './capture.ts';
import { PREFIXES } from './object-keys.ts';

/** What ages together. `events`: for ever unless an operator says otherwise. */
export const AGE_CLASSES = ['events', 'failed', 'answers', 'stale'] as const;
export type AgeClass = (typeof AGE_CLASSES)[number];

/** How single events lie in an object, for those that must find one and take it out. */
export type EventForm = 'captured' | 'lines' | 'quarantine' | 'failures' | 'batches';

export interface PrefixRetention {
  readonly prefix: string;
  readonly holds: string;
  /**
   * `age`: goes so long after it was written, by a rule. `part`: goes when the named part of the platform no longer needs it, whatever its age.
   * `monitor`: goes by `retention` of the model's monitor where that says so. `kept`: stays as long as the platform.
   */
  readonly goes:
    | { readonly by: 'age'; readonly class: AgeClass }
    | { readonly by: 'part'; readonly part: string; readonly when: string }
    | { readonly by: 'monitor'; readonly key: 'profiles' | 'results' }
    | { readonly by: 'kept'; readonly because: string };
  /** Where it holds single events: their form. Everything else holds counts, settings or decisions. */
  readonly events: EventForm | null;
}

const age = (of: AgeClass): PrefixRetention['goes'] => ({ by: 'age', class: of });
const part = (name: string, when: string): PrefixRetention['goes'] => ({ by: 'part', part: name, when });
const kept = (because: string): PrefixRetention['goes'] => ({ by: 'kept', because });

export const RETENTION: readonly PrefixRetention[] = [
  { prefix: CAPTURE_PREFIX, holds: 'every event and label', goes: age('events'), events: 'captured' },
  {
    prefix: CAPTURE_REDRIVEN_PREFIX,
    holds: 'events that the conversion to Parquet gave up',
    goes: age('events'),
    events: 'lines',
  },
  {
    prefix: CAPTURE_ERROR_PREFIX,
    holds: 'records that Firehose could not convert, as it wrote them',
    goes: age('failed'),
    events: 'failures',
  },
  {
    prefix: PREFIXES.quarantine,
    holds: 'beginnings of what could not be read or may not be kept',
    goes: age('failed'),
    events: 'quarantine',
  },
  {
    prefix: PREFIXES.onFailure,
    holds: 'batches of the stream that Lambda gave up',
    goes: age('failed'),
    events: 'batches',
  },
  { prefix: ATHENA_RESULTS_PREFIX, holds: 'answers of queries: counts', goes: age('answers'), events: null },
  {
    prefix: PREFIXES.packs,
    holds: 'profiles not yet merged: counts and hashes of ids',
    goes: part('cleaner', 'nothing names them, and they are older than the log and its failed batches'),
    events: null,
  },
  {
    prefix: PREFIXES.ranges,
    holds: 'which records were counted',
    goes: part('cleaner', 'no cursor names them'),
    events: null,
  },
  {
    prefix: PREFIXES.profiles,
    holds: 'profiles: counts and hashes of ids',
    goes: { by: 'monitor', key: 'profiles' },
    events: null,
  },
  {
    prefix: PREFIXES.results,
    holds: 'verdicts and figures of performance',
    goes: { by: 'monitor', key: 'results' },
    events: null,
  },
  {
    prefix: PREFIXES.bulletins,
    holds: 'which models have new results',
    goes: part('exporter', 'they are exported'),
    events: null,
  },
  {
    prefix: PREFIXES.pending,
    holds: 'which outboxes hold something',
    goes: part('notifier', 'it is delivered'),
    events: null,
  },
  { prefix: PREFIXES.channelTests, holds: 'tests of channels', goes: age('answers'), events: null },
  { prefix: PREFIXES.sageMaker, holds: 'how far files of Data Capture are read', goes: age('stale'), events: null },
  {
    prefix: PREFIXES.erasures,
    holds: 'marks of predictions that are to be erased when they land',
    goes: part('eraser', 'nothing of them can land any more'),
    events: null,
  },
  {
    prefix: PREFIXES.cursors,
    holds: 'how far the log is profiled',
    goes: kept('one for each partition'),
    events: null,
  },
  {
    prefix: PREFIXES.archive,
    holds: 'how far the log is captured',
    goes: kept('one for each partition'),
    events: null,
  },
  { prefix: PREFIXES.labels, holds: 'how far labels are joined', goes: kept('one for each log'), events: null },
  { prefix: PREFIXES.evaluations, holds: 'how far windows are judged', goes: kept('one for each model'), events: null },
  {
    prefix: PREFIXES.episodes,
    holds: 'episodes and what is told of them',
    goes: kept('one for each model'),
    events: null,
  },
  { prefix: PREFIXES.learning, holds: 'how far baselines are learned', goes: kept('one for each model'), events: null },
  { prefix: PREFIXES.dispatch, holds: 'what is due', goes: kept('one object'), events: null },
  { prefix: PREFIXES.retention, holds: 'how far retention was applied', goes: kept('one object'), events: null },
  { prefix: PREFIXES.exports, holds: 'what is exported', goes: kept('one object'), events: null },
  { prefix: PREFIXES.notifier, holds: 'what was sent lately', goes: kept('two objects'), events: null },
  {
    prefix: PREFIXES.configuration,
    holds: 'channels, routes and senders',
    goes: kept('as they were deployed'),
    events: null,
  },
  { prefix: PREFIXES.grafana, holds: 'what was put into a Grafana', goes: kept('one object'), events: null },
  { prefix: PREFIXES.publications, holds: 'what each stack published', goes: kept('one for each owner'), events: null },
  {
    prefix: PREFIXES.monitors,
    holds: 'monitors as they were published',
    goes: kept('results name them'),
    events: null,
  },
  {
    prefix: PREFIXES.baselines,
    holds: 'baselines: counts',
    goes: kept('results name them'),
    events: null,
  },
  {
    prefix: PREFIXES.audit,
    holds: 'what people decided',
    goes: kept('each entry holds the hash of the one before'),
    events: null,
  },
  { prefix: PREFIXES.uploads, holds: 'what users put there', goes: kept('theirs to remove'), events: null },
];

/** Milliseconds that hold where nobody said otherwise; `null`: for ever. */
export const AGES = {
  events: { ms: null, reason: 'labels, baselines and audits ask for events long after' },
  failed: { ms: 14 * 86_400_000, reason: 'long enough for a release that mends what rejected them' },
  answers: { ms: 7 * 86_400_000, reason: 'read once, within minutes' },
  stale: { ms: 90 * 86_400_000, reason: 'a notification is repeated for 15 days at most' },
} as const satisfies Readonly<Record<AgeClass, { readonly ms: number | null; readonly reason: string }>>;

/** Prefixes whose objects hold single events, with how. */
export const EVENT_PREFIXES: readonly { readonly prefix: string; readonly form: EventForm; readonly holds: string }[] =
  RETENTION.flatMap(({ prefix, events, holds }) => (events === null ? [] : [{ prefix, form: events, holds }]));
