/** What is marked on the time axis: episodes, and scripted incidents apart from them. */
import type { AlertView, Demonstration, WindowView } from '../../../contracts/api.ts';
import type { Spanned } from '../charts/heatmap-model.ts';
import type { Band } from '../charts/timeline.ts';
import { signalNoun } from './states.ts';
import { instant } from './times.ts';

/** An incident is announced as scripted beside its description; the description need not say so again. */
export function incidentWords(description: string): string {
  return description.replace(/^scripted:\s*/i, '');
}

/** A band of an episode also leads to it. */
export interface EpisodeBand extends Band {
  readonly id: string | null;
}

/** Of one version, or of all when none is said; taken-back episodes are left out. An open one lasts until now. */
export function bandsOf(
  episodes: readonly AlertView[],
  incidents: Demonstration['incidents'],
  now: string | undefined,
  version: string | undefined,
): EpisodeBand[] {
  const bands: EpisodeBand[] = [];
  for (const { start, end, description } of incidents) {
    const from = instant(start);
    const to = instant(end);
    if (from !== null && to !== null && to > from)
      bands.push({ from, to, kind: 'scripted', label: incidentWords(description), id: null });
  }
  for (const episode of episodes) {
    if (episode.corrected || (version !== undefined && episode.version !== version)) continue;
    const from = instant(episode.since);
    const to = instant(episode.closed ?? now);
    if (from === null || to === null || to <= from) continue;
    const names = episode.features.map(({ name }) => name).join(', ');
    bands.push({
      from,
      to,
      kind: episode.severity,
      label: names === '' ? signalNoun(episode.signal) : `${signalNoun(episode.signal)}: ${names}`,
      id: episode.id,
    });
  }
  return bands;
}

/** From the first window to the last, but at least twenty windows long, so that the first ones do not fill the page. */
export function timelineOf(windows: readonly Spanned<WindowView>[]): { from: number; to: number } {
  const first = windows[0];
  const last = windows.at(-1);
  if (first === undefined || last === undefined) return { from: 0, to: 1 };
  return { from: Math.min(first.from, last.to - 20 * (last.to - last.from)), to: last.to };
}
