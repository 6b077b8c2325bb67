/**
 * Renders the boards as Grafana dashboards. Plain objects, no SDK: what installs the package needs none, and synthesis has nothing to load.
 * Tests compare the objects with the types of Grafana's own SDK.
 */
import { DASHBOARD_TAG, type DashboardKey, dashboardUid } from '../contracts/dashboards.ts';
import { METRIC } from '../contracts/metric-names.ts';
import type { Board, BoardPanel, BoardVariable } from './board.ts';
import { BOARDS } from './boards.ts';
import { DATA_SOURCE, drawn } from './grafana-panel.ts';
import type {
  GrafanaAnnotation,
  GrafanaDashboard,
  GrafanaLink,
  GrafanaPanel,
  GrafanaRow,
  GrafanaVariable,
} from './grafana-types.ts';
import { highest, MODEL, of } from './promql.ts';

const COLUMNS = 24;
/** Steps of annotations: a mark lasts an hour, so none is stepped over. */
const MARK = { step: '5m', lasts: '1h' } as const;

export interface RenderedDashboard {
  readonly key: DashboardKey;
  /** Stays the same for good. */
  readonly uid: string;
  readonly title: string;
  /** Without white space, some tens of kilobytes: fits a ConfigMap that is applied by a client. */
  readonly json: string;
}

/** All dashboards, ready to be stored in files, ConfigMaps or GrafanaDashboard objects. The same at every call. */
export function grafanaDashboards(): readonly RenderedDashboard[] {
  return BOARDS.map((board) => ({
    key: board.key,
    uid: dashboardUid(board.key),
    title: board.title,
    json: JSON.stringify(grafanaDashboard(board)),
  }));
}

export function grafanaDashboard(board: Board): GrafanaDashboard {
  return {
    uid: dashboardUid(board.key),
    title: board.title,
    description: board.description,
    tags: [DASHBOARD_TAG],
    schemaVersion: 39,
    editable: false,
    // One crosshair through all panels.
    graphTooltip: 1,
    timezone: 'utc',
    time: { from: board.from, to: 'now' },
    timepicker: { refresh_intervals: ['1m', '5m', '15m', '1h'] },
    refresh: board.refresh,
    templating: { list: variables(board) },
    annotations: { list: annotations(board) },
    links: [LINK],
    panels: panels(board),
  };
}

const LINK: GrafanaLink = {
  title: 'Model monitoring',
  type: 'dashboards',
  icon: 'external link',
  tooltip: 'The other dashboards, for the same time and the same model',
  url: '',
  tags: [DASHBOARD_TAG],
  asDropdown: true,
  includeVars: true,
  keepTime: true,
  targetBlank: false,
};

/** Rows of a title each, below it panels from left to right; a panel that does not fit begins a new line. */
function panels({ sections }: Board): (GrafanaPanel | GrafanaRow)[] {
  const made: (GrafanaPanel | GrafanaRow)[] = [];
  let y = 0;
  for (const { title, panels: drawnPanels } of sections) {
    made.push({
      id: made.length + 1,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: COLUMNS, h: 1 },
      panels: [],
    });
    y += 1;
    let x = 0;
    let tallest = 0;
    for (const panel of drawnPanels) {
      if (x + panel.width > COLUMNS) {
        x = 0;
        y += tallest;
        tallest = 0;
      }
      made.push(placed(panel, made.length + 1, x, y));
      x += panel.width;
      tallest = Math.max(tallest, panel.height);
    }
    y += tallest;
  }
  return made;
}

function placed(panel: BoardPanel, id: number, x: number, y: number): GrafanaPanel {
  const { title, description, width, height } = panel;
  return { id, title, description, gridPos: { x, y, w: width, h: height }, ...drawn(panel) };
}

function variables({ variables: own }: Board): GrafanaVariable[] {
  return [
    {
      ...VARIABLE,
      name: 'datasource',
      label: 'Data source',
      type: 'datasource',
      query: 'prometheus',
      refresh: 1,
      multi: false,
      includeAll: false,
    },
    everything('job', 'Job', `label_values(${METRIC.platformTime.name}, job)`),
    everything('instance', 'Instance', `label_values(${METRIC.platformTime.name}{job=~"$job"}, instance)`),
    ...own.map(chosen),
  ];
}

const VARIABLE = { options: [], hide: 0, regex: '', skipUrlSync: false } as const;
const ALL = { selected: true, text: ['All'], value: ['$__all'] } as const;

function everything(name: string, label: string, query: string): GrafanaVariable {
  return { ...queried(name, label, query), multi: true, includeAll: true, allValue: '.+', current: ALL };
}

function chosen({ name, label, query, many = false }: BoardVariable): GrafanaVariable {
  return { ...queried(name, label, query), multi: many, includeAll: many, ...(many ? { current: ALL } : {}) };
}

function queried(
  name: string,
  label: string,
  query: string,
): Omit<GrafanaVariable, 'multi' | 'includeAll' | 'current'> {
  return {
    ...VARIABLE,
    name,
    label,
    type: 'query',
    datasource: DATA_SOURCE,
    query: { query, refId: name },
    definition: query,
    // With the time range, since models and features come and go.
    refresh: 2,
    sort: 1,
  };
}

/** What may explain a change: a new baseline, a new version, an open episode; on the dashboards of the platform its firing alerts. */
function annotations({ key, variables: own }: Board): GrafanaAnnotation[] {
  const narrowing = own.some(({ name }) => name === 'model') ? [MODEL] : [];
  const baseline = highest('model, version, number', of(METRIC.baselineInfo, ...narrowing));
  const version = highest('model, version', of(METRIC.modelInfo, ...narrowing));
  const changes = [
    annotation(
      'Baselines',
      'blue',
      begun(baseline),
      'New baseline of {{model}}',
      'number {{number}}, version {{version}}',
      'model',
    ),
    annotation('Versions', 'purple', begun(version), 'New version of {{model}}', 'version {{version}}', 'model'),
  ];
  if (key === 'fleet') return changes;
  if (key === 'alerts' || key === 'pipeline')
    return [
      ...changes,
      annotation(
        'Alerts of the platform',
        'red',
        'ALERTS{alertname=~"Mlmon.+", alertname!="MlmonWatchdog", alertstate="firing"}',
        '{{alertname}}',
        'severity {{severity}}',
        'severity',
      ),
    ];
  const open = `${highest('model, signal, severity', of(METRIC.episodeOpen, ...narrowing))} > 0`;
  return [
    ...changes,
    annotation('Open episodes', 'orange', open, '{{signal}} on {{model}}', 'open, {{severity}}', 'signal,severity'),
  ];
}

/** Series that were not there an hour ago while the model was; those of a model that is new are no change. */
function begun(expr: string): string {
  const before = expr.replace(/\}\)$/, `} offset ${MARK.lasts})`);
  return `(${expr} unless ${before}) and on (model) ${before}`;
}

function annotation(
  name: string,
  iconColor: string,
  expr: string,
  titleFormat: string,
  textFormat: string,
  tagKeys: string,
): GrafanaAnnotation {
  return {
    name,
    datasource: DATA_SOURCE,
    enable: true,
    hide: false,
    iconColor,
    expr,
    step: MARK.step,
    target: { refId: name.replaceAll(' ', ''), expr, interval: MARK.step },
    titleFormat,
    textFormat,
    tagKeys,
    useValueForTime: false,
  };
}
