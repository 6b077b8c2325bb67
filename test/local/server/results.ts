/** Results as the evaluator and the labeler write them, for tests of what reads them. */
import type { EpisodeState } from '../../../lib/contracts/episode.ts';
import { keys } from '../../../lib/contracts/object-keys.ts';
import type {
  FeatureResult,
  PerformanceResult,
  Provenance,
  Verdict,
  WindowResult,
} from '../../../lib/contracts/result.ts';
import type { ObjectStore } from '../../../lib/pipeline/ports.ts';

const DAY = 86_400_000;

function provenance(revision: number): Provenance {
  return {
    revision,
    inputs: [],
    monitor: 1,
    baseline: { version: '3', n: 1, fallback: false },
    engine: '0.1.0',
    evaluatedAt: '2001-02-10T00:00:00.000Z',
    rows: { onTime: 1, revising: 0, otherBaseline: 0 },
    partitions: { seen: 1, all: 1 },
  };
}

export function featureResult(name: string, status: Verdict = 'ok', more: Partial<FeatureResult> = {}): FeatureResult {
  return {
    name,
    type: 'numeric',
    role: 'feature',
    status,
    test: 'score',
    statistic: 1,
    pValue: 0.2,
    threshold: 0.001,
    effect: 0.01,
    aspect: null,
    detectable: 0.05,
    provisional: false,
    referenceCount: 1_000,
    currentCount: 95,
    missingReference: 0,
    missingCurrent: 5,
    summary: `${name} is as it was`,
    changes: [],
    others: [{ test: 'psi', statistic: 0.02, pValue: null, threshold: null }],
    mean: 3,
    std: 2,
    ...more,
  };
}

export interface WindowSpec {
  readonly model?: string;
  readonly version?: string;
  readonly start: string;
  readonly length?: string;
  readonly revision?: number;
  readonly rows?: number;
  readonly status?: Verdict;
  readonly features?: readonly FeatureResult[];
}

export function windowResult(spec: WindowSpec): WindowResult {
  const { model = 'flights', version = '3', start, length = '1d', revision = 0, rows = 100, status = 'ok' } = spec;
  return {
    schema: 'mlmon.result/v1',
    model,
    version,
    start: new Date(start).toISOString(),
    end: new Date(Date.parse(start) + (length === '7d' ? 7 * DAY : DAY)).toISOString(),
    length,
    base: length === '1d',
    segment: null,
    rows,
    weightedRows: rows,
    status,
    null: 'calibrated',
    features: spec.features ?? [featureResult('distance', status === 'drifted' ? 'drifted' : 'ok')],
    quality: [
      { check: 'type', feature: 'distance', status: 'ok', value: 0, expected: 0, breach: true, summary: 'fine' },
      {
        check: 'missing',
        feature: 'distance',
        status: 'drifted',
        value: 0.05,
        expected: 0,
        breach: false,
        summary: 'missing',
      },
    ],
    volume: null,
    latency: { status: 'ok', count: rows, p50: 10, p90: 20, p99: 250, threshold: null, summary: '' },
    segments: [],
    provenance: provenance(revision),
  };
}

export function performanceResult(
  spec: WindowSpec & { readonly accuracy: number; readonly labels?: number },
): PerformanceResult {
  const { model = 'flights', version = '3', start, length = '1d', revision = 0, accuracy, labels = 80 } = spec;
  return {
    schema: 'mlmon.performance/v1',
    model,
    version,
    start: new Date(start).toISOString(),
    end: new Date(Date.parse(start) + DAY).toISOString(),
    length,
    status: 'ok',
    mature: true,
    predictions: 100,
    labels,
    coverage: labels / 100,
    conflicts: 0,
    metrics: [
      { metric: 'accuracy', status: 'ok', value: accuracy, interval: [0.7, 0.9], baseline: 0.8, threshold: 0.75 },
    ],
    confusion: null,
    calibration: null,
    provenance: provenance(revision),
  };
}

export async function put(store: ObjectStore, result: WindowResult | PerformanceResult): Promise<void> {
  const { model, version, length, provenance: of } = result;
  const key = (result.schema === 'mlmon.performance/v1' ? keys.performance : keys.result)(
    model,
    version,
    Date.parse(result.start),
    length,
    of.revision,
  );
  await store.putIfAbsent(key, Buffer.from(JSON.stringify(result)));
}

export async function putEpisodes(store: ObjectStore, model: string): Promise<void> {
  const episode = {
    id: 'e1',
    model,
    version: '3',
    signal: 'drift' as const,
    severity: 'warning' as const,
    owner: 'team-f',
    opened: '2001-02-08T00:00:00.000Z',
    closed: null,
    since: '2001-02-07T00:00:00.000Z',
    length: '1d',
    features: [],
    summary: '<b>distance</b> moved',
    provisional: false,
  };
  const transition = {
    key: 'e1/opened/1',
    kind: 'opened' as const,
    episode,
    at: '2001-02-08T01:00:00.000Z',
    runbook: '/runbook#drift',
    link: '/#/alerts?id=e1',
    context: ['baseline 2 took effect'],
  };
  const closed = { ...episode, id: 'e0', closed: '2001-02-04T00:00:00.000Z', opened: '2001-02-03T00:00:00.000Z' };
  const state: EpisodeState = {
    schema: 'mlmon.episodes/v1',
    model,
    appliedThrough: {},
    episodes: [closed, episode],
    acknowledged: { e1: { by: 'Ada', at: '2001-02-08T02:00:00.000Z', note: 'on it' } },
    silences: [
      {
        id: 's1',
        model,
        signal: 'drift',
        from: '2001-02-10T00:00:00.000Z',
        until: '2001-02-11T00:00:00.000Z',
        by: 'Ada',
        reason: 'known',
      },
    ],
    outbox: [
      {
        transition,
        delivered: { inbox: '2001-02-08T01:00:01.000Z' },
        attempts: { inbox: 1, slack: 2, hook: 1 },
        failed: { hook: '404' },
      },
      {
        transition: { ...transition, key: 'e0/corrected/1', kind: 'corrected', episode: closed },
        delivered: { inbox: 'silenced by s0' },
        attempts: {},
        failed: {},
      },
    ],
  };
  await store.putIfAbsent(keys.episodes(model), Buffer.from(JSON.stringify(state)));
}
