/** JSON of `GET /api/…`: what the page shows and other programs read. Times are RFC 3339, shares 0..1, latencies milliseconds. */
import type { Episode, Silence } from './episode.ts';
import type { LearningView } from './learning.ts';
import type { Monitor } from './monitor.ts';
import type {
  FeatureResult,
  LatencyResult,
  MetricResult,
  PerformanceResult,
  QualityCheck,
  Severity,
  Verdict,
  VolumeResult,
} from './result.ts';

/** `GET /api/models` */
export interface ModelsAnswer {
  /** The platform's clock: in a replay, the simulated time. */
  readonly now: string;
  readonly models: readonly ModelSummary[];
  readonly health: Health;
  /** What the demonstration announces about itself; absent elsewhere. */
  readonly demonstration?: Demonstration;
}

export interface Demonstration {
  readonly title: string;
  /** 0..1 of the replay. */
  readonly progress: number;
  readonly state: 'preparing' | 'replaying' | 'done';
  /** What it is doing, in one line. */
  readonly message: string;
  /** Scripted incidents, so that nobody takes them for real ones. */
  readonly incidents: readonly { readonly start: string; readonly end: string; readonly description: string }[];
}

export interface ModelSummary {
  readonly model: string;
  readonly owner: string;
  readonly task: string;
  /** The version that had the newest window. */
  readonly version: string | null;
  /** State of the newest judged window; `learning` before the first. */
  readonly state: Verdict;
  readonly reason: string | null;
  readonly lastWindow: { readonly start: string; readonly end: string; readonly rows: number } | null;
  readonly openEpisodes: number;
  readonly severity: Severity | null;
  /** Headline metric of the newest window that has labels. */
  readonly headline: {
    readonly metric: string;
    readonly value: number;
    readonly mature: boolean;
    readonly coverage: number;
  } | null;
  /** Rows of the newest windows, oldest first, for a spark line. */
  readonly recentRows: readonly number[];
  readonly removed: boolean;
  /** While the baseline is learned from the first days. */
  readonly learning?: LearningView;
  /** The monitor's time zone; UTC when absent. */
  readonly timezone?: string;
}

export interface BaselineInfo {
  readonly version: string;
  readonly n: number;
  readonly rows: number;
  readonly source: string;
  readonly effectiveFrom: string | null;
  readonly approved: { readonly by: string; readonly at: string } | null;
  /** It was learned and is in force although nobody approved it. */
  readonly provisional?: true;
  readonly findings: readonly string[];
}

/** `GET /api/models/{model}` */
export interface ModelAnswer {
  readonly now: string;
  readonly summary: ModelSummary;
  readonly monitor: Monitor;
  readonly monitorNumber: number;
  readonly versions: readonly string[];
  /** Lengths of windows judged, shortest first: `1d`, `7d`. */
  readonly lengths: readonly string[];
  readonly features: readonly {
    readonly name: string;
    readonly type: 'numeric' | 'categorical';
    readonly role: string;
  }[];
  readonly baselines: readonly BaselineInfo[];
  readonly episodes: readonly AlertView[];
  readonly demonstration?: Demonstration;
}

/** One window as the heatmap and the lines need it. */
export interface WindowView {
  readonly version: string;
  readonly start: string;
  readonly end: string;
  readonly length: string;
  readonly rows: number;
  readonly status: Verdict;
  readonly reason: string | null;
  readonly revision: number;
  readonly features: Readonly<
    Record<
      string,
      {
        readonly status: Verdict;
        readonly effect: number | null;
        readonly pValue: number | null;
        readonly threshold: number | null;
        readonly aspect: string | null;
        readonly summary: string;
        readonly missing: number | null;
        readonly mean: number | null;
      }
    >
  >;
  /** Checks that are not `ok`. */
  readonly quality: readonly QualityCheck[];
  readonly volume: VolumeResult | null;
  readonly latency: LatencyResult | null;
  readonly segments: readonly {
    readonly segment: string;
    readonly rows: number;
    readonly status: Verdict;
    readonly drifted: readonly string[];
  }[];
}

export interface PerformanceView {
  readonly version: string;
  readonly start: string;
  readonly end: string;
  readonly status: Verdict;
  readonly mature: boolean;
  readonly coverage: number | null;
  readonly predictions: number;
  readonly labels: number;
  readonly conflicts: number;
  readonly metrics: readonly MetricResult[];
  readonly confusion: PerformanceResult['confusion'];
  readonly calibration: PerformanceResult['calibration'];
}

/** `GET /api/models/{model}/windows?version=&length=&from=&to=&limit=` — oldest first; the newest `limit` (default 200, at most 1,000). */
export interface WindowsAnswer {
  readonly now: string;
  readonly length: string;
  readonly windows: readonly WindowView[];
  readonly performance: readonly PerformanceView[];
}

/** Bars of one column: baseline against window. */
export interface DistributionView {
  /** `missing` comes last when there is any. Shares sum to 1 on each side. */
  readonly bins: readonly { readonly label: string; readonly reference: number; readonly current: number }[];
}

/** `GET /api/models/{model}/features/{feature}?version=&length=&start=` — the newest window unless `start` is given. */
export interface FeatureAnswer {
  readonly now: string;
  readonly window: {
    readonly version: string;
    readonly start: string;
    readonly end: string;
    readonly length: string;
    readonly rows: number;
  } | null;
  readonly result: FeatureResult | null;
  readonly distribution: DistributionView | null;
  /** Each test in words. */
  readonly explanation: readonly string[];
  readonly history: readonly {
    readonly start: string;
    readonly status: Verdict;
    readonly effect: number | null;
    readonly missing: number | null;
    readonly mean: number | null;
    readonly std: number | null;
  }[];
}

/** An episode as people see it. */
export interface AlertView extends Episode {
  readonly state: 'open' | 'closed';
  /** It was taken back by a later revision of its windows. */
  readonly corrected: boolean;
  readonly acknowledged: { readonly by: string; readonly at: string; readonly note: string } | null;
  readonly silenced: boolean;
  /** The monitor's time zone; UTC when absent. */
  readonly timezone?: string;
  /** When it was decided, by the platform's clock. */
  readonly notifiedAt: string | null;
  readonly runbook: string;
  readonly link: string;
  readonly context: readonly string[];
  readonly deliveries: readonly {
    readonly transition: string;
    readonly channel: string;
    readonly state: 'delivered' | 'pending' | 'failed' | 'silenced';
    readonly detail: string | null;
  }[];
}

/** `GET /api/alerts?model=&state=` — newest first. */
export interface AlertsAnswer {
  readonly now: string;
  readonly alerts: readonly AlertView[];
  readonly silences: readonly Silence[];
}

/** The platform's own health. */
export interface Health {
  readonly status: 'ok' | 'degraded' | 'failing';
  readonly problems: readonly string[];
  readonly uptimeSeconds: number;
  readonly memoryBytes: number;
  readonly eventsPerSecond: number;
  readonly partitions: readonly {
    readonly id: string;
    readonly head: string | null;
    readonly profiled: string | null;
    readonly archived: string | null;
    /** When the log took the record at the head. */
    readonly headAppendTime?: string | null;
    /** Append time up to which everything has been profiled. */
    readonly profiledThrough?: string | null;
    /** Append time up to which everything is in the capture; absent where it is not known. */
    readonly archivedThrough?: string | null;
    /** Records behind the head. */
    readonly lag: number;
    /** Records behind the head of what is in the capture. */
    readonly archiveLag?: number;
    readonly closed: boolean;
  }[];
  readonly counts: {
    readonly received: number;
    readonly profiled: number;
    readonly captured: number;
    readonly beyond: number;
    readonly labels: number;
    readonly quarantined: Readonly<Record<string, number>>;
    readonly lost: number;
  };
  readonly lastEvaluation: string | null;
  readonly parts: readonly {
    readonly name: string;
    readonly state: 'running' | 'stopped' | 'failing';
    readonly error: string | null;
  }[];
}

/** `GET /api/health` */
export interface HealthAnswer {
  readonly now: string;
  readonly health: Health;
  readonly quarantine: readonly {
    readonly at: string;
    readonly reason: string;
    readonly detail: string;
    readonly excerpt: string;
  }[];
}
