/**
 * What the verdict reads: plain counts of one window, wherever they come from (a merged profile, two files of a report).
 * Counts are whole numbers below 2^53. Bins are those of the baseline the window is compared with.
 */

/** Sums of sampling weights beside the counts, when some weight differs from 1. `w` = Σw, `w2` = Σw². */
export interface WeightedCounts {
  /** As long as `ColumnCounts.bins`. */
  readonly w: ArrayLike<number>;
  readonly w2: ArrayLike<number>;
  /** Missing and not finite together, as [Σw, Σw²]. */
  readonly missing: readonly [number, number];
  /** Unseen categories, as [Σw, Σw²]; [0, 0] for numbers. */
  readonly unseen: readonly [number, number];
}

export interface ColumnCounts {
  /** Rows of the window: Σ bins + unseen.total + missing + nonFinite + invalid. */
  readonly n: number;
  /** Absent or null. */
  readonly missing: number;
  /** NaN and infinities of a number; judged with the missing. */
  readonly nonFinite: number;
  /** Values of the wrong type: a breach of the contract (quality), no part of the distribution. */
  readonly invalid: number;
  /**
   * Numbers: one count a fine bin, `edges.length + 1` of them, outer two = out of range.
   * Categories: one count a category of the baseline's vocabulary, in its order.
   */
  readonly bins: ArrayLike<number>;
  /** Categories outside the vocabulary: all their rows, and some of them with exact counts, most frequent first. Empty for numbers. */
  readonly unseen: { readonly total: number; readonly top: readonly (readonly [category: string, count: number])[] };
  readonly weighted: WeightedCounts | null;
  /** Of finite values (weighted when weights are there); `null` for categories and without values. */
  readonly mean: number | null;
  /** Population standard deviation, likewise. */
  readonly std: number | null;
}

/** Latency in exponential buckets: bucket i holds (2^(i / 2^scale), 2^((i + 1) / 2^scale)] milliseconds. */
export interface LatencyCounts {
  readonly count: number;
  /** Values of zero. */
  readonly zero: number;
  readonly scale: number;
  /** [bucket index, count], ascending by index, counts above 0. */
  readonly buckets: Iterable<readonly [index: number, count: number]>;
}

export interface SegmentCounts {
  /** `carrier=AA`; what is left over is `carrier=other`. */
  readonly segment: string;
  readonly rows: number;
  /** Counts of column `index` of the shape within this segment. */
  column(index: number): ColumnCounts;
}

/** One window of one model version, merged: what `judgeWindow` needs of a profile. */
export interface WindowCounts {
  readonly rows: number;
  /** Σw; equals `rows` when nothing was sampled. */
  readonly weightedRows: number;
  /** Counts of column `index` of the shape. */
  column(index: number): ColumnCounts;
  segments(): readonly SegmentCounts[];
  readonly latency: LatencyCounts;
  /** Estimate of the number of distinct event ids. */
  distinctIds(): number;
  /** Features that the baseline does not know, with the rows that carried them. */
  newFeatures(): readonly { readonly name: string; readonly rows: number }[];
}
