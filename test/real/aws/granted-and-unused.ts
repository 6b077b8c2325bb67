/** What functions may do and did not in the run of least-privilege.real.test.ts, each with why it is granted all the same. Reviewed. */

export interface Justified {
  /** Of `<construct> <action> <resource>`. */
  readonly what: RegExp;
  readonly why: string;
  /** It depends on the run whether it is used. */
  readonly sometimes?: true;
}

/** The table of rights covers what the modules of a function name (test/aws/function-rights.test.ts), not only the paths that a run takes. */
const NAMED = 'a module that it imports reads it; no path of this run did';

export const GRANTED_AND_UNUSED: readonly Justified[] = [
  {
    what: /^CustomS3AutoDelete.* logs:CreateLogGroup /,
    why: 'of the managed policy that the library gives its own function; its log group is there already',
  },
  {
    what: /s3:GetObject .*\/(packs|profiles|ranges|quarantine|pending|bulletins|capture-redriven|<MonitoringCaptureTablesCaptured>-redriven|audit)\/\*$/,
    why: 'read after a put that was refused: by another writer, or by its own first try whose answer was lost',
    sometimes: true,
  },
  {
    what: /^MonitoringCleanerHandler s3:(Get|Put|Delete)Object .*\/(packs|ranges|profiles|results|cursors|audit|retention)\/\*$/,
    why: 'what is superseded goes when it is old enough, and what a monitor keeps for a shorter time by its `retention`, which none here has',
    sometimes: true,
  },
  {
    what: / s3:ListBucket /,
    why: 'comes with reading: without it an object that is absent answers 403, which looks like a right that is missing',
    sometimes: true,
  },
  {
    what: /^MonitoringAlertingNotifier s3:DeleteObject .*\/channel-tests\/\*$/,
    why: 'of answers to `mlmon alert test` that nobody fetched within an hour',
    sometimes: true,
  },
  {
    what: /s3:GetObject .*\/baselines\/\*$/,
    why: NAMED,
    sometimes: true,
  },
  {
    what: /s3:GetObject .*\/monitors\/\*$/,
    why: NAMED,
    sometimes: true,
  },
  {
    what: /^MonitoringCollectorDoorAuthorizer kms:GenerateDataKey /,
    why: 'one statement about the key for all functions; it has no right to anything that it could write under it',
  },
  {
    what: /^MonitoringCollectorDoorAuthorizer kms:Decrypt /,
    why: 'the secret of the keys may lie under the key of the platform; here it lies under that of Secrets Manager',
  },
  {
    what: /^MonitoringEventBusAnnouncer kms:GenerateDataKey /,
    why: 'what it cannot announce goes to a queue under the key',
    sometimes: true,
  },
  {
    what: /^Monitoring(Collector|SageMaker)Handler kinesis:DescribeStreamSummary /,
    why: 'the port of the log asks which stream it is, before anything but appending',
    sometimes: true,
  },
  {
    what: /^Monitoring(Collector|SageMaker)Handler s3:PutObject .*\/quarantine\/\*$/,
    why: 'for requests and lines that cannot be read; here such came on the stream',
    sometimes: true,
  },
  {
    what: /^MonitoringEvaluatorDispatcher s3:GetObject .*\/(packs|profiles|results|episodes)\/\*$/,
    why: NAMED,
    sometimes: true,
  },
  {
    what: /^MonitoringEvaluatorHandler s3:GetObject .*\/(configuration|results)\/\*$/,
    why: NAMED,
    sometimes: true,
  },
  {
    what: /^MonitoringEvaluatorHandler s3:PutObject .*\/packs\/\*$/,
    why: 'many packs of one grain become a single one; here no grain has many',
    sometimes: true,
  },
  {
    what: /^MonitoringLabelerHandler athena:StopQueryExecution /,
    why: 'stops a query that outlasts the function',
  },
  {
    what: /^MonitoringLabelerHandler glue:GetDatabase .*:table\//,
    why: 'one statement for three actions on the catalogue, the database and the tables; this one knows no tables',
  },
  {
    what: /^MonitoringLabelerHandler kinesis:(GetRecords|GetShardIterator|ListShards|DescribeStreamSummary) /,
    why: '`inspect` is one right: which shards there are and how far they reach; here it asked for less',
    sometimes: true,
  },
  {
    what: /^Monitoring(Labeler|Evaluator)Handler s3:(Put|Get)Object .*\/(baselines|learning|evaluations|erasures|audit)\/\*$/,
    why: 'of baselines that are learned: made on Trino itself in learned-on-trino.real.test.ts',
    sometimes: true,
  },
  {
    what: /^MonitoringMetricsExporter s3:GetObject .*\/(aws\/lambda|evaluations|labels|learning)\/\*$/,
    why: NAMED,
    sometimes: true,
  },
  {
    what: /^MonitoringProfilerHandler s3:PutObject .*\/(profiles|ranges)\/\*$/,
    why: 'of the work that is done once: a profile too large for a pack, what was committed out of order',
    sometimes: true,
  },
  {
    what: /^MonitoringPublisherHandler s3:DeleteObject .*\/(configuration|publications)\/\*$/,
    why: 'of a publication that goes',
    sometimes: true,
  },
  {
    what: /^MonitoringPublisherHandler s3:GetObject .*\/uploads\/\*$/,
    why: 'of monitors whose baseline a training pipeline uploads',
  },
  {
    what: /^MonitoringRedriveHandler (kinesis:ListShards|s3:PutObject) /,
    why: 'as the profiler, whose work it does over',
    sometimes: true,
  },
];
