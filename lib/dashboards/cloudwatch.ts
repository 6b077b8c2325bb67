/** Renders dashboards as bodies of CloudWatch dashboards. Names that only a deployment knows are handed in, and may be tokens. */
import {
  CLOUDWATCH_DIMENSION,
  CLOUDWATCH_NAMESPACE,
  type CloudWatchMetric,
  MODEL_CLOUDWATCH_METRIC,
  SCHEDULED_FUNCTIONS,
} from '../contracts/cloudwatch-metrics.ts';
import type { FunctionName } from '../contracts/functions.ts';
import type { AwsPanelMetric, DashboardDefinition, Panel, PanelMetric } from './panel.ts';

export interface CloudWatchNames {
  readonly environmentName: string;
  readonly region: string;
  /** The functions that run, and their names on AWS. */
  readonly functions: { readonly [N in FunctionName]?: string };
  readonly streamName: string;
  /** What is shown, and the name on AWS. */
  readonly queues: readonly { readonly label: string; readonly queueName: string }[];
  readonly alarmArns: readonly string[];
}

export interface CloudWatchBody {
  readonly start: string;
  readonly variables?: readonly Readonly<Record<string, unknown>>[];
  readonly widgets: readonly Widget[];
}

interface Widget {
  readonly type: 'metric' | 'text' | 'alarm';
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: Readonly<Record<string, unknown>>;
}

type Row = readonly unknown[];

const WIDTH = 24;
const TITLE_HEIGHT = 2;
const PANEL_HEIGHT = 6;
const NUMBER_HEIGHT = 3;
const ALARM_HEIGHT = 4;
/** Seconds; state is written every minute. */
const PERIOD = 300;
/** Models on a panel of those that stand out. */
const STANDING_OUT = 20;
/** What CloudWatch shows in one widget. */
const MOST_ALARMS = 100;
/** Stands for the model until one is chosen. */
const FIRST = '__FIRST__';
const { model: MODEL, environment: ENVIRONMENT, severity: SEVERITY, function: FUNCTION } = CLOUDWATCH_DIMENSION;

export function cloudWatchBody(dashboard: DashboardDefinition, names: CloudWatchNames): CloudWatchBody {
  const widgets: Widget[] = [];
  let y = 0;
  for (const { title, help, panels } of dashboard.sections) {
    widgets.push({
      type: 'text',
      x: 0,
      y,
      width: WIDTH,
      height: TITLE_HEIGHT,
      properties: { markdown: `## ${title}\n${help}` },
    });
    y += TITLE_HEIGHT;
    let x = 0;
    let tallest = 0;
    for (const panel of panels) {
      const height = panel.kind === 'numbers' ? NUMBER_HEIGHT : panel.kind === 'alarms' ? ALARM_HEIGHT : PANEL_HEIGHT;
      if (x + panel.width > WIDTH) {
        x = 0;
        y += tallest;
        tallest = 0;
      }
      const widget = drawn(panel, names);
      if (widget === null) continue;
      widgets.push({ ...widget, x, y, width: panel.width, height });
      x += panel.width;
      tallest = Math.max(tallest, height);
    }
    y += tallest;
  }
  const chooses = dashboard.sections.some(({ panels }) =>
    panels.some(({ metrics }) => metrics.some((metric) => 'model' in metric)),
  );
  return { start: '-P1D', ...(chooses ? { variables: [modelVariable()] } : {}), widgets };
}

/** One choice for all panels of a single model; the models are those that publish. */
function modelVariable(): Readonly<Record<string, unknown>> {
  return {
    type: 'property',
    property: MODEL,
    inputType: 'select',
    id: 'model',
    label: 'Model',
    search: `{${CLOUDWATCH_NAMESPACE},${ENVIRONMENT},${MODEL}} MetricName="${MODEL_CLOUDWATCH_METRIC.driftedFeatures.name}"`,
    populateFrom: MODEL,
    defaultValue: FIRST,
    visible: true,
  };
}

function drawn(panel: Panel, names: CloudWatchNames): Pick<Widget, 'type' | 'properties'> | null {
  const { title, kind, unit, metrics } = panel;
  if (kind === 'alarms')
    return names.alarmArns.length === 0
      ? null
      : { type: 'alarm', properties: { title, alarms: names.alarmArns.slice(0, MOST_ALARMS) } };
  const rows = metrics.flatMap((metric) => rowsOf(metric, names));
  if (rows.length === 0) return null;
  return {
    type: 'metric',
    properties: {
      title,
      region: names.region,
      view: kind === 'numbers' ? 'singleValue' : 'timeSeries',
      ...(kind === 'numbers' ? {} : { yAxis: { left: { min: 0, label: unit, showUnits: false } } }),
      period: PERIOD,
      metrics: rows,
    },
  };
}

function rowsOf(metric: PanelMetric, names: CloudWatchNames): Row[] {
  const environment = [ENVIRONMENT, names.environmentName];
  if ('aws' in metric) return awsRows(metric, names);
  if ('models' in metric) {
    const { name, statistic } = metric.models;
    const schema = `{${CLOUDWATCH_NAMESPACE},${ENVIRONMENT},${MODEL}}`;
    const search = `SEARCH('${schema} MetricName="${name}" ${ENVIRONMENT}="${names.environmentName}"', '${statistic}', ${PERIOD})`;
    const [by, order] = metric.worst === 'highest' ? ['MAX', 'DESC'] : ['MIN', 'ASC'];
    return [
      [
        {
          expression: `SORT(${search}, ${by}, ${order}, ${STANDING_OUT})`,
          label: `\${PROP('Dim.${MODEL}')}`,
          id: 'models',
        },
      ],
    ];
  }
  if ('model' in metric) {
    const { name, statistic } = metric.model;
    return [[CLOUDWATCH_NAMESPACE, name, MODEL, FIRST, ...environment, { stat: statistic, label: metric.label }]];
  }
  const { name, statistic } = metric.platform;
  if ('each' in metric)
    return emittersOf(metric.platform)
      .filter((one) => names.functions[one] !== undefined)
      .map((one) => [CLOUDWATCH_NAMESPACE, name, ...environment, FUNCTION, one, { stat: statistic, label: one }]);
  const severity = metric.severity === undefined ? [] : [SEVERITY, metric.severity];
  return [[CLOUDWATCH_NAMESPACE, name, ...environment, ...severity, { stat: statistic, label: metric.label }]];
}

function emittersOf({ emitter }: CloudWatchMetric): readonly FunctionName[] {
  return emitter === 'every' ? SCHEDULED_FUNCTIONS : [emitter];
}

function awsRows(metric: AwsPanelMetric, names: CloudWatchNames): Row[] {
  if (metric.aws === 'stream') return [['AWS/Kinesis', metric.metric, 'StreamName', names.streamName, { stat: 'Sum' }]];
  if (metric.aws === 'queues')
    return names.queues.map(({ label, queueName }) => [
      'AWS/SQS',
      'ApproximateNumberOfMessagesVisible',
      'QueueName',
      queueName,
      { stat: 'Maximum', label },
    ]);
  if (metric.aws === 'iterator-age') {
    const name = names.functions[metric.function];
    return name === undefined
      ? []
      : [['AWS/Lambda', 'IteratorAge', 'FunctionName', name, { stat: 'Maximum', label: 'iterator age, milliseconds' }]];
  }
  return Object.entries(names.functions).map(([label, name]) => [
    'AWS/Lambda',
    metric.metric,
    'FunctionName',
    name,
    { stat: metric.metric === 'Duration' ? 'p99' : 'Sum', label },
  ]);
}
