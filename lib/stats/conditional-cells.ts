/**
 * The counts of bins when both sides come from one law, as independent counts given their sum. Two laws:
 *
 * - *given the pooled counts* (categories; numbers with ties): x_i of the c_i rows of a bin are the reference's. Multivariate
 *   hypergeometric, that is, binomials(c_i, n/N) given that they add up to n.
 * - *cut by the reference* (numbers, bins that end at its order statistics): the reference's counts are what they are; a bin with g_i of
 *   its n + 1 gaps takes y_i current rows. All ways to put m rows into n + 1 gaps are equally likely, that is, negative
 *   binomials(g_i) given that they add up to m.
 *
 * Both are exact, whatever the law of the values.
 */
import { logFactorial } from './log-factorial.ts';
import type { BinnedPair } from './outcome.ts';

/** The law of one bin's count, of the side that is free. */
export interface Cell {
  /** Bins that have this law. */
  readonly bins: number;
  /** Counts of both sides at each point of the law. */
  readonly reference: Float64Array;
  readonly current: Float64Array;
  /** The free count less its mean. */
  readonly centred: Float64Array;
  /** Probabilities, up to what lies out of reach; where points lie apart, times their distance. */
  readonly weight: Float64Array;
  /** Of the free count: at the first point, and from point to point. */
  readonly low: number;
  readonly stride: number;
}

export interface Grid {
  /** At most so many a cell. */
  readonly points: number;
  /** The distance of points, for all cells. @default what each cell needs */
  readonly stride?: number;
}

/** Deviations from its mean to which a law is followed. */
const REACH = 5.5;

/**
 * Cells of whole counts, bins empty on both sides left out; equal ones together. Points lie apart where
 * the law is wide. O(distinct cells · points).
 */
export function cellsOf(pair: BinnedPair, points: Grid): Cell[] {
  const { reference, current } = pair;
  let n = 0;
  let m = 0;
  for (let i = 0; i < reference.length; i++) {
    n += reference[i]!;
    m += current[i]!;
  }
  const cutByReference = pair.cut === 'reference';
  const found = new Map<number, { bins: number; readonly count: number; readonly gaps: number }>();
  for (let i = 0; i < reference.length; i++) {
    const count = cutByReference ? reference[i]! : reference[i]! + current[i]!;
    if (count === 0) continue;
    // Below its first order statistic that ends a bin the reference has a gap more than rows.
    const gaps = cutByReference ? count + (i === 0 ? 1 : 0) : 0;
    const key = 2 * count + (gaps > count ? 1 : 0);
    const known = found.get(key);
    if (known === undefined) found.set(key, { bins: 1, count, gaps });
    else known.bins++;
  }
  return [...found.values()].map(({ bins, count, gaps }) =>
    cutByReference ? negativeBinomial(bins, count, gaps, n, m, points) : binomial(bins, count, n / (n + m), points),
  );
}

function binomial(bins: number, count: number, share: number, points: Grid): Cell {
  const mean = count * share;
  const { low, stride, size } = grid(mean, mean * (1 - share), count, points);
  const cell = emptyCell(bins, size, low, stride);
  const odds = Math.log(share / (1 - share));
  const all = logFactorial(count) + count * Math.log1p(-share) + Math.log(stride);
  for (let i = 0; i < size; i++) {
    const x = low + i * stride;
    cell.reference[i] = x;
    cell.current[i] = count - x;
    cell.centred[i] = x - mean;
    cell.weight[i] = Math.exp(all - logFactorial(x) - logFactorial(count - x) + x * odds);
  }
  return cell;
}

function negativeBinomial(bins: number, count: number, gaps: number, n: number, m: number, points: Grid): Cell {
  // Success rate (n + 1)/(n + m + 1): the means add up to m.
  const failure = m / (n + m + 1);
  const mean = (gaps * m) / (n + 1);
  const { low, stride, size } = grid(mean, mean / (1 - failure), m, points);
  const cell = emptyCell(bins, size, low, stride);
  const slope = Math.log(failure);
  const all = gaps * Math.log1p(-failure) - logFactorial(gaps - 1) + Math.log(stride);
  for (let i = 0; i < size; i++) {
    const y = low + i * stride;
    cell.reference[i] = count;
    cell.current[i] = y;
    cell.centred[i] = y - mean;
    cell.weight[i] = Math.exp(all + logFactorial(y + gaps - 1) - logFactorial(y) + y * slope);
  }
  return cell;
}

function grid(
  mean: number,
  variance: number,
  most: number,
  wanted: Grid,
): { readonly low: number; readonly stride: number; readonly size: number } {
  // A law of few rows has a long right side.
  const reach = REACH * Math.sqrt(variance) + 3;
  const low = Math.max(0, Math.floor(mean - reach));
  const high = Math.min(most, Math.ceil(mean + reach * (1 + 2 / Math.sqrt(mean + 1))));
  const stride = wanted.stride ?? Math.max(1, Math.ceil((high - low + 1) / wanted.points));
  return { low, stride, size: Math.floor((high - low) / stride) + 1 };
}

function emptyCell(bins: number, size: number, low: number, stride: number): Cell {
  const array = (): Float64Array => new Float64Array(size);
  return { bins, reference: array(), current: array(), centred: array(), weight: array(), low, stride };
}
