/**
 * Bins of a number from its values in the baseline (contracts/baseline.ts, `NumericBins`; recipe: docs/explanation/verdict.md).
 *
 * Fine edges: the 256 quantiles of equal depth, the tail quantiles, both ends, and around every value heavier than 1/256 of
 * the rows. Verdict edges: the quantiles 0.1 %, 1 %, 10 % … 90 %, 99 %, 99.9 %, and around every value heavier than a tenth;
 * for whole numbers of few values, every value. No verdict bin is empty in the baseline.
 */
import type { NumericBins } from '../contracts/baseline.ts';

export const FINE_PARTS = 256;
export const VERDICT_QUANTILES: readonly number[] = [
  0.001, 0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99, 0.999,
];
/** Whole numbers with at most so many distinct values get one verdict bin a value. */
export const FEW_VALUES = 32;

/** Units beyond 2^±1004 would have no finite inverse, or no room for 2^20 of them. */
const LARGEST_EXPONENT = 1_004;

/** A value of the baseline with how often it occurs and how many finite values lie below it. */
export interface ValueStep {
  readonly value: number;
  readonly count: number;
  readonly before: number;
}

/** 1-based ranks of the verdict quantiles among `n` sorted values, ascending, distinct: a caller must bring the steps that hold them. */
export function quantileRanks(n: number): number[] {
  return n === 0 ? [] : [...new Set(VERDICT_QUANTILES.map((quantile) => rankOf(quantile, n)))];
}

/** Ranks of the values that `isStep` wants among `n`, ascending, distinct: those with a multiple of n/256 at or before them, of the verdict quantiles and of both ends. */
export function baselineRanks(n: number): number[] {
  if (n === 0) return [];
  const depths = Array.from({ length: FINE_PARTS }, (_, i) => Math.ceil(((i + 1) * n) / FINE_PARTS));
  return [...new Set([1, ...depths, ...quantileRanks(n), n])].sort((a, b) => a - b);
}

/** The value at a quantile is the smallest one with at least this many values at or below it. */
function rankOf(quantile: number, n: number): number {
  // In thousandths, so that 0.1 · 30 is 3 and not a little more.
  return Math.max(1, Math.ceil((Math.round(quantile * 1000) * n) / 1000));
}

/** Whether a value must be among the steps: it holds an equal-depth quantile, a verdict quantile, an end, or is heavy. */
export function isStep(step: ValueStep, n: number, ranks: readonly number[]): boolean {
  const { before, count } = step;
  const through = before + count;
  return (
    before === 0 ||
    through === n ||
    Math.floor((through * FINE_PARTS) / n) > Math.floor((before * FINE_PARTS) / n) ||
    count * FINE_PARTS > n ||
    ranks.some((rank) => before < rank && rank <= through)
  );
}

export interface BinnedValues {
  readonly bins: NumericBins;
  /** Rows in each fine bin. */
  readonly counts: number[];
}

/**
 * @param steps ascending by value; all values for which `isStep` holds, more do no harm; `before` and `count` exact
 * @param n finite values in all
 * @param few the steps are all the distinct values, whole numbers, at most FEW_VALUES
 * @param least rows that a verdict bin has at least, where there are as many
 */
export function binValues(steps: readonly ValueStep[], n: number, few: boolean, least = 1): BinnedValues {
  const first = steps[0];
  const last = steps.at(-1);
  if (first === undefined || last === undefined || n === 0)
    return { bins: { edges: [], verdictBin: [0] }, counts: [0] };
  /** Edge to the number of values below it. */
  const fine = new Map<number, number>();
  const verdict = new Map<number, number>();
  const ranks = quantileRanks(n);
  for (const step of steps) {
    const { value, count, before } = step;
    if (isStep(step, n, ranks)) fine.set(value, before);
    // The largest double has no next one: it stays in the outer bin.
    const after = nextUp(value) > value ? nextUp(value) : null;
    const heavy = count > 1 && count * FINE_PARTS > n;
    if (heavy || few) {
      fine.set(value, before);
      if (after !== null) fine.set(after, before + count);
    }
    if (few || (count > 1 && count * 10 > n)) {
      verdict.set(value, before);
      if (after !== null) verdict.set(after, before + count);
    } else if (ranks.some((rank) => before < rank && rank <= before + count)) verdict.set(value, before);
  }
  if (nextUp(last.value) > last.value) fine.set(nextUp(last.value), n);
  const edges = [...fine.keys()].sort((a, b) => a - b);
  const below = edges.map((edge) => fine.get(edge) ?? 0);
  const counts = edges.map((_, i) => (below[i] ?? 0) - (i === 0 ? 0 : (below[i - 1] ?? 0)));
  counts.push(n - (below.at(-1) ?? 0));

  // The largest double is counted outside all edges, in no verdict bin of values.
  const inside = nextUp(last.value) > last.value ? n : last.before;
  const starts = fullStarts(nonEmptyStarts(verdict, n), verdict, inside, least);
  let at = 0;
  const verdictBin = [0];
  for (const edge of edges) {
    if (starts.has(edge)) at += 1;
    verdictBin.push(at);
  }
  return { bins: { edges, verdictBin }, counts };
}

/** Those of the edges that begin a bin with values in it, the first bin left out: it begins before all edges. */
function nonEmptyStarts(candidates: ReadonlyMap<number, number>, n: number): Set<number> {
  const ascending = [...candidates].sort(([a], [b]) => a - b);
  const starts = new Set<number>();
  ascending.forEach(([edge, before], i) => {
    const end = ascending[i + 1]?.[1] ?? n;
    if (before > 0 && end > before) starts.add(edge);
  });
  return starts;
}

/** Those of the starts, ascending, that leave at least so many of `n` rows in every bin. */
function fullStarts(
  starts: ReadonlySet<number>,
  before: ReadonlyMap<number, number>,
  n: number,
  least: number,
): Set<number> {
  if (least <= 1) return new Set(starts);
  const full = new Set<number>();
  let from = 0;
  for (const start of starts) {
    const through = before.get(start) ?? 0;
    if (through - from < least || n - through < least) continue;
    full.add(start);
    from = through;
  }
  return full;
}

const bits = new DataView(new ArrayBuffer(8));

/** The next larger double; the largest finite one stays. */
export function nextUp(x: number): number {
  if (x >= Number.MAX_VALUE) return x;
  if (x === 0) return Number.MIN_VALUE;
  bits.setFloat64(0, x);
  bits.setBigInt64(0, bits.getBigInt64(0) + (x > 0 ? 1n : -1n));
  return bits.getFloat64(0) + 0;
}

/**
 * Fixed point of the moments: the center is the median and the unit the power of two by which the central 99.8 % of the
 * values span some 2^20 steps, so that values 60 times as far out are still exact to a millionth of that span.
 */
export function fixedPointOf(steps: readonly ValueStep[], n: number): { center: number; unit: number } {
  const at = (quantile: number): number => {
    const rank = rankOf(quantile, n);
    return (steps.find(({ before, count }) => before < rank && rank <= before + count) ?? steps.at(-1))?.value ?? 0;
  };
  if (n === 0 || steps.length === 0) return { center: 0, unit: 2 ** -20 };
  const median = at(0.5);
  const span = Math.max(median - at(0.001), at(0.999) - median);
  const scale = Math.min(span, Number.MAX_VALUE) || Math.abs(median) || 1;
  const exponent = Math.min(LARGEST_EXPONENT, Math.max(-LARGEST_EXPONENT, Math.ceil(Math.log2(scale)) - 20));
  const unit = 2 ** exponent;
  const center = Math.round(median / unit) * unit;
  return { center: Number.isFinite(center) ? center : median, unit };
}
