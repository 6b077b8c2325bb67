/** Fills a Grafana with the dashboards and data sources of a platform, and empties it again. Both do the same when they are done twice. */
import { DASHBOARDS } from '../../contracts/dashboards.ts';
import type { GrafanaSettings, PublishedDashboard } from '../../contracts/grafana.ts';
import { type Problem, ProblemError } from '../../contracts/problem.ts';
import { cloudWatchSource, cloudWatchUid, prometheusSource, prometheusUid, titleOf } from './data-sources.ts';
import {
  fittedDashboard,
  fittedUid,
  MANAGED_PROMETHEUS_PLUGIN,
  ownerOf,
  ownerTag,
  PROMETHEUS_PLUGIN,
} from './fitted-dashboard.ts';
import { type GrafanaApi, GrafanaError } from './grafana-api.ts';

export interface Filled {
  readonly dashboards: number;
  /** Of an earlier release or deployment, which this one lacks. */
  readonly removed: number;
}

/**
 * Nothing is written where a dashboard of another platform would be lost. What cannot be written does not keep the rest from being written.
 * @throws ProblemError or GrafanaError when something is not there as it should be
 */
export async function fill(
  api: GrafanaApi,
  settings: GrafanaSettings,
  dashboards: readonly PublishedDashboard[],
): Promise<Filled> {
  const { Prefix: prefix, Owner: owner } = settings;
  await refuseOthers(api, settings, dashboards);
  const plugin = (await api.hasPlugin(MANAGED_PROMETHEUS_PLUGIN)) ? MANAGED_PROMETHEUS_PLUGIN : PROMETHEUS_PLUGIN;
  const prometheus = prometheusSource(settings, plugin);
  await api.putDataSource(prometheus);
  await api.putDataSource(cloudWatchSource(settings));
  await api.putFolder({ uid: prefix, title: titleOf(settings) });

  const failures: Problem[] = [];
  const attempt = async (path: string, work: Promise<void>): Promise<void> => {
    try {
      await work;
    } catch (error) {
      if (!(error instanceof GrafanaError)) throw error;
      failures.push({ code: 'grafana', path, message: error.message });
    }
  };
  const message = `mlmon ${settings.AssetKey.split('/').at(-1) ?? ''}`;
  for (const published of dashboards) {
    const dashboard = fittedDashboard(published, { prefix, owner, plugin, source: prometheus });
    await attempt(dashboard.uid, api.putDashboard(dashboard, { folderUid: prefix, message }));
  }
  const wanted = new Set(dashboards.map(({ key }) => fittedUid(key, prefix)));
  const surplus = (await ownDashboards(api, settings)).filter((uid) => !wanted.has(uid));
  for (const uid of surplus) await attempt(uid, api.deleteDashboard(uid));
  const ill = await api.dataSourceFailure(prometheus.uid);
  if (ill !== null)
    failures.push({
      code: 'grafana-data-source',
      path: prometheus.uid,
      message: `the data source does not answer: ${ill}`,
      fix: 'let the role that Grafana asks with query the workspace: aps:QueryMetrics, aps:GetLabels, aps:GetSeries, aps:GetMetricMetadata',
    });
  if (failures.length > 0) throw new ProblemError(failures);
  return { dashboards: dashboards.length, removed: surplus.length };
}

/** Takes away what `fill` put there, and nothing of others. */
export async function empty(
  api: GrafanaApi,
  settings: Pick<GrafanaSettings, 'Prefix' | 'Owner'>,
): Promise<{ readonly removed: number }> {
  const { Prefix: prefix, Owner: owner } = settings;
  const ours = await ownDashboards(api, settings);
  for (const uid of ours) await api.deleteDashboard(uid);
  // Where a dashboard with this prefix is another platform's, so are folder and data sources.
  for (const key of DASHBOARDS) {
    const tags = await api.dashboardTags(fittedUid(key, prefix));
    if (tags !== null && (ownerOf(tags) ?? owner) !== owner) return { removed: ours.length };
  }
  await api.deleteDataSource(prometheusUid(prefix));
  await api.deleteDataSource(cloudWatchUid(prefix));
  await api.deleteEmptyFolder(prefix);
  return { removed: ours.length };
}

/** Of this platform under this prefix: while one prefix takes the place of another, both are there. */
async function ownDashboards(
  api: GrafanaApi,
  { Prefix: prefix, Owner: owner }: Pick<GrafanaSettings, 'Prefix' | 'Owner'>,
): Promise<string[]> {
  const found = await api.dashboardsTagged(ownerTag(owner));
  return found.filter(({ tags }) => tags.includes(prefix)).map(({ uid }) => uid);
}

async function refuseOthers(
  api: GrafanaApi,
  { Prefix: prefix, Owner: owner }: GrafanaSettings,
  dashboards: readonly PublishedDashboard[],
): Promise<void> {
  const problems: Problem[] = [];
  for (const { key } of dashboards) {
    const uid = fittedUid(key, prefix);
    const tags = await api.dashboardTags(uid);
    // One that was imported by hand says of nobody that it is his, and is taken over.
    const other = tags === null ? null : ownerOf(tags);
    if (other !== null && other !== owner)
      problems.push({
        code: 'grafana-owner',
        path: uid,
        message: 'this dashboard is of another platform',
        got: other,
        expected: owner,
        fix: 'give this platform another `prefix`',
      });
  }
  if (problems.length > 0) throw new ProblemError(problems);
}
