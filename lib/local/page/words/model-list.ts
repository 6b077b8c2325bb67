/** Order and filters of lists: what needs somebody first. */
import type { AlertView, ModelSummary } from '../../../contracts/api.ts';
import { VERDICTS } from '../../../contracts/result.ts';
import { severityRank, stateWords } from './states.ts';

type Listed = Pick<ModelSummary, 'model' | 'owner' | 'state' | 'openEpisodes' | 'severity' | 'removed'>;

/** Open alerts by severity, then states by urgency, then names; removed models last. */
export function byUrgency(a: Listed, b: Listed): number {
  return (
    Number(a.removed) - Number(b.removed) ||
    openRank(b) - openRank(a) ||
    stateWords(b.state).rank - stateWords(a.state).rank ||
    (a.model < b.model ? -1 : a.model > b.model ? 1 : 0)
  );
}

/** Alerts nobody has taken first, then by severity, then the newest. */
export function alertsByUrgency(
  a: Pick<AlertView, 'acknowledged' | 'severity' | 'opened'>,
  b: Pick<AlertView, 'acknowledged' | 'severity' | 'opened'>,
): number {
  return (
    Number(a.acknowledged !== null) - Number(b.acknowledged !== null) ||
    severityRank(b.severity) - severityRank(a.severity) ||
    (a.opened < b.opened ? 1 : a.opened > b.opened ? -1 : 0)
  );
}

function openRank(model: Listed): number {
  return model.openEpisodes > 0 ? Math.max(1, severityRank(model.severity)) : 0;
}

/** `state` is a verdict, `alert` for models with open alerts, or `all`. All words of the filter must be found. */
export function matches(model: Listed, filter: string, state: string): boolean {
  if (state === 'alert' ? model.openEpisodes === 0 : state !== 'all' && model.state !== state) return false;
  const text = `${model.model} ${model.owner}`.toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** How many models are in each state, the most urgent first; only states that occur. */
export function stateCounts(models: readonly Listed[]): [string, number][] {
  const counts: [string, number][] = [];
  const alerting = models.filter((model) => model.openEpisodes > 0).length;
  if (alerting > 0) counts.push(['alert', alerting]);
  for (const verdict of [...VERDICTS].sort((a, b) => stateWords(b).rank - stateWords(a).rank)) {
    const n = models.filter((model) => model.state === verdict).length;
    if (n > 0) counts.push([verdict, n]);
  }
  return counts;
}
