/** Which dashboard of Grafana shows what an episode is about, and since when. */
import { type DashboardAddress, dashboardAddress, platformVariables, type ShownIn } from './dashboards.ts';
import { durationMs, isDuration } from './duration.ts';
import type { Episode } from './episode.ts';

/** Windows before its beginning that are shown with it. */
const WINDOWS_BEFORE = 5;
/** Of what has no windows, milliseconds. */
const HOUR = 3_600_000;

/** The feature, where it is about one; the model otherwise. */
export function episodeDashboard(episode: Episode, shown: ShownIn): string {
  const { model, signal, features } = episode;
  const range = rangeAround(episode);
  const variables = { ...platformVariables(shown), model: encodeURIComponent(model) };
  const [only, ...others] = features;
  if (signal === 'drift' && only !== undefined && others.length === 0)
    return dashboardAddress(shown.base, 'feature', {
      ...range,
      variables: { ...variables, feature: encodeURIComponent(only.name) },
    });
  return dashboardAddress(shown.base, signal === 'performance' ? 'performance' : 'model', { ...range, variables });
}

/** From some windows before it began to its end. */
export function rangeAround({ since, length, closed }: Episode): DashboardAddress {
  return {
    from: String(Date.parse(since) - WINDOWS_BEFORE * (isDuration(length) ? durationMs(length) : HOUR)),
    to: closed === null ? 'now' : String(Date.parse(closed)),
  };
}
