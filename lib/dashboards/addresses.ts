/** Where dashboards are found in Grafana: identities that stay, so that links in alerts, in runbooks and in bookmarks do. */
import type { BoardKey } from './board.ts';

export const DASHBOARD_TAG = 'mlmon';

/** At most 40 characters of letters, digits, dash and underscore. */
export function dashboardUid(key: BoardKey): string {
  return `mlmon-${key}`;
}

/** Path and query within Grafana; values are text for an address already, or variables of Grafana or of a template. */
export function dashboardPath(key: BoardKey, variables: Readonly<Record<string, string>> = {}): string {
  const query = Object.entries(variables).map(([name, value]) => `var-${name}=${value}`);
  return `/d/${dashboardUid(key)}/${key}${query.length === 0 ? '' : `?${query.join('&')}`}`;
}
