/** Where dashboards are found in Grafana: identities that stay, so that links in alerts that were sent, in runbooks and in bookmarks do. */

/** In the order in which people go through them. */
export const DASHBOARDS = ['fleet', 'model', 'feature', 'performance', 'alerts', 'pipeline'] as const;
export type DashboardKey = (typeof DASHBOARDS)[number];

/** Carried by all of them, and by nothing else. */
export const DASHBOARD_TAG = 'mlmon';

/** What begins the uids of dashboards, data sources and folder. */
export const GRAFANA_PREFIX = 'mlmon';

/** At most 40 characters of letters, digits, dash and underscore. */
export function dashboardUid(key: DashboardKey): string {
  return `${GRAFANA_PREFIX}-${key}`;
}

/** Dashboards of a platform in a Grafana. */
export interface ShownIn {
  /** What their addresses begin with (`dashboardBase`). */
  readonly base: string;
  /** Of its series: chooses the platform, where one Grafana shows several. @default all that it shows */
  readonly instance?: string;
}

export interface DashboardAddress {
  /** Values are text for an address already, or variables of Grafana or of a template. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Of the time range, as Grafana writes it: `now-7d`, or milliseconds since 1970. */
  readonly from?: string;
  readonly to?: string;
}

/** Path and query within Grafana. */
export function dashboardPath(key: DashboardKey, address: DashboardAddress = {}): string {
  return dashboardAddress(dashboardBase(''), key, address);
}

/**
 * What addresses of the dashboards in a Grafana begin with, all but their keys: `https://grafana.example.com/d/mlmon`.
 * @param prefix begins their uids there
 */
export function dashboardBase(grafana: string, prefix: string = GRAFANA_PREFIX): string {
  return `${grafana.replace(/\/+$/, '')}/d/${prefix}`;
}

/** @param base as `dashboardBase` makes it */
export function dashboardAddress(
  base: string,
  key: DashboardKey,
  { variables = {}, from, to = 'now' }: DashboardAddress = {},
): string {
  const query = [
    ...Object.entries(variables).map(([name, value]) => `var-${name}=${value}`),
    ...(from === undefined ? [] : [`from=${from}`, `to=${to}`]),
  ];
  return `${base}-${key}/${key}${query.length === 0 ? '' : `?${query.join('&')}`}`;
}

/** What chooses the platform on each of its dashboards. Names of environments need no escape, and may be known only when deployed. */
export function platformVariables({ instance }: ShownIn): Readonly<Record<string, string>> {
  return instance === undefined ? {} : { instance };
}
