/** Renders the catalogues of metrics as docs/reference/metrics.md. */
import {
  CLOUDWATCH_NAMESPACE,
  type CloudWatchMetric,
  MODEL_CLOUDWATCH_METRIC,
  PLATFORM_CLOUDWATCH_METRIC,
} from './cloudwatch-metrics.ts';
import { METRIC } from './metric-names.ts';

export function renderMetricReference(): string {
  const rows = Object.values(METRIC).map(
    ({ name, type, help, labels }) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ') || '–'} | ${help} |`,
  );
  return `# Metrics

What \`GET /metrics\` exports. Made from the catalogue by \`mlmon render metrics\`; change the catalogue, not this file.

Names and labels are covered by semantic versioning. Label values come from monitors and closed sets, never from data; series of one model are capped, and \`mlmon_series_capped_total\` counts what was left out.

| name | type | labels | meaning |
| --- | --- | --- | --- |
${rows.join('\n')}

Rules watch state: \`mlmon_episode_open\`, \`mlmon_window_end_timestamp_seconds\`, \`mlmon_label_coverage_ratio\` are set anew every few seconds, so a rule needs no look-back. A metric that stays away says that the platform is away: watch \`up\` too.

## CloudWatch

On AWS, in the namespace \`${CLOUDWATCH_NAMESPACE}\`. Of models there are none, the minimal ones or all, as the deployment chooses, each a metric that costs money every month; features are never among them. Those of the platform are few, and are written by the function named as lines of its log, so that they arrive when a metric store does not answer.

| of a model | unit | dimensions | detail | mirrors | meaning |
| --- | --- | --- | --- | --- | --- |
${Object.values(MODEL_CLOUDWATCH_METRIC)
  .map((metric) => cells(metric, metric.detail))
  .join('\n')}

| of the platform | unit | dimensions | by | mirrors | meaning |
| --- | --- | --- | --- | --- | --- |
${Object.values(PLATFORM_CLOUDWATCH_METRIC)
  .map((metric) => cells(metric, metric.emitter === 'every' ? 'all on a schedule' : metric.emitter))
  .join('\n')}
`;
}

function cells({ name, unit, dimensions, mirrors, help }: CloudWatchMetric, of: string): string {
  const quoted = dimensions.map((dimension) => `\`${dimension}\``).join(', ');
  return `| \`${name}\` | ${unit} | ${quoted} | ${of} | ${mirrors === null ? '–' : `\`${mirrors.name}\``} | ${help} |`;
}
