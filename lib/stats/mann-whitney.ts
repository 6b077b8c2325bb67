/**
 * Mann–Whitney U: whether values of one side tend to be larger. U = R − n(n + 1)/2 of the reference. As SciPy's `mannwhitneyu`.
 *
 * p-value: exact where a side has at most 8 rows and nothing ties (`auto`), else normal with corrections for continuity and ties.
 * `alternative`: `two-sided`, `less` (reference tends to be smaller), `greater`.
 * | input | answer |
 * | --- | --- |
 * | null, NaN, ±∞ | left out, per side |
 * | an empty side | reason |
 * | `exact` asked for of more than some 270 rows a side | reason `too-many-rows` |
 * | one and the same value everywhere | U = nm/2, p 1, `constant` |
 */
import { BoundedCache } from './bounded-cache.ts';
import { type Outcome, undecided } from './outcome.ts';
import { pooledRanks } from './ranks.ts';
import { type RawValue, sortedFinite } from './sample.ts';
import { normalSurvival } from './special.ts';

export type Alternative = 'two-sided' | 'less' | 'greater';

export interface MannWhitneyOptions {
  readonly alternative?: Alternative;
  readonly method?: 'auto' | 'exact' | 'asymptotic';
}

const EXACT_LIMIT = 8;
/** n·m·min(n, m) beyond which the exact law would take more than a second. */
const EXACT_WORK = 2e7;
const laws = new BoundedCache<readonly bigint[]>(64);

/** O(n log n); the exact p-value O(n · m · min(n, m)). */
export function mannWhitney(
  reference: ArrayLike<RawValue>,
  current: ArrayLike<RawValue>,
  options: MannWhitneyOptions = {},
): Outcome {
  const a = sortedFinite(reference);
  const b = sortedFinite(current);
  const n = a.length;
  const m = b.length;
  const alternative = options.alternative ?? 'two-sided';
  const wanted = options.method ?? 'auto';
  if (n === 0) return undecided('empty-reference', n, m, wanted);
  if (m === 0) return undecided('empty-current', n, m, wanted);
  const ranks = pooledRanks(a, b);
  const ties = ranks.runs.some((run) => run > 1);
  const isSmall = (n <= EXACT_LIMIT || m <= EXACT_LIMIT) && !ties;
  const method = wanted === 'auto' ? (isSmall ? 'exact' : 'asymptotic') : wanted;
  if (method === 'exact' && n * m * Math.min(n, m) > EXACT_WORK) return undecided('too-many-rows', n, m, method);
  const statistic = ranks.reference.reduce((sum, rank) => sum + rank, 0) - (n * (n + 1)) / 2;
  const other = n * m - statistic;
  const u = alternative === 'greater' ? statistic : alternative === 'less' ? other : Math.max(statistic, other);
  const constant = ranks.runs.length === 1;
  const tail = constant ? 1 : method === 'exact' ? exactTail(u, n, m) : normalTail(u, n, m, ranks.runs);
  return {
    statistic,
    pValue: Math.min(1, alternative === 'two-sided' ? 2 * tail : tail),
    referenceSize: n,
    currentSize: m,
    method,
    ...(constant ? { reason: 'constant' as const } : {}),
  };
}

function normalTail(u: number, n: number, m: number, runs: readonly number[]): number {
  const total = n + m;
  const ties = runs.reduce((sum, run) => sum + (run ** 3 - run), 0);
  const deviation = Math.sqrt(((n * m) / 12) * (total + 1 - ties / (total * (total - 1))));
  return normalSurvival((u - (n * m) / 2 - 0.5) / deviation);
}

/** P(U ≥ u): U counts the partitions in an n × m box, whose generating function is the Gaussian binomial. */
function exactTail(u: number, n: number, m: number): number {
  const small = Math.min(n, m);
  const large = Math.max(n, m);
  const degree = small * large;
  // By symmetry of the law only the shorter tail is summed.
  // Half a rank, where values tie, is rounded away, as SciPy does.
  const from = Math.floor(u);
  const mirrored = degree - from;
  const last = Math.min(degree, Math.max(from - 1, mirrored));
  const counts =
    small <= EXACT_LIMIT && large <= KEPT
      ? laws.get(`${small}|${large}`, () => gaussianBinomial(small, large, degree))
      : gaussianBinomial(small, large, last);
  let all = 1n;
  for (let i = 1; i <= small; i++) all = (all * BigInt(large + i)) / BigInt(i);
  const upTo = (last: number): bigint => {
    let sum = 0n;
    for (let i = 0; i <= Math.min(last, counts.length - 1); i++) sum += counts[i]!;
    return sum;
  };
  return from <= 0 ? 1 : ratio(upTo(mirrored), all);
}

/** Rows of the larger side up to which a whole law is kept. */
const KEPT = 200;

/** Coefficients 0 … last of ∏ (1 − q^(large + i)) / (1 − q^i), i = 1 … small. */
function gaussianBinomial(small: number, large: number, last: number): bigint[] {
  const c = new Array<bigint>(last + 1).fill(0n);
  c[0] = 1n;
  for (let i = 1; i <= small; i++) {
    for (let k = last; k >= large + i; k--) c[k] = c[k]! - c[k - large - i]!;
    for (let k = i; k <= last; k++) c[k] = c[k]! + c[k - i]!;
  }
  return c;
}

/** a / b with 16 digits. */
function ratio(a: bigint, b: bigint): number {
  const limit = 1n << 1000n;
  let [x, y] = [a, b];
  while (y > limit) [x, y] = [x >> 64n, y >> 64n];
  return Number(x) / Number(y);
}
