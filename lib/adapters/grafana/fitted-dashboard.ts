/** A rendered dashboard made to fit the Grafana that it goes to: its uids, its data source, and whose it is. */
import { DASHBOARD_TAG, DASHBOARDS, GRAFANA_PREFIX } from '../../contracts/dashboards.ts';
import type { PublishedDashboard } from '../../contracts/grafana.ts';

/** Of Managed Prometheus, which the core plugin will not sign requests to any more: https://grafana.com/grafana/plugins/grafana-amazonprometheus-datasource/ */
export const MANAGED_PROMETHEUS_PLUGIN = 'grafana-amazonprometheus-datasource';
export const PROMETHEUS_PLUGIN = 'prometheus';
export type PrometheusPlugin = typeof MANAGED_PROMETHEUS_PLUGIN | typeof PROMETHEUS_PLUGIN;

/** Begins the tag that says whose a dashboard is. */
const OWNER_TAG = 'mlmon-platform:';

export interface Fit {
  readonly prefix: string;
  readonly owner: string;
  readonly plugin: PrometheusPlugin;
  /** What is chosen at first. */
  readonly source: { readonly uid: string; readonly name: string };
}

/** Carried by all dashboards of a platform. */
export function ownerTag(owner: string): string {
  return `${OWNER_TAG}${owner}`;
}

/** Whose a dashboard with these tags is; `null`: nobody's that says so. */
export function ownerOf(tags: readonly string[]): string | null {
  return tags.find((tag) => tag.startsWith(OWNER_TAG))?.slice(OWNER_TAG.length) ?? null;
}

export function fittedUid(key: string, prefix: string): string {
  return `${prefix}-${key}`;
}

const LINKS = new RegExp(`/d/${GRAFANA_PREFIX}-(?=(?:${DASHBOARDS.join('|')})/)`, 'g');

/**
 * Every panel, query and variable asks the chosen data source by its type, which differs between the two plugins; links between dashboards lead to
 * those with the same prefix.
 */
export function fittedDashboard(
  { key, dashboard }: PublishedDashboard,
  { prefix, owner, plugin, source }: Fit,
): Readonly<Record<string, unknown>> & { readonly uid: string } {
  const fitted = (value: unknown, name?: string): unknown => {
    if (typeof value === 'string') return value.replace(LINKS, `/d/${prefix}-`);
    if (Array.isArray(value))
      return name === 'tags'
        ? value.map((tag) => (tag === DASHBOARD_TAG ? prefix : tag))
        : value.map((one) => fitted(one));
    if (typeof value !== 'object' || value === null) return value;
    const made = Object.fromEntries(Object.entries(value).map(([member, inner]) => [member, fitted(inner, member)]));
    if (name === 'datasource' && made['type'] === PROMETHEUS_PLUGIN) return { ...made, type: plugin };
    if (made['type'] === 'datasource' && made['query'] === PROMETHEUS_PLUGIN)
      return { ...made, query: plugin, current: { selected: true, text: source.name, value: source.uid } };
    return made;
  };
  const made = fitted(dashboard) as Record<string, unknown>;
  const tags = Array.isArray(made['tags']) ? (made['tags'] as readonly string[]) : [];
  return { ...made, uid: fittedUid(key, prefix), tags: [...tags, ownerTag(owner)] };
}
