/** What is known of one window of one model version, with its revision. Statistics depend on the data alone; provenance on the run. */

export const VERDICTS = ['ok', 'drifted', 'insufficient-data', 'learning', 'immature', 'stale', 'failed'] as const;
export type Verdict = (typeof VERDICTS)[number];

export const SIGNALS = ['drift', 'quality', 'performance', 'latency', 'volume', 'blind'] as const;
export type Signal = (typeof SIGNALS)[number];

export const SEVERITIES = ['info', 'warning', 'critical'] as const;
/** How urgent: critical pages, warning is a ticket, info a record. */
export type Severity = (typeof SEVERITIES)[number];

/** One statistical comparison of a column. */
export interface TestResult {
  readonly test: string;
  readonly statistic: number | null;
  /** At the real sizes; `null` where the test has none. */
  readonly pValue: number | null;
  /** Of the statistic or of the p-value, as the test decides; `null` when it decides by the primary alone. */
  readonly threshold: number | null;
  /** Why there is no number. */
  readonly reason?: string;
}

/** One bin or category that carries a change, in words a model owner understands. */
export interface Change {
  /** e.g. `above 1,200`, `JFK`, `missing`. */
  readonly what: string;
  /** Shares of rows, 0..1. */
  readonly reference: number;
  readonly current: number;
}

export interface FeatureResult {
  readonly name: string;
  readonly type: 'numeric' | 'categorical';
  readonly role: 'feature' | 'score' | 'prediction';
  readonly status: Verdict;
  /** The primary test: it alone decides. */
  readonly test: string;
  readonly statistic: number | null;
  /** Expected openings a window at a value as extreme; compared with `threshold`, its share of the budget. */
  readonly pValue: number | null;
  readonly threshold: number | null;
  /** Corrected effect w, 0..; 0.05 tiny, 0.1 small, 0.3 medium, 0.5 large. */
  readonly effect: number | null;
  /** What moved, e.g. `location`, `spread`, `missing`, `category JFK`. */
  readonly aspect: string | null;
  /** Smallest effect that this window could have shown at 80 % power. */
  readonly detectable: number | null;
  readonly provisional: boolean;
  readonly referenceCount: number;
  readonly currentCount: number;
  readonly missingReference: number;
  readonly missingCurrent: number;
  readonly reason?: string;
  /** One sentence. */
  readonly summary: string;
  readonly changes: readonly Change[];
  readonly others: readonly TestResult[];
  readonly mean: number | null;
  readonly std: number | null;
}

export interface QualityCheck {
  /** missing | type | range | unseen | new-feature | absent-feature | duplicates */
  readonly check: string;
  readonly feature: string | null;
  readonly status: Verdict;
  readonly value: number | null;
  readonly expected: number | null;
  /** Breaches of the contract lie outside the budget. */
  readonly breach: boolean;
  readonly summary: string;
}

export interface MetricResult {
  readonly metric: string;
  readonly status: Verdict;
  readonly value: number | null;
  readonly interval: readonly [number, number] | null;
  readonly baseline: number | null;
  readonly threshold: number | null;
  readonly reason?: string;
}

export interface PerformanceResult {
  readonly schema: 'mlmon.performance/v1';
  readonly model: string;
  readonly version: string;
  readonly start: string;
  readonly end: string;
  readonly length: string;
  readonly status: Verdict;
  readonly mature: boolean;
  /** Predictions of the window, labels that arrived within the horizon, and their ratio. */
  readonly predictions: number;
  readonly labels: number;
  readonly coverage: number | null;
  /** Ids with more than one distinct truth; the latest won. */
  readonly conflicts: number;
  readonly metrics: readonly MetricResult[];
  /** Rows: truth; columns: predicted. */
  readonly confusion: { readonly classes: readonly string[]; readonly counts: readonly (readonly number[])[] } | null;
  readonly calibration: readonly { readonly score: number; readonly truth: number; readonly rows: number }[] | null;
  readonly provenance: Provenance;
}

export interface LatencyResult {
  readonly status: Verdict;
  readonly count: number;
  /** Milliseconds. */
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly threshold: number | null;
  readonly summary: string;
}

export interface VolumeResult {
  readonly status: Verdict;
  readonly rows: number;
  readonly expected: number | null;
  readonly pValue: number | null;
  readonly summary: string;
}

export interface Provenance {
  readonly revision: number;
  /** Leaf packs and profiles that went in, sorted. */
  readonly inputs: readonly string[];
  readonly monitor: number;
  /** Published number of the baseline, and whose version it was made from. */
  readonly baseline: {
    readonly version: string;
    readonly n: number;
    readonly fallback: boolean;
    /** It was learned, and nobody had approved it. */
    readonly provisional?: true;
  } | null;
  readonly engine: string;
  /** When it was written, RFC 3339, by the platform's clock. */
  readonly evaluatedAt: string;
  /** Rows by timeliness. */
  readonly rows: { readonly onTime: number; readonly revising: number; readonly otherBaseline: number };
  readonly partitions: { readonly seen: number; readonly all: number };
}

/** `results/<model>/<version>/<window start>/<window length>/r<n>.json` */
export interface WindowResult {
  readonly schema: 'mlmon.result/v1';
  readonly model: string;
  readonly version: string;
  readonly start: string;
  readonly end: string;
  /** Name of the scale: `1h`, `1d`, `7d`. */
  readonly length: string;
  /** True for the monitor's own window, false for longer scales. */
  readonly base: boolean;
  readonly segment: string | null;
  readonly rows: number;
  /** Σw; equals rows when nothing was sampled. */
  readonly weightedRows: number;
  readonly status: Verdict;
  readonly reason?: string;
  /** Whether the null was calibrated on the baseline's own windows. */
  readonly null: 'calibrated' | 'independent';
  readonly features: readonly FeatureResult[];
  readonly quality: readonly QualityCheck[];
  readonly volume: VolumeResult | null;
  readonly latency: LatencyResult | null;
  readonly segments: readonly {
    readonly segment: string;
    readonly rows: number;
    readonly status: Verdict;
    readonly drifted: readonly string[];
  }[];
  readonly provenance: Provenance;
}
