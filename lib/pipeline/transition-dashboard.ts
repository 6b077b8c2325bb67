/** Which dashboard of Grafana shows what a message tells. */
import { dashboardAddress, platformVariables, type ShownIn } from '../contracts/dashboards.ts';
import type { Transition } from '../contracts/episode.ts';
import { episodeDashboard, rangeAround } from '../contracts/episode-dashboard.ts';
import { isGroup } from './notification-group.ts';

/** `null` where none is known to show it: for alarms of the platform, which say themselves where to look. A group leads to all that is open. */
export function transitionDashboard(transition: Transition, shown: ShownIn): string | null {
  const { episode, title } = transition;
  if (title === undefined) return episodeDashboard(episode, shown);
  if (!isGroup(transition)) return null;
  return dashboardAddress(shown.base, 'alerts', { ...rangeAround(episode), variables: platformVariables(shown) });
}
