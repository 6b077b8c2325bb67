/**
 * Mean, variance and third cumulant of Σ |W_i| · gap_i, W a normal process with covariances i(N − j) · scale for i ≤ j: a Brownian bridge
 * but for its scale. The gaps are gathered in 32 blocks of ranks, so that the mean is exact; what two and three points of a
 * bridge have in common is a table (Nabeya 1951, 1952), made once.
 */
const BLOCKS = 32;

export interface Moments {
  readonly mean: number;
  readonly variance: number;
  /** The third cumulant. */
  readonly third: number;
}

/** Two neighbouring j lie side by side, so that neither of two sums waits for the additions of the other; beyond i and j there are zeros. */
interface Table {
  /** Cov(|X|, |Y|) of standardised points, both orders together, j ≤ i: by i, then by j. */
  readonly pairs: Float64Array;
  /** The third joint cumulant, all orders together, i ≥ j ≥ k: by i, by j two at a time, by k, and the two. */
  readonly triples: Float64Array;
}

let table: Table | undefined;

/** O(N + 32³/6). */
export function absoluteMoments(pooled: Float64Array, scale: number): Moments {
  table ??= tableOf();
  const total = pooled.length;
  const weights = new Float64Array(BLOCKS);
  for (let i = 1; i < total; i++) {
    const block = Math.min(BLOCKS - 1, Math.floor((i * BLOCKS) / total));
    weights[block] = weights[block]! + Math.sqrt(i * (total - i)) * (pooled[i]! - pooled[i - 1]!);
  }
  const root = Math.sqrt(scale);
  let mean = 0;
  let variance = 0;
  let third = 0;
  const { pairs, triples } = table;
  for (let i = 0, pair = 0, triple = 0; i < BLOCKS; i++) {
    const wi = weights[i]! * root;
    mean += wi;
    for (let j = 0; j <= i; j += 2) {
      let even = 0;
      let odd = 0;
      for (let k = 0; k <= j + 1; k++, triple += 2) {
        const wk = weights[k]!;
        even += wk * triples[triple]!;
        odd += wk * triples[triple + 1]!;
      }
      const wEven = wi * weights[j]! * root;
      const wOdd = wi * weights[j + 1]! * root;
      variance += wEven * pairs[pair++]!;
      variance += wOdd * pairs[pair++]!;
      third += wEven * even * root;
      third += wOdd * odd * root;
    }
  }
  return { mean: mean * Math.sqrt(2 / Math.PI), variance, third };
}

function tableOf(): Table {
  const t = Float64Array.from({ length: BLOCKS }, (_, i) => (i + 0.5) / BLOCKS);
  // Of points s < t of a bridge. Two blocks that are one have nearly, not quite, one value.
  const rho = (i: number, j: number): number => {
    if (i === j) return WITHIN;
    const [s, u] = i < j ? [t[i]!, t[j]!] : [t[j]!, t[i]!];
    return Math.sqrt((s * (1 - u)) / (u * (1 - s)));
  };
  const pairs: number[] = [];
  const triples: number[] = [];
  const first = Math.sqrt(2 / Math.PI);
  const two = (r: number): number => (2 / Math.PI) * (Math.sqrt(1 - r * r) + r * Math.asin(r));
  const pairOf = (i: number, j: number): number => (j > i ? 0 : (i === j ? 1 : 2) * (two(rho(i, j)) - first ** 2));
  const tripleOf = (i: number, j: number, k: number): number => {
    if (j > i || k > j) return 0;
    const [a, b, c] = [rho(j, k), rho(i, k), rho(i, j)];
    const cumulant = three(a, b, c) - first * (two(a) + two(b) + two(c)) + 2 * first ** 3;
    return (i === j && j === k ? 1 : i === j || j === k ? 3 : 6) * cumulant;
  };
  for (let i = 0; i < BLOCKS; i++)
    for (let j = 0; j <= i; j += 2) {
      pairs.push(pairOf(i, j), pairOf(i, j + 1));
      for (let k = 0; k <= j + 1; k++) triples.push(tripleOf(i, j, k), tripleOf(i, j + 1, k));
    }
  return { pairs: Float64Array.from(pairs), triples: Float64Array.from(triples) };
}

/** Correlation of two ranks of one block, on average. */
const WITHIN = 0.999;

/** E|XYZ| of standard normals with correlations a, b, c. */
function three(a: number, b: number, c: number): number {
  const determinant = Math.max(0, 1 + 2 * a * b * c - a * a - b * b - c * c);
  const part = (r: number, s: number, u: number): number => {
    const partial = (r - s * u) / Math.sqrt((1 - s * s) * (1 - u * u));
    return (r + s * u) * Math.asin(Math.max(-1, Math.min(1, partial)));
  };
  return (2 / Math.PI) ** 1.5 * (Math.sqrt(determinant) + part(a, b, c) + part(b, a, c) + part(c, a, b));
}
