/**
 * The baseline: what windows are compared with. Made by `mlmon profile` or from windows; immutable, versioned, approved.
 */
import type { Problem } from './problem.ts';

/** What a column is to the model. Predictions and scores are judged like features. */
export type ColumnRole = 'feature' | 'score' | 'prediction';

/**
 * Bins of a number. `edges` ascend strictly; fine bin 0 is below the first edge, bin i is [edges[i-1], edges[i]),
 * the last is at or above the last edge. The first edge is the baseline's minimum, the last lies just above its maximum,
 * so the outer two bins are the out-of-range counts and are empty in the baseline itself.
 */
export interface NumericBins {
  readonly edges: readonly number[];
  /** For each fine bin (edges.length + 1 of them) the index of its verdict bin. Ascends from 0 without gaps. */
  readonly verdictBin: readonly number[];
}

export interface NumericBaseline {
  readonly name: string;
  readonly type: 'numeric';
  readonly role: ColumnRole;
  /** Finite values. */
  readonly count: number;
  readonly missing: number;
  /** NaN and infinities. */
  readonly nonFinite: number;
  readonly mean: number | null;
  /** Population standard deviation. */
  readonly std: number | null;
  readonly min: number | null;
  readonly max: number | null;
  /** All values are whole numbers. */
  readonly integer: boolean;
  /** Fixed point of the moments: a value x is accumulated as round((x - center) / unit). `unit` is a power of two. */
  readonly center: number;
  readonly unit: number;
  readonly bins: NumericBins;
  /** Rows in each fine bin. */
  readonly counts: readonly number[];
  readonly calibration: ColumnCalibration | null;
  /** Published under the policy `bucket`: one fine bin a verdict bin, ends rounded outward, moments of the bins' middles. */
  readonly bucketed?: true;
}

export interface CategoricalBaseline {
  readonly name: string;
  readonly type: 'categorical';
  readonly role: ColumnRole;
  readonly count: number;
  readonly missing: number;
  /** The vocabulary: at most 1,000 categories, most frequent first, ties by code point; later ones are counted in `other`. */
  readonly categories: readonly string[];
  readonly counts: readonly number[];
  /** Rows whose category is in the baseline but not in `categories`. */
  readonly other: number;
  /** Number of distinct categories seen, those of `other` included. */
  readonly distinct: number;
  /** For each of `categories` its verdict bin: those of at least 200 rows (in a small baseline 1 % of its rows, at least 10) have one of their own, all others share the bin `other`. */
  readonly verdictBin: readonly number[];
  readonly calibration: ColumnCalibration | null;
  /** Published under the policy `hash`: `categories` are hashes made with this key. */
  readonly policyKey?: string;
  /** Published under the policy `bucket`: what the collector writes for every category that is not in `categories`. */
  readonly rest?: string;
}

export type ColumnBaseline = NumericBaseline | CategoricalBaseline;

/**
 * The fitted null of one column (architecture, the verdict): written by the engine's calibration, read by its verdict, opaque to all else.
 * Absent (`null`) when the baseline had no time column: rows are then taken as independent and the output says so.
 */
export interface ColumnCalibration {
  readonly method: string;
  /** Effective number of windows that the null rests on. */
  readonly effectiveWindows: number;
  /** Fewer than 14 effective windows: verdicts are marked. */
  readonly provisional: boolean;
  readonly fit: unknown;
}

/** Rows of a baseline window, for the volume signal. */
export interface VolumeBaseline {
  /** Start of each baseline window, milliseconds since 1970, ascending. */
  readonly starts: readonly number[];
  readonly rows: readonly number[];
}

/** Performance on the baseline: one entry a baseline window, for its between-window variance. */
export interface PerformanceBaseline {
  readonly positive: string | null;
  readonly metrics: Readonly<
    Record<
      string,
      {
        readonly value: number;
        readonly windows: readonly number[];
        /** Standard error of each of `windows` from the sampling of its rows. */
        readonly errors?: readonly number[];
      }
    >
  >;
}

export interface Baseline {
  readonly schema: 'mlmon.baseline/v1';
  readonly model: string;
  /** The model version it belongs to; `null` when unknown. */
  readonly version: string | null;
  readonly source: {
    readonly kind: 'file' | 'windows';
    readonly name: string;
    /** Range of event time covered, RFC 3339, when there is a time column. */
    readonly from: string | null;
    readonly to: string | null;
  };
  readonly rows: number;
  /** The window that calibration used; `null` without a time column. */
  readonly window: { readonly every: string; readonly timezone: string; readonly count: number } | null;
  readonly columns: readonly ColumnBaseline[];
  readonly volume: VolumeBaseline | null;
  readonly performance: PerformanceBaseline | null;
  /** What is odd about the reference itself: anomalous windows, constant columns, few rows. */
  readonly findings: readonly Problem[];
  /** How it was learned from the first days of a model (lib/pipeline/learner.ts). */
  readonly learned?: LearnedFrom;
  /** Features of the reference that were not published with it, by name: a monitor with field policies publishes what it declares. */
  readonly withheld?: readonly string[];
}

export interface LearnedFrom {
  /** Names what was learned: there is at most one baseline of each. */
  readonly id: string;
  /** Windows that were left out since they stand out, RFC 3339; the findings say why. */
  readonly leftOut: readonly { readonly start: string; readonly end: string }[];
}

/** A baseline as published: `baselines/<model>/<version>/<n>.json`. */
export interface PublishedBaseline {
  readonly n: number;
  readonly version: string;
  /** RFC 3339; events from here on are profiled against it. Aligned to a window. `null` while it waits for approval. */
  readonly effectiveFrom: string | null;
  readonly approved: { readonly by: string; readonly at: string } | null;
  /** In force although nobody has approved it: it was learned. What is judged against it is marked. */
  readonly provisional?: true;
  readonly baseline: Baseline;
}
