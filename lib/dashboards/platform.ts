/** Does monitoring itself work? From the events that come in to the alerts that go out. */
import { PLATFORM_CLOUDWATCH_METRIC as METRIC } from '../contracts/cloudwatch-metrics.ts';
import { SEVERITIES } from '../contracts/result.ts';
import type { DashboardDefinition } from './panel.ts';

export const PLATFORM_DASHBOARD: DashboardDefinition = {
  key: 'platform',
  title: 'Model monitoring: platform',
  sections: [
    {
      title: 'Now',
      help: 'Open episodes are about models, alarms about monitoring itself. While an alarm of the second kind rings, silence of the first means nothing.',
      panels: [
        {
          key: 'open-episodes',
          title: 'Open episodes',
          kind: 'numbers',
          unit: 'episodes',
          width: 12,
          metrics: [...SEVERITIES]
            .reverse()
            .map((severity) => ({ platform: METRIC.openEpisodes, label: severity, severity })),
        },
        {
          key: 'models',
          title: 'Models',
          kind: 'numbers',
          unit: 'models',
          width: 12,
          metrics: [
            { platform: METRIC.models, label: 'monitored' },
            { platform: METRIC.silentModels, label: 'without rows' },
            { platform: METRIC.staleModels, label: 'stale' },
            { platform: METRIC.failedModels, label: 'failed' },
          ],
        },
        { key: 'alarms', title: 'Alarms', kind: 'alarms', unit: '', width: 24, metrics: [] },
      ],
    },
    {
      title: 'Events in',
      help: 'What comes in is profiled within about a minute. Iterator age that grows means that the profiler falls behind.',
      panels: [
        {
          key: 'stream',
          title: 'Records on the stream',
          kind: 'lines',
          unit: 'records',
          width: 8,
          metrics: [
            { aws: 'stream', metric: 'IncomingRecords' },
            { aws: 'stream', metric: 'WriteProvisionedThroughputExceeded' },
          ],
        },
        {
          key: 'profiled',
          title: 'Events profiled',
          kind: 'lines',
          unit: 'events',
          width: 8,
          metrics: [
            { platform: METRIC.profiledRecords, label: 'profiled' },
            { platform: METRIC.lateRecords, label: 'too late to be revised' },
            { platform: METRIC.receivedEvents, label: 'taken by the collector' },
          ],
        },
        {
          key: 'behind',
          title: 'Behind',
          kind: 'lines',
          unit: 'see legend',
          width: 8,
          metrics: [
            { aws: 'iterator-age', function: 'profiler' },
            { platform: METRIC.lastEventAge, label: 'seconds since the newest event' },
          ],
        },
        {
          key: 'refused',
          title: 'Not counted, and kept',
          kind: 'lines',
          unit: 'events',
          width: 12,
          metrics: [
            { platform: METRIC.quarantinedRecords, label: 'in quarantine' },
            { platform: METRIC.policyBreaches, label: 'against a field policy' },
            { platform: METRIC.rejectedEvents, label: 'rejected by the collector' },
            { platform: METRIC.lostRecords, label: 'lost to retention' },
          ],
        },
        {
          key: 'given-up',
          title: 'Batches given up',
          kind: 'lines',
          unit: 'batches',
          width: 12,
          metrics: [
            { platform: METRIC.onFailureObjects, label: 'given up' },
            { platform: METRIC.redriveFailures, label: 'not redriven either' },
            { platform: METRIC.captureDifference, label: 'events missing in the capture' },
          ],
        },
      ],
    },
    {
      title: 'Verdicts',
      help: 'A window is judged when its lateness is over. Overdue means that it could be judged and is not.',
      panels: [
        {
          key: 'verdict-delay',
          title: 'From window end and lateness to verdict',
          kind: 'lines',
          unit: 'seconds',
          width: 8,
          metrics: [
            { platform: METRIC.verdictDelay, label: 'longest' },
            { platform: METRIC.overdue, label: 'oldest window overdue' },
            { platform: METRIC.labelsOverdue, label: 'labels overdue' },
          ],
        },
        {
          key: 'due',
          title: 'Models due',
          kind: 'lines',
          unit: 'models',
          width: 8,
          metrics: [
            { platform: METRIC.dueModels, label: 'due' },
            { platform: METRIC.evaluationFailures, label: 'failed attempts' },
          ],
        },
        {
          key: 'labels',
          title: 'Read to join labels',
          kind: 'lines',
          unit: 'bytes',
          width: 8,
          metrics: [{ platform: METRIC.scannedBytes, label: 'scanned' }],
        },
      ],
    },
    {
      title: 'Alerts and metrics out',
      help: 'Every transition is delivered within minutes. Dead letters reach nobody.',
      panels: [
        {
          key: 'deliveries',
          title: 'Deliveries',
          kind: 'lines',
          unit: 'see legend',
          width: 8,
          metrics: [
            { platform: METRIC.undeliveredAge, label: 'age of the oldest, seconds' },
            { platform: METRIC.deliveryFailures, label: 'given up' },
          ],
        },
        {
          key: 'sinks',
          title: 'Metrics refused',
          kind: 'lines',
          unit: 'see legend',
          width: 8,
          metrics: [
            { platform: METRIC.sinkFailures, label: 'failed writes' },
            { platform: METRIC.droppedSamples, label: 'samples refused' },
            { platform: METRIC.grafanaFailures, each: 'function' },
          ],
        },
        {
          key: 'dead-letters',
          title: 'Messages in queues',
          kind: 'lines',
          unit: 'messages',
          width: 8,
          metrics: [{ aws: 'queues' }],
        },
      ],
    },
    {
      title: 'Functions',
      help: 'A single error means nothing, since it is made again.',
      panels: [
        {
          key: 'runs',
          title: 'Runs on schedule',
          kind: 'lines',
          unit: 'runs',
          width: 6,
          metrics: [{ platform: METRIC.runs, each: 'function' }],
        },
        {
          key: 'errors',
          title: 'Errors',
          kind: 'lines',
          unit: 'invocations',
          width: 6,
          metrics: [{ aws: 'function', metric: 'Errors', functions: 'each' }],
        },
        {
          key: 'throttles',
          title: 'Throttles',
          kind: 'lines',
          unit: 'invocations',
          width: 6,
          metrics: [{ aws: 'function', metric: 'Throttles', functions: 'each' }],
        },
        {
          key: 'duration',
          title: 'Duration',
          kind: 'lines',
          unit: 'milliseconds',
          width: 6,
          metrics: [{ aws: 'function', metric: 'Duration', functions: 'each' }],
        },
      ],
    },
  ],
};
