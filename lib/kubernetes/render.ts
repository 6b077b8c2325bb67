/** A chart as YAML files, grouped as people look for things. */
import { Testing } from 'cdk8s';
import { stringify } from 'yaml';
import type { ModelMonitoringChartProps } from './chart-props.ts';
import { PARTS } from './defaults.ts';
import { ModelMonitoringChart } from './model-monitoring-chart.ts';

export interface RenderedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
}

/** The objects of a chart, as they are applied. */
export function chartObjects(props: ModelMonitoringChartProps): readonly RenderedObject[] {
  return Testing.synth(new ModelMonitoringChart(Testing.app(), 'monitoring', props)) as RenderedObject[];
}

/** YAML by name of file. */
export function renderChart(props: ModelMonitoringChartProps): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const object of chartObjects(props)) {
    const file = fileOf(object);
    // As kubectl reads it: in YAML 1.1 `on` and `yes` are truths, so texts that look so stand in quotes.
    const text = stringify(object, { version: '1.1', lineWidth: 0 });
    const before = files.get(file);
    files.set(file, before === undefined ? text : `${before}---\n${text}`);
  }
  return files;
}

/** Files of a chart whose objects may be removed when a later rendering does not make them: not that of the namespace. */
export const PASSING_FILES: readonly string[] = ['dashboards.yaml', 'watching.yaml', 'monitors.yaml'];

function fileOf({ kind, apiVersion, metadata }: RenderedObject): string {
  if (kind === 'Namespace') return 'namespace.yaml';
  const part = metadata.labels?.['app.kubernetes.io/component'];
  if (part !== undefined && (PARTS as readonly string[]).includes(part)) return `${part}.yaml`;
  if (kind === 'GrafanaDashboard' || /-dashboard-/.test(metadata.name)) return 'dashboards.yaml';
  if (apiVersion.startsWith('monitoring.coreos.com') || /-prometheus$/.test(metadata.name)) return 'watching.yaml';
  return /-monitor-/.test(metadata.name) ? 'monitors.yaml' : 'platform.yaml';
}
