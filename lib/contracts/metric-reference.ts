/** Renders the catalogue of metrics as docs/reference/metrics.md. */
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
`;
}
