/** The verdict on one window of one model version at one scale: every column, quality, volume and latency. Pure. */
import type { ColumnBaseline } from '../contracts/baseline.ts';
import { EFFECTS, type Monitor } from '../contracts/monitor.ts';
import type { FeatureResult, Verdict, WindowResult } from '../contracts/result.ts';
import { levelOf } from './budget.ts';
import type { ColumnCounts, WindowCounts } from './column-counts.ts';
import { type JudgedColumn, judgeScores, PRIMARY_TEST } from './column-verdict.ts';
import { confirmation } from './episode.ts';
import { judgeLatency, latencyLimits } from './latency-verdict.ts';
import type { OtherTests } from './other-tests.ts';
import { type QualityColumn, qualityChecks } from './quality.ts';
import { round12OrNull } from './round.ts';
import type { Shape } from './shape.ts';
import { judgeVolume } from './volume.ts';

export { type JudgeOptions, judgeColumn, PRIMARY_TEST } from './column-verdict.ts';

export interface WindowQuestion {
  readonly shape: Shape;
  /** The merged profile of the window. */
  readonly profile: WindowCounts;
  readonly scale: {
    /** Into `shape.windows.scales`; 0 is the monitor's own window. */
    readonly index: number;
    /** Event time, milliseconds since 1970. */
    readonly start: number;
    readonly end: number;
  };
  /** Rows by the start of the grain they came from: how the season of a longer window is weighed. */
  readonly parts?: readonly { readonly start: number; readonly rows: number }[];
  /** Default `brief`. */
  readonly others?: OtherTests;
}

export type WindowVerdict = Pick<
  WindowResult,
  'status' | 'reason' | 'null' | 'features' | 'quality' | 'volume' | 'latency' | 'segments'
>;

/** Never throws for data; the shape's own contradictions were refused when it was compiled. */
export function judgeWindow({ shape, profile, scale, parts, others }: WindowQuestion): WindowVerdict {
  const { monitor, baseline } = shape;
  const scales = shape.windows.scales.map(({ ms }) => ms);
  const base = scale.index === 0;
  const judgedColumns = shape.columns.filter((column) => column.baseline !== null).length;
  const level = (signal: 'drift' | 'volume' | 'latency', comparisons: number): number =>
    levelOf({ budget: monitor.budget, signal, scales, scale: scale.index, comparisons });
  const options = {
    level: level('drift', judgedColumns),
    smallestEffect: smallestEffect(monitor),
    minimumRows: monitor.window.minimumRows,
    span: { start: scale.start, end: scale.end, parts },
    confirmation: base ? confirmation(monitor, scale.end - scale.start) : { m: 1, n: 1 },
    others,
  };
  const columns = shape.columns.map((column): QualityColumn => {
    const counts = profile.column(column.index);
    const known: ColumnBaseline | null = column.baseline;
    return {
      name: column.name,
      baseline: known,
      counts,
      judged: known === null ? null : judgeScores(known, counts, options),
    };
  });
  const unjudged = shape.learning ? 'the baseline is being learned' : 'the baseline does not have this column';
  const features = columns.map(
    ({ counts, judged }, i) => judged?.result ?? unknown(shape.columns[i]!, counts, unjudged),
  );
  const quality = monitor.quality === 'off' ? [] : qualityChecks(columns, profile);
  const volume =
    baseline === null || monitor.quality === 'off'
      ? null
      : judgeVolume(baseline, profile.weightedRows, options.span, level('volume', 1));
  const latency = judgeLatency(profile.latency, monitor, level('latency', latencyLimits(monitor)));
  const calibrated = columns.some(({ baseline: known }) => known !== null && known.calibration !== null);
  const alerting = [
    ...features.map(({ status }) => status),
    ...quality.filter(({ breach }) => breach).map(({ status }) => status),
    ...(volume === null ? [] : [volume.status]),
    ...(latency === null || latencyLimits(monitor) === 0 ? [] : [latency.status]),
  ];
  return {
    ...overall(shape, profile, features, alerting),
    null: calibrated ? 'calibrated' : 'independent',
    features,
    quality,
    volume,
    latency,
    segments: profile.segments().map(({ segment, rows }) => ({
      segment,
      rows,
      status: rows < segmentRows(shape, segment) ? 'insufficient-data' : 'learning',
      drifted: [],
    })),
  };
}

/** `drift.smallestEffect` as a number. */
export function smallestEffect(monitor: Pick<Monitor, 'drift'>): number {
  const wanted = monitor.drift.smallestEffect;
  return typeof wanted === 'number' ? wanted : EFFECTS[wanted];
}

function overall(
  { baseline, learning, monitor }: Shape,
  { rows }: WindowCounts,
  features: readonly FeatureResult[],
  alerting: readonly Verdict[],
): Pick<WindowResult, 'status' | 'reason'> {
  const broken = features.filter(({ status }) => status === 'failed');
  if (broken.length > 0) return { status: 'failed', reason: `${broken[0]!.name}: ${broken[0]!.reason}` };
  if (alerting.includes('drifted')) return { status: 'drifted' };
  if (rows === 0) return { status: 'insufficient-data', reason: 'no rows' };
  if (learning)
    return { status: 'learning', reason: `the baseline is learned from the first ${monitor.baseline.learn ?? ''}` };
  if (baseline === null) return { status: 'learning', reason: 'no baseline is approved yet' };
  if (features.some(({ status }) => status === 'ok')) return { status: 'ok' };
  const first = features[0];
  if (first === undefined) return { status: 'insufficient-data', reason: 'the baseline has no columns' };
  return { status: first.status, reason: first.reason };
}

/** A column without a baseline: shown, not judged. */
function unknown(
  { name, type, role }: Pick<FeatureResult, 'name' | 'type' | 'role'>,
  counts: ColumnCounts,
  reason: string,
): JudgedColumn['result'] {
  return {
    name,
    type,
    role,
    status: 'learning',
    test: PRIMARY_TEST,
    statistic: null,
    pValue: null,
    threshold: null,
    effect: null,
    aspect: null,
    detectable: null,
    provisional: false,
    referenceCount: 0,
    currentCount: counts.n - counts.missing - counts.nonFinite - counts.invalid,
    missingReference: 0,
    missingCurrent: counts.missing + counts.nonFinite,
    reason,
    summary: reason,
    changes: [],
    others: [],
    mean: round12OrNull(counts.mean),
    std: round12OrNull(counts.std),
  };
}

function segmentRows({ segments }: Shape, segment: string): number {
  return segments.find(({ by }) => segment.startsWith(`${by}=`))?.minimumRows ?? 1;
}
