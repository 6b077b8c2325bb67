/** Performance of one model, and whether its labels come. */
import { METRIC } from '../../contracts/metric-names.ts';
import type { Board } from '../board.ts';
import { highest, MODEL, NOW, of, rateOf, severityCode } from '../promql.ts';
import { thresholdOf } from '../thresholds.ts';

export const PERFORMANCE: Board = {
  key: 'performance',
  title: 'Model monitoring: performance and labels',
  description:
    'How well a model does where the truth is known, and whether labels come, in time and for enough predictions.',
  variables: [
    { name: 'model', label: 'Model', query: `label_values(${of(METRIC.performanceWindowEnd)}, model)` },
    {
      name: 'statistic',
      label: 'Statistic',
      query: `label_values(${of(METRIC.performanceValue, MODEL)}, statistic)`,
      many: true,
    },
  ],
  from: 'now-30d',
  refresh: '5m',
  sections: [
    {
      title: 'Is the truth known?',
      panels: [
        {
          key: 'guide',
          draw: 'text',
          title: 'How to read this',
          description: 'What performance is measured on, and when not to believe it.',
          width: 24,
          height: 3,
          text: 'Performance is told over predictions whose truth arrived within the horizon, so it is **as old as the horizon at least**. Look at coverage first: where few labels came, those that are missing may differ. A metric is worse only when its whole interval lies beyond the dashed line.',
        },
        {
          key: 'coverage-now',
          draw: 'number',
          title: 'Coverage',
          description:
            'Share of predictions of the newest window with labels whose truth arrived. Below what the monitor asks the window stays immature or turns stale.',
          width: 6,
          height: 4,
          unit: 'percentunit',
          queries: [{ expr: `max(${of(METRIC.labelCoverage, MODEL)})`, legend: 'coverage' }],
        },
        {
          key: 'age',
          draw: 'number',
          title: 'Age of the newest window with labels',
          description:
            'Since the newest window with labels ended. It should stay near the horizon; when it grows, labels have stopped.',
          width: 6,
          height: 4,
          unit: 's',
          queries: [{ expr: `${NOW} - max(${of(METRIC.performanceWindowEnd, MODEL)})`, legend: 'age' }],
        },
        {
          key: 'open',
          draw: 'number',
          title: 'Performance episode',
          description:
            'Whether an episode of the signal performance is open, and of which severity. Follow its runbook entry.',
          width: 6,
          height: 4,
          unit: 'none',
          words: 'severity',
          queries: [
            { expr: `max(${severityCode('model, signal', MODEL, 'signal="performance"')})`, legend: 'performance' },
          ],
        },
        {
          key: 'blind',
          draw: 'number',
          title: 'Blind episode',
          description:
            'Whether monitoring of this model cannot see: no events, or labels that do not come. Until it closes nothing is known.',
          width: 6,
          height: 4,
          unit: 'none',
          words: 'severity',
          queries: [{ expr: `max(${severityCode('model, signal', MODEL, 'signal="blind"')})`, legend: 'blind' }],
        },
      ],
    },
    {
      title: 'How well does it do?',
      panels: [
        {
          key: 'statistic',
          draw: 'lines',
          title: '$statistic',
          description:
            'The metric over the newest window with labels, and the dashed line it is compared with: its floor, or the baseline less the smallest relevant loss. On the wrong side of it: see which drift episodes opened before.',
          width: 24,
          height: 8,
          unit: 'short',
          repeat: 'statistic',
          queries: [
            {
              expr: highest('statistic', of(METRIC.performanceValue, MODEL, 'statistic=~"$statistic"')),
              legend: '{{statistic}}',
            },
            {
              expr: highest('statistic', of(METRIC.performanceThreshold, MODEL, 'statistic=~"$statistic"')),
              legend: 'threshold {{statistic}}',
              isThreshold: true,
            },
          ],
        },
      ],
    },
    {
      title: 'Do labels come?',
      panels: [
        {
          key: 'coverage',
          draw: 'lines',
          title: 'Coverage over time',
          description:
            'Share of predictions whose truth arrived. A drop: the job that sends labels lost a source, or prediction ids no longer match.',
          width: 12,
          height: 8,
          unit: 'percentunit',
          max: 1,
          queries: [{ expr: `max(${of(METRIC.labelCoverage, MODEL)})`, legend: 'coverage' }],
        },
        {
          key: 'overdue',
          draw: 'lines',
          title: 'Labels overdue',
          description:
            'Time since labels of the next window should have come. Above the dashed line an alert tells: start the job that sends them.',
          width: 12,
          height: 8,
          unit: 's',
          queries: [
            { expr: `clamp_min(${NOW} - max(${of(METRIC.labelsDue, MODEL)}), 0)`, legend: 'overdue' },
            thresholdOf('labels-overdue'),
          ],
        },
        {
          key: 'received',
          draw: 'lines',
          title: 'Labels received',
          description:
            'Labels a second that the collector took for this model. Nothing for longer than they pause by nature: look at the sender.',
          width: 12,
          height: 8,
          unit: 'eps',
          queries: [
            {
              expr: `sum by (format) (${rateOf(METRIC.collectorReceived, MODEL, 'kind="label"')})`,
              legend: '{{format}}',
            },
          ],
        },
        {
          key: 'all-labels',
          draw: 'lines',
          title: 'Labels on the log, all models',
          description:
            'Labels a second that the profilers saw, of all models. Nothing here and something on the left: the profilers are behind.',
          width: 12,
          height: 8,
          unit: 'eps',
          queries: [{ expr: `sum(${rateOf(METRIC.profilerLabels)})`, legend: 'labels' }],
        },
      ],
    },
  ],
};
