/** The part of Grafana's dashboard JSON that is written here, schema version 39: what Grafana 10.4 and later read. */
export interface DataSource {
  readonly type: 'prometheus';
  readonly uid: '${datasource}';
}

export interface Target {
  readonly refId: string;
  readonly datasource: DataSource;
  readonly editorMode: 'code';
  readonly expr: string;
  readonly legendFormat?: string;
  readonly format: 'time_series' | 'table' | 'heatmap';
  readonly instant: boolean;
  readonly range: boolean;
}

export interface FieldOverride {
  readonly matcher: { readonly id: string; readonly options?: unknown };
  readonly properties: readonly { readonly id: string; readonly value?: unknown }[];
}

export interface ThresholdStep {
  readonly value: number | null;
  readonly color: string;
}

export interface FieldConfig {
  readonly defaults: {
    readonly unit?: string;
    readonly min?: number;
    readonly max?: number;
    readonly noValue?: string;
    readonly color?: { readonly mode: string; readonly fixedColor?: string };
    readonly mappings?: readonly unknown[];
    readonly thresholds?: { readonly mode: 'absolute'; readonly steps: readonly ThresholdStep[] };
    readonly custom?: Readonly<Record<string, unknown>>;
  };
  readonly overrides: readonly FieldOverride[];
}

export interface GridPosition {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface GrafanaPanel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: GridPosition;
  readonly datasource?: DataSource;
  readonly targets?: readonly Target[];
  readonly interval?: string;
  readonly maxDataPoints?: number;
  readonly repeat?: string;
  readonly repeatDirection?: 'h';
  readonly maxPerRow?: number;
  readonly fieldConfig?: FieldConfig;
  readonly transformations?: readonly { readonly id: string; readonly options: unknown }[];
  readonly options?: Readonly<Record<string, unknown>>;
}

export interface GrafanaRow {
  readonly id: number;
  readonly type: 'row';
  readonly title: string;
  readonly collapsed: false;
  readonly gridPos: GridPosition;
  readonly panels: readonly [];
}

export interface GrafanaVariable {
  readonly name: string;
  readonly label: string;
  readonly type: 'datasource' | 'query';
  readonly query: string | { readonly query: string; readonly refId: string };
  readonly datasource?: DataSource;
  readonly definition?: string;
  readonly refresh: 1 | 2;
  readonly sort?: 1;
  readonly multi: boolean;
  readonly includeAll: boolean;
  readonly allValue?: string;
  readonly current?: {
    readonly selected: boolean;
    readonly text: readonly string[];
    readonly value: readonly string[];
  };
  readonly options: readonly [];
  readonly hide: 0;
  readonly regex: '';
  readonly skipUrlSync: false;
}

export interface GrafanaAnnotation {
  readonly name: string;
  readonly datasource: DataSource;
  readonly enable: boolean;
  readonly hide: false;
  readonly iconColor: string;
  readonly expr: string;
  readonly step: string;
  readonly target: { readonly refId: string; readonly expr: string; readonly interval: string };
  readonly titleFormat: string;
  readonly textFormat: string;
  readonly tagKeys: string;
  readonly useValueForTime: false;
}

export interface GrafanaLink {
  readonly title: string;
  readonly type: 'dashboards' | 'link';
  readonly icon: string;
  readonly tooltip: string;
  readonly url: string;
  readonly tags: readonly string[];
  readonly asDropdown: boolean;
  readonly includeVars: boolean;
  readonly keepTime: boolean;
  readonly targetBlank: boolean;
}

export interface GrafanaDashboard {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly schemaVersion: 39;
  readonly editable: false;
  readonly graphTooltip: 1;
  readonly timezone: 'utc';
  readonly time: { readonly from: string; readonly to: 'now' };
  readonly timepicker: { readonly refresh_intervals: readonly string[] };
  readonly refresh: string;
  readonly templating: { readonly list: readonly GrafanaVariable[] };
  readonly annotations: { readonly list: readonly GrafanaAnnotation[] };
  readonly links: readonly GrafanaLink[];
  readonly panels: readonly (GrafanaPanel | GrafanaRow)[];
}
