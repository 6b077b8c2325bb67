/**
 * Alerts about parts that run as processes of their own: what they cannot take, cannot write, or do not tell any more. On AWS functions have
 * other ways to fail, and other alerts.
 */
import { METRIC } from '../contracts/metric-names.ts';
import type { AlertRule } from './rule.ts';

const NOTHING_HAPPENED = 'the metric is written when it happens: no data is the normal state';
const FUNCTIONS =
  'on AWS there are functions instead of processes, which function-failing and the alerts on silence watch';
const BLIND = { signal: 'blind', owner: 'alarms' } as const;
/** Over how long increases are counted. */
const COUNTED = '5m';
/** For how long a part or a target that was there is missed. */
const MISSED = '1d';

export const CONTAINER_RULES = [
  {
    ...BLIND,
    key: 'part-absent',
    name: 'MlmonPartAbsent',
    severity: 'critical',
    for: '10m',
    summary: 'A part of the platform tells nothing any more',
    description:
      'No process runs it, none of those that do can be scraped, or it was never there although the deployment says so. What it does is not done.',
    threshold: null,
    missing: { treatment: 'breaching', reason: 'that nothing is told is what it is about' },
    prometheus: {
      value: `max by (part) (max_over_time(${METRIC.partUp.name}[${MISSED}])) unless max by (part) (${METRIC.partUp.name})`,
      compare: '>=',
      absent: null,
      on: ['machines'],
    },
    cloudwatch: { absent: FUNCTIONS },
    look: [
      'Whether its containers run: `kubectl get pods`, and why they do not start: `kubectl describe pod`, the log of the last attempt.',
      'Wrong credentials and a configuration that is refused end a container at once; its last lines say what is expected.',
    ],
    act: [
      'Mend what the log names. Nothing that was acknowledged is lost: the part goes on where it was.',
      'It was removed on purpose: silence the alert for a day; it then forgets the part.',
    ],
  },
  {
    ...BLIND,
    key: 'scrape-failing',
    name: 'MlmonScrapeFailing',
    severity: 'warning',
    for: '10m',
    summary: 'A process of the platform cannot be scraped',
    description: 'It was scraped within the last day and does not answer now. Dashboards and rules see nothing of it.',
    threshold: { value: 1, unit: 'count', meaning: '1 while the last scrape failed' },
    missing: { treatment: 'notBreaching', reason: 'a target that is gone with its container is no failure' },
    prometheus: {
      value: `((1 - min by (job, instance) (up)) and on (job, instance) max by (job, instance) (last_over_time(${METRIC.buildInfo.name}[${MISSED}])))`,
      compare: '>=',
      absent: null,
      on: ['machines'],
    },
    cloudwatch: { absent: FUNCTIONS },
    look: [
      'The error on the page of targets in Prometheus: refused, timed out, too large.',
      'Network policies: the port of operations must be open to Prometheus.',
    ],
    act: [
      'Timed out: the process is busy or stalls; see its delay of the event loop on the dashboard of the pipeline.',
      'Refused: it does not run, see part-absent.',
    ],
  },
  {
    ...BLIND,
    key: 'part-restarting',
    name: 'MlmonPartRestarting',
    severity: 'warning',
    for: '0m',
    summary: 'A process of the platform starts again and again',
    description: 'It is killed, or ends by itself, and never runs for long. Its work is done late or not at all.',
    threshold: { value: 3, unit: 'count', meaning: 'starts in 15 minutes besides the first' },
    missing: { treatment: 'notBreaching', reason: 'a process that is not there is seen by part-absent' },
    prometheus: {
      value: `max by (job, instance) (changes(${METRIC.startTime.name}[15m]))`,
      compare: '>=',
      absent: null,
      on: ['machines'],
    },
    cloudwatch: { absent: FUNCTIONS },
    look: [
      'Why the last container ended: `OOMKilled`, a failed liveness probe, or an exit code with a message in the log before.',
    ],
    act: [
      'Out of memory: raise its limit, or give it fewer partitions.',
      'A probe that fails: more processor time, since the event loop stalls.',
      'An exit code: mend what its last lines name.',
    ],
  },
  {
    ...BLIND,
    key: 'collector-shedding',
    name: 'MlmonCollectorShedding',
    severity: 'warning',
    for: '5m',
    summary: 'The collector turns requests away',
    description: 'Its queue is full. Senders are told to come again; events of those that do not are lost.',
    threshold: { value: 1, unit: 'count', meaning: 'requests turned away in five minutes' },
    missing: { treatment: 'notBreaching', reason: NOTHING_HAPPENED },
    prometheus: {
      value: `sum(increase(${METRIC.collectorShed.name}[${COUNTED}]))`,
      compare: '>=',
      absent: null,
      on: ['machines'],
    },
    cloudwatch: { absent: 'on AWS the collector holds no queue: the stream refuses, and senders see it' },
    look: [
      'Duration and failures of appends: a slow log fills the queue. See collector-queue-old and sink-failing.',
      'Rate of events: more than the collectors were made for.',
    ],
    act: ['A slow log: mend it first.', 'More events: more collectors, or the upper bound of their autoscaler.'],
  },
  {
    ...BLIND,
    key: 'collector-queue-old',
    name: 'MlmonCollectorQueueOld',
    severity: 'critical',
    for: '2m',
    summary: 'Events wait to become durable',
    description:
      'The log does not take what the collector has: it is away, refuses, or is very slow. Senders wait for their answer, and are turned away when the queue is full.',
    threshold: { value: 30, unit: 'seconds', meaning: 'age of the oldest event that is not durable' },
    missing: { treatment: 'notBreaching', reason: 'without a collector nothing waits; that it is gone is part-absent' },
    prometheus: {
      value: `max by (instance) (${METRIC.collectorQueueAge.name})`,
      compare: '>',
      absent: null,
      on: ['machines'],
    },
    cloudwatch: { absent: 'on AWS an event is durable before its request is answered' },
    look: [
      'Whether the brokers answer, and what the log of the collector says: connection, credentials, a topic that is not there.',
      'Whether the disk of the brokers is full, or too few replicas are in step.',
    ],
    act: [
      'Mend the log; what waits is appended by itself, in order.',
      'Credentials changed: put the new ones into the secret.',
    ],
  },
  {
    ...BLIND,
    key: 'lag-growing',
    name: 'MlmonLagGrowing',
    severity: 'warning',
    for: '15m',
    summary: 'A consumer of the log falls further and further behind',
    description:
      'More is written than it reads. Windows will wait for it, and what is older than the retention of the log will be lost.',
    threshold: { value: 1, unit: 'count', meaning: 'log records a second by which the lag grew, over 15 minutes' },
    missing: { treatment: 'notBreaching', reason: 'a consumer that tells no lag has no partition; see part-absent' },
    prometheus: {
      value: `sum by (consumer) (max by (consumer, partition) (deriv(${METRIC.lag.name}[15m])))`,
      compare: '>',
      absent: null,
      on: ['machines'],
    },
    cloudwatch: { absent: 'on AWS the age of the oldest record tells it: profiler-behind' },
    look: [
      'Lag by partition: one that grows alone has a hot key or a consumer that is stuck; all of them, too few consumers.',
      'Processor time of the consumers: one thread each, so one is the most.',
    ],
    act: [
      'Too few: more replicas, up to the number of partitions; then more partitions.',
      'One is stuck: restart it; it goes on at its cursor, and counts nothing twice.',
    ],
  },
  {
    ...BLIND,
    key: 'archiver-behind',
    name: 'MlmonArchiverBehind',
    severity: 'warning',
    for: '10m',
    summary: 'The capture is late',
    description:
      'The archiver reads more slowly than events come, or cannot write. Labels do not find their predictions, and what is older than the retention of the log will be missing for good.',
    threshold: { value: 3_600, unit: 'seconds', meaning: 'age of the oldest record that is not in the capture' },
    missing: { treatment: 'notBreaching', reason: 'that no archiver runs is part-absent' },
    prometheus: {
      value: `max by (partition) (${METRIC.lagAge.name}{consumer="archiver"})`,
      compare: '>',
      absent: null,
      on: ['machines'],
    },
    cloudwatch: { absent: 'on AWS Firehose writes the capture: capture-difference tells' },
    look: ['The log of the archiver: what the store answers.', 'The store: slow, refusing, out of quota.'],
    act: ['Mend the store; the archiver catches up by itself and writes nothing twice.', 'It is slow: more replicas.'],
  },
  {
    ...BLIND,
    key: 'clock-skew',
    name: 'MlmonClockSkew',
    severity: 'warning',
    for: '0m',
    summary: 'Events come from the future',
    description:
      'Their time is more than five minutes after the log took them: a clock is wrong, at the sender or here. They are in quarantine and count nowhere.',
    threshold: { value: 10, unit: 'count', meaning: 'events in five minutes' },
    missing: { treatment: 'notBreaching', reason: NOTHING_HAPPENED },
    prometheus: {
      value: `sum(increase(${METRIC.quarantined.name}{reason="future"}[${COUNTED}]) or increase(${METRIC.collectorRejected.name}{reason="future"}[${COUNTED}]))`,
      compare: '>=',
      absent: null,
      on: ['machines'],
    },
    cloudwatch: { absent: 'on AWS quarantine-growing tells, whatever the reason' },
    look: [
      'The quarantine, reason `future`: which source, and by how much.',
      'All sources at once: the clock of the brokers or of the collectors is behind.',
    ],
    act: ['Set the clock (NTP), or the time zone of the sender; then send the events again.'],
  },
  {
    ...BLIND,
    key: 'configuration-refused',
    name: 'MlmonConfigurationRefused',
    severity: 'warning',
    for: '5m',
    summary: 'A monitor or a baseline was not taken over',
    description:
      'It cannot be read, or contradicts itself. What was in force before goes on; a new model is not watched.',
    threshold: { value: 1, unit: 'count', meaning: 'monitors and baselines that were refused' },
    missing: { treatment: 'notBreaching', reason: 'that nobody reads monitors is evaluation-silent' },
    prometheus: {
      value: `max(${METRIC.configurationProblems.name})`,
      compare: '>=',
      absent: null,
      on: ['machines'],
    },
    cloudwatch: { absent: 'on AWS a deployment with such a monitor fails' },
    look: ['The log of the evaluator, or the health view: which file, where, and what is expected.'],
    act: ['Correct the file; `mlmon validate` says the same before anything is deployed.'],
  },
  {
    ...BLIND,
    key: 'learning-held',
    name: 'MlmonLearningHeld',
    severity: 'warning',
    for: '1h',
    summary: 'A baseline is not learned although its time is over',
    description:
      'The days that were to be learned from are over, and something holds the baseline back. The model is not judged.',
    threshold: { value: 1, unit: 'count', meaning: '1 while something holds it back' },
    missing: { treatment: 'notBreaching', reason: 'the metric is there while a baseline is held back alone' },
    prometheus: {
      value: `max by (model, reason) (${METRIC.learningHeld.name})`,
      compare: '>=',
      absent: null,
      on: ['machines'],
    },
    cloudwatch: { absent: 'on AWS the deployment tells of it by labels of the baseline alone, without an alarm' },
    look: ['The reason in the label, and how-to/learn-a-baseline.md, which explains each.'],
    act: [
      'Too few rows or windows: wait, or ask for fewer days.',
      'Otherwise make a baseline by hand: `mlmon baseline make`.',
    ],
  },
  {
    ...BLIND,
    key: 'series-capped',
    name: 'MlmonSeriesCapped',
    severity: 'warning',
    for: '0m',
    summary: 'Series of a model are left out',
    description:
      'The model has more features and statistics than are exported, so that dashboards lack some. Verdicts and alerts are not touched.',
    threshold: { value: 1, unit: 'count', meaning: 'series left out since the exporter started' },
    missing: { treatment: 'notBreaching', reason: NOTHING_HAPPENED },
    prometheus: {
      value: `max by (model) (${METRIC.seriesCapped.name})`,
      compare: '>=',
      absent: null,
      on: ['machines'],
    },
    cloudwatch: { absent: 'features are never exported to CloudWatch' },
    look: ['How many features and scales the monitor has.'],
    act: ['Declare the features that matter, or fewer scales; the page shows all of them in any case.'],
  },
] as const satisfies readonly AlertRule[];
