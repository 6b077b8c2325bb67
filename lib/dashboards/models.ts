/** How are the models? Those that stand out of all, and the one that is chosen. */
import {
  MODEL_CLOUDWATCH_METRIC as METRIC,
  type MetricDetail,
  modelMetricsAt,
} from '../contracts/cloudwatch-metrics.ts';
import type { DashboardDefinition, Panel, PanelMetric } from './panel.ts';

const ALL: DashboardDefinition = {
  key: 'models',
  title: 'Model monitoring: models',
  sections: [
    {
      title: 'Those that stand out',
      help: 'The twenty models with the most open episodes, the most drifted features and the oldest windows, of all that are monitored.',
      panels: [
        {
          key: 'open-episodes',
          title: 'Open episodes',
          kind: 'lines',
          unit: 'episodes',
          width: 12,
          metrics: [{ models: METRIC.openEpisodes, worst: 'highest' }],
        },
        {
          key: 'drifted-features',
          title: 'Drifted features',
          kind: 'lines',
          unit: 'features',
          width: 12,
          metrics: [{ models: METRIC.driftedFeatures, worst: 'highest' }],
        },
        {
          key: 'window-age',
          title: 'Age of the newest window',
          kind: 'lines',
          unit: 'seconds',
          width: 12,
          metrics: [{ models: METRIC.windowAge, worst: 'highest' }],
        },
        {
          key: 'label-coverage',
          title: 'Least coverage by labels',
          kind: 'lines',
          unit: 'share',
          width: 12,
          metrics: [{ models: METRIC.labelCoverage, worst: 'lowest' }],
        },
      ],
    },
    {
      title: 'The chosen model',
      help: 'Choose it above. What each of its features did is told by Prometheus and by the page of `mlmon serve`.',
      panels: [
        {
          key: 'model-state',
          title: 'Drifted features and open episodes',
          kind: 'lines',
          unit: 'count',
          width: 12,
          metrics: [
            { model: METRIC.driftedFeatures, label: 'drifted features' },
            { model: METRIC.openEpisodes, label: 'open episodes' },
          ],
        },
        {
          key: 'model-rows',
          title: 'Rows of the newest window',
          kind: 'lines',
          unit: 'rows',
          width: 12,
          metrics: [{ model: METRIC.windowRows, label: 'rows' }],
        },
        {
          key: 'model-age',
          title: 'Age of the newest window',
          kind: 'lines',
          unit: 'seconds',
          width: 8,
          metrics: [{ model: METRIC.windowAge, label: 'age' }],
        },
        {
          key: 'model-coverage',
          title: 'Coverage by labels',
          kind: 'lines',
          unit: 'share',
          width: 8,
          metrics: [{ model: METRIC.labelCoverage, label: 'coverage' }],
        },
        {
          key: 'model-latency',
          title: 'Latency, 99th percentile',
          kind: 'lines',
          unit: 'seconds',
          width: 8,
          metrics: [{ model: METRIC.latencyP99, label: 'p99' }],
        },
      ],
    },
  ],
};

/** What is published at a detail; `null` where nothing is. */
export function modelsDashboard(detail: MetricDetail): DashboardDefinition | null {
  const published = modelMetricsAt(detail).map(({ name }) => name);
  const isShown = (metric: PanelMetric): boolean =>
    !(
      ('models' in metric && !published.includes(metric.models.name)) ||
      ('model' in metric && !published.includes(metric.model.name))
    );
  const sections = ALL.sections
    .map((section) => ({
      ...section,
      panels: section.panels
        .map((panel): Panel => ({ ...panel, metrics: panel.metrics.filter(isShown) }))
        .filter(({ metrics }) => metrics.length > 0),
    }))
    .filter(({ panels }) => panels.length > 0);
  return sections.length === 0 ? null : { ...ALL, sections };
}
