import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  CLOUDWATCH_NAMESPACE,
  METRIC_DETAILS,
  MODEL_CLOUDWATCH_METRIC,
  PLATFORM_CLOUDWATCH_METRIC,
} from '../../lib/contracts/cloudwatch-metrics.ts';
import { type CloudWatchBody, cloudWatchBody } from '../../lib/dashboards/cloudwatch.ts';
import { EXAMPLE_NAMES } from '../../lib/dashboards/example-names.ts';
import { modelsDashboard } from '../../lib/dashboards/models.ts';
import type { DashboardDefinition, Panel } from '../../lib/dashboards/panel.ts';
import { PLATFORM_DASHBOARD } from '../../lib/dashboards/platform.ts';

const MODELS = modelsDashboard('summary')!;
const DASHBOARDS: readonly DashboardDefinition[] = [PLATFORM_DASHBOARD, MODELS];
const panels = (dashboard: DashboardDefinition): readonly Panel[] =>
  dashboard.sections.flatMap((section) => section.panels);
const body = (dashboard: DashboardDefinition): CloudWatchBody => cloudWatchBody(dashboard, EXAMPLE_NAMES);
const rowsOf = (made: CloudWatchBody): readonly (readonly unknown[])[] =>
  made.widgets.flatMap(({ properties }) => (properties['metrics'] as readonly unknown[][] | undefined) ?? []);

describe.each(DASHBOARDS)('dashboard $key', (dashboard) => {
  it('is what is committed; `mlmon render dashboards -o dashboards` writes it', () => {
    const file = join(import.meta.dirname, `../../dashboards/cloudwatch/${dashboard.key}.json`);
    expect(`${JSON.stringify(body(dashboard), null, 2)}\n`).toBe(readFileSync(file, 'utf8'));
  });

  it('has a title and a key of its own for every panel', () => {
    const keys = panels(dashboard).map(({ key }) => key);
    expect(new Set(keys).size).toBe(keys.length);
    for (const { title } of panels(dashboard)) expect(title).not.toBe('');
  });

  it('fills its grid without overlaps', () => {
    const taken = new Set<string>();
    for (const { x, y, width, height } of body(dashboard).widgets) {
      expect(x + width).toBeLessThanOrEqual(24);
      for (let i = x; i < x + width; i++)
        for (let j = y; j < y + height; j++) {
          expect(taken.has(`${i},${j}`)).toBe(false);
          taken.add(`${i},${j}`);
        }
    }
  });

  it('keeps to what CloudWatch takes: 500 widgets, 500 metrics each, 1 MB', () => {
    const made = body(dashboard);
    expect(made.widgets.length).toBeLessThan(500);
    for (const { properties } of made.widgets)
      expect(((properties['metrics'] as unknown[]) ?? []).length).toBeLessThan(500);
    expect(JSON.stringify(made).length).toBeLessThan(50_000);
  });

  it('names exactly the dimensions that its metrics have', () => {
    const all = [...Object.values(PLATFORM_CLOUDWATCH_METRIC), ...Object.values(MODEL_CLOUDWATCH_METRIC)];
    for (const row of rowsOf(body(dashboard))) {
      if (row[0] !== CLOUDWATCH_NAMESPACE) continue;
      const found = row.slice(2, -1).filter((_, i) => i % 2 === 0);
      const candidates = all
        .filter(({ name }) => name === row[1])
        .map(({ dimensions }) => [...dimensions].sort().join());
      expect(candidates, String(row[1])).toContain([...found].sort().join());
    }
  });
});

describe('the dashboard of the platform', () => {
  it('shows every metric of the platform', () => {
    const shown = new Set(
      panels(PLATFORM_DASHBOARD).flatMap(({ metrics }) =>
        metrics.flatMap((metric) => ('platform' in metric ? [metric.platform.name] : [])),
      ),
    );
    expect(
      Object.values(PLATFORM_CLOUDWATCH_METRIC)
        .map(({ name }) => name)
        .filter((name) => !shown.has(name)),
    ).toEqual([]);
  });

  it('leaves out what does not run', () => {
    const made = cloudWatchBody(PLATFORM_DASHBOARD, { ...EXAMPLE_NAMES, functions: {}, queues: [], alarmArns: [] });
    expect(made.widgets.some(({ type }) => type === 'alarm')).toBe(false);
    expect(rowsOf(made).filter(([namespace]) => namespace === 'AWS/Lambda')).toEqual([]);
  });
});

describe('the dashboard of models', () => {
  it('shows every metric that a model can have', () => {
    const text = JSON.stringify(body(MODELS));
    for (const { name } of Object.values(MODEL_CLOUDWATCH_METRIC)) expect(text).toContain(name);
  });

  it.each(METRIC_DETAILS)('shows at the detail %s nothing that is not published', (detail) => {
    const dashboard = modelsDashboard(detail);
    const published = Object.values(MODEL_CLOUDWATCH_METRIC).filter(
      (metric) => detail === 'summary' || (detail === 'minimal' && metric.detail === 'minimal'),
    );
    expect(dashboard === null).toBe(published.length === 0);
    if (dashboard === null) return;
    const shown = panels(dashboard).flatMap(({ metrics }) =>
      metrics.flatMap((metric) =>
        'models' in metric ? [metric.models.name] : 'model' in metric ? [metric.model.name] : [],
      ),
    );
    expect([...new Set(shown)].sort()).toEqual(published.map(({ name }) => name).sort());
  });

  it('shows at most twenty of any number of models, and lets one be chosen', () => {
    const made = body(MODELS);
    const searches = rowsOf(made).flatMap(([first]) =>
      typeof first === 'object' ? [(first as { expression: string }).expression] : [],
    );
    expect(searches.length).toBeGreaterThan(0);
    for (const search of searches)
      expect(search).toMatch(
        /^SORT\(SEARCH\('\{MLMonitoring,Environment,Model\} MetricName="\w+" Environment="production"', '\w+', 300\), (MAX, DESC|MIN, ASC), 20\)$/,
      );
    expect(made.variables).toMatchObject([{ type: 'property', property: 'Model', populateFrom: 'Model' }]);
  });
});
