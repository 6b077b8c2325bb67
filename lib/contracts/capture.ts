/**
 * Columns of the capture, one to one with the keys of an event (docs/reference/events.md). Times are UTC.
 *
 * Two write it. The archiver writes Parquet with times as timestamps. On AWS, Firehose turns the lines of the stream into Parquet
 * by the schema of a Glue table, with the types of `CAPTURE_GLUE_COLUMNS`. One value that does not fit its type costs the whole
 * record there, and some releases of its JSON reader take whole numbers in columns of type double for errors or for 0. So every
 * value is text, which takes numbers as they are written, and readers parse it (lib/adapters/athena/capture-relation.ts).
 */
export const CAPTURE_COLUMNS = [
  'id',
  'type',
  'source',
  'model',
  'version',
  'time',
  'arrival',
  'segment',
  'numeric',
  'categorical',
  'invalid',
  'score',
  'predicted',
  'latency_ms',
  'weight',
  'truth',
  'policy_key',
] as const;
export type CaptureColumn = (typeof CAPTURE_COLUMNS)[number];

/** A type as Glue and Hive spell it. */
export type GlueType = 'string' | 'map<string,string>';

export interface GlueColumn {
  readonly name: string;
  readonly type: GlueType;
  readonly comment: string;
}

const GLUE: Readonly<Record<CaptureColumn, { readonly type: GlueType; readonly comment: string }>> = {
  id: { type: 'string', comment: 'of the prediction; its label has the same' },
  type: { type: 'string', comment: 'inference or label' },
  source: { type: 'string', comment: 'who sent it' },
  model: { type: 'string', comment: 'what is monitored' },
  version: { type: 'string', comment: 'release of the model' },
  // Text: RFC 3339 allows offsets and nine digits, which no timestamp type of the conversion takes.
  time: { type: 'string', comment: 'RFC 3339 with an offset: of the prediction, or when the truth became known' },
  arrival: {
    type: 'string',
    comment: 'RFC 3339 with an offset: when the collector took it; absent from direct producers',
  },
  segment: { type: 'map<string,string>', comment: 'names and values of segments' },
  numeric: { type: 'map<string,string>', comment: 'numeric features, a number each' },
  categorical: { type: 'map<string,string>', comment: 'categorical features' },
  invalid: { type: 'map<string,string>', comment: 'features of the wrong type, as text' },
  score: { type: 'string', comment: 'probability or score, a number' },
  // Text or a number in the event; as text both survive.
  predicted: { type: 'string', comment: 'class or number predicted' },
  latency_ms: { type: 'string', comment: 'time the prediction took, a number' },
  weight: { type: 'string', comment: 'so many events it stands for; 1 when absent' },
  truth: { type: 'string', comment: 'class or number that turned out to be true; labels only' },
  policy_key: { type: 'string', comment: 'mark of the key that fields were hashed with' },
};

/** Columns of the Glue table, in order; its partition keys come on top. */
export const CAPTURE_GLUE_COLUMNS: readonly GlueColumn[] = CAPTURE_COLUMNS.map((name) => ({ name, ...GLUE[name] }));

/** Partition keys of the Glue table: when Firehose took the oldest record of an object, UTC. Text, so that `05` stays `05`. */
export const CAPTURE_PARTITION_KEYS: readonly GlueColumn[] = [
  { name: 'dt', type: 'string', comment: 'day of arrival, YYYY-MM-DD, UTC' },
  { name: 'hr', type: 'string', comment: 'hour of arrival, 00 to 23, UTC' },
];

/** Where the objects lie, under the bucket's root; the same layout as `keys.capture`. */
export const CAPTURE_PREFIX = 'capture/';
/** What Firehose could not convert or deliver. */
export const CAPTURE_ERROR_PREFIX = 'capture-errors/';
/** Good lines of records that Firehose gave up, as NDJSON with the same columns (docs/decisions/0020-capture-on-firehose.md). */
export const CAPTURE_REDRIVEN_PREFIX = 'capture-redriven/';
/** Results of queries. */
export const ATHENA_RESULTS_PREFIX = 'athena-results/';

/** The delivery stream: prefixes with its own expressions, and how it reads JSON. */
export const CAPTURE_DELIVERY = {
  prefix: `${CAPTURE_PREFIX}dt=!{timestamp:yyyy-MM-dd}/hr=!{timestamp:HH}/`,
  errorPrefix: `${CAPTURE_ERROR_PREFIX}!{firehose:error-output-type}/dt=!{timestamp:yyyy-MM-dd}/hr=!{timestamp:HH}/`,
  fileExtension: '.parquet',
  timeZone: 'UTC',
  /** OpenX JSON. Names of features keep their case and their dots. */
  openXJson: { caseInsensitive: false, convertDotsInJsonKeysToUnderscores: false },
  parquetCompression: 'SNAPPY',
} as const;

/** Firehose holds records back no longer than this, seconds: an object's hour is that of its oldest record. */
export const CAPTURE_BUFFER_SECONDS = { least: 60, most: 900, default: 300 } as const;

/** A Glue table over the capture. */
export interface CaptureTable {
  readonly prefix: string;
  readonly inputFormat: string;
  readonly outputFormat: string;
  readonly serializationLibrary: string;
  readonly serdeParameters: Readonly<Record<string, string>>;
  readonly classification: string;
}

/** Its name is `MLMON_TABLE`; the schema of the conversion. */
export const CAPTURE_TABLE: CaptureTable = {
  prefix: CAPTURE_PREFIX,
  inputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
  outputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
  serializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
  serdeParameters: { 'serialization.format': '1' },
  classification: 'parquet',
};

/** Its name is `redrivenTable(MLMON_TABLE)`. */
export const CAPTURE_REDRIVEN_TABLE: CaptureTable = {
  prefix: CAPTURE_REDRIVEN_PREFIX,
  inputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
  outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
  serializationLibrary: 'org.openx.data.jsonserde.JsonSerDe',
  serdeParameters: { 'case.insensitive': 'false', 'ignore.malformed.json': 'true' },
  classification: 'json',
};

/** Name of the table over what was redriven, beside the table of the capture. */
export function redrivenTable(table: string): string {
  return `${table}_redriven`;
}

/**
 * Parameters of either table: partitions are computed, never listed or registered.
 * @param location `s3://<bucket>/`; may be a token
 * @param since first day there can be, YYYY-MM-DD
 */
export function captureTableParameters(
  table: CaptureTable,
  location: string,
  since: string,
): Readonly<Record<string, string>> {
  return {
    classification: table.classification,
    'projection.enabled': 'true',
    'projection.dt.type': 'date',
    'projection.dt.format': 'yyyy-MM-dd',
    'projection.dt.range': `${since},NOW+1DAY`,
    'projection.hr.type': 'integer',
    'projection.hr.range': '0,23',
    'projection.hr.digits': '2',
    'storage.location.template': `${location}${table.prefix}dt=\${dt}/hr=\${hr}/`,
  };
}
