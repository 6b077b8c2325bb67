/**
 * The tail of the largest difference of shares over bins when both sides come from one law (conditional-cells.ts): one less the chance
 * that no bin exceeds it, which is that of independent bins times how much likelier the counts add up within the bound than without.
 *
 * Up to a dozen bins: both by adding up bin by bin, exactly while a bin's law has at most 128 points. More: by the saddlepoint approximation
 * (Levin 1981). Far out, where one bin alone decides: the sum of the bins' own tails.
 */
import { type Cell, cellsOf } from './conditional-cells.ts';
import type { BinnedPair } from './outcome.ts';

const FEW_BINS = 12;
const POINTS = 128;
const MANY_POINTS = 1_024;
const SLACK = 1e-11;
/** Below it what is left of one has no digits. */
const FAR = 1e-9;
/** Probabilities below it change nothing above `FAR`. */
const NOTHING = 1e-13;

interface Bounded {
  readonly cell: Cell;
  /** Weights within the bound. */
  readonly inside: Float64Array;
}

/** P(max |p − q| ≥ observed), counts whole, n and m their totals. */
export function conditionalMaximumTail(pair: BinnedPair, n: number, m: number, observed: number): number {
  const reached = observed * (1 - SLACK);
  if (!(reached > 0)) return 1;
  let cells = cellsOf(pair, { points: POINTS });
  const bins = cells.reduce((sum, cell) => sum + cell.bins, 0);
  const stride = cells.reduce((widest, cell) => Math.max(widest, cell.stride), 1);
  const adds = bins <= FEW_BINS && (stride === 1 || cells.every(({ weight }) => weight.length >= POINTS / 4));
  if (!adds) cells = cellsOf(pair, { points: MANY_POINTS });
  else if (stride > 1) cells = cellsOf(pair, { points: POINTS, stride });
  let outside = 0;
  const bounded = cells.map((cell): Bounded => {
    const inside = new Float64Array(cell.weight.length);
    let all = 0;
    let kept = 0;
    for (let i = 0; i < inside.length; i++) {
      const difference = Math.abs(cell.reference[i]! / n - cell.current[i]! / m);
      // A point stands for the counts up to half-way to its neighbours.
      const step = cell.stride === 1 ? 0 : cell.stride * (pair.cut === 'reference' ? 1 / m : 1 / n + 1 / m);
      const part = step === 0 ? (difference < reached ? 1 : 0) : (reached - difference) / step + 0.5;
      inside[i] = cell.weight[i]! * Math.min(1, Math.max(0, part));
      all += cell.weight[i]!;
      kept += inside[i]!;
    }
    outside += cell.bins * Math.max(0, 1 - kept / all);
    return { cell, inside };
  });
  if (outside < FAR) return outside;
  const free = pair.cut === 'reference' ? m : n;
  const chance = adds ? byAdding(bounded, free) : bySaddlepoint(bounded);
  return Math.min(1, outside, Math.max(0, 1 - chance));
}

/** The chance that all lie within the bound and add up to `total`, over that of adding up. */
function byAdding(bounded: readonly Bounded[], total: number): number {
  const single = bounded.flatMap(({ cell, inside }) =>
    new Array<{ readonly low: number; readonly weight: Float64Array; readonly inside: Float64Array }>(cell.bins).fill(
      trimmed(cell, inside),
    ),
  );
  const low = single.reduce((sum, one) => sum + one.low, 0);
  const place = (total - low) / (bounded[0]?.cell.stride ?? 1);
  // Two halves, of which only one sum is wanted together: half of the work.
  const middle = single.length >> 1;
  const [all, within] = [single.map(({ weight }) => weight), single.map(({ inside }) => inside)].map((laws) =>
    at(laws.slice(0, middle).reduce(convolved, ONE), laws.slice(middle).reduce(convolved, ONE), place),
  );
  return all! > 0 ? within! / all! : 0;
}

const ONE = Float64Array.of(1);

/** Without what is too small to show. */
function trimmed(
  { low, stride, weight }: Cell,
  inside: Float64Array,
): { readonly low: number; readonly weight: Float64Array; readonly inside: Float64Array } {
  let from = 0;
  let to = weight.length;
  while (from < to - 1 && weight[from]! < NOTHING) from++;
  while (to > from + 1 && weight[to - 1]! < NOTHING) to--;
  return { low: low + from * stride, weight: weight.subarray(from, to), inside: inside.subarray(from, to) };
}

/** Of the sum of two: at `place`, between whole ones linearly. */
function at(a: Float64Array, b: Float64Array, place: number): number {
  const floor = Math.floor(place);
  const exactly = (sum: number): number => {
    let total = 0;
    for (let i = Math.max(0, sum - b.length + 1); i <= Math.min(a.length - 1, sum); i++) total += a[i]! * b[sum - i]!;
    return total;
  };
  return exactly(floor) * (1 - (place - floor)) + (place === floor ? 0 : exactly(floor + 1) * (place - floor));
}

function convolved(a: Float64Array, b: Float64Array): Float64Array {
  const sums = new Float64Array(a.length + b.length - 1);
  for (let i = 0; i < a.length; i++) {
    const factor = a[i]!;
    if (factor === 0) continue;
    for (let j = 0; j < b.length; j++) sums[i + j] = sums[i + j]! + factor * b[j]!;
  }
  return sums;
}

function bySaddlepoint(bounded: readonly Bounded[]): number {
  const free = moments(bounded, 0, ({ cell }) => cell.weight);
  const inside = ({ inside: weight }: Bounded): Float64Array => weight;
  let v = 0;
  let at = moments(bounded, v, inside);
  for (let step = 0; step < 50 && at.second > 0; step++) {
    if (Math.abs(at.first) <= 1e-10 * Math.sqrt(free.second)) break;
    const change = (-at.first / at.second) * Math.sqrt(free.second);
    v += Math.max(-1, Math.min(1, change)) / Math.sqrt(free.second);
    at = moments(bounded, v, inside);
  }
  // No counts within the bound add up.
  if (!(at.second > 0) || Math.abs(at.first) > 1e-6 * Math.sqrt(free.second)) return 0;
  return Math.exp(at.k - free.k - Math.log(at.second / free.second) / 2);
}

/** Of the sum of the counts, tilted by v: the logarithm of its mass, mean and variance. */
function moments(
  bounded: readonly Bounded[],
  v: number,
  weightOf: (one: Bounded) => Float64Array,
): { readonly k: number; readonly first: number; readonly second: number } {
  let k = 0;
  let first = 0;
  let second = 0;
  for (const one of bounded) {
    const { bins, centred } = one.cell;
    const weight = weightOf(one);
    let s = 0;
    let sx = 0;
    let sxx = 0;
    for (let i = 0; i < weight.length; i++) {
      const x = centred[i]!;
      const e = v === 0 ? weight[i]! : weight[i]! * Math.exp(v * x);
      s += e;
      sx += e * x;
      sxx += e * x * x;
    }
    const mean = sx / s;
    k += bins * Math.log(s);
    first += bins * mean;
    second += bins * (sxx / s - mean * mean);
  }
  return { k, first, second };
}
