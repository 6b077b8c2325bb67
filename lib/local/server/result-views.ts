/** Results as the page sees them, and the little more that lists and metrics need. */
import type { PerformanceView, WindowView } from '../../contracts/api.ts';
import type { PerformanceResult, Provenance, WindowResult } from '../../contracts/result.ts';

export interface WindowSeen {
  readonly base: boolean;
  readonly view: WindowView;
  /** Standard deviation by feature. */
  readonly std: Readonly<Record<string, number | null>>;
  readonly baseline: Provenance['baseline'];
  readonly evaluatedAt: string;
}

export interface PerformanceSeen {
  readonly length: string;
  readonly view: PerformanceView;
}

export function windowSeen(result: WindowResult): WindowSeen {
  const features: Record<string, WindowView['features'][string]> = Object.create(null);
  const std: Record<string, number | null> = Object.create(null);
  for (const feature of result.features) {
    const { name, status, effect, pValue, threshold, aspect, summary, mean } = feature;
    const missing = result.rows === 0 ? null : feature.missingCurrent / result.rows;
    features[name] = { status, effect, pValue, threshold, aspect, summary, missing, mean };
    std[name] = feature.std;
  }
  return {
    base: result.base,
    view: {
      version: result.version,
      start: result.start,
      end: result.end,
      length: result.length,
      rows: result.rows,
      status: result.status,
      reason: result.reason ?? null,
      revision: result.provenance.revision,
      features,
      quality: result.quality.filter(({ status }) => status !== 'ok'),
      volume: result.volume,
      latency: result.latency,
      segments: result.segments,
    },
    std,
    baseline: result.provenance.baseline,
    evaluatedAt: result.provenance.evaluatedAt,
  };
}

export function performanceSeen(result: PerformanceResult): PerformanceSeen {
  const {
    version,
    start,
    end,
    status,
    mature,
    coverage,
    predictions,
    labels,
    conflicts,
    metrics,
    confusion,
    calibration,
  } = result;
  return {
    length: result.length,
    view: {
      version,
      start,
      end,
      status,
      mature,
      coverage,
      predictions,
      labels,
      conflicts,
      metrics,
      confusion,
      calibration,
    },
  };
}
