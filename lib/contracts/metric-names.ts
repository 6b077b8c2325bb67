/**
 * The catalogue of metrics: every name that the platform exports, with its type, help and labels. Exporters, rules, dashboards and alarms read it;
 * nothing spells a name again. Conventions of Prometheus: base units, counters end in `_total`, timestamps in `_timestamp_seconds`, shares in `_ratio`.
 * Label values come from monitors and closed sets, never from data; versions appear on `_info` metrics alone.
 */
export interface MetricDefinition {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** In the order in which they are written. */
  readonly labels: readonly string[];
}

function metric(
  name: string,
  type: MetricDefinition['type'],
  help: string,
  labels: readonly string[] = [],
): MetricDefinition {
  return { name: `mlmon_${name}`, type, help, labels };
}

export const METRIC = {
  // What is known of a model.
  windowRows: metric('window_rows', 'gauge', 'Rows of the newest judged window.', ['model', 'length']),
  windowEnd: metric('window_end_timestamp_seconds', 'gauge', 'End of the newest judged window, event time.', [
    'model',
    'length',
  ]),
  windowEvaluated: metric(
    'window_evaluated_timestamp_seconds',
    'gauge',
    'When the newest window was judged, by the clock of the platform.',
    ['model', 'length'],
  ),
  windowDue: metric(
    'window_due_timestamp_seconds',
    'gauge',
    'When the window after the newest judged one can be judged: its end and its lateness.',
    ['model', 'length'],
  ),
  windowState: metric('window_state', 'gauge', '1 for the state of the newest judged window, 0 for the others.', [
    'model',
    'length',
    'state',
  ]),
  driftedFeatures: metric('drifted_features', 'gauge', 'Features found drifted in the newest judged window.', [
    'model',
    'length',
  ]),
  featureDrifted: metric(
    'feature_drifted',
    'gauge',
    '1 if the feature drifted in the newest judged window, 0 if it did not; absent where it was not judged.',
    ['model', 'length', 'feature'],
  ),
  metricValue: metric('metric_value', 'gauge', 'A statistic of a feature in the newest judged window.', [
    'model',
    'length',
    'feature',
    'statistic',
  ]),
  metricThreshold: metric('metric_threshold', 'gauge', 'What the statistic of the same labels is compared with.', [
    'model',
    'length',
    'feature',
    'statistic',
  ]),
  performanceValue: metric(
    'model_performance_value',
    'gauge',
    'A performance metric of the newest window with labels.',
    ['model', 'statistic'],
  ),
  performanceThreshold: metric(
    'model_performance_threshold',
    'gauge',
    'What the performance metric of the same labels is compared with.',
    ['model', 'statistic'],
  ),
  performanceWindowEnd: metric(
    'performance_window_end_timestamp_seconds',
    'gauge',
    'End of the newest window with labels, event time.',
    ['model'],
  ),
  labelCoverage: metric(
    'label_coverage_ratio',
    'gauge',
    'Share of predictions of the newest window with labels whose truth arrived.',
    ['model'],
  ),
  labelsDue: metric(
    'labels_due_timestamp_seconds',
    'gauge',
    'When labels of the window after the newest one with labels must have come: its end, the horizon and the lateness.',
    ['model'],
  ),
  latency: metric('model_latency_seconds', 'gauge', 'Latency of predictions in the newest judged window.', [
    'model',
    'length',
    'percentile',
  ]),
  episodeOpen: metric('episode_open', 'gauge', '1 while an episode of the signal is open, 0 while there is none.', [
    'model',
    'signal',
    'severity',
  ]),
  modelInfo: metric('model_info', 'gauge', 'A monitored model; the version is that of its newest window.', [
    'model',
    'version',
    'owner',
    'task',
  ]),
  baselineInfo: metric('baseline_info', 'gauge', 'The baseline of the newest judged window.', [
    'model',
    'version',
    'number',
  ]),
  learningRatio: metric(
    'learning_ratio',
    'gauge',
    'Share of the days that are over from which the baseline is learned; absent where none is being learned.',
    ['model'],
  ),
  learningHeld: metric(
    'learning_held',
    'gauge',
    '1 while the baseline is learned for longer than the monitor asks, by reason; absent otherwise.',
    ['model', 'reason'],
  ),
  seriesCapped: metric('series_capped_total', 'counter', 'Series left out because the model has too many.', ['model']),

  // The collector.
  collectorReceived: metric('collector_records_received_total', 'counter', 'Events taken, by how they came.', [
    'model',
    'format',
    'kind',
  ]),
  collectorRejected: metric(
    'collector_records_rejected_total',
    'counter',
    'Events put into quarantine by the collector; the model is empty where none is declared.',
    ['model', 'reason'],
  ),
  collectorShed: metric('collector_requests_shed_total', 'counter', 'Requests turned away unread.', ['reason']),
  collectorDelivered: metric('collector_records_delivered_total', 'counter', 'Events durable on the log.', ['sink']),
  collectorFailures: metric('collector_delivery_failures_total', 'counter', 'Appends that failed.', ['sink']),
  collectorIngest: metric(
    'collector_ingest_duration_seconds',
    'histogram',
    'From an event taken to its being durable.',
  ),
  collectorDelivery: metric('collector_delivery_duration_seconds', 'histogram', 'Duration of one append.', ['sink']),
  collectorQueueBytes: metric('collector_queue_bytes', 'gauge', 'Bytes taken and not yet durable.', ['tier']),
  collectorQueueLimit: metric('collector_queue_limit_bytes', 'gauge', 'Bytes beyond which requests are turned away.', [
    'tier',
  ]),
  collectorQueueAge: metric(
    'collector_queue_oldest_record_age_seconds',
    'gauge',
    'Age of the oldest event not yet durable.',
    ['tier'],
  ),

  // The other parts.
  profilerProcessed: metric(
    'profiler_records_processed_total',
    'counter',
    'Events folded into profiles since the log began.',
  ),
  profilerBeyond: metric(
    'profiler_late_records_total',
    'counter',
    'Events that came after their window could still be revised.',
  ),
  profilerLabels: metric('profiler_labels_total', 'counter', 'Labels seen on the log.'),
  quarantined: metric('quarantined_records_total', 'counter', 'Records on the log that could not be read, by reason.', [
    'reason',
  ]),
  captured: metric('archiver_records_captured_total', 'counter', 'Events written to the capture.'),
  lost: metric(
    'lost_records_total',
    'counter',
    'Records that retention removed from the log before they were profiled.',
  ),
  lag: metric('consumer_lag_records', 'gauge', 'Log records behind the head.', ['consumer', 'partition']),
  lagAge: metric(
    'consumer_lag_seconds',
    'gauge',
    'Since the append time of the newest record that the consumer has read, while there are newer ones; else 0.',
    ['consumer', 'partition'],
  ),
  headAppended: metric(
    'consumer_append_timestamp_seconds',
    'gauge',
    'Append time of the newest record of the partition.',
    ['partition'],
  ),
  lastEvaluation: metric(
    'evaluator_last_run_timestamp_seconds',
    'gauge',
    'When windows were last looked at, by the clock of the platform.',
  ),
  notifications: metric('notifier_deliveries_total', 'counter', 'Attempts to deliver a transition, by outcome.', [
    'outcome',
  ]),
  undeliveredAge: metric(
    'notifier_undelivered_age_seconds',
    'gauge',
    'Age of the oldest transition that some channel has not taken; 0 when there is none.',
  ),
  partUp: metric('part_up', 'gauge', '1 while the part runs, 0 while it is stopped or failing.', ['part']),
  configurationProblems: metric(
    'configuration_problems',
    'gauge',
    'Monitors and baselines that could not be taken over, so that they are not in force.',
  ),
  healthProblems: metric('health_problems', 'gauge', 'Problems that the platform finds with itself.'),
  platformTime: metric(
    'platform_timestamp_seconds',
    'gauge',
    'The clock of the platform: the wall clock, or the simulated one of a replay.',
  ),
  buildInfo: metric('build_info', 'gauge', 'The software that runs.', ['version', 'node']),

  // The sidecar. Names of its own: what it takes the collector counts again.
  sidecarReceived: metric('sidecar_records_received_total', 'counter', 'Events taken, by how they came.', ['source']),
  sidecarRecovered: metric('sidecar_records_recovered_total', 'counter', 'Events found on disk at the start.'),
  sidecarDelivered: metric('sidecar_records_delivered_total', 'counter', 'Events that the collector took.'),
  sidecarShed: metric(
    'sidecar_records_shed_total',
    'counter',
    'Events not kept for want of room: sampled by the hash of their id, or all.',
    ['reason'],
  ),
  sidecarCut: metric(
    'sidecar_records_cut_total',
    'counter',
    'Proxied inferences with a body longer than is copied; they passed, and are not monitored.',
  ),
  sidecarIgnored: metric(
    'sidecar_records_ignored_total',
    'counter',
    'Calls that were no inference to keep: another status than 200, nothing that infers, not ended.',
    ['reason'],
  ),
  sidecarRefused: metric(
    'sidecar_records_refused_total',
    'counter',
    'Events that the monitor cannot read, or the collector refuses however often they are sent.',
    ['reason'],
  ),
  sidecarLost: metric(
    'sidecar_records_lost_total',
    'counter',
    'Spooled events that cannot be read from disk any more.',
  ),
  sidecarWaiting: metric('sidecar_records', 'gauge', 'Events taken and not yet settled.'),
  sidecarTurnedAway: metric(
    'sidecar_requests_turned_away_total',
    'counter',
    'Posts of senders that wait, refused unread for want of room or of a disk.',
    ['reason'],
  ),
  sidecarFailures: metric('sidecar_delivery_failures_total', 'counter', 'Requests that the collector did not take.'),
  sidecarQueueBytes: metric(
    'sidecar_queue_bytes',
    'gauge',
    'Bytes that wait; on disk those already sent of a segment too.',
    ['tier'],
  ),
  sidecarQueueLimit: metric('sidecar_queue_limit_bytes', 'gauge', 'Bytes beyond which events are shed.', ['tier']),
  sidecarQueueAge: metric('sidecar_queue_oldest_record_age_seconds', 'gauge', 'Age of the oldest event that waits.', [
    'tier',
  ]),
  sidecarKeep: metric('sidecar_keep_ratio', 'gauge', 'Probability with which the next event is kept.'),
  sidecarDiskFailing: metric(
    'sidecar_disk_failing',
    'gauge',
    '1 while the spool cannot use its disk and events wait in memory alone; absent without a disk.',
  ),
  sidecarTorn: metric(
    'sidecar_torn_writes_total',
    'counter',
    'Unfinished writes removed at the start; none was acknowledged.',
  ),
  sidecarConnections: metric('sidecar_proxy_connections', 'gauge', 'Connections through the proxy.'),
  sidecarUnreachable: metric(
    'sidecar_upstream_failures_total',
    'counter',
    'Connections that the model server did not take; callers got 502.',
  ),

  // The process.
  cpu: metric('process_cpu_seconds_total', 'counter', 'Processor time used, user and system.'),
  memory: metric('process_resident_memory_bytes', 'gauge', 'Resident memory.'),
  heap: metric('process_heap_bytes', 'gauge', 'Heap in use.'),
  eventLoopLag: metric(
    'process_event_loop_lag_seconds',
    'gauge',
    'The 99th percentile of the delay of the event loop since the last look.',
  ),
  startTime: metric('process_start_timestamp_seconds', 'gauge', 'When the process began.'),
} as const satisfies Readonly<Record<string, MetricDefinition>>;

/** Statistics of a feature that are exported: a closed set. */
export const FEATURE_STATISTICS = ['effect', 'p_value', 'missing_ratio'] as const;

/**
 * How often gauges are written where every sample costs: state for rules every minute; what features measured, for graphs alone, once an
 * hour and when a window was judged. Readers of the latter look back for as long (`last_over_time`).
 */
export const EXPORT_MINUTES = { state: 1, features: 60 } as const;

/** What exporters on AWS say that a scrape would add elsewhere; `instance` is the environment. Dashboards tell platforms apart by both. */
export const EXPORTED_JOB = 'mlmon';
