/** How long profiles, results and events of a model are needed, which no `retention` may undercut. */
import { durationMs, durationText } from './duration.ts';
import type { Problem } from './problem.ts';

const DAY_MS = 86_400_000;
/** Judged besides the window where a monitor names none. */
const LONGEST_SCALE = '7d';

/** What decides it of a monitor. */
interface Declared {
  readonly retention?:
    | {
        readonly events?: string | undefined;
        readonly profiles?: string | undefined;
        readonly results?: string | undefined;
      }
    | undefined;
  readonly window: { readonly every: string; readonly lateness: string; readonly revise: string };
  readonly drift: { readonly scales?: readonly string[] | undefined };
  readonly truth: { readonly horizon: string };
  readonly baseline: { readonly learn?: string | undefined };
}

/**
 * Milliseconds from the start of a window until nothing of it is needed any more: the longest scale, lateness, the label horizon and the time in
 * which it is revised, what a baseline is learned from, and two days for whoever is late.
 */
export function neededMs({ window, drift, truth, baseline }: Declared): number {
  const scales = [window.every, ...(drift.scales ?? [LONGEST_SCALE])].map(durationMs);
  const learned = baseline.learn === undefined ? 0 : durationMs(baseline.learn);
  const waited = durationMs(window.lateness) + durationMs(window.revise) + durationMs(truth.horizon);
  return Math.max(...scales) + waited + learned + 2 * DAY_MS;
}

/** Why a retention cannot be. */
export function undercut(monitor: Declared): Problem[] {
  const least = neededMs(monitor);
  return Object.entries(monitor.retention ?? {}).flatMap(([key, text]): Problem[] =>
    text === undefined || durationMs(text) >= least
      ? []
      : [
          {
            code: 'retention-too-short',
            path: `retention.${key}`,
            message: 'ends before windows are judged for the last time',
            got: text,
            expected: `at least ${durationText(Math.ceil(least / DAY_MS) * DAY_MS)}: the longest scale, lateness, revise, the label horizon, learning, and two days`,
            fix: 'lengthen it, or shorten those',
          },
        ],
  );
}
