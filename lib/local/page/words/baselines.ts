/** Which baseline is in force, and which windows a new one may come from. */
import type { BaselineInfo, ModelAnswer, WindowView } from '../../../contracts/api.ts';
import type { Spanned } from '../charts/heatmap-model.ts';
import { instant, windowWords } from './times.ts';

export type BaselineState =
  | 'in force'
  | 'provisional'
  | 'waits for approval'
  | 'taken over'
  | 'comes into force'
  | 'replaced';

/**
 * Of one version: the approved one with the latest time in force that has come; a later number wins a tie. Nothing
 * published is changed: approval publishes the same again under a new number, so the one that waited is `taken over`.
 * A learned one is in force, or soon, without approval: `provisional`.
 */
export function inForce(baseline: BaselineInfo, all: readonly BaselineInfo[], now: number): BaselineState {
  if (baseline.approved === null) {
    const isTakenOver = all.some(
      (other) => other.n > baseline.n && other.approved !== null && sameContent(other, baseline),
    );
    if (isTakenOver) return 'taken over';
    if (baseline.provisional !== true) return 'waits for approval';
  }
  const from = instant(baseline.effectiveFrom);
  if (from !== null && from > now) {
    const overtaken = all.some(
      (other) =>
        other.n > baseline.n &&
        other.version === baseline.version &&
        applies(other) &&
        (instant(other.effectiveFrom) ?? Number.POSITIVE_INFINITY) <= from,
    );
    if (overtaken) return 'replaced';
    return baseline.provisional === true ? 'provisional' : 'comes into force';
  }
  let best: BaselineInfo | undefined;
  for (const other of all) {
    if (!applies(other) || other.version !== baseline.version) continue;
    const at = instant(other.effectiveFrom) ?? Number.NEGATIVE_INFINITY;
    if (at > now) continue;
    const bestAt = best === undefined ? null : (instant(best.effectiveFrom) ?? Number.NEGATIVE_INFINITY);
    if (best === undefined || bestAt === null || at > bestAt || (at === bestAt && other.n > best.n)) best = other;
  }
  if (best !== baseline) return 'replaced';
  return baseline.provisional === true ? 'provisional' : 'in force';
}

function applies({ approved, provisional }: BaselineInfo): boolean {
  return approved !== null || provisional === true;
}

/** Going back undoes the newest approval: whether this is it, and there is something else that was approved before. */
export function canGoBack(baseline: BaselineInfo, all: readonly BaselineInfo[]): boolean {
  const approved = all.filter((other) => other.version === baseline.version && other.approved !== null);
  return (
    baseline.approved !== null &&
    approved.every((other) => other.n <= baseline.n) &&
    approved.some((other) => !sameContent(other, baseline))
  );
}

function sameContent(one: BaselineInfo, other: BaselineInfo): boolean {
  return one.version === other.version && one.rows === other.rows && one.source === other.source;
}

export interface NormalChoice {
  readonly start: string;
  readonly end: string;
  readonly words: string;
  readonly rows: number;
  readonly drifted: boolean;
  readonly scripted: boolean;
}

/** The windows on the screen, and the first one suggested: where the open change of the data began, else the last 28. */
export function normalChoices(
  windows: readonly Spanned<WindowView>[],
  answer: Pick<ModelAnswer, 'episodes' | 'demonstration'>,
  zone: string,
): { choices: NormalChoice[]; from: number } {
  const incidents = (answer.demonstration?.incidents ?? []).map(
    ({ start, end }) => [Date.parse(start), Date.parse(end)] as const,
  );
  const choices = windows.map(({ from, to, item }) => ({
    start: item.start,
    end: item.end,
    words: windowWords(from, to, zone),
    rows: item.rows,
    drifted: item.status === 'drifted',
    scripted: incidents.some(([start, end]) => from < end && to > start),
  }));
  const open = answer.episodes
    .filter((episode) => episode.state === 'open' && (episode.signal === 'drift' || episode.signal === 'quality'))
    .map((episode) => instant(episode.since) ?? Number.POSITIVE_INFINITY);
  const since = Math.min(...open);
  const found = windows.findIndex(({ from }) => from >= since);
  return { choices, from: found >= 0 ? found : Math.max(0, windows.length - 28) };
}
