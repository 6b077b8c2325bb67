/** Metrics of scores from rows, by scikit-learn's definitions. Scores are probabilities of the positive class where it matters. */

/** The area under the ROC curve, ties counted half; NaN where only one class occurs. O(n log n). */
export function rocAucOf(isPositive: readonly boolean[], score: readonly number[]): number {
  const order = score.map((_, i) => i).sort((a, b) => score[a]! - score[b]!);
  let positives = 0;
  let ranks = 0;
  for (let i = 0; i < order.length; ) {
    let end = i;
    while (end < order.length && score[order[end]!] === score[order[i]!]) end++;
    for (let k = i; k < end; k++)
      if (isPositive[order[k]!]) {
        positives++;
        ranks += (i + end + 1) / 2;
      }
    i = end;
  }
  const negatives = order.length - positives;
  return positives === 0 || negatives === 0
    ? Number.NaN
    : (ranks - (positives * (positives + 1)) / 2) / (positives * negatives);
}

/** Σ (Rₖ − Rₖ₋₁) Pₖ over distinct scores, descending; 0 without positives. */
export function averagePrecisionOf(isPositive: readonly boolean[], score: readonly number[]): number {
  const order = score.map((_, i) => i).sort((a, b) => score[b]! - score[a]!);
  const positives = isPositive.filter(Boolean).length;
  if (positives === 0) return 0;
  let found = 0;
  let sum = 0;
  for (let i = 0; i < order.length; ) {
    let end = i;
    let here = 0;
    while (end < order.length && score[order[end]!] === score[order[i]!]) if (isPositive[order[end++]!]) here++;
    found += here;
    sum += (here / positives) * (found / end);
    i = end;
  }
  return sum;
}

/** Smallest probability that has a logarithm here: the spacing of doubles at 1. */
const SMALLEST = Number.EPSILON;

/** −ln of the probability that the true class was given, clipped to [2⁻⁵², 1 − 2⁻⁵²]: one value a row. */
export function logLosses(probabilityOfTruth: readonly number[]): number[] {
  return probabilityOfTruth.map((p) => -Math.log(Math.min(1 - SMALLEST, Math.max(SMALLEST, p))));
}

/** The discounted gain of a ranking by score, 1/log₂(1 + rank), tied scores averaged, over the best there is; 0 where nothing is relevant. */
export function ndcg(
  relevance: readonly number[],
  score: readonly number[],
  options: { readonly k?: number; readonly ties?: 'averaged' | 'ignored' } = {},
): number {
  const best = [...relevance].sort((a, b) => b - a);
  const ideal = gain(
    best.map((value) => value),
    options.k,
  );
  if (ideal === 0) return 0;
  return dcg(relevance, score, options) / ideal;
}

/** The discounted gain itself. */
export function dcg(
  relevance: readonly number[],
  score: readonly number[],
  options: { readonly k?: number; readonly ties?: 'averaged' | 'ignored' } = {},
): number {
  return gain(ranked(relevance, score, options.ties ?? 'averaged'), options.k);
}

function ranked(relevance: readonly number[], score: readonly number[], ties: 'averaged' | 'ignored'): number[] {
  // Ignored: the later of two equal scores comes first.
  const order = score.map((_, i) => i).sort((a, b) => score[b]! - score[a]! || b - a);
  const values = order.map((i) => relevance[i]!);
  if (ties === 'ignored') return values;
  for (let i = 0; i < order.length; ) {
    let end = i;
    let sum = 0;
    while (end < order.length && score[order[end]!] === score[order[i]!]) sum += values[end++]!;
    values.fill(sum / (end - i), i, end);
    i = end;
  }
  return values;
}

function gain(values: readonly number[], k = values.length): number {
  return values.slice(0, k).reduce((sum, value, i) => sum + value / Math.log2(i + 2), 0);
}
