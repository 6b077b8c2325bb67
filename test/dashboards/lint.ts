/**
 * The seventeen rules of Grafana's dashboard linter, written anew, since its program cannot be installed everywhere. No exclusions: there is
 * no way to name one.
 */
import * as units from '@grafana/grafana-foundation-sdk/units';
import type { GrafanaDashboard, GrafanaPanel, GrafanaVariable } from '../../lib/dashboards/grafana-types.ts';
import { type Parsed, parsed, substituted } from './promql-syntax.ts';

export interface Finding {
  readonly rule: string;
  readonly where: string;
  readonly what: string;
}

type Check = (dashboard: GrafanaDashboard) => readonly (readonly [where: string, what: string])[];

const UNITS = new Set<string>(Object.values(units as unknown as Readonly<Record<string, string>>));
const TEMPLATED = ['$datasource', `\${datasource}`];
const WITH_TITLE = ['stat', 'singlestat', 'graph', 'table', 'timeseries', 'gauge'];
const WITH_QUERIES = [...WITH_TITLE, 'state-timeline', 'heatmap'];
const COUNTING = ['rate', 'irate', 'increase'];

const panelsOf = ({ panels }: GrafanaDashboard): GrafanaPanel[] =>
  panels.filter((panel): panel is GrafanaPanel => panel.type !== 'row');
const named = ({ templating }: GrafanaDashboard, name: string): GrafanaVariable | undefined =>
  templating.list.find((one) => one.name === name);
const queried = ({ templating }: GrafanaDashboard): GrafanaVariable[] =>
  templating.list.filter(({ type }) => type === 'query');
const textOf = ({ query }: GrafanaVariable): string => (typeof query === 'string' ? query : query.query);
const title = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

function targets(dashboard: GrafanaDashboard): { where: string; expr: string; is: Parsed; raw: Parsed['ranges'] }[] {
  return panelsOf(dashboard).flatMap((panel) =>
    (panel.targets ?? []).map(({ expr, refId }) => ({
      where: `${panel.title} ${refId}`,
      expr,
      is: parsed(substituted(expr)),
      // What stands in brackets before variables are put in: a duration that the grammar knows keeps the place.
      raw: [...expr.matchAll(/(\w+)\s*\([^()]*\[([^\]]*)\]/g)].map(([, call = '', range = '']) => ({ call, range })),
    })),
  );
}

/** A variable with several values and all of them: `job` and `instance`. */
const everything =
  (name: string): Check =>
  (dashboard) => {
    const variable = named(dashboard, name);
    if (variable === undefined) return [[name, 'is no variable']];
    const { type, label, multi, allValue, datasource } = variable;
    return [
      ...(type === 'query' ? [] : [[name, `is of type ${type}`] as const]),
      ...(TEMPLATED.includes(datasource?.uid ?? '') ? [] : [[name, 'asks a fixed data source'] as const]),
      ...(label === title(name) ? [] : [[name, `is labelled ${label}`] as const]),
      ...(multi ? [] : [[name, 'takes one value'] as const]),
      ...(allValue === '.+' ? [] : [[name, `writes all as ${allValue}`] as const]),
    ];
  };

/** Every selector narrows to what the variable chooses. */
const narrowed =
  (name: string): Check =>
  (dashboard) =>
    targets(dashboard).flatMap(({ where, expr }) =>
      // As written: with the variable in it.
      parsed(expr.replaceAll('[$__rate_interval]', '[5m]')).selectors.flatMap(({ metric, matchers }) =>
        matchers.includes(`${name}=~"$${name}"`) ? [] : [[where, `${metric} is not narrowed by ${name}`] as const],
      ),
    );

export const RULES: Readonly<Record<string, Check>> = {
  'template-datasource-rule': ({ templating }) => {
    const sources = templating.list.filter(({ type }) => type === 'datasource');
    if (sources.length === 0) return [['variables', 'no data source']];
    return sources.flatMap(({ name, label }) => [
      ...(name === 'datasource' ? [] : [[name, 'is not called datasource'] as const]),
      ...(label === 'Data source' ? [] : [[name, `is labelled ${label}`] as const]),
    ]);
  },
  'template-job-rule': everything('job'),
  'template-instance-rule': everything('instance'),
  'template-label-promql-rule': (dashboard) =>
    queried(dashboard).flatMap((variable) => {
      const inner = /^label_values\((.*), *(\w+)\)$/.exec(textOf(variable))?.[1];
      if (inner === undefined) return [[variable.name, `is no label_values(…): ${textOf(variable)}`] as const];
      return parsed(substituted(inner)).errors.map((error) => [variable.name, error] as const);
    }),
  'template-on-time-change-reload-rule': (dashboard) =>
    queried(dashboard).flatMap(({ name, refresh }) =>
      refresh === 2 ? [] : [[name, `reloads on ${refresh}`] as const],
    ),
  'panel-datasource-rule': (dashboard) =>
    panelsOf(dashboard).flatMap(({ title: where, type, datasource, targets: all }) =>
      WITH_QUERIES.includes(type) &&
      ![datasource, ...(all ?? []).map((one) => one.datasource)].every((one) => TEMPLATED.includes(one?.uid ?? ''))
        ? [[where, 'asks a fixed data source'] as const]
        : [],
    ),
  'panel-title-description-rule': (dashboard) =>
    // All panels, not those types alone that the linter looks at.
    panelsOf(dashboard).flatMap(({ title: where, description, id }) =>
      where === '' || (description ?? '') === '' ? [[String(id), 'has no title or no description'] as const] : [],
    ),
  'panel-units-rule': (dashboard) =>
    panelsOf(dashboard).flatMap(({ title: where, type, fieldConfig }) => {
      const unit = fieldConfig?.defaults.unit;
      return WITH_QUERIES.includes(type) && (unit === undefined || !UNITS.has(unit))
        ? [[where, `has the unit ${unit}`] as const]
        : [];
    }),
  'panel-no-targets-rule': (dashboard) =>
    panelsOf(dashboard).flatMap(({ title: where, type, targets: all }) =>
      WITH_QUERIES.includes(type) && (all ?? []).length === 0 ? [[where, 'asks nothing'] as const] : [],
    ),
  'target-logql-rule': (dashboard) => noLogs(dashboard),
  'target-logql-auto-rule': (dashboard) => noLogs(dashboard),
  'target-promql-rule': (dashboard) =>
    targets(dashboard).flatMap(({ where, is }) => is.errors.map((error) => [where, error] as const)),
  'target-rate-interval-rule': (dashboard) =>
    targets(dashboard).flatMap(({ where, raw }) =>
      raw
        .filter(({ call, range }) => COUNTING.includes(call) && range !== '$__rate_interval')
        .map(({ call, range }) => [where, `${call} over ${range}`] as const),
    ),
  'target-job-rule': narrowed('job'),
  'target-instance-rule': narrowed('instance'),
  'target-counter-agg-rule': (dashboard) =>
    targets(dashboard).flatMap(({ where, is }) =>
      is.selectors
        .filter(({ metric, within }) => metric.endsWith('_total') && !within.some((call) => COUNTING.includes(call)))
        .map(({ metric }) => [where, `${metric} is shown as it stands`] as const),
    ),
  'uneditable-dashboard': ({ editable, title: where }) => (editable === false ? [] : [[where, 'can be edited']]),
};

/** There is no Loki here, so that nothing can be wrong with its queries; a data source of that kind would be a finding. */
function noLogs(dashboard: GrafanaDashboard): readonly (readonly [string, string])[] {
  return panelsOf(dashboard).flatMap(({ title: where, targets: all }) =>
    (all ?? []).flatMap(({ datasource: { type } }) =>
      type === 'prometheus' ? [] : [[where, `asks ${type as string}, whose language is not checked here`] as const],
    ),
  );
}

export function lint(dashboard: GrafanaDashboard): readonly Finding[] {
  return Object.entries(RULES).flatMap(([rule, check]) =>
    check(dashboard).map(([where, what]) => ({ rule, where, what })),
  );
}
