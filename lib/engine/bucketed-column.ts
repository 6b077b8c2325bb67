/**
 * Columns of a baseline as they are published under the policy `bucket`: nothing of them is finer than the verdict's bins, and
 * no bin tells of fewer than BUCKET_ROWS rows. The verdict's bins, and with them the calibration, stay what they were.
 */
import type { CategoricalBaseline, ColumnCalibration, NumericBaseline, NumericBins } from '../contracts/baseline.ts';
import { CALIBRATION_METHOD, type CalibrationFit } from './calibration-fit.ts';
import { nextUp } from './numeric-bins.ts';
import { round12OrNull } from './round.ts';
import { ownCategories, verdictBins } from './verdict-bins.ts';

/** What categories outside the vocabulary become where the baseline does not say. */
export const DEFAULT_REST = 'other';
/** Rows of the reference that a bin of a bucketed column has at least. Fewer would tell of single ones. */
export const BUCKET_ROWS = 10;
/** The ends move outward to a round number, by at most an eighth of the range. */
const ROUNDING = 20;

/**
 * The value that stands for all others of its verdict bin, by fine bin: its middle, a whole number where those are expected. Below the
 * range one unit below the first edge, above it the last edge. Without edges everything is 0.
 */
export function bucketValues(column: Pick<NumericBaseline, 'bins' | 'unit' | 'integer'>): Float64Array {
  const { edges, verdictBin } = column.bins;
  const values = new Float64Array(edges.length + 1);
  const first = edges[0];
  const last = edges.at(-1);
  if (first === undefined || last === undefined) return values;
  const unitBelow = first - column.unit;
  values[0] = unitBelow < first && Number.isFinite(unitBelow) ? unitBelow : -nextUp(-first);
  values[edges.length] = last;
  for (let from = 1; from < edges.length; ) {
    let to = from;
    while (to + 1 < edges.length && verdictBin[to + 1] === verdictBin[from]) to++;
    values.fill(middleOf(edges[from - 1]!, edges[to]!, column.integer), from, to + 1);
    from = to + 1;
  }
  return values;
}

/** Within [low, high). */
function middleOf(low: number, high: number, integer: boolean): number {
  const middle = low + (high - low) / 2;
  if (!(middle >= low && middle < high)) return low;
  return integer && Math.floor(middle) >= low ? Math.floor(middle) : middle;
}

/** The fine bin of a finite number: edges at or below it. */
export function fineBin(edges: readonly number[], value: number): number {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (edges[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** `null` when a verdict bin has fewer than BUCKET_ROWS rows: it was made without regard to the policy, and its edges tell of single rows. */
export function bucketedNumber(column: NumericBaseline): NumericBaseline | null {
  if (column.bucketed === true) return column;
  const { edges, verdictBin } = column.bins;
  const first = edges[0];
  const last = edges.at(-1);
  if (first === undefined || last === undefined)
    return { ...column, mean: null, std: null, min: null, max: null, bucketed: true };
  const bins = { edges: [first], verdictBin: [verdictBin[0]!] };
  const counts = [column.counts[0] ?? 0];
  for (let fine = 1; fine < edges.length; fine++) {
    if (fine > 1 && verdictBin[fine] === verdictBin[fine - 1]) counts[counts.length - 1]! += column.counts[fine] ?? 0;
    else {
      if (fine > 1) bins.edges.push(edges[fine - 1]!);
      bins.verdictBin.push(verdictBin[fine]!);
      counts.push(column.counts[fine] ?? 0);
    }
  }
  if (edges.length > 1) bins.edges.push(last);
  bins.verdictBin.push(verdictBin[edges.length]!);
  counts.push(column.counts[edges.length] ?? 0);
  if (counts.length > 3 && counts.slice(1, -1).some((count) => count < BUCKET_ROWS)) return null;
  roundEnds(bins.edges, column);
  const published = { ...column, bins, counts, min: bins.edges[0]!, max: bins.edges.at(-1)!, bucketed: true as const };
  const values = bucketValues(published);
  const center = values[medianBin(counts)]!;
  const aligned = Math.round(center / column.unit) * column.unit;
  return { ...published, center: Number.isFinite(aligned) ? aligned : center, ...momentsOf(values, counts) };
}

/** The ends of the reference are values of single rows, unless enough rows share them. */
function roundEnds(
  edges: number[],
  { bins, counts }: { readonly bins: NumericBins; readonly counts: readonly number[] },
): void {
  const shared = (fine: number): boolean =>
    bins.edges[fine] === nextUp(bins.edges[fine - 1]!) && (counts[fine] ?? 0) >= BUCKET_ROWS;
  const last = edges.length - 1;
  const [low, high] = [edges[0]!, edges[last]!];
  const step = roundStep(Math.min(high - low, Number.MAX_VALUE) / ROUNDING);
  if (!shared(1)) edges[0] = 0 - nextMultiple(-low, step);
  if (last > 0 && !shared(bins.edges.length - 1)) edges[last] = nextMultiple(high, step);
}

/** The next multiple of the step, not below; the value itself where doubles end. */
function nextMultiple(value: number, step: number): number {
  const rounded = round12OrNull(Math.ceil(value / step) * step) ?? value;
  const up = rounded >= value ? rounded : (round12OrNull(rounded + step) ?? value);
  return up >= value ? up + 0 : value;
}

/** The smallest of 1, 2, 5 · 10^k that is not below `least`. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((digit) => digit * power >= least) ?? 10) * power;
}

function medianBin(counts: readonly number[]): number {
  const half = counts.reduce((sum, count) => sum + count, 0) / 2;
  let before = 0;
  return Math.max(
    0,
    counts.findIndex((count) => (before += count) >= half && before > 0),
  );
}

function momentsOf(values: Float64Array, counts: readonly number[]): { mean: number | null; std: number | null } {
  const n = counts.reduce((sum, count) => sum + count, 0);
  if (n === 0) return { mean: null, std: null };
  const mean = counts.reduce((sum, count, bin) => sum + (count / n) * values[bin]!, 0);
  const variance = counts.reduce((sum, count, bin) => sum + (count / n) * (values[bin]! - mean) ** 2, 0);
  return { mean: round12OrNull(mean), std: round12OrNull(Math.sqrt(variance)) };
}

/** Only categories with a verdict bin of their own keep their names; all others are the rest. */
export function bucketedCategories(column: CategoricalBaseline): CategoricalBaseline {
  if (column.rest !== undefined) return column;
  const own = ownCategories(column.counts, column.count);
  const categories = column.categories.slice(0, own);
  const others = column.counts.slice(own).reduce((sum, count) => sum + count, 0);
  let rest = DEFAULT_REST;
  while (categories.includes(rest)) rest = `(${rest})`;
  const published: CategoricalBaseline = {
    ...column,
    categories,
    counts: column.counts.slice(0, own),
    other: column.other + others,
    verdictBin: column.verdictBin.slice(0, own),
    rest,
  };
  return { ...published, calibration: withoutUnseen(column, published) };
}

/**
 * With a rest there is no bin for unseen categories any more (verdict-bins.ts): they count as the rest. It was empty in all windows of the
 * baseline, so the other bins' nulls stay; its own goes.
 */
function withoutUnseen(before: CategoricalBaseline, after: CategoricalBaseline): ColumnCalibration | null {
  const { calibration } = before;
  const { unseen, size } = verdictBins(before);
  if (calibration === null || unseen === null || verdictBins(after).unseen !== null) return calibration;
  const fit = calibration.fit as CalibrationFit;
  if (calibration.method !== CALIBRATION_METHOD || fit.shares?.length !== size) return calibration;
  // One score a bin (scores.ts).
  const others = <T>(list: readonly T[]): T[] => list.filter((_, at) => at !== unseen);
  return {
    ...calibration,
    fit: {
      ...fit,
      shares: others(fit.shares),
      seasons: others(fit.seasons),
      scales: fit.scales.map((scale) => ({ ...scale, scores: others(scale.scores) })),
    } satisfies CalibrationFit,
  };
}
