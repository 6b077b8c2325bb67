/** Renders one panel of a board as Grafana's JSON: queries, units, colours and links. Where it stands is decided by `grafana.ts`. */
import { dashboardPath } from '../contracts/dashboards.ts';
import type {
  BoardPanel,
  BoardQuery,
  Destination,
  HeatmapPanel,
  LinesPanel,
  NumberPanel,
  StatesPanel,
  TableColumn,
  TablePanel,
} from './board.ts';
import type { DataSource, FieldOverride, GrafanaPanel, Target } from './grafana-types.ts';
import { mappingsOf, UNTOLD } from './grafana-words.ts';

/** Chosen by the variable of the same name. */
export const DATA_SOURCE: DataSource = { type: 'prometheus', uid: `\${datasource}` };
/** Rules and exporters work by the minute: nothing finer is asked for. */
const INTERVAL = '1m';

type Drawn = Omit<GrafanaPanel, 'id' | 'gridPos' | 'title' | 'description'>;
type Queried = LinesPanel | StatesPanel | NumberPanel | HeatmapPanel | TablePanel;

export function drawn(panel: BoardPanel): Drawn {
  switch (panel.draw) {
    case 'text':
      return { type: 'text', options: { mode: 'markdown', content: panel.text } };
    case 'alerts':
      return alerts();
    case 'lines':
      return lines(panel);
    case 'states':
      return states(panel);
    case 'number':
      return number(panel);
    case 'heatmap':
      return heatmap(panel);
    case 'table':
      return table(panel);
  }
}

/** `A` to `Z`, then `AA`. */
export function refId(index: number): string {
  const letter = String.fromCharCode(65 + (index % 26));
  return index < 26 ? letter : `${refId(Math.floor(index / 26) - 1)}${letter}`;
}

function base(panel: Queried, format: Target['format'], when: 'now' | 'range'): Drawn {
  return {
    type: panel.draw,
    datasource: DATA_SOURCE,
    interval: INTERVAL,
    targets: panel.queries.map(({ expr, legend }, i) => ({
      refId: refId(i),
      datasource: DATA_SOURCE,
      editorMode: 'code',
      expr,
      ...(legend === '' ? {} : { legendFormat: legend }),
      format,
      instant: when === 'now',
      range: when === 'range',
    })),
  };
}

function lines(panel: LinesPanel): Drawn {
  const { unit, max, scale, repeat, queries } = panel;
  return {
    ...base(panel, 'time_series', 'range'),
    type: 'timeseries',
    ...(repeat === undefined ? {} : { repeat, repeatDirection: 'h', maxPerRow: 3 }),
    fieldConfig: {
      defaults: {
        unit,
        ...(scale === 'logarithmic' ? {} : { min: 0 }),
        ...(max === undefined ? {} : { max }),
        color: { mode: 'palette-classic' },
        custom: {
          drawStyle: 'line',
          lineWidth: 1,
          fillOpacity: 0,
          showPoints: 'never',
          spanNulls: false,
          stacking: { mode: 'none', group: 'A' },
          scaleDistribution: scale === 'logarithmic' ? { type: 'log', log: 10 } : { type: 'linear' },
        },
      },
      overrides: queries.flatMap((query, i) => (query.isThreshold === true ? [dashed(refId(i))] : [])),
    },
    options: {
      legend: { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  };
}

function dashed(query: string): FieldOverride {
  return {
    matcher: { id: 'byFrameRefID', options: query },
    properties: [
      { id: 'custom.lineStyle', value: { fill: 'dash', dash: [8, 8] } },
      { id: 'color', value: { mode: 'fixed', fixedColor: 'semi-dark-red' } },
    ],
  };
}

function states(panel: StatesPanel): Drawn {
  return {
    ...base(panel, 'time_series', 'range'),
    type: 'state-timeline',
    fieldConfig: {
      defaults: {
        unit: panel.unit,
        color: { mode: 'thresholds' },
        thresholds: UNTOLD,
        mappings: mappingsOf(panel.words),
        custom: { fillOpacity: 80, lineWidth: 0, spanNulls: false },
      },
      overrides: [],
    },
    options: {
      mergeValues: true,
      showValue: 'never',
      alignValue: 'left',
      rowHeight: 0.9,
      legend: { showLegend: true, displayMode: 'list', placement: 'bottom', calcs: [] },
      tooltip: { mode: 'single', sort: 'none' },
    },
  };
}

function number(panel: NumberPanel): Drawn {
  const { unit, words, warnAt, alarmAt, none } = panel;
  const isJudged = warnAt !== undefined || alarmAt !== undefined || words !== undefined;
  return {
    ...base(panel, 'time_series', 'now'),
    type: 'stat',
    fieldConfig: {
      defaults: {
        unit,
        color: { mode: isJudged ? 'thresholds' : 'fixed', ...(isJudged ? {} : { fixedColor: 'text' }) },
        thresholds: {
          mode: 'absolute',
          steps: [
            { value: null, color: words === undefined && isJudged ? 'green' : 'text' },
            ...(warnAt === undefined ? [] : [{ value: warnAt, color: 'orange' }]),
            ...(alarmAt === undefined ? [] : [{ value: alarmAt, color: 'red' }]),
          ],
        },
        ...(words === undefined ? {} : { mappings: mappingsOf(words) }),
        ...(none === undefined ? {} : { noValue: none }),
      },
      overrides: [],
    },
    options: {
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      colorMode: isJudged ? 'background' : 'value',
      graphMode: 'none',
      justifyMode: 'auto',
      orientation: 'auto',
      textMode: 'value',
      wideLayout: true,
      showPercentChange: false,
      percentChangeColorMode: 'standard',
    },
  };
}

function heatmap(panel: HeatmapPanel): Drawn {
  return {
    ...base(panel, 'heatmap', 'range'),
    fieldConfig: { defaults: { unit: panel.unit, custom: { scaleDistribution: { type: 'linear' } } }, overrides: [] },
    options: {
      calculate: false,
      color: {
        mode: 'scheme',
        scheme: 'Oranges',
        fill: 'dark-orange',
        scale: 'exponential',
        exponent: 0.5,
        steps: 64,
        reverse: false,
      },
      cellGap: 1,
      filterValues: { le: 1e-9 },
      rowsFrame: { layout: 'auto' },
      showValue: 'never',
      yAxis: { unit: panel.unit, axisPlacement: 'left', reverse: false },
      legend: { show: true },
      tooltip: { mode: 'single', yHistogram: false, showColorScale: true },
      exemplars: { color: 'rgba(255,0,255,0.7)' },
    },
  };
}

/** Instant queries side by side, joined by the labels that they share. */
function table(panel: TablePanel): Drawn {
  const { unit, columns, sort, queries } = panel;
  const several = queries.length > 1;
  const fieldOf = ({ of }: TableColumn): string => {
    const isQuery = /^[A-Z]$/.test(of);
    return isQuery ? (several ? `Value #${of}` : 'Value') : of;
  };
  const shown = new Set(columns.map(fieldOf));
  const values = several ? queries.map((_, i) => `Value #${refId(i)}`) : ['Value'];
  return {
    ...base(panel, 'table', 'now'),
    fieldConfig: {
      defaults: { unit, custom: { align: 'auto', cellOptions: { type: 'auto' }, inspect: false, filterable: true } },
      overrides: columns.map((column) => columnOverride(column, fieldOf(column))),
    },
    transformations: [
      ...(several ? [{ id: 'merge', options: {} }] : []),
      {
        id: 'organize',
        options: {
          excludeByName: Object.fromEntries(
            ['Time', ...values.filter((name) => !shown.has(name))].map((name) => [name, true]),
          ),
          indexByName: Object.fromEntries(columns.map((column, i) => [fieldOf(column), i])),
          renameByName: {},
        },
      },
    ],
    options: { showHeader: true, frameIndex: 0, cellHeight: 'sm', sortBy: [{ displayName: sort, desc: true }] },
  };
}

function columnOverride({ title, unit, words, leadsTo }: TableColumn, field: string): FieldOverride {
  return {
    matcher: { id: 'byName', options: field },
    properties: [
      { id: 'displayName', value: title },
      ...(unit === undefined ? [] : [{ id: 'unit', value: unit }]),
      ...(words === undefined
        ? []
        : [
            { id: 'mappings', value: mappingsOf(words) },
            { id: 'custom.cellOptions', value: { type: 'color-text' } },
            { id: 'color', value: { mode: 'thresholds' } },
            { id: 'thresholds', value: UNTOLD },
          ]),
      ...(leadsTo === undefined ? [] : [{ id: 'links', value: [linkTo(leadsTo)] }]),
    ],
  };
}

/** Variables that every dashboard has, as they stand, and the time range. */
const AS_THEY_STAND = `\${datasource:queryparam}&\${job:queryparam}&\${instance:queryparam}&\${__url_time_range}`;

function linkTo(destination: Destination): object {
  const value = `\${__value.raw:percentencode}`;
  const variables: Record<string, string> =
    destination === 'model' ? { model: value } : { model: `\${model:percentencode}`, feature: value };
  return {
    title: destination === 'model' ? 'Open the model' : 'Open the feature',
    url: `${dashboardPath(destination, { variables })}&${AS_THEY_STAND}`,
    targetBlank: false,
  };
}

/** Rules of all data sources, those of our catalogue alone. */
function alerts(): Drawn {
  return {
    type: 'alertlist',
    options: {
      viewMode: 'list',
      groupMode: 'default',
      groupBy: [],
      maxItems: 50,
      sortOrder: 3,
      dashboardAlerts: false,
      alertName: 'Mlmon',
      alertInstanceLabelFilter: '',
      showInstances: true,
      stateFilter: { firing: true, pending: true, noData: false, normal: false, error: true, recovering: true },
    },
  };
}

/** For tests and for what checks dashboards: every query of a panel. */
export function queriesOf(panel: BoardPanel): readonly BoardQuery[] {
  return 'queries' in panel ? panel.queries : [];
}
