/**
 * What a dashboard over Prometheus is: sections of panels, each with what it answers and what to do, and queries over metrics of the catalogue.
 * Neutral data: a renderer knows how a product draws it (`grafana.ts`). Panels are laid out from left to right on a grid of 24 columns, and
 * fill their rows.
 */
import type { DashboardKey } from '../contracts/dashboards.ts';

/** Units as Grafana calls them. `none`: a code, told by the mapping. */
export type Unit = 'none' | 'short' | 's' | 'percentunit' | 'bytes' | 'eps' | 'percent';

export interface BoardQuery {
  /** PromQL; variables as `$name`. Selectors come from `promql.ts`, which narrows every one of them to the chosen job and instance. */
  readonly expr: string;
  /** What a series is called: text with `{{label}}`. */
  readonly legend: string;
  /** What the others are compared with: drawn as a dashed line, so that it follows the monitor and the catalogue of alerts. */
  readonly isThreshold?: boolean;
}

/** How codes are told. */
export type Words = 'verdict' | 'severity' | 'running' | 'drifted';

/** Where a cell leads: the model, or the feature, in its row. */
export type Destination = 'model' | 'feature';

export interface TableColumn {
  /** A label of the queries, or the letter of a query (`A`, `B`, …), whose values stand in the column. */
  readonly of: string;
  readonly title: string;
  readonly unit?: Unit;
  readonly words?: Words;
  readonly leadsTo?: Destination;
}

interface Drawn {
  /** Stable, unique in its dashboard. */
  readonly key: string;
  readonly title: string;
  /** What the panel answers, and what to do about it. */
  readonly description: string;
  /** Of 24 columns. */
  readonly width: 3 | 4 | 6 | 8 | 12 | 16 | 24;
  /** Rows of some 38 pixels. */
  readonly height: number;
}

interface Queried extends Drawn {
  readonly unit: Unit;
  readonly queries: readonly BoardQuery[];
}

export interface NumberPanel extends Queried {
  readonly draw: 'number';
  readonly words?: Words;
  /** From this value on it is orange, or red. */
  readonly warnAt?: number;
  readonly alarmAt?: number;
  /** What is shown where there is nothing, such as `–`. */
  readonly none?: string;
}

export interface LinesPanel extends Queried {
  readonly draw: 'lines';
  readonly max?: number;
  readonly scale?: 'linear' | 'logarithmic';
  /** One panel for each value of this variable. */
  readonly repeat?: 'statistic';
}

export interface StatesPanel extends Queried {
  readonly draw: 'states';
  readonly words: Words;
}

export interface TablePanel extends Queried {
  readonly draw: 'table';
  readonly columns: readonly TableColumn[];
  /** Title of the column by which it is sorted, highest first. */
  readonly sort: string;
}

export interface HeatmapPanel extends Queried {
  readonly draw: 'heatmap';
}

/** Alerts that Grafana knows of, from its data sources. */
export interface AlertsPanel extends Drawn {
  readonly draw: 'alerts';
}

export interface TextPanel extends Drawn {
  readonly draw: 'text';
  /** Markdown. */
  readonly text: string;
}

export type BoardPanel = NumberPanel | LinesPanel | StatesPanel | TablePanel | HeatmapPanel | AlertsPanel | TextPanel;

export interface BoardSection {
  readonly title: string;
  readonly panels: readonly BoardPanel[];
}

export interface BoardVariable {
  readonly name: 'model' | 'feature' | 'statistic';
  readonly label: string;
  /** Of a metric, the values of this label. */
  readonly query: string;
  /** Several, or all, at once. */
  readonly many?: boolean;
}

export interface Board {
  readonly key: DashboardKey;
  readonly title: string;
  readonly description: string;
  /** Besides data source, job and instance, which all have. */
  readonly variables: readonly BoardVariable[];
  /** Of the time range: `now-7d`. */
  readonly from: string;
  /** As often as its data change at most, and never below a minute. */
  readonly refresh: '1m' | '5m';
  readonly sections: readonly BoardSection[];
}
