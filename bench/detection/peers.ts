/**
 * The peers' defaults by their own definitions (docs/reference/tests.md), on counts of distinct values, which give the same numbers as
 * rows would: what each computes of a window against the reference, and where it draws its line.
 *
 * evidently: numbers of more than five values by Wasserstein distance over the reference's deviation, all else by Jensen–Shannon
 * distance (natural logarithm), drift from 0.1; up to 1,000 reference rows Kolmogorov–Smirnov (asymptotic), chi-square against the
 * reference's shares, or z, p below 0.05. nannyml: Jensen–Shannon distance (base two), numbers in Doane's bins of the reference;
 * drift above mean + 3 deviations over the reference's own windows. Both leave missing values out of these; NannyML has a count of
 * them apart, with the same kind of line on both sides.
 */
import { bridgeSupremumSurvival } from '../../lib/stats/bridge.ts';
import { chiSquareSurvival, erfc } from '../../lib/stats/special.ts';

import type { Law } from './laws.ts';

export const PEERS = ['evidently', 'nannyml', 'missing'] as const;
/** `missing`: NannyML's share of missing values. */
export type PeerName = (typeof PEERS)[number];

/** Statistics of one window; larger means further away. */
export interface Peer {
  readonly evidently: (counts: ArrayLike<number>, offset: number) => number;
  readonly nannyml: (counts: ArrayLike<number>, offset: number) => number;
  readonly missing: (counts: ArrayLike<number>, offset: number) => number;
  /** Evidently's line, in units of its statistic. */
  readonly line: number;
}

const DISTANCE_LINE = 0.1;
const P_LINE = 0.05;
const SMALL_REFERENCE = 1_000;
const FEW_VALUES = 5;

/** `reference`: counts of the law's values, then of missing ones. */
export function peerOf(law: Law, reference: ArrayLike<number>): Peer {
  const size = law.values.length;
  let n = 0;
  let values = 0;
  for (let i = 0; i < size; i++) {
    n += reference[i]!;
    if (reference[i]! > 0) values++;
  }
  const shares = Float64Array.from({ length: size }, (_, i) => reference[i]! / n);
  const missing = reference[size]! / (n + reference[size]!);
  const number = law.type === 'numeric' && values > FEW_VALUES;
  const small = n <= SMALL_REFERENCE;
  const bins = law.type === 'numeric' ? doaneBins(law.values, reference, n) : null;
  return {
    evidently: small
      ? pValueTest(shares, n, number)
      : number
        ? wasserstein(law.values, shares)
        : jensenShannon(shares, null, 1),
    nannyml: jensenShannon(shares, bins, 1 / Math.LN2),
    missing: (counts, offset) => {
      const rows = sumOf(counts, offset, size) + counts[offset + size]!;
      return Math.abs(counts[offset + size]! / rows - missing);
    },
    // p-values are turned round, so that more is further.
    line: small ? 1 - P_LINE : DISTANCE_LINE,
  };
}

function sumOf(counts: ArrayLike<number>, offset: number, size: number): number {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += counts[offset + i]!;
  return sum;
}

function wasserstein(values: Float64Array, shares: Float64Array): Peer['evidently'] {
  const size = values.length;
  const mean = values.reduce((sum, value, i) => sum + value * shares[i]!, 0);
  const variance = values.reduce((sum, value, i) => sum + (value - mean) ** 2 * shares[i]!, 0);
  const scale = Math.max(Math.sqrt(variance), 0.001);
  return (counts, offset) => {
    const m = sumOf(counts, offset, size);
    let gap = 0;
    let distance = 0;
    for (let i = 0; i + 1 < size; i++) {
      gap += counts[offset + i]! / m - shares[i]!;
      distance += Math.abs(gap) * (values[i + 1]! - values[i]!);
    }
    return distance / scale;
  };
}

/** `bins`: for each value its bin; without, each is its own. What the reference has not is a bin with share 0. */
function jensenShannon(shares: Float64Array, bins: Int32Array | null, unit: number): Peer['evidently'] {
  const size = shares.length;
  const width = bins === null ? size : bins.reduce((most, bin) => Math.max(most, bin), 0) + 1;
  const p = new Float64Array(width);
  for (let i = 0; i < size; i++) p[bins?.[i] ?? i]! += shares[i]!;
  const q = new Float64Array(width);
  return (counts, offset) => {
    const m = sumOf(counts, offset, size);
    q.fill(0);
    for (let i = 0; i < size; i++) q[bins?.[i] ?? i]! += counts[offset + i]! / m;
    let divergence = 0;
    for (let i = 0; i < width; i++) {
      const middle = (p[i]! + q[i]!) / 2;
      if (p[i]! > 0) divergence += p[i]! * Math.log(p[i]! / middle);
      if (q[i]! > 0) divergence += q[i]! * Math.log(q[i]! / middle);
    }
    return Math.sqrt(Math.max(0, (divergence / 2) * unit));
  };
}

/** For each value its bin by NumPy's rule `doane` on the reference; those outside share the last. */
function doaneBins(values: Float64Array, reference: ArrayLike<number>, n: number): Int32Array {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let mean = 0;
  values.forEach((value, i) => {
    if (reference[i]! === 0) return;
    low = Math.min(low, value);
    high = Math.max(high, value);
    mean += (value * reference[i]!) / n;
  });
  const moment = (k: number): number =>
    values.reduce((sum, value, i) => sum + ((value - mean) ** k * reference[i]!) / n, 0);
  const deviation = Math.sqrt(moment(2));
  const skewness = deviation > 0 ? moment(3) / deviation ** 3 : 0;
  const spread = Math.sqrt((6 * (n - 2)) / ((n + 1) * (n + 3)));
  const bins = deviation > 0 ? Math.ceil(1 + Math.log2(n) + Math.log2(1 + Math.abs(skewness) / spread)) : 1;
  return Int32Array.from(values, (value) => {
    if (value < low || value > high) return bins;
    return Math.min(bins - 1, Math.floor(((value - low) / (high - low || 1)) * bins));
  });
}

/** 1 − p of Evidently's tests for small references. */
function pValueTest(shares: Float64Array, n: number, number: boolean): Peer['evidently'] {
  const size = shares.length;
  return (counts, offset) => {
    const m = sumOf(counts, offset, size);
    let gap = 0;
    let largest = 0;
    let chi = 0;
    let used = 0;
    for (let i = 0; i < size; i++) {
      const share = counts[offset + i]! / m;
      gap += share - shares[i]!;
      largest = Math.max(largest, Math.abs(gap));
      if (share === 0 && shares[i]! === 0) continue;
      used++;
      chi += shares[i]! > 0 ? (m * (share - shares[i]!) ** 2) / shares[i]! : Number.POSITIVE_INFINITY;
    }
    if (number) return 1 - bridgeSupremumSurvival(largest * Math.sqrt((n * m) / (n + m)));
    if (used > 2) return chi === Number.POSITIVE_INFINITY ? 1 : 1 - chiSquareSurvival(chi, used - 1);
    if (used < 2) return 0;
    const a = counts[offset]! / m;
    const pooled = (shares[0]! * n + a * m) / (n + m);
    const z = (a - shares[0]!) / Math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m));
    return 1 - erfc(Math.abs(z) / Math.SQRT2);
  };
}
