/**
 * What a deployment puts into a Grafana, through its custom resource: dashboards as an asset of JSON lines (`PublishedDashboard`), data sources
 * and names as properties, since much of it is known only when deployed. No secret stands in it, only its ARN.
 */
import type { DashboardKey } from './dashboards.ts';

/** One line of the asset: a dashboard as `lib/dashboards` renders it. */
export interface PublishedDashboard {
  readonly key: DashboardKey;
  readonly dashboard: Readonly<Record<string, unknown>>;
}

/** Grafana takes uids of 40 characters; the longest ending is `-performance`. */
export const GRAFANA_PREFIX_PATTERN = /^[A-Za-z0-9_-]{1,28}$/;

/** Where it goes and what it is called: properties of the custom resource, all text. */
export interface GrafanaSettings {
  /** Where the asset lies; its key is a digest, so a change of content is a change of properties. */
  readonly AssetBucket: string;
  readonly AssetKey: string;
  /** Which platform fills it, `<account>/<region>/<environment>`: a mark of its dashboards, so that no other's are overwritten or deleted. */
  readonly Owner: string;
  /** Of the folder, and in the names of data sources. */
  readonly Title: string;
  readonly Prefix: string;
  /** A workspace of Amazon Managed Grafana and its region; or the two below. */
  readonly WorkspaceId?: string;
  readonly WorkspaceRegion?: string;
  /** A Grafana that is run by others, and the secret that holds a token of one of its service accounts. */
  readonly Url?: string;
  readonly TokenSecretArn?: string;
  /** Of the workspace of Managed Prometheus: `https://aps-workspaces.<region>.amazonaws.com/workspaces/<id>/` */
  readonly PrometheusUrl: string;
  /** Of the metrics. */
  readonly Region: string;
  /** Assumed by a Grafana that is run by others. */
  readonly AssumeRoleArn?: string;
}

export interface GrafanaProperties extends GrafanaSettings {
  readonly ServiceToken: string;
}

/** What was asked for last, and whether it is there: `keys.grafana()`, put-if-unchanged. */
export interface GrafanaState {
  readonly schema: 'mlmon.grafana/v1';
  /** Physical id of the custom resource that asked. */
  readonly resource: string;
  readonly settings: GrafanaSettings;
  readonly isThere: boolean;
  /** When it was asked for or put there, RFC 3339. */
  readonly at: string;
}
