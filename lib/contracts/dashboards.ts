/** Where dashboards are found in Grafana: identities that stay, so that links in alerts that were sent, in runbooks and in bookmarks do. */

/** In the order in which people go through them. */
export const DASHBOARDS = ['fleet', 'model', 'feature', 'performance', 'alerts', 'pipeline'] as const;
export type DashboardKey = (typeof DASHBOARDS)[number];

/** Carried by all of them, and by nothing else. */
export const DASHBOARD_TAG = 'mlmon';

/** At most 40 characters of letters, digits, dash and underscore. */
export function dashboardUid(key: DashboardKey): string {
  return `mlmon-${key}`;
}

export interface DashboardAddress {
  /** Values are text for an address already, or variables of Grafana or of a template. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Of the time range, as Grafana writes it: `now-7d`, or milliseconds since 1970. */
  readonly from?: string;
  readonly to?: string;
}

/** Path and query within Grafana. */
export function dashboardPath(key: DashboardKey, { variables = {}, from, to = 'now' }: DashboardAddress = {}): string {
  const query = [
    ...Object.entries(variables).map(([name, value]) => `var-${name}=${value}`),
    ...(from === undefined ? [] : [`from=${from}`, `to=${to}`]),
  ];
  return `/d/${dashboardUid(key)}/${key}${query.length === 0 ? '' : `?${query.join('&')}`}`;
}
