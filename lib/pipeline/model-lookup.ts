/** Looks up what is exported of one model: from the results that are named, or from all that may be its newest. */
import { createHash } from 'node:crypto';
import { durationMs } from '../contracts/duration.ts';
import type { EpisodeState } from '../contracts/episode.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { keys, stamp, unsegment } from '../contracts/object-keys.ts';
import type { PerformanceResult, WindowResult } from '../contracts/result.ts';
import type { ExportedModel, ExportedWindow } from './exported-state.ts';
import { readJson } from './json-object.ts';
import { listAll, listFolders } from './listing.ts';
import { featureSamples, isNewer, openEpisodesOf, summaryOfPerformance, summaryOfWindow } from './model-samples.ts';
import type { ObjectStore } from './ports.ts';

const NOTHING = { windows: {}, performance: null, episodes: {}, read: 0 } as const;

/** The model with what these results and its episodes tell; features of windows that are new to it have not been told. */
export async function withResults(
  store: ObjectStore,
  model: string,
  known: ExportedModel | undefined,
  results: readonly string[],
): Promise<ExportedModel> {
  let summary: ExportedModel = known ?? NOTHING;
  for (const key of newestOf(results)) {
    const stored = await readJson<WindowResult | PerformanceResult>(store, key);
    if (stored === null) continue;
    const result = stored.value;
    if (result.schema === 'mlmon.performance/v1') {
      const performance = summaryOfPerformance(result);
      if (performance !== null && isNewer(performance, summary.performance)) summary = { ...summary, performance };
      continue;
    }
    const present = summary.windows[result.length];
    const window = summaryOfWindow(result);
    if (present?.key === key || !isNewer(window, present)) continue;
    const series = seriesOf(result);
    const before = present === undefined || present.series === series ? present?.before : present.key;
    const added: ExportedWindow = { ...window, key, told: null, series, ...(before === undefined ? {} : { before }) };
    summary = { ...summary, windows: { ...summary.windows, [result.length]: added } };
  }
  const episodes = await readJson<EpisodeState>(store, keys.episodes(model));
  return { ...summary, episodes: openEpisodesOf(episodes?.value ?? null) };
}

/** Looks among all results that may be the newest of the model, whoever told of them. */
export async function lookUp(
  store: ObjectStore,
  monitor: Monitor,
  known: ExportedModel | undefined,
  now: number,
): Promise<ExportedModel> {
  const { model } = monitor;
  const found: string[] = [];
  for (const folder of await listFolders(store, keys.results(model))) {
    const prefix = `${keys.results(model, unsegment(folder))}`;
    for await (const key of listAll(store, prefix, `${prefix}${stamp(now - reachOf(monitor))}`)) found.push(key);
  }
  return { ...(await withResults(store, model, known, found)), read: now };
}

/** Names of the series that the features of a result have, as a digest. */
export function seriesOf(result: WindowResult): string {
  const names = featureSamples(result).map(({ name, labels }) => `${name}${JSON.stringify(labels)}`);
  return createHash('sha256').update(names.sort().join('\n')).digest('hex').slice(0, 12);
}

/** Of each kind, length and version the last window in its last revision. */
function newestOf(results: readonly string[]): string[] {
  const newest = new Map<string, { key: string; rank: string }>();
  for (const key of results) {
    const [, , version = '', start = '', length = '', file = ''] = key.split('/');
    const [, kind = '', revision = ''] = /^(.*r)(\d+)\.json$/.exec(file) ?? [];
    const name = `${version}/${length}/${kind}`;
    const rank = `${start}/${revision.padStart(9, '0')}`;
    if (rank > (newest.get(name)?.rank ?? '')) newest.set(name, { key, rank });
  }
  return [...newest.values()].map(({ key }) => key);
}

/** How long ago the newest window of any length, and the newest with labels, may have begun. */
function reachOf({ window, drift, truth }: Monitor): number {
  const lengths = [durationMs(window.every), ...(drift.scales ?? ['1d', '7d']).map(durationMs)];
  const labels = durationMs(truth.horizon) + durationMs(window.revise);
  return 2 * Math.max(...lengths) + durationMs(window.lateness) + labels + 2 * 86_400_000;
}
