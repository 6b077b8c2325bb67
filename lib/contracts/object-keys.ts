/**
 * The layout of the object store. Nothing spells these paths again.
 * Model and version come from outside: each is one path segment, so a version is encoded.
 */
const SAFE = /[^A-Za-z0-9._-]/g;

/** A string as one path segment: percent-encoded UTF-8 outside `[A-Za-z0-9._-]`; a leading dot is encoded too. */
export function segment(text: string): string {
  const encoded = text.replace(SAFE, (character) =>
    Array.from(
      new TextEncoder().encode(character),
      (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    ).join(''),
  );
  return encoded.startsWith('.') ? `%2E${encoded.slice(1)}` : encoded;
}

export function unsegment(text: string): string {
  return decodeURIComponent(text);
}

/** `20010201T100500Z`: sorts like time. Milliseconds since 1970; whole seconds. */
export function stamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}

export function unstamp(text: string): number {
  return Date.parse(
    `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6, 8)}T${text.slice(9, 11)}:${text.slice(11, 13)}:${text.slice(13, 15)}Z`,
  );
}

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const hour = (ms: number): string => new Date(ms).toISOString().slice(11, 13);

/** First segments of all keys of the platform's own: permissions and life cycles are given by them. Those of the capture lie in capture.ts. */
export const PREFIXES = {
  cursors: 'cursors/',
  ranges: 'ranges/',
  packs: 'packs/',
  profiles: 'profiles/',
  results: 'results/',
  evaluations: 'evaluations/',
  episodes: 'episodes/',
  monitors: 'monitors/',
  baselines: 'baselines/',
  learning: 'learning/',
  capture: 'capture/',
  archive: 'archive/',
  labels: 'labels/',
  quarantine: 'quarantine/',
  dispatch: 'dispatch/',
  bulletins: 'bulletins/',
  exports: 'exports/',
  configuration: 'configuration/',
  pending: 'pending/',
  notifier: 'notifier/',
  channelTests: 'channel-tests/',
  publications: 'publications/',
  sageMaker: 'sagemaker/',
  onFailure: 'aws/lambda/',
  audit: 'audit/',
  erasures: 'erasures/',
  retention: 'retention/',
  grafana: 'grafana/',
  /** What users put into the store themselves: baselines of training pipelines, which monitors name by their key. */
  uploads: 'uploads/',
} as const;

export const keys = {
  cursor: (log: string, partition: string) => `cursors/${segment(log)}/${segment(partition)}.json`,
  allCursors: () => 'cursors/',
  cursors: (log: string) => `cursors/${segment(log)}/`,
  /** Committed ranges that a cursor moved out; made at `now`. */
  ranges: (log: string, partition: string, now: number, digest: string) =>
    `ranges/${segment(log)}/${segment(partition)}/${stamp(now)}-${digest}.json`,
  allRanges: () => 'ranges/',
  /** `appendTime` of the first record, so that clean-up can work by day. */
  pack: (appendTime: number, partition: string, first: string, last: string, digest: string) =>
    `packs/${day(appendTime)}/${segment(partition)}/${first}-${last}-${digest}.pack`,
  packs: () => 'packs/',
  profile: (model: string, version: string, grainStart: number, baseline: string, digest: string) =>
    `profiles/${segment(model)}/${segment(version)}/${stamp(grainStart)}/${segment(baseline)}/${digest}.profile`,
  profiles: (model: string, version?: string, grainStart?: number) =>
    `profiles/${segment(model)}/${version === undefined ? '' : `${segment(version)}/`}${grainStart === undefined ? '' : `${stamp(grainStart)}/`}`,
  result: (model: string, version: string, start: number, length: string, revision: number) =>
    `results/${segment(model)}/${segment(version)}/${stamp(start)}/${length}/r${revision}.json`,
  performance: (model: string, version: string, start: number, length: string, revision: number) =>
    `results/${segment(model)}/${segment(version)}/${stamp(start)}/${length}/performance-r${revision}.json`,
  results: (model: string, version?: string, start?: number) =>
    `results/${segment(model)}/${version === undefined ? '' : `${segment(version)}/`}${start === undefined ? '' : `${stamp(start)}/`}`,
  /** How far the windows of a model have been judged, and which may still be revised; put-if-unchanged. */
  evaluation: (model: string) => `evaluations/${segment(model)}.json`,
  /** What the dispatcher of evaluations knows of every model; put-if-unchanged, and made anew from `evaluation` where it is missing. */
  agenda: () => 'dispatch/agenda.json',
  /** Which models have new results: written by whoever judged, deleted by the exporter. */
  bulletin: (at: number, id: string) => `bulletins/${stamp(at)}-${id}.json`,
  bulletins: () => 'bulletins/',
  /** What is exported of every model; put-if-unchanged. */
  exported: () => 'exports/models.json',
  episodes: (model: string) => `episodes/${segment(model)}.json`,
  monitor: (model: string, n: number) => `monitors/${segment(model)}/${String(n).padStart(6, '0')}.json`,
  monitors: (model?: string) => (model === undefined ? 'monitors/' : `monitors/${segment(model)}/`),
  baseline: (model: string, version: string, n: number) =>
    `baselines/${segment(model)}/${segment(version)}/${String(n).padStart(6, '0')}.json`,
  baselines: (model?: string, version?: string) =>
    `baselines/${model === undefined ? '' : `${segment(model)}/`}${version === undefined ? '' : `${segment(version)}/`}`,
  /** How far the baseline of a model is learned: `{ from, until, status, … }`, put-if-unchanged. */
  learning: (model: string) => `learning/${segment(model)}.json`,
  capture: (appendTime: number, partition: string, first: string, last: string) =>
    `capture/dt=${day(appendTime)}/hr=${hour(appendTime)}/${segment(partition)}-${first}-${last}.parquet`,
  captureHour: (appendTime: number) => `capture/dt=${day(appendTime)}/hr=${hour(appendTime)}/`,
  /** What Firehose could not convert, as it wrote it. */
  captureFailures: () => 'capture-errors/format-conversion-failed/',
  /** Good lines of what Firehose could not convert, NDJSON; `digest` of where they come from. */
  redriven: (appendTime: number, digest: string) =>
    `capture-redriven/dt=${day(appendTime)}/hr=${hour(appendTime)}/${digest}.ndjson`,
  redrivenHour: (appendTime: number) => `capture-redriven/dt=${day(appendTime)}/hr=${hour(appendTime)}/`,
  allRedriven: () => 'capture-redriven/',
  /** What the archiver has written: `{ position, … }`, put-if-unchanged. */
  archive: (log: string, partition: string) => `archive/${segment(log)}/${segment(partition)}.json`,
  /** How far labels have been joined: `{ through, orphans }`, put-if-unchanged. */
  labeled: (log: string) => `labels/${segment(log)}.json`,
  /** Whether the capture holds what was profiled, as last counted. */
  completeness: (log: string) => `labels/${segment(log)}.completeness.json`,
  quarantine: (appendTime: number, reason: string, partition: string, position: string) =>
    `quarantine/${day(appendTime)}/${reason}/${segment(partition)}-${position}.ndjson`,
  quarantineDay: (appendTime: number) => `quarantine/${day(appendTime)}/`,
  /** How far a file of SageMaker Data Capture has been read: `{ lines, done, until }`, put-if-unchanged. */
  captureFile: (digest: string) => `sagemaker/${digest}.json`,
  captureFiles: () => 'sagemaker/',
  /** Channels, routes and mutes of a deployment, as its constructs published them. */
  alerting: () => 'configuration/alerting.json',
  /** Channels that teams brought with their models; the union over all publications. */
  teamChannels: () => 'configuration/team-channels.json',
  /** What was asked to be put into a Grafana, and whether it is there; put-if-unchanged. */
  grafana: () => 'grafana/wanted.json',
  /** Who may send which model's events and labels: principal → rights. */
  bindings: () => 'configuration/bindings.json',
  /** Where Lambda puts batches of the stream that it gave up; the prefix is fixed by the service. */
  onFailure: () => 'aws/lambda/',
  /** Says that an outbox holds a transition to deliver, so that the others need not be read; may be missing, never wrong for long. */
  pending: (model: string, transition: string) => `pending/${segment(model)}/${segment(transition)}`,
  allPending: () => 'pending/',
  /** Alarms of the platform that wait to be delivered; put-if-unchanged. */
  alarms: () => 'notifier/alarms.json',
  /** What the notifier sent lately, by channel; put-if-unchanged. */
  notifier: () => 'notifier/state.json',
  /** A test of all channels, asked for and answered; put-if-unchanged. */
  channelTest: (id: string) => `channel-tests/${segment(id)}.json`,
  channelTests: () => 'channel-tests/',
  /** What a publication brought, so that the next one of its name knows what it lacks; put-if-unchanged. */
  publication: (owner: string) => `publications/${segment(owner)}.json`,
  publications: () => 'publications/',
  /** What the marks of ids are salted with: one for a platform, so that a mark says nothing elsewhere. */
  erasureSalt: () => 'erasures/salt.json',
  /** Predictions that are to be erased wherever they land until the request ends. */
  erasure: (now: number, digest: string) => `erasures/requests/${stamp(now)}-${digest}.json`,
  erasureRequests: () => 'erasures/requests/',
  /** How many captured events were erased of each model lately, so that they are not taken for lost; put-if-unchanged. */
  erased: () => 'erasures/erased.json',
  /** Goes up when captured objects were written anew, so that copies of them are given up; put-if-unchanged. */
  rewritten: () => 'erasures/rewritten.json',
  /** Through when `retention` of monitors was applied: `{ through, events }`, put-if-unchanged. */
  retained: () => 'retention/state.json',
  audit: (n: number) => `audit/${String(n).padStart(9, '0')}.json`,
  audits: () => 'audit/',
} as const;
