/**
 * Jensen–Shannon: half the sum of the Kullback–Leibler divergences of both sides from their mean law m = (p + q) / 2.
 * `divergence` is that sum, `distance` its square root (a metric). Base 2: 0…1; base e: 0…ln 2, or 0…√ln 2 as a distance.
 * Default: the distance in base 2. Empty bins need no filling (0 · ln 0 = 0).
 *
 * p-value: divergence-null.ts; the same for every base and form. Edge cases as in psi.ts.
 */
import { binnedByReference } from './bins.ts';
import { type Divergence, type DivergenceLaw, divergencePValue, givenCountsPValue } from './divergence-null.ts';
import { type BinnedPair, identical, type Outcome, undecided } from './outcome.ts';
import type { RawValue } from './sample.ts';
import { sharesOf } from './shares.ts';

export interface JensenShannonOptions {
  readonly base?: 2 | 'e';
  readonly form?: 'distance' | 'divergence';
  /** Of the p-value. @default limit */
  readonly law?: DivergenceLaw;
}

const NATS: Divergence = { name: 'jensen-shannon', factor: 1 / 8, of: nats };

/** Binned counts. O(bins) and the null. */
export function jensenShannonOfCounts(pair: BinnedPair, options: JensenShannonOptions = {}): Outcome {
  const shares = sharesOf(pair);
  const { referenceSize: n, currentSize: m } = shares;
  const name = `${options.form ?? 'distance'}, base ${options.base ?? 2}`;
  if (shares.reason !== null) return undecided(shares.reason, n, m, name);
  if (shares.used < 2) return identical(n, m, name);
  const divergence = nats(shares.reference, 1, shares.current, 1);
  const { pValue, method } =
    options.law === 'given-counts'
      ? givenCountsPValue(NATS, pair, shares, divergence, terms)
      : divergencePValue(NATS, pair, shares, divergence);
  const scaled = Math.min(1, divergence / Math.LN2) * (options.base === 'e' ? Math.LN2 : 1);
  const statistic = options.form === 'divergence' ? scaled : Math.sqrt(scaled);
  return { statistic, pValue, referenceSize: n, currentSize: m, method: `${name}, ${method}` };
}

/** Raw numbers in `bins` (10) bins of equal reference share. For categories: `categoryCounts`, then `jensenShannonOfCounts`. */
export function jensenShannon(
  reference: ArrayLike<RawValue>,
  current: ArrayLike<RawValue>,
  options: JensenShannonOptions & { readonly bins?: number } = {},
): Outcome {
  return jensenShannonOfCounts(binnedByReference(reference, current, options.bins ?? 10), options);
}

function nats(reference: ArrayLike<number>, n: number, current: ArrayLike<number>, m: number): number {
  let sum = 0;
  for (let i = 0; i < reference.length; i++) {
    const p = reference[i]! / n;
    const q = current[i]! / m;
    const middle = (p + q) / 2;
    if (p > 0) sum += p * Math.log(p / middle);
    if (q > 0) sum += q * Math.log(q / middle);
  }
  return Math.max(0, sum / 2);
}

function terms(n: number, m: number): (x: number, y: number) => number {
  return (x, y) => {
    const p = x / n;
    const q = y / m;
    const middle = (p + q) / 2;
    return ((p > 0 ? p * Math.log(p / middle) : 0) + (q > 0 ? q * Math.log(q / middle) : 0)) / 2;
  };
}
