/** The pipeline: rate, errors and duration of what users see; use, saturation and errors of what it needs. In the order in which data flow. */
import { METRIC } from '../../contracts/metric-names.ts';
import type { Board } from '../board.ts';
import { bucketsOf, highest, NOW, of, rateOf } from '../promql.ts';
import { thresholdOf } from '../thresholds.ts';

const quantile = (q: number, buckets: string): string =>
  `histogram_quantile(${q}, sum by (le) (rate(${buckets}[$__rate_interval])))`;
const INGEST = bucketsOf(METRIC.collectorIngest);

export const PIPELINE: Board = {
  key: 'pipeline',
  title: 'Model monitoring: pipeline health',
  description:
    'Whether events get from the collector to verdicts: rate, errors and duration of each part, and what it has used of its limits.',
  variables: [],
  from: 'now-6h',
  refresh: '1m',
  sections: [
    {
      title: 'Does everything run?',
      panels: [
        {
          key: 'guide',
          draw: 'text',
          title: 'How to read this',
          description: 'The order of the rows, and what is good news.',
          width: 24,
          height: 3,
          text: 'Rows follow the data: collector, log, profiler, capture, evaluator. **Left** is rate and errors, **right** is duration, age and what is left of a limit. Silence is not health: where events should flow, a line at zero is a fault. Dashed lines are the thresholds of the alerts.',
        },
        {
          key: 'parts',
          draw: 'states',
          title: 'Parts',
          description:
            'Which part runs, and which is stopped or failing. Its error stands in its log and on the health view; it is tried again by itself.',
          width: 12,
          height: 8,
          unit: 'none',
          words: 'running',
          queries: [{ expr: `min by (part) (${of(METRIC.partUp)})`, legend: '{{part}}' }],
        },
        {
          key: 'freshness',
          draw: 'lines',
          title: 'Since windows were last looked at, and since the newest event',
          description:
            'Both grow when something stands still. Above its dashed line each pages: no verdict is made, or no event arrives.',
          width: 12,
          height: 8,
          unit: 's',
          queries: [
            { expr: `clamp_min(${NOW} - max(${of(METRIC.lastEvaluation)}), 0)`, legend: 'evaluation' },
            { expr: `clamp_min(${NOW} - max(${of(METRIC.headAppended)}), 0)`, legend: 'newest event' },
            thresholdOf('evaluation-silent'),
            thresholdOf('no-events'),
          ],
        },
      ],
    },
    {
      title: 'Collector',
      panels: [
        {
          key: 'received',
          draw: 'lines',
          title: 'Events taken',
          description: 'Events a second, by how they came. A format that stops: its senders stopped or are refused.',
          width: 8,
          height: 8,
          unit: 'eps',
          queries: [
            { expr: `sum by (format, kind) (${rateOf(METRIC.collectorReceived)})`, legend: '{{format}} {{kind}}' },
          ],
        },
        {
          key: 'refused',
          draw: 'lines',
          title: 'Rejected, turned away, not durable',
          description:
            'Events in quarantine by reason, requests turned away unread, and appends to the log that failed. Mend the sender, add collectors, or see whether the log answers.',
          width: 8,
          height: 8,
          unit: 'eps',
          queries: [
            { expr: `sum by (reason) (${rateOf(METRIC.collectorRejected)})`, legend: 'rejected: {{reason}}' },
            { expr: `sum by (reason) (${rateOf(METRIC.collectorShed)})`, legend: 'turned away: {{reason}}' },
            { expr: `sum by (sink) (${rateOf(METRIC.collectorFailures)})`, legend: 'failed appends: {{sink}}' },
          ],
        },
        {
          key: 'ingest',
          draw: 'lines',
          title: 'From taken to durable',
          description:
            'How long senders wait for their answer. When it rises with the duration of appends, the log is slow; when alone, the collector is short of processor time.',
          width: 8,
          height: 8,
          unit: 's',
          queries: [
            { expr: quantile(0.5, INGEST), legend: 'median' },
            { expr: quantile(0.99, INGEST), legend: '99 %' },
            { expr: quantile(0.99, bucketsOf(METRIC.collectorDelivery)), legend: 'append, 99 %' },
          ],
        },
        {
          key: 'ingest-heat',
          draw: 'heatmap',
          title: 'From taken to durable, all requests',
          description: 'Two bands mean two kinds of senders or one slow partition, which percentiles hide.',
          width: 8,
          height: 8,
          unit: 's',
          queries: [{ expr: `sum by (le) (rate(${INGEST}[$__rate_interval]))`, legend: '{{le}}' }],
        },
        {
          key: 'queue',
          draw: 'lines',
          title: 'Queue, and its limit',
          description:
            'Bytes taken and not yet durable. At the dashed line requests are turned away with 429: add collectors, or find out why the log is slow.',
          width: 8,
          height: 8,
          unit: 'bytes',
          queries: [
            { expr: `max by (tier) (${of(METRIC.collectorQueueBytes)})`, legend: '{{tier}}' },
            { expr: `max by (tier) (${of(METRIC.collectorQueueLimit)})`, legend: 'limit {{tier}}', isThreshold: true },
          ],
        },
        {
          key: 'queue-age',
          draw: 'lines',
          title: 'Age of the oldest event in the queue',
          description:
            'How long an event has waited to become durable. Seconds are a slow log; minutes one that is away.',
          width: 8,
          height: 8,
          unit: 's',
          queries: [{ expr: `max by (tier) (${of(METRIC.collectorQueueAge)})`, legend: '{{tier}}' }],
        },
      ],
    },
    {
      title: 'Log and profiler',
      panels: [
        {
          key: 'processed',
          draw: 'lines',
          title: 'Events delivered, profiled and captured',
          description:
            'Three lines that should lie upon each other. The second below the first: the profiler is behind; the third: the archiver.',
          width: 12,
          height: 8,
          unit: 'eps',
          queries: [
            { expr: `sum(${rateOf(METRIC.collectorDelivered)})`, legend: 'delivered to the log' },
            { expr: `sum(${rateOf(METRIC.profilerProcessed)})`, legend: 'profiled' },
            { expr: `sum(${rateOf(METRIC.captured)})`, legend: 'captured' },
          ],
        },
        {
          key: 'lag-age',
          draw: 'lines',
          title: 'Age of what was not read',
          description:
            'By partition. One that climbs alone has a hot key or a stuck consumer; all of them: too few consumers. Above the dashed line an alert pages.',
          width: 12,
          height: 8,
          unit: 's',
          queries: [
            {
              expr: `max by (consumer, partition) (${of(METRIC.lagAge)})`,
              legend: '{{consumer}} {{partition}}',
            },
            thresholdOf('profiler-behind'),
          ],
        },
        {
          key: 'lag',
          draw: 'lines',
          title: 'Log records behind the head',
          description:
            'By consumer, all partitions together. A slope that does not turn: add partitions and consumers before retention takes what was not read.',
          width: 12,
          height: 8,
          unit: 'short',
          queries: [
            {
              expr: `sum by (consumer) (max by (consumer, partition) (${of(METRIC.lag)}))`,
              legend: '{{consumer}}',
            },
          ],
        },
        {
          key: 'unread',
          draw: 'lines',
          title: 'Quarantined, late and lost',
          description:
            'Records that count nowhere: unreadable by reason, too late for their window, or removed by retention before they were read. Mend the producer; lost ones come back by `mlmon backfill`.',
          width: 12,
          height: 8,
          unit: 'eps',
          queries: [
            { expr: `sum by (reason) (${rateOf(METRIC.quarantined)})`, legend: 'quarantine: {{reason}}' },
            { expr: `sum(${rateOf(METRIC.profilerBeyond)})`, legend: 'late' },
            { expr: `sum(${rateOf(METRIC.lost)})`, legend: 'lost' },
          ],
        },
      ],
    },
    {
      title: 'Sidecars',
      panels: [
        {
          key: 'sidecar-flow',
          draw: 'lines',
          title: 'Taken and delivered',
          description:
            'Events a second that sidecars took, by how they came, and that the collector took from them. The second far below the first: they wait, or are sampled.',
          width: 8,
          height: 8,
          unit: 'eps',
          queries: [
            { expr: `sum by (source) (${rateOf(METRIC.sidecarReceived)})`, legend: 'taken: {{source}}' },
            { expr: `sum(${rateOf(METRIC.sidecarDelivered)})`, legend: 'delivered' },
          ],
        },
        {
          key: 'sidecar-loss',
          draw: 'lines',
          title: 'Not kept, refused, lost',
          description:
            'Events that count nowhere, by reason. Sampled ones are made up for by the weight of the others; refused ones need a monitor that reads them.',
          width: 8,
          height: 8,
          unit: 'eps',
          queries: [
            { expr: `sum by (reason) (${rateOf(METRIC.sidecarShed)})`, legend: 'not kept: {{reason}}' },
            { expr: `sum by (reason) (${rateOf(METRIC.sidecarRefused)})`, legend: 'refused: {{reason}}' },
            { expr: `sum(${rateOf(METRIC.sidecarLost)})`, legend: 'lost' },
            { expr: `sum(${rateOf(METRIC.sidecarCut)})`, legend: 'too long to copy' },
          ],
        },
        {
          key: 'sidecar-failures',
          draw: 'lines',
          title: 'Failures on both sides',
          description:
            'Requests that the collector did not take, connections that the model server did not take, senders turned away. The second is an outage of the model.',
          width: 8,
          height: 8,
          unit: 'eps',
          queries: [
            { expr: `sum(${rateOf(METRIC.sidecarFailures)})`, legend: 'collector' },
            { expr: `sum(${rateOf(METRIC.sidecarUnreachable)})`, legend: 'model server' },
            { expr: `sum by (reason) (${rateOf(METRIC.sidecarTurnedAway)})`, legend: 'turned away: {{reason}}' },
          ],
        },
        {
          key: 'sidecar-queue',
          draw: 'lines',
          title: 'Spool, and its limit',
          description:
            'Bytes that wait, of the fullest sidecar. At the dashed line events are sampled: bring the collector back, or raise the limit.',
          width: 8,
          height: 8,
          unit: 'bytes',
          queries: [
            { expr: `max by (tier) (${of(METRIC.sidecarQueueBytes)})`, legend: '{{tier}}' },
            { expr: `max by (tier) (${of(METRIC.sidecarQueueLimit)})`, legend: 'limit {{tier}}', isThreshold: true },
          ],
        },
        {
          key: 'sidecar-age',
          draw: 'lines',
          title: 'Age of the oldest event that waits',
          description:
            'Of the sidecar that is furthest behind. Above the dashed line an alert pages: the collector is away, or refuses.',
          width: 8,
          height: 8,
          unit: 's',
          queries: [
            { expr: `max by (tier) (${of(METRIC.sidecarQueueAge)})`, legend: '{{tier}}' },
            thresholdOf('sidecar-queue-old'),
          ],
        },
        {
          key: 'sidecar-keep',
          draw: 'lines',
          title: 'Share that is kept, and disks that fail',
          description:
            'Least probability with which an event is kept: 1 is all of them. Below, which share of sidecars cannot use its disk.',
          width: 8,
          height: 8,
          unit: 'percentunit',
          max: 1,
          queries: [
            { expr: `min(${of(METRIC.sidecarKeep)})`, legend: 'kept' },
            { expr: `avg(${of(METRIC.sidecarDiskFailing)})`, legend: 'disks failing' },
          ],
        },
      ],
    },
    {
      title: 'What it uses',
      panels: [
        {
          key: 'cpu',
          draw: 'lines',
          title: 'Processor time',
          description:
            'Processors in use, by instance. A profiler near one is at its limit, since it works on one thread: add partitions.',
          width: 8,
          height: 8,
          unit: 'short',
          queries: [{ expr: `sum by (instance) (${rateOf(METRIC.cpu)})`, legend: '{{instance}}' }],
        },
        {
          key: 'memory',
          draw: 'lines',
          title: 'Memory',
          description:
            'Resident memory by instance, and the heap within. A slope over days is a leak: report it with the graph.',
          width: 8,
          height: 8,
          unit: 'bytes',
          queries: [
            { expr: highest('instance', of(METRIC.memory)), legend: '{{instance}}' },
            { expr: highest('instance', of(METRIC.heap)), legend: 'heap {{instance}}' },
          ],
        },
        {
          key: 'event-loop',
          draw: 'lines',
          title: 'Delay of the event loop',
          description:
            'The 99th percentile. Above a few hundred milliseconds probes time out: give it more processor time or fewer partitions.',
          width: 8,
          height: 8,
          unit: 's',
          queries: [{ expr: highest('instance', of(METRIC.eventLoopLag)), legend: '{{instance}}' }],
        },
      ],
    },
  ],
};
