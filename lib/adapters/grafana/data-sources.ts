/** The data sources of a platform: the series of features in Managed Prometheus, and CloudWatch. */
import { GRAFANA_PREFIX } from '../../contracts/dashboards.ts';
import type { GrafanaSettings } from '../../contracts/grafana.ts';
import { fittedUid, MANAGED_PROMETHEUS_PLUGIN, type PrometheusPlugin } from './fitted-dashboard.ts';

export interface DataSourceBody extends Readonly<Record<string, unknown>> {
  readonly uid: string;
  readonly name: string;
}

export function prometheusUid(prefix: string): string {
  return fittedUid('prometheus', prefix);
}

export function cloudWatchUid(prefix: string): string {
  return fittedUid('cloudwatch', prefix);
}

/** Of the folder, and in the names of data sources, which must differ within a Grafana. */
export function titleOf({ Title, Prefix }: Pick<GrafanaSettings, 'Title' | 'Prefix'>): string {
  return Prefix === GRAFANA_PREFIX ? Title : `${Title} (${Prefix})`;
}

/** In a workspace requests are signed by its role; elsewhere by the credentials that Grafana itself finds, or a role that it assumes with them. */
function authentication(settings: GrafanaSettings): 'ec2_iam_role' | 'default' {
  return settings.WorkspaceId === undefined ? 'default' : 'ec2_iam_role';
}

export function prometheusSource(settings: GrafanaSettings, plugin: PrometheusPlugin): DataSourceBody {
  const { Prefix, PrometheusUrl, Region, AssumeRoleArn } = settings;
  return {
    uid: prometheusUid(Prefix),
    name: `${titleOf(settings)}: Prometheus`,
    type: plugin,
    access: 'proxy',
    url: PrometheusUrl,
    isDefault: false,
    jsonData: {
      httpMethod: 'POST',
      // Exporters write every minute.
      timeInterval: '1m',
      prometheusType: 'Prometheus',
      manageAlerts: true,
      sigV4Auth: true,
      sigV4AuthType: authentication(settings),
      sigV4Region: Region,
      ...(plugin === MANAGED_PROMETHEUS_PLUGIN ? { sigv4Service: 'aps' } : {}),
      ...(AssumeRoleArn === undefined ? {} : { sigV4AssumeRoleArn: AssumeRoleArn }),
    },
  };
}

export function cloudWatchSource(settings: GrafanaSettings): DataSourceBody {
  const { Prefix, Region, AssumeRoleArn } = settings;
  return {
    uid: cloudWatchUid(Prefix),
    name: `${titleOf(settings)}: CloudWatch`,
    type: 'cloudwatch',
    access: 'proxy',
    isDefault: false,
    jsonData: {
      authType: authentication(settings),
      defaultRegion: Region,
      ...(AssumeRoleArn === undefined ? {} : { assumeRoleArn: AssumeRoleArn }),
    },
  };
}
