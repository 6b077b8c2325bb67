/** Alerts about monitoring itself: what it does not see, does not get, or cannot tell. Alarms own them, since our own code may be what fails. */
import { PLATFORM_CLOUDWATCH_METRIC as CLOUDWATCH } from '../contracts/cloudwatch-metrics.ts';
import { METRIC } from '../contracts/metric-names.ts';
import type { AlertRule } from './rule.ts';

const NOW = `scalar(max(${METRIC.platformTime.name}))`;
const NOTHING_HAPPENED = 'the metric is written when it happens: no data is the normal state';
const BLIND = { signal: 'blind', owner: 'alarms' } as const;
/** Over how long increases are counted. */
const COUNTED = '5m';

export const STREAM_RULES = [
  {
    ...BLIND,
    key: 'no-events',
    name: 'MlmonNoEvents',
    severity: 'critical',
    for: '5m',
    summary: 'No events arrive, of any model',
    description:
      'Nothing was taken from the stream for long. Silence is not health: the producers may have stopped, lost their credentials, or write elsewhere.',
    threshold: { value: 3_600, unit: 'seconds', meaning: 'since the newest event was taken' },
    missing: {
      treatment: 'breaching',
      reason: 'no data means that no event ever came, or that nobody tells: both are blind',
    },
    prometheus: {
      value: `${NOW} - max(${METRIC.headAppended.name})`,
      compare: '>',
      absent: METRIC.headAppended.name,
      on: ['aws', 'machines'],
    },
    cloudwatch: { metric: CLOUDWATCH.lastEventAge, period: 60, compare: '>', threshold: 'value' },
    look: [
      'Whether the models serve at all.',
      'What the producers get: HTTP answers of the collector, errors of PutRecords, credentials, network.',
      'Quarantine and rejections: events may come and be refused.',
    ],
    act: [
      'Mend the producer. What it kept can be sent late: `mlmon backfill`, or within `window.lateness` as usual.',
      'Traffic that pauses by nature, such as at night: raise the threshold to the longest pause.',
    ],
  },
  {
    ...BLIND,
    key: 'profiler-behind',
    name: 'MlmonProfilerBehind',
    severity: 'critical',
    for: '5m',
    summary: 'Events wait on the stream for too long',
    description:
      'A partition is read more slowly than it is written, or not at all. Windows wait for it and are then judged stale; what is older than the retention of the stream is lost.',
    threshold: { value: 600, unit: 'seconds', meaning: 'age of the oldest record that was not read' },
    missing: {
      treatment: 'notBreaching',
      reason: 'without records nothing is read and nothing waits; that none come is no-events',
    },
    prometheus: {
      value: `max by (partition) (${METRIC.lagAge.name}{consumer="profiler"})`,
      compare: '>',
      absent: null,
      on: ['aws', 'machines'],
    },
    cloudwatch: {
      metric: { aws: 'iterator-age', functions: 'profiler' },
      period: 60,
      compare: '>',
      threshold: 'milliseconds',
    },
    look: ['Errors, throttles and duration of the profiler.', 'One partition or all: one points to a hot key.'],
    act: [
      'It fails: read the error in its log. A batch is tried a bounded number of times, then given up and redriven.',
      'It is slow: add shards or partitions; each is read by itself.',
      'One key has most of the traffic: let producers use the key of model and hash.',
    ],
  },
  {
    ...BLIND,
    key: 'batches-given-up',
    name: 'MlmonBatchesGivenUp',
    severity: 'warning',
    for: '0m',
    summary: 'A batch of the stream was given up',
    description:
      'The profiler failed on it as often as it may. The records lie in the on-failure prefix of the bucket and are folded from there once, so nothing is lost yet.',
    threshold: { value: 1, unit: 'count', meaning: 'batches given up in five minutes' },
    missing: { treatment: 'notBreaching', reason: NOTHING_HAPPENED },
    prometheus: {
      absent: 'batches are given up by the event source of AWS alone; elsewhere the profiler tries until it can',
    },
    cloudwatch: { metric: CLOUDWATCH.onFailureObjects, period: 300, compare: '>=', threshold: 'value' },
    look: [
      'The log of the profiler at that time: the store did not answer, or the function ran out of time or memory.',
    ],
    act: ['Mend the cause. If redrive-failing is quiet the records have been counted already.'],
  },
  {
    ...BLIND,
    key: 'redrive-failing',
    name: 'MlmonRedriveFailing',
    severity: 'critical',
    for: '0m',
    summary: 'A batch that was given up could not be folded later either',
    description: 'Its records are missing in the profiles until it is redriven. They are kept for 14 days.',
    threshold: { value: 1, unit: 'count', meaning: 'failures in five minutes' },
    missing: { treatment: 'notBreaching', reason: NOTHING_HAPPENED },
    prometheus: { absent: 'there is a redrive only where the event source of AWS gives batches up' },
    cloudwatch: { metric: CLOUDWATCH.redriveFailures, period: 300, compare: '>=', threshold: 'value' },
    look: ['The log of the redrive: which object, and why.'],
    act: ['Mend the cause, then invoke the redrive again with the notification of the object: twice is once.'],
  },
  {
    ...BLIND,
    key: 'records-lost',
    name: 'MlmonRecordsLost',
    severity: 'critical',
    for: '0m',
    summary: 'Records were removed from the stream before they were read',
    description:
      'The retention of the stream overtook the profiler. They may still be in the capture, but the profiles lack them.',
    threshold: { value: 1, unit: 'count', meaning: 'records lost in five minutes' },
    missing: { treatment: 'notBreaching', reason: NOTHING_HAPPENED },
    prometheus: {
      value: `sum(increase(${METRIC.lost.name}[${COUNTED}]))`,
      compare: '>=',
      absent: null,
      on: ['aws', 'machines'],
    },
    cloudwatch: { metric: CLOUDWATCH.lostRecords, period: 300, compare: '>=', threshold: 'value' },
    look: ['For how long the profiler was behind, and why nobody acted on profiler-behind.'],
    act: [
      'Raise the retention of the stream above the longest outage to survive.',
      'Bring the span back from the capture with `mlmon backfill`.',
    ],
  },
  {
    ...BLIND,
    key: 'capture-difference',
    name: 'MlmonCaptureDifference',
    severity: 'warning',
    for: '15m',
    summary: 'Events were profiled and are not in the capture',
    description:
      'The capture lacks events, so labels will not find their predictions, and baselines made from it lack rows.',
    threshold: { value: 1, unit: 'count', meaning: 'events missing in the newest span that must be complete' },
    missing: { treatment: 'notBreaching', reason: 'there is a datapoint only when a span was compared' },
    prometheus: {
      // What was profiled half an hour ago must have been captured by now.
      value: `sum(${METRIC.profilerProcessed.name} offset 30m) + sum(${METRIC.profilerBeyond.name} offset 30m) + sum(${METRIC.profilerLabels.name} offset 30m) - sum(${METRIC.captured.name})`,
      compare: '>=',
      absent: null,
      on: ['machines'],
    },
    cloudwatch: { metric: CLOUDWATCH.captureDifference, period: 300, compare: '>=', threshold: 'value' },
    look: [
      'The error prefix of the capture: records whose conversion failed.',
      'Whether delivery to the bucket is late: it catches up by itself.',
    ],
    act: [
      'Mend the producer whose values do not fit their columns.',
      'Delivery stands still: check its role and the bucket.',
    ],
  },
  {
    ...BLIND,
    key: 'policy-broken',
    name: 'MlmonPolicyBroken',
    severity: 'critical',
    for: '0m',
    summary: 'A producer wrote what the field policy of its monitor forbids',
    description:
      'Values that were to be hashed, bucketed or dropped stand on the stream and in the capture as they are. The events are in quarantine and count nowhere.',
    threshold: { value: 1, unit: 'count', meaning: 'events in five minutes' },
    missing: { treatment: 'notBreaching', reason: NOTHING_HAPPENED },
    prometheus: {
      value: `sum(increase(${METRIC.quarantined.name}{reason="policy"}[${COUNTED}]))`,
      compare: '>=',
      absent: null,
      on: ['aws', 'machines'],
    },
    cloudwatch: { metric: CLOUDWATCH.policyBreaches, period: 300, compare: '>=', threshold: 'value' },
    look: ['The quarantine, reason `policy`: which model and source.'],
    act: [
      'Stop the producer, or let it write through the collector or the producer helper, which apply the policy.',
      'Delete what must not be kept from the capture of these hours.',
    ],
  },
  {
    ...BLIND,
    key: 'quarantine-growing',
    name: 'MlmonQuarantineGrowing',
    severity: 'warning',
    for: '0m',
    summary: 'Many events on the stream cannot be read',
    description: 'They are kept with their reason and count nowhere, so the windows of their models lack rows.',
    threshold: { value: 100, unit: 'count', meaning: 'events put into quarantine in five minutes' },
    missing: { treatment: 'notBreaching', reason: NOTHING_HAPPENED },
    prometheus: {
      value: `sum(increase(${METRIC.quarantined.name}[${COUNTED}]))`,
      compare: '>=',
      absent: null,
      on: ['aws', 'machines'],
    },
    cloudwatch: { metric: CLOUDWATCH.quarantinedRecords, period: 300, compare: '>=', threshold: 'value' },
    look: ['The quarantine on the health view: the reason, the model, an example.'],
    act: ['`unknown-model`: apply its monitor. Anything else: mend the producer, then send the events again.'],
  },
  {
    ...BLIND,
    key: 'events-rejected',
    name: 'MlmonEventsRejected',
    severity: 'warning',
    for: '0m',
    summary: 'The collector rejects many events',
    description: 'They break their contract, and are in quarantine with their reason. Their senders were told.',
    threshold: { value: 100, unit: 'count', meaning: 'events rejected in five minutes' },
    missing: { treatment: 'notBreaching', reason: NOTHING_HAPPENED },
    prometheus: {
      value: `sum(increase(${METRIC.collectorRejected.name}[${COUNTED}]))`,
      compare: '>=',
      absent: null,
      on: ['machines'],
    },
    cloudwatch: { metric: CLOUDWATCH.rejectedEvents, period: 300, compare: '>=', threshold: 'value' },
    look: ['The quarantine of the collector: reason and model.'],
    act: ['Compare sender and monitor: a renamed, retyped or undeclared field, a model nobody declared.'],
  },
] as const satisfies readonly AlertRule[];
