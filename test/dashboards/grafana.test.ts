import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DASHBOARDS as KEYS } from '../../lib/contracts/dashboards.ts';
import { METRIC } from '../../lib/contracts/metric-names.ts';
import { BOARDS } from '../../lib/dashboards/boards.ts';
import { grafanaDashboard, grafanaDashboards } from '../../lib/dashboards/grafana.ts';
import type { GrafanaDashboard, GrafanaPanel } from '../../lib/dashboards/grafana-types.ts';
import { lint, RULES } from './lint.ts';
import { parsed, substituted } from './promql-syntax.ts';

const FOLDER = join(import.meta.dirname, '../../dashboards/grafana');
const DASHBOARDS = grafanaDashboards().map(({ key, json }) => ({ key, made: JSON.parse(json) as GrafanaDashboard }));
const panelsOf = ({ panels }: GrafanaDashboard): GrafanaPanel[] =>
  panels.filter((panel): panel is GrafanaPanel => panel.type !== 'row');
const all = (dashboard: GrafanaDashboard): string[] => [
  ...panelsOf(dashboard).flatMap(({ targets }) => (targets ?? []).map(({ expr }) => expr)),
  ...dashboard.annotations.list.map(({ expr }) => expr),
];

it('are six, each once, and are what is committed; `mlmon render dashboards -o dashboards` writes them', () => {
  expect(DASHBOARDS.map(({ key }) => key)).toEqual(KEYS);
  expect(readdirSync(FOLDER).sort()).toEqual(KEYS.map((key) => `${key}.json`).sort());
  for (const { key, made } of DASHBOARDS)
    expect(readFileSync(join(FOLDER, `${key}.json`), 'utf8')).toBe(`${JSON.stringify(made, null, 2)}\n`);
});

it('have identities that stay: links in alerts that were sent lead to them', () => {
  expect(grafanaDashboards().map(({ uid }) => uid)).toEqual([
    'mlmon-fleet',
    'mlmon-model',
    'mlmon-feature',
    'mlmon-performance',
    'mlmon-alerts',
    'mlmon-pipeline',
  ]);
  for (const { made } of DASHBOARDS) expect(made.uid).toMatch(/^[A-Za-z0-9_-]{1,40}$/);
});

it('fit a ConfigMap that a client applies, whose annotation repeats them', () => {
  for (const { key, json } of grafanaDashboards()) expect(Buffer.byteLength(json), key).toBeLessThan(256 * 1_024);
});

describe.each(DASHBOARDS)('dashboard $key', ({ made }) => {
  it('passes all seventeen rules of the linter', () => {
    expect(lint(made)).toEqual([]);
  });

  it('fills its grid: no overlaps, no holes, rows in order', () => {
    const bottom = Math.max(...made.panels.map(({ gridPos: { y, h } }) => y + h));
    const taken = new Map<string, number>();
    for (const { id, gridPos } of made.panels)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.get(`${x},${y}`), `panel ${id} at ${x},${y}`).toBeUndefined();
          taken.set(`${x},${y}`, id);
        }
    expect(taken.size).toBe(24 * bottom);
    expect(new Set(made.panels.map(({ id }) => id)).size).toBe(made.panels.length);
  });

  it('asks for what is exported, by metrics and labels of the catalogue', () => {
    const known = new Map(
      Object.values(METRIC).flatMap(({ name, type, labels }) =>
        type === 'histogram'
          ? [[`${name}_bucket`, [...labels, 'le']] as const]
          : [[name as string, [...labels]] as const],
      ),
    );
    for (const expr of all(made))
      for (const { metric, matchers } of parsed(substituted(expr)).selectors) {
        if (metric === 'ALERTS' || metric === 'up') continue;
        expect([...known.keys()]).toContain(metric);
        for (const matcher of matchers)
          expect(['job', 'instance', ...(known.get(metric) ?? [])], expr).toContain(/^\w+/.exec(matcher)?.[0]);
      }
  });

  it('groups by labels that what it asks for has', () => {
    const labels = new Set([
      'instance',
      'job',
      'le',
      ...Object.values(METRIC).flatMap((one) => one.labels as readonly string[]),
    ]);
    for (const expr of all(made))
      for (const [, by = ''] of expr.matchAll(/(?:by|on) \(([^)]*)\)/g))
        for (const label of by.split(', ')) expect(labels, expr).toContain(label);
  });

  it('has annotations and legends that can be read', () => {
    expect(made.annotations.list.length).toBeGreaterThanOrEqual(2);
    for (const { expr } of made.annotations.list) expect(parsed(substituted(expr)).errors).toEqual([]);
    for (const { type, targets } of panelsOf(made))
      if (type !== 'table') for (const { legendFormat } of targets ?? []) expect(legendFormat).toBeTruthy();
  });

  it('is looked at in UTC, over the last while, no more often than its data change', () => {
    expect(made.timezone).toBe('utc');
    expect(made.time.from).toMatch(/^now-\d+[hd]$/);
    expect(made.time.to).toBe('now');
    for (const interval of [made.refresh, ...made.timepicker.refresh_intervals]) expect(interval).toMatch(/^\d+[mh]$/);
  });

  it('says in every description what it answers and what to do', () => {
    for (const { title, description } of panelsOf(made)) {
      expect(description?.length, title).toBeGreaterThan(40);
      expect(description, title).toMatch(/[.:]/);
    }
  });
});

describe('the way through them', () => {
  const links = (dashboard: GrafanaDashboard): string[] =>
    panelsOf(dashboard).flatMap(({ fieldConfig }) =>
      (fieldConfig?.overrides ?? []).flatMap(({ properties }) =>
        properties.flatMap(({ id, value }) =>
          id === 'links' ? (value as { url: string }[]).map(({ url }) => url) : [],
        ),
      ),
    );
  const of = (key: string): GrafanaDashboard => DASHBOARDS.find((one) => one.key === key)!.made;

  it('leads from the fleet to a model and from there to a feature, with its variables and its time', () => {
    const [toModel] = links(of('fleet'));
    const [toFeature] = links(of('model'));
    expect(toModel).toMatch(/^\/d\/mlmon-model\/model\?var-model=\$\{__value\.raw:percentencode\}&/);
    expect(toFeature).toMatch(
      /^\/d\/mlmon-feature\/feature\?var-model=\$\{model:percentencode\}&var-feature=\$\{__value\.raw:percentencode\}&/,
    );
    for (const url of [toModel, toFeature]) expect(url).toContain(`\${__url_time_range}`);
    expect(links(of('alerts'))[0]).toBe(toModel);
  });

  it('names only dashboards and variables that there are', () => {
    for (const { made } of DASHBOARDS)
      for (const url of links(made)) {
        const [, uid] = /^\/d\/([^/]+)\//.exec(url) ?? [];
        const target = DASHBOARDS.find((one) => one.made.uid === uid);
        const names = target?.made.templating.list.map(({ name }) => name) ?? [];
        for (const [, name] of url.matchAll(/var-(\w+)=/g)) expect(names).toContain(name);
      }
  });

  it('offers all others from each, by one tag', () => {
    for (const { made } of DASHBOARDS) {
      expect(made.tags).toEqual(['mlmon']);
      expect(made.links).toMatchObject([{ type: 'dashboards', tags: ['mlmon'], includeVars: true, keepTime: true }]);
    }
  });
});

describe('the linter', () => {
  it('has seventeen rules', () => {
    expect(Object.keys(RULES).length).toBe(17);
  });

  const good = grafanaDashboard(BOARDS[0]!);
  const spoilt = (change: (dashboard: Record<string, never>) => unknown): string[] => {
    const copy = structuredClone(good) as unknown as Record<string, never>;
    change(copy);
    return lint(copy as unknown as GrafanaDashboard).map(({ rule }) => rule);
  };
  // biome-ignore lint/suspicious/noExplicitAny: spoils what types keep whole
  type Spoilt = any;
  const target = (dashboard: Spoilt): Spoilt =>
    dashboard.panels.find((one: Spoilt) => one.type === 'timeseries').targets[0];
  it.each([
    ['template-datasource-rule', (d: Spoilt) => (d.templating.list[0].label = 'Source')],
    ['template-job-rule', (d: Spoilt) => (d.templating.list[1].allValue = '.*')],
    ['template-instance-rule', (d: Spoilt) => (d.templating.list[2].multi = false)],
    ['template-label-promql-rule', (d: Spoilt) => (d.templating.list[1].query.query = 'label_values(up{, job)')],
    ['template-on-time-change-reload-rule', (d: Spoilt) => (d.templating.list[1].refresh = 1)],
    ['panel-datasource-rule', (d: Spoilt) => (target(d).datasource.uid = 'prometheus')],
    ['panel-title-description-rule', (d: Spoilt) => (d.panels[1].description = '')],
    ['panel-units-rule', (d: Spoilt) => (d.panels[2].fieldConfig.defaults.unit = 'furlongs')],
    ['panel-no-targets-rule', (d: Spoilt) => (d.panels[2].targets = [])],
    ['target-logql-rule', (d: Spoilt) => (target(d).datasource.type = 'loki')],
    ['target-promql-rule', (d: Spoilt) => (target(d).expr = 'sum(')],
    [
      'target-rate-interval-rule',
      (d: Spoilt) => (target(d).expr = 'rate(a_total{job=~"$job", instance=~"$instance"}[5m])'),
    ],
    ['target-job-rule', (d: Spoilt) => (target(d).expr = 'up{instance=~"$instance"}')],
    ['target-instance-rule', (d: Spoilt) => (target(d).expr = 'up{job=~"$job"}')],
    ['target-counter-agg-rule', (d: Spoilt) => (target(d).expr = 'sum(a_total{job=~"$job", instance=~"$instance"})')],
    ['uneditable-dashboard', (d: Spoilt) => (d.editable = true)],
  ])('finds what %s is about', (rule, change) => {
    expect(spoilt(change)).toContain(rule);
  });
});
