/** One model: what is wrong with it, which features, and what else changed. */
import { METRIC } from '../../contracts/metric-names.ts';
import type { Board } from '../board.ts';
import { highest, MODEL, NOW, of, ownWindow, rateOf, severityCode, verdictCode } from '../promql.ts';
import { thresholdOf } from '../thresholds.ts';

const EFFECT = of(METRIC.metricValue, MODEL, 'statistic="effect"');

export const MODEL_BOARD: Board = {
  key: 'model',
  title: 'Model monitoring: model',
  description:
    'One model: its verdicts on every scale, its open episodes, the features that moved, its traffic and latency.',
  variables: [{ name: 'model', label: 'Model', query: `label_values(${of(METRIC.modelInfo)}, model)` }],
  from: 'now-7d',
  refresh: '1m',
  sections: [
    {
      title: 'What is wrong?',
      panels: [
        {
          key: 'guide',
          draw: 'text',
          title: 'How to read this',
          description: 'In which order to look, and what the colours mean.',
          width: 24,
          height: 3,
          text: '**1.** Which signal is open, and since when? **2.** Which features moved, and did they begin together? Then look for a producer, a release or a join. **3.** Did rows or the version change with them? Vertical marks show new baselines and versions. **4.** Does performance suffer? If not, and the world has changed: make a new baseline.',
        },
        {
          key: 'verdict',
          draw: 'number',
          title: 'Verdict',
          description:
            "The verdict of the newest window of the monitor's own length. Anything but ok or drifted is no verdict: see the runbook entry of that state.",
          width: 4,
          height: 4,
          unit: 'none',
          words: 'verdict',
          queries: [{ expr: `max(${ownWindow(verdictCode('model, length', MODEL))})`, legend: 'verdict' }],
        },
        {
          key: 'worst',
          draw: 'number',
          title: 'Worst open episode',
          description:
            'The severity of the worst episode that is open. Open the alerts dashboard for what was sent, and acknowledge.',
          width: 4,
          height: 4,
          unit: 'none',
          words: 'severity',
          queries: [{ expr: `max(${severityCode('model, signal', MODEL)})`, legend: 'worst' }],
        },
        {
          key: 'drifted',
          draw: 'number',
          title: 'Drifted features',
          description:
            'Features found drifted in the newest window, on any scale. One: look at that feature. Many: look upstream.',
          width: 4,
          height: 4,
          unit: 'short',
          warnAt: 1,
          queries: [{ expr: `max(${of(METRIC.driftedFeatures, MODEL)})`, legend: 'drifted' }],
        },
        {
          key: 'rows',
          draw: 'number',
          title: 'Rows of the window',
          description:
            'Events in the newest window. Far fewer than usual: a caller or a region is missing, and small effects cannot be seen.',
          width: 4,
          height: 4,
          unit: 'short',
          queries: [{ expr: `max(${ownWindow(of(METRIC.windowRows, MODEL))})`, legend: 'rows' }],
        },
        {
          key: 'age',
          draw: 'number',
          title: 'Age of the window',
          description:
            'Since the newest judged window ended. Longer than a window and its lateness: nothing is judged, see the pipeline dashboard.',
          width: 4,
          height: 4,
          unit: 's',
          queries: [{ expr: `${NOW} - max(${ownWindow(of(METRIC.windowEnd, MODEL))})`, legend: 'age' }],
        },
        {
          key: 'coverage',
          draw: 'number',
          title: 'Label coverage',
          description:
            'Share of predictions whose truth arrived, in the newest window with labels. Low: performance is a guess, look for the job that sends labels.',
          width: 4,
          height: 4,
          unit: 'percentunit',
          none: 'no labels',
          queries: [{ expr: `max(${of(METRIC.labelCoverage, MODEL)})`, legend: 'coverage' }],
        },
        {
          key: 'verdicts',
          draw: 'states',
          title: 'Verdicts by scale',
          description:
            'The verdict on each scale: a jump shows on the shortest first, a slow drift only on a longer one.',
          width: 12,
          height: 7,
          unit: 'none',
          words: 'verdict',
          queries: [{ expr: verdictCode('length', MODEL), legend: '{{length}}' }],
        },
        {
          key: 'episodes',
          draw: 'states',
          title: 'Episodes by signal',
          description:
            'Which signals had an open episode, and of which severity. The one that opened first usually names the cause.',
          width: 12,
          height: 7,
          unit: 'none',
          words: 'severity',
          queries: [{ expr: severityCode('signal', MODEL), legend: '{{signal}}' }],
        },
      ],
    },
    {
      title: 'Which features?',
      panels: [
        {
          key: 'features',
          draw: 'table',
          title: 'Features that moved most',
          description:
            'The thirty features with the largest effect in the newest window. Click one to see when it began. A large effect that is not drifted is within what the stream always varied.',
          width: 24,
          height: 10,
          unit: 'short',
          sort: 'Effect',
          queries: [
            { expr: `topk(30, ${highest('feature', EFFECT)})`, legend: '' },
            { expr: highest('feature', of(METRIC.featureDrifted, MODEL)), legend: '' },
            { expr: `min by (feature) (${of(METRIC.metricValue, MODEL, 'statistic="p_value"')})`, legend: '' },
            { expr: highest('feature', of(METRIC.metricValue, MODEL, 'statistic="missing_ratio"')), legend: '' },
          ],
          columns: [
            { of: 'feature', title: 'Feature', leadsTo: 'feature' },
            { of: 'B', title: 'Drifted', words: 'drifted' },
            { of: 'A', title: 'Effect', unit: 'short' },
            { of: 'C', title: 'p-value', unit: 'short' },
            { of: 'D', title: 'Missing', unit: 'percentunit' },
          ],
        },
        {
          key: 'effects',
          draw: 'lines',
          title: 'Effect of the ten that moved most',
          description:
            'Size of the change (0.1 small, 0.3 medium, 0.5 large) over time. Lines that rise in one window share a cause.',
          width: 12,
          height: 8,
          unit: 'short',
          queries: [{ expr: `topk(10, ${highest('feature', EFFECT)})`, legend: '{{feature}}' }],
        },
        {
          key: 'missing',
          draw: 'lines',
          title: 'Missing values, the ten worst',
          description:
            'Share of rows without a value. A step is a deployment or a broken join: find the first window and what was released then.',
          width: 12,
          height: 8,
          unit: 'percentunit',
          max: 1,
          queries: [
            {
              expr: `topk(10, ${highest('feature', of(METRIC.metricValue, MODEL, 'statistic="missing_ratio"'))})`,
              legend: '{{feature}}',
            },
          ],
        },
      ],
    },
    {
      title: 'What else changed?',
      panels: [
        {
          key: 'volume',
          draw: 'lines',
          title: 'Rows by scale',
          description:
            'Events in the newest window of each scale. A drop before a drift means that part of the traffic is gone; a rise, retries or a back-fill.',
          width: 12,
          height: 8,
          unit: 'short',
          queries: [{ expr: highest('length', of(METRIC.windowRows, MODEL)), legend: '{{length}}' }],
        },
        {
          key: 'latency',
          draw: 'lines',
          title: 'Latency of predictions',
          description:
            'Percentiles of what events report, in the newest window. A rise together with volume: scale the serving tier; with a new version: roll back.',
          width: 12,
          height: 8,
          unit: 's',
          queries: [{ expr: highest('percentile', ownWindow(of(METRIC.latency, MODEL))), legend: '{{percentile}}' }],
        },
        {
          key: 'received',
          draw: 'lines',
          title: 'Events received',
          description:
            'Events a second that the collector took, by kind. Nothing at all: see what the producers are answered.',
          width: 12,
          height: 8,
          unit: 'eps',
          queries: [{ expr: `sum by (kind) (${rateOf(METRIC.collectorReceived, MODEL)})`, legend: '{{kind}}' }],
        },
        {
          key: 'overdue',
          draw: 'lines',
          title: 'Overdue windows and labels',
          description:
            'Time since the next window, and its labels, should have been known. Above the dashed lines an alert tells.',
          width: 12,
          height: 8,
          unit: 's',
          queries: [
            { expr: `clamp_min(${NOW} - min(${of(METRIC.windowDue, MODEL)}), 0)`, legend: 'window' },
            { expr: `clamp_min(${NOW} - max(${of(METRIC.labelsDue, MODEL)}), 0)`, legend: 'labels' },
            thresholdOf('windows-overdue'),
          ],
        },
      ],
    },
  ],
};
