/** Metrics, confusion and calibration of a classification from its counts. */
import type { PerformanceResult } from '../contracts/result.ts';
import { type Estimate, meanEstimate, undefinedEstimate } from '../stats/estimate.ts';
import {
  averagePrecision,
  type BinaryConfusion,
  binaryMetrics,
  rocAuc,
  type ScoreBins,
} from '../stats/performance-binary.ts';
import { type ConfusionCell, multiclassMetrics } from '../stats/performance-multiclass.ts';
import { add, effectiveSize, NOTHING, type Tally } from '../stats/tally.ts';
import {
  type ClassificationCell,
  type ClassificationCounts,
  LOG_SQUARE_UNIT,
  SCORE_BINS,
  SCORE_UNIT,
} from './performance-counts.ts';

/** Classes shown by name in a confusion; the rarer ones are put together. */
const SHOWN_CLASSES = 50;
const OTHER = 'other';
const CALIBRATION_BINS = 10;
/** Names of a positive class that need no declaration. */
const USUAL_POSITIVES = ['1', '1.0', 'true', 'True', 'yes', 'positive'];

/** The weight of a cell's rows: 2^(code / 256), exactly 1 for code 0. */
export function weightOf(code: number): number {
  return 2 ** (code / 256);
}

/**
 * The positive class: the declared one, else the only usual name among at most two classes (1, true, yes, positive), else `null`.
 */
export function positiveClass(counts: ClassificationCounts, declared: string | null | undefined): string | null {
  if (declared !== null && declared !== undefined) return declared;
  const classes = new Set<string>();
  for (const { truth, predicted } of counts.cells) {
    classes.add(truth);
    if (predicted !== null) classes.add(predicted);
  }
  const usual = USUAL_POSITIVES.filter((name) => classes.has(name));
  return classes.size <= 2 && usual.length === 1 ? usual[0]! : null;
}

/** The metrics of METRICS['binary-classification']. Everything that is not the positive class is negative. */
export function binaryEstimates(counts: ClassificationCounts, positive: string | null): Record<string, Estimate> {
  const { cells } = counts;
  if (positive === null) {
    const unknown = undefinedEstimate('positive-class-not-declared');
    const { accuracy } = multiclassMetrics(confusionCells(cells));
    const names = ['precision', 'recall', 'f1', 'specificity', 'log-loss', 'brier', 'roc-auc', 'average-precision'];
    return { accuracy, ...Object.fromEntries(names.map((name) => [name, unknown])) };
  }
  const confusion: Record<keyof BinaryConfusion, Tally> = {
    truePositive: NOTHING,
    falsePositive: NOTHING,
    falseNegative: NOTHING,
    trueNegative: NOTHING,
  };
  for (const cell of cells) {
    if (cell.predicted === null) continue;
    const right = (cell.truth === positive) === (cell.predicted === positive);
    const name = `${right ? 'true' : 'false'}${cell.predicted === positive ? 'Positive' : 'Negative'}` as const;
    confusion[name] = add(confusion[name], tally(cell));
  }
  const bins = scoreBins(cells, positive);
  return {
    ...binaryMetrics(confusion),
    ...scoreLosses(cells, positive),
    'roc-auc': rocAuc(bins),
    'average-precision': averagePrecision(bins),
  };
}

/** The metrics of METRICS['multiclass-classification']. */
export function multiclassEstimates(counts: ClassificationCounts): Record<string, Estimate> {
  return { ...multiclassMetrics(confusionCells(counts.cells)) };
}

/** Positives and negatives by score bin; all bins empty without scores. */
export function scoreBins(cells: readonly ClassificationCell[], positive: string): ScoreBins {
  const bins = { positive: emptyBins(), negative: emptyBins() };
  for (const cell of cells) {
    if (cell.scoreBin === null) continue;
    const side = cell.truth === positive ? bins.positive : bins.negative;
    side[cell.scoreBin] = add(side[cell.scoreBin]!, tally(cell));
  }
  return bins;
}

/** Rows (not weights) by truth and prediction; classes in the order of their code points, at most 50 by name. */
export function confusionOf(counts: ClassificationCounts): PerformanceResult['confusion'] {
  const totals = new Map<string, number>();
  for (const { truth, predicted, n } of counts.cells) {
    if (predicted === null) continue;
    totals.set(truth, (totals.get(truth) ?? 0) + n);
    totals.set(predicted, (totals.get(predicted) ?? 0) + n);
  }
  if (totals.size === 0) return null;
  const byRows = [...totals.entries()].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([name]) => name);
  const named = byRows.slice(0, SHOWN_CLASSES).sort();
  const folded = byRows.length > named.length;
  const index = new Map(named.map((name, i) => [name, i]));
  const size = named.length + (folded ? 1 : 0);
  const table = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  for (const { truth, predicted, n } of counts.cells) {
    if (predicted === null) continue;
    const row = table[index.get(truth) ?? named.length]!;
    const at = index.get(predicted) ?? named.length;
    row[at] = row[at]! + n;
  }
  return { classes: folded ? [...named, OTHER] : named, counts: table };
}

/** Mean score against the share of positives in tenths of the score; tenths without rows are left out. */
export function calibrationOf(counts: ClassificationCounts, positive: string | null): PerformanceResult['calibration'] {
  if (positive === null) return null;
  const tenths = Array.from({ length: CALIBRATION_BINS }, () => ({ w: 0, score: 0, positive: 0, rows: 0 }));
  for (const cell of counts.cells) {
    if (cell.scoreBin === null) continue;
    const tenth = tenths[Math.min(CALIBRATION_BINS - 1, Math.floor((cell.scoreBin * CALIBRATION_BINS) / SCORE_BINS))]!;
    const weight = weightOf(cell.weightCode);
    tenth.w += weight * cell.n;
    tenth.score += weight * cell.score * SCORE_UNIT;
    if (cell.truth === positive) tenth.positive += weight * cell.n;
    tenth.rows += cell.n;
  }
  const used = tenths.filter(({ rows }) => rows > 0);
  return used.length === 0
    ? null
    : used.map(({ w, score, positive: found, rows }) => ({ score: score / w, truth: found / w, rows }));
}

/** Mean squared error and mean logarithmic loss of the score, over rows that have one. */
function scoreLosses(cells: readonly ClassificationCell[], positive: string): Record<'brier' | 'log-loss', Estimate> {
  let all = NOTHING;
  let brier = 0;
  let brierSquare = 0;
  let log = 0;
  let logSquare = 0;
  for (const cell of cells) {
    if (cell.scoreBin === null) continue;
    const weight = weightOf(cell.weightCode);
    const isPositive = cell.truth === positive;
    // (s − 1)² = s² − 2s + 1
    const squares = cell.scoreSq * SCORE_UNIT + (isPositive ? cell.n - 2 * cell.score * SCORE_UNIT : 0);
    all = add(all, tally(cell));
    brier += weight * squares;
    // Within one bin all squared errors are alike to 0.002: their squares are that of their mean.
    brierSquare += (weight * squares ** 2) / cell.n;
    log += weight * (isPositive ? cell.lnScore : cell.lnRest) * SCORE_UNIT;
    logSquare += weight * (isPositive ? cell.lnScoreSq : cell.lnRestSq) * LOG_SQUARE_UNIT;
  }
  if (all.w === 0) return { brier: undefinedEstimate('no-score'), 'log-loss': undefinedEstimate('no-score') };
  const size = effectiveSize(all);
  const mean = (sum: number, square: number): Estimate =>
    meanEstimate(sum / all.w, square / all.w - (sum / all.w) ** 2, size, 0);
  return { brier: mean(brier, brierSquare), 'log-loss': mean(log, logSquare) };
}

function confusionCells(cells: readonly ClassificationCell[]): ConfusionCell[] {
  const byPair = new Map<string, ConfusionCell>();
  for (const cell of cells) {
    const { truth, predicted } = cell;
    if (predicted === null) continue;
    const key = JSON.stringify([truth, predicted]);
    byPair.set(key, { truth, predicted, ...add(byPair.get(key) ?? NOTHING, tally(cell)) });
  }
  return [...byPair.values()];
}

function tally(cell: ClassificationCell): Tally {
  const weight = weightOf(cell.weightCode);
  return { w: weight * cell.n, w2: weight * weight * cell.n };
}

function emptyBins(): Tally[] {
  return new Array<Tally>(SCORE_BINS + 1).fill(NOTHING);
}
