/** One feature of one model: when it began to differ, by how much, and which others did at the same time. */
import { METRIC } from '../../contracts/metric-names.ts';
import type { Board } from '../board.ts';
import { FEATURE, highest, MODEL, of } from '../promql.ts';

const value = (statistic: string): string => of(METRIC.metricValue, MODEL, FEATURE, `statistic="${statistic}"`);

export const FEATURE_BOARD: Board = {
  key: 'feature',
  title: 'Model monitoring: feature',
  description:
    'One feature: its effect, its p-value against the threshold, missing values, and which others moved with it.',
  variables: [
    { name: 'model', label: 'Model', query: `label_values(${of(METRIC.modelInfo)}, model)` },
    { name: 'feature', label: 'Feature', query: `label_values(${of(METRIC.metricValue, MODEL)}, feature)` },
  ],
  from: 'now-7d',
  refresh: '5m',
  sections: [
    {
      title: 'Does it differ?',
      panels: [
        {
          key: 'guide',
          draw: 'text',
          title: 'How to read this',
          description: 'What a verdict needs, and where the distribution itself is shown.',
          width: 24,
          height: 3,
          text: 'A feature has drifted when its p-value lies **below** the threshold (its share of the budget of false alerts) **and** its effect is at least the smallest that the monitor cares for. The page of the platform shows the distribution itself, bin by bin; here is when it began and what moved with it.',
        },
        {
          key: 'drifted',
          draw: 'number',
          title: 'Now',
          description: 'Whether the feature drifted in the newest window, on any scale. Empty: it was not judged.',
          width: 6,
          height: 4,
          unit: 'none',
          words: 'drifted',
          none: 'not judged',
          queries: [{ expr: `max(${of(METRIC.featureDrifted, MODEL, FEATURE)})`, legend: 'drifted' }],
        },
        {
          key: 'effect-now',
          draw: 'number',
          title: 'Effect',
          description:
            'Size of the change in the newest window, free of sample size: 0.05 tiny, 0.1 small, 0.3 medium, 0.5 large.',
          width: 6,
          height: 4,
          unit: 'short',
          queries: [{ expr: `max(${value('effect')})`, legend: 'effect' }],
        },
        {
          key: 'p-now',
          draw: 'number',
          title: 'p-value',
          description: 'How likely so large a distance is when nothing has changed, at these sizes and on this stream.',
          width: 6,
          height: 4,
          unit: 'short',
          queries: [{ expr: `min(${value('p_value')})`, legend: 'p-value' }],
        },
        {
          key: 'missing-now',
          draw: 'number',
          title: 'Missing',
          description:
            'Share of rows of the newest window without a value. Look for the deployment at the first window that lacks it.',
          width: 6,
          height: 4,
          unit: 'percentunit',
          queries: [{ expr: `max(${value('missing_ratio')})`, legend: 'missing' }],
        },
      ],
    },
    {
      title: 'Since when, and by how much?',
      panels: [
        {
          key: 'states',
          draw: 'states',
          title: 'Drifted, by scale',
          description:
            'On which scale the feature drifted, and when it began. Only on a long one: a slow change. On and off: traffic that differs by hour or day.',
          width: 24,
          height: 5,
          unit: 'none',
          words: 'drifted',
          queries: [{ expr: highest('length', of(METRIC.featureDrifted, MODEL, FEATURE)), legend: '{{length}}' }],
        },
        {
          key: 'effect',
          draw: 'lines',
          title: 'Effect by scale',
          description: 'Size of the change over time. A step is an event upstream; a slope is the world.',
          width: 12,
          height: 8,
          unit: 'short',
          queries: [{ expr: highest('length', value('effect')), legend: '{{length}}' }],
        },
        {
          key: 'p-value',
          draw: 'lines',
          title: 'p-value and what it is compared with',
          description:
            'Below its dashed line a difference is significant within the budget. Far below with a small effect: many rows, little change.',
          width: 12,
          height: 8,
          unit: 'short',
          scale: 'logarithmic',
          queries: [
            { expr: `min by (length) (${value('p_value')})`, legend: '{{length}}' },
            {
              expr: `min by (length) (${of(METRIC.metricThreshold, MODEL, FEATURE, 'statistic="p_value"')})`,
              legend: 'threshold {{length}}',
              isThreshold: true,
            },
          ],
        },
        {
          key: 'missing',
          draw: 'lines',
          title: 'Missing values by scale',
          description: 'Share of rows without a value. It is judged like any other change of the distribution.',
          width: 12,
          height: 8,
          unit: 'percentunit',
          max: 1,
          queries: [{ expr: highest('length', value('missing_ratio')), legend: '{{length}}' }],
        },
        {
          key: 'rows',
          draw: 'lines',
          title: 'Rows behind it',
          description: 'Events in the window of each scale. With few rows only large effects can be seen.',
          width: 12,
          height: 8,
          unit: 'short',
          queries: [{ expr: highest('length', of(METRIC.windowRows, MODEL)), legend: '{{length}}' }],
        },
      ],
    },
    {
      title: 'What moved with it?',
      panels: [
        {
          key: 'others',
          draw: 'states',
          title: 'All features of the model',
          description:
            'Which features drifted at the same time. A group that begins in one window has one cause: a table, a service, a release.',
          width: 24,
          height: 12,
          unit: 'none',
          words: 'drifted',
          queries: [{ expr: highest('feature', of(METRIC.featureDrifted, MODEL)), legend: '{{feature}}' }],
        },
      ],
    },
  ],
};
