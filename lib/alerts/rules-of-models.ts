/** Alerts about models: their open episodes, and windows or labels that stay away. */
import { PLATFORM_CLOUDWATCH_METRIC as CLOUDWATCH } from '../contracts/cloudwatch-metrics.ts';
import { METRIC } from '../contracts/metric-names.ts';
import type { Severity } from '../contracts/result.ts';
import type { AlertRule } from './rule.ts';

const NOW = `scalar(max(${METRIC.platformTime.name}))`;

function openEpisodes<S extends Severity>(severity: S, name: string): AlertRule<`open-episodes-${S}`> {
  return {
    key: `open-episodes-${severity}`,
    name,
    signal: null,
    severity,
    owner: 'episodes',
    for: '2m',
    summary: `An episode of severity ${severity} is open`,
    description:
      'A model drifts, breaks its contract, performs worse, is slow, has unusual traffic or cannot be seen. The alert itself was sent when the episode opened; this one shows that it still is.',
    threshold: { value: 1, unit: 'count', meaning: `open episodes of severity ${severity}` },
    missing: {
      treatment: 'ignore',
      reason: 'an episode does not end because the exporter stopped; that it stopped is an alert of its own',
    },
    prometheus: {
      value: `max by (model, signal) (${METRIC.episodeOpen.name}{severity="${severity}"})`,
      compare: '>=',
      absent: null,
      on: ['aws', 'machines'],
    },
    cloudwatch: { metric: CLOUDWATCH.openEpisodes, severity, period: 60, compare: '>=', threshold: 'value' },
    look: [
      'Which model and signal: the labels in Prometheus, the list of alerts on the page, or `mlmon alert list`.',
      'The entry of that signal in this runbook.',
    ],
    act: [
      'Follow the entry of the signal. Acknowledge with `mlmon alert acknowledge` so that others see who works on it.',
    ],
  };
}

export const MODEL_RULES = [
  openEpisodes('critical', 'MlmonEpisodeOpenCritical'),
  openEpisodes('warning', 'MlmonEpisodeOpenWarning'),
  openEpisodes('info', 'MlmonEpisodeOpenInfo'),
  {
    key: 'windows-stale',
    name: 'MlmonWindowsStale',
    signal: 'blind',
    severity: 'warning',
    owner: 'episodes',
    for: '5m',
    summary: 'A window was judged without having seen all of the stream',
    description:
      'A partition stood still for so long that the window of a model was judged stale: neither ok nor drifted is known. The model has an open episode of the signal blind, which was sent.',
    threshold: { value: 1, unit: 'count', meaning: 'models whose newest window is stale' },
    missing: {
      treatment: 'ignore',
      reason: 'what was stale stays stale until a newer window is judged; that nobody tells is an alert of its own',
    },
    prometheus: {
      value: `max by (model) (${METRIC.windowState.name}{state="stale"})`,
      compare: '>=',
      absent: null,
      on: ['aws', 'machines'],
    },
    cloudwatch: { metric: CLOUDWATCH.staleModels, period: 60, compare: '>=', threshold: 'value' },
    look: ['The profiler: is it behind, does it fail? See profiler-behind.', 'The health view: lag by partition.'],
    act: ['Start what stands still. The window is revised when its records have been read.'],
  },
  {
    key: 'windows-failed',
    name: 'MlmonWindowsFailed',
    signal: 'blind',
    severity: 'warning',
    owner: 'episodes',
    for: '5m',
    summary: 'A window could not be judged',
    description:
      'What a window of a model was to be judged with is missing or spoilt. The model has an open episode of the signal blind, which was sent.',
    threshold: { value: 1, unit: 'count', meaning: 'models whose newest window failed' },
    missing: {
      treatment: 'ignore',
      reason: 'what failed stays failed until a newer window is judged; that nobody tells is an alert of its own',
    },
    prometheus: {
      value: `max by (model) (${METRIC.windowState.name}{state="failed"})`,
      compare: '>=',
      absent: null,
      on: ['aws', 'machines'],
    },
    cloudwatch: { metric: CLOUDWATCH.failedModels, period: 60, compare: '>=', threshold: 'value' },
    look: ['The reason in the window itself: the model on the page, or `results/` in the store.'],
    act: [
      'A baseline that cannot be read: publish it again with `mlmon baseline`.',
      'Anything else: report it with the reason.',
    ],
  },
  {
    key: 'windows-overdue',
    name: 'MlmonWindowsOverdue',
    signal: 'blind',
    severity: 'critical',
    owner: 'alarms',
    for: '5m',
    summary: 'Windows should have been judged and were not',
    description:
      'The time of a window and its lateness is over, and there is no result. No episode can tell of it, since episodes are made of results.',
    threshold: { value: 3_600, unit: 'seconds', meaning: 'since the oldest window that could be judged and is not' },
    missing: {
      treatment: 'notBreaching',
      reason: 'before the first window nothing is overdue; that nobody looks is the alert evaluation-silent',
    },
    prometheus: {
      value: `${NOW} - min by (model) (${METRIC.windowDue.name})`,
      compare: '>',
      absent: null,
      on: ['aws', 'machines'],
    },
    cloudwatch: { metric: CLOUDWATCH.overdue, period: 60, compare: '>', threshold: 'value' },
    look: [
      'The evaluator: its errors, its queue and the dead letters.',
      'The profiler: a window waits for every partition; see profiler-behind.',
    ],
    act: [
      'Messages in the dead-letter queue: read the error in the log, mend the cause, move them back.',
      'Throttled functions: raise the concurrency that is reserved for the evaluator, or the quota of the account.',
    ],
  },
  {
    key: 'labels-overdue',
    name: 'MlmonLabelsOverdue',
    signal: 'blind',
    severity: 'warning',
    owner: 'alarms',
    for: '5m',
    summary: 'Labels came before and have stopped coming',
    description:
      'A model had labels, and the horizon of a whole later window is over without one. Its performance is not known any more. Labels that come but are too few open an episode instead.',
    threshold: { value: 3_600, unit: 'seconds', meaning: 'since labels of a later window should have come' },
    missing: { treatment: 'notBreaching', reason: 'a model that never had labels misses none' },
    prometheus: {
      value: `${NOW} - max by (model) (${METRIC.labelsDue.name})`,
      compare: '>',
      absent: null,
      on: ['aws', 'machines'],
    },
    cloudwatch: { metric: CLOUDWATCH.labelsOverdue, period: 60, compare: '>', threshold: 'value' },
    look: [
      'When the last label came, and from where.',
      'Whether prediction ids in labels still match those in events.',
    ],
    act: [
      'Start the job that sends labels; those within the horizon still count.',
      'Labels that take longer by nature: raise `truth.horizon` in the monitor.',
      'A model that has none any more: remove `truth` from its monitor, or the monitor.',
    ],
  },
] as const satisfies readonly AlertRule[];
