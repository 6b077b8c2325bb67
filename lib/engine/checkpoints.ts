/**
 * When a window's performance is computed, and from which records: all those that arrived before a checkpoint. Checkpoints
 * are a function of the window and the monitor alone, so the counts of each are the same whenever and however often it is computed.
 */
import { durationMs } from '../contracts/duration.ts';
import type { Monitor } from '../contracts/monitor.ts';
import type { Span } from './window.ts';

/** Looks before the window is mature, evenly over the horizon. */
const EARLY_LOOKS = 8;
const LONGEST_STEP = 86_400_000;
/** Looks afterwards, as shares of the time in which a window is still revised. */
const REVISIONS = [1 / 7, 3 / 7, 1];

export interface Checkpoint {
  /** Records that arrived before it count, milliseconds since 1970. */
  readonly cut: number;
  /** The label horizon is over. */
  readonly mature: boolean;
}

/** Ascending. The first mature one is the end of the horizon (of lateness, if that is longer); the last is where revising ends. */
export function checkpointsOf(window: Span, monitor: Pick<Monitor, 'truth' | 'window'>): Checkpoint[] {
  const { horizon, lateness, revise } = durationsOf(monitor);
  const step = Math.min(LONGEST_STEP, Math.max(1, Math.floor(horizon / EARLY_LOOKS)));
  const cuts: Checkpoint[] = [];
  for (let after = step; after < horizon; after += step)
    if (after > lateness) cuts.push({ cut: window.end + after, mature: false });
  const maturity = window.end + Math.max(horizon, lateness);
  cuts.push({ cut: maturity, mature: true });
  for (const share of REVISIONS) {
    const cut = maturity + Math.floor(revise * share);
    if (cut > (cuts.at(-1)?.cut ?? 0)) cuts.push({ cut, mature: true });
  }
  return cuts;
}

/** From the end of a window to its last checkpoint, milliseconds. */
export function lastCheckpointAfter(monitor: Pick<Monitor, 'truth' | 'window'>): number {
  const { horizon, lateness, revise } = durationsOf(monitor);
  return Math.max(horizon, lateness) + revise;
}

/** Predictions that arrive from here on are `beyond` their window and are not part of it. */
export function beyondAt(window: Span, monitor: Pick<Monitor, 'window'>): number {
  return window.end + durationMs(monitor.window.lateness) + durationMs(monitor.window.revise);
}

function durationsOf(monitor: Pick<Monitor, 'truth' | 'window'>): {
  horizon: number;
  lateness: number;
  revise: number;
} {
  return {
    horizon: durationMs(monitor.truth.horizon),
    lateness: durationMs(monitor.window.lateness),
    revise: durationMs(monitor.window.revise),
  };
}
